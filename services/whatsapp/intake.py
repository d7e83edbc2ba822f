"""Intake: turns Meta's raw notifications, in order, into facts about messages and conversations.

Process: whatsapp.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from config.clock import Clock
from config.errors import RequestRefused
from config.ids import new_id, new_order
from config.metering import DuplicateKind
from services.cloud_webhook import (
    AccountUpdate,
    InboundMessage,
    Notification,
    NumberUpdate,
    PlatformErrors,
    StatusKind,
    StatusUpdate,
    TemplateUpdate,
    UnknownChange,
    UserPreference,
    parse_notification,
)
from services.contacts import ContactEvents, Identity
from services.conversations import ContactRef, ConversationState, Standing, keys_of
from services.events import EventWriter
from services.graph import classify
from services.messages import (
    Direction,
    MessageRepository,
    MessageState,
    MessageStatus,
    Tracked,
    error_data,
    message_fact,
    next_status,
    plain_key,
    preview_text,
)
from services.numbers import NumberSync
from services.sending import Dispatcher
from services.store import (
    DONE,
    FAILED,
    NOTIFICATIONS,
    Database,
    Fact,
    RawNotification,
    VersionedWrite,
    mark,
    new_notifications,
)
from services.telemetry.metrics.definitions import CLOUD_WEBHOOK_LAG_SECONDS, DUPLICATES_SUPPRESSED
from services.templates import TemplateSync
from services.whatsapp.intake_batch import SMALLEST_BATCH, next_limit

log = logging.getLogger(__name__)


_HANDLED_ELSEWHERE = (UserPreference, TemplateUpdate, NumberUpdate, AccountUpdate, PlatformErrors)
_IN_DOUBT = frozenset({MessageStatus.QUEUED, MessageStatus.HELD, MessageStatus.SENDING, MessageStatus.UNCERTAIN})
SEEN_INBOUND = 20_000


@dataclass(slots=True)
class IntakeStats:
    """Counters since the term began."""

    notifications: int = 0
    inbound: int = 0
    statuses: int = 0
    duplicates: int = 0
    unknown: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)


class Intake:
    """Ingests notifications, one batch at a time: so the notifications of a conversation stay in order."""

    def __init__(
        self,
        *,
        database: Database,
        event_writer: EventWriter,
        message_state: MessageState,
        conversations: ConversationState,
        repository: MessageRepository,
        dispatcher: Dispatcher,
        contact_events: ContactEvents,
        templates: TemplateSync,
        numbers: NumberSync,
        clock: Clock,
    ) -> None:
        """Call ``ingest_new`` in a loop."""
        self._database = database
        self._event_writer = event_writer
        self._message_state = message_state
        self._conversations = conversations
        self._repository = repository
        self._dispatcher = dispatcher
        self._contact_events = contact_events
        self._templates = templates
        self._numbers = numbers
        self._clock = clock
        self._seen_inbound: dict[tuple[str, str], None] = {}
        self.stats = IntakeStats()
        self._limit = SMALLEST_BATCH

    async def ingest_new(self) -> int:
        """Ingest one batch; return its size, once the documents show its effect. Raises ``Unavailable``."""
        waiting = await new_notifications(self._database, limit=self._limit)
        self._limit = next_limit(self._limit, count=len(waiting), size=sum(len(raw.body) for raw in waiting))
        if not waiting:
            await self._link_seen()
            self._dispatcher.read_notifications(count=0)
            return 0
        marks: list[VersionedWrite] = []
        read: list[Notification] = []
        for raw in waiting:
            notification = self._read(raw)
            if notification is None:
                marks.append(mark(NOTIFICATIONS, raw.id, FAILED))
                continue
            read.append(notification)
            marks.append(mark(NOTIFICATIONS, raw.id, DONE))
        changes = [change for notification in read for change in notification.changes]
        # All reads come first: a failure after one of them has changed memory would lose that change.
        await self._templates.load(changes)
        facts = await self._facts(changes)
        of_templates, copies = await self._templates.on_changes(changes)
        of_numbers = self._numbers.on_changes([*changes, *_not_understood(changes)])
        entry = self._event_writer.record([*facts, *of_templates, *of_numbers], [*marks, *copies])
        self.stats.notifications += len(waiting)
        await entry.applied
        self._measure(changes)
        self._dispatcher.read_notifications(count=len(waiting))
        return len(waiting)

    async def _link_seen(self) -> None:
        """Record addresses from answers to sends when there is no notification to do it with."""
        if self._dispatcher.has_seen:
            facts = await self._facts([])
            if facts:
                self._event_writer.record(facts)

    def _read(self, raw: RawNotification) -> Notification | None:
        try:
            return parse_notification(raw.body)
        except RequestRefused as refusal:
            log.error(
                "A notification is not JSON; it is kept as failed.",
                extra={"action": "notification.unreadable", "notification_id": raw.id, "detail": str(refusal)},
            )
            return None

    def _measure(self, changes: Sequence[object]) -> None:
        now = self._clock.now()
        for change in changes:
            if isinstance(change, StatusUpdate | InboundMessage) and change.at is not None:
                CLOUD_WEBHOOK_LAG_SECONDS.observe(max(0.0, (now - change.at).total_seconds()))

    def _suppressed(self, kind: DuplicateKind) -> None:
        self.stats.duplicates += 1
        DUPLICATES_SUPPRESSED.labels(kind).inc()

    async def _facts(self, changes: Sequence[object]) -> list[Fact]:
        ours = self._event_writer.seqs
        statuses = [change for change in changes if isinstance(change, StatusUpdate)]
        inbound = [
            change for change in changes if isinstance(change, InboundMessage) and change.phone_number_id in ours
        ]
        await self._message_state.load(
            (change.message_id for change in statuses if change.message_id),
            (change.wamid for change in statuses if change.wamid and not change.message_id),
        )
        known = await self._known_inbound(inbound)
        ours_by_wamid = await self._named(inbound)
        # A duplicate says nothing new, and may name addresses that its sender no longer has.
        new = [change for change in inbound if not self._is_known(change, known)]
        contacts = [contact for change in new if (contact := _contact(change)) is not None]
        seen = [*self._dispatcher.take_seen(), *self._seen_together(changes)]
        await self._conversations.load([*contacts, *seen])
        # An address belongs to the same person on all our numbers.
        unknown = [one for one in seen if not self._conversations.knows(one)]
        learning = [replace(one, phone_number_id=other) for one in unknown + contacts for other in self._elsewhere(one)]
        await self._conversations.load(learning)
        # The last step that may fail. From here to the record nothing awaits, so memory and log stay in step.
        learned = await self._contact_events.on_changes(
            [one for one in changes if not self._is_known(one, known)],
            [(one.phone_number_id, Identity(one.wa_id, one.user_id, one.former)) for one in unknown],
        )
        now = self._clock.now()
        linked = [fact for one in [*unknown, *learning] for fact in self._conversations.link(one, now)]
        standings, opened = self._conversations.open(contacts, now)
        facts = linked + opened
        for change in changes:
            if isinstance(change, StatusUpdate):
                self.stats.statuses += 1
                facts += self._status_facts(change)
            elif isinstance(change, InboundMessage):
                self.stats.inbound += 1
                contact = _contact(change)
                if contact is None or change.phone_number_id not in ours:
                    self._on_unknown(change)
                elif self._is_known(change, known):
                    self._suppressed("inbound")
                else:
                    self._remember(_identity(change))
                    standing = standings[contact.phone_number_id, contact.key]
                    facts.append(self._received(change, standing, ours_by_wamid))
                    self._dispatcher.customer_wrote(contact.phone_number_id, standing.key)
            elif not isinstance(change, _HANDLED_ELSEWHERE):
                self._on_unknown(change)
        return facts + learned

    def _seen_together(self, changes: Sequence[object]) -> list[ContactRef]:
        """Contacts for which statuses and preferences name more than one address."""
        seen = []
        for change in changes:
            if isinstance(change, StatusUpdate):
                tracked = self._find(change)
                number = tracked.phone_number_id if tracked is not None else change.phone_number_id
                sent_to = (tracked.contact_key,) if tracked is not None else ()
                is_person = change.recipient_type in (None, "individual") and not change.recipient_participant_id
                contact = ContactRef(number or "", change.recipient_id, change.recipient_user_id, former=sent_to)
            elif isinstance(change, UserPreference):
                is_person, number = True, change.phone_number_id or next(iter(self._event_writer.seqs))
                contact = ContactRef(number, change.wa_id, change.user_id, is_current=True, seen_at=change.at)
            else:
                continue
            if is_person and len(contact.keys) > 1 and contact.phone_number_id in self._event_writer.seqs:
                seen.append(contact)
        return seen

    def _elsewhere(self, contact: ContactRef) -> list[str]:
        """Our other numbers, if this number does not know these addresses yet."""
        if len(self._event_writer.seqs) == 1 or len(contact.keys) == 1 or self._conversations.knows(contact):
            return []
        return [number for number in self._event_writer.seqs if number != contact.phone_number_id]

    def _is_known(self, change: object, known: frozenset[tuple[str, str]]) -> bool:
        """Is it an inbound message that was ingested before?"""
        if not isinstance(change, InboundMessage):
            return False
        identity = _identity(change)
        return identity in known or identity in self._seen_inbound

    async def _known_inbound(self, inbound: Sequence[InboundMessage]) -> frozenset[tuple[str, str]]:
        wamids = {change.wamid for change in inbound if change.wamid and _identity(change) not in self._seen_inbound}
        return await self._repository.inbound_keys(sorted(wamids))

    async def _named(self, inbound: Sequence[InboundMessage]) -> dict[str, str]:
        """Our messages that customers refer to (a reply, a reaction): our id by wamid."""
        named = {wamid for change in inbound for wamid in (change.context_wamid, change.target_wamid) if wamid}
        found = {wamid: tracked.id for wamid in named if (tracked := self._message_state.by_wamid(wamid)) is not None}
        stored = await self._repository.by_wamids(sorted(named - found.keys()))
        return found | {wamid: message.id for wamid, message in stored.items() if message.direction is Direction.OUT}

    def _remember(self, identity: tuple[str, str]) -> None:
        """Remember an inbound message: until the documents show it, only memory knows that it was ingested."""
        self._seen_inbound[identity] = None
        if len(self._seen_inbound) > SEEN_INBOUND:
            del self._seen_inbound[next(iter(self._seen_inbound))]

    def _status_facts(self, change: StatusUpdate) -> list[Fact]:
        tracked = self._find(change)
        if tracked is None or tracked.phone_number_id not in self._event_writer.seqs:
            # Another program sends from this number too, or retention has deleted the message.
            self._on_unknown(change)
            return []
        status = next_status(tracked.status, change.raw_status)
        if status is None:
            if played := self._played(tracked, change):
                return played
            if change.raw_status == "failed" and tracked.status in _IN_DOUBT and change.wamid:
                tracked.dead_wamid = change.wamid  # an attempt that was replaced: its "sent" proves nothing
            if change.raw_status != MessageStatus.SENT.value:  # every message gets one after the answer to its send
                self._suppressed("status")
            return []
        is_dead = change.wamid is not None and change.wamid == tracked.dead_wamid
        if is_dead and status in (MessageStatus.SENT, MessageStatus.FAILED):
            self.stats.duplicates += 1
            return []
        was_in_doubt = tracked.status in _IN_DOUBT
        if change.wamid:
            self._message_state.learn_wamid(tracked, change.wamid)
        if was_in_doubt:
            self._dispatcher.settled(tracked.id)
            self._dispatcher.nudge()
        if status is MessageStatus.FAILED and change.errors:
            return self._failed(tracked, change)
        tracked.status = status
        data: dict[str, object] = {}
        if change.at is not None:
            data["platform_at"] = change.at
        if change.pricing is not None:
            data["pricing"] = change.pricing
        if change.recipient_user_id:
            data["recipient_user_id"] = change.recipient_user_id
        if change.conversation is not None:
            data["conversation"] = change.conversation
        if was_in_doubt:
            data["evidence"] = "status"
        fact = message_fact(tracked, f"message.{status.value}", data, self._clock)
        return [fact, *self._played(tracked, change)]

    def _played(self, tracked: Tracked, change: StatusUpdate) -> list[Fact]:
        """A voice note was played after it was read: no state of its own; recorded once."""
        if change.status is not StatusKind.PLAYED or tracked.is_played or tracked.status is not MessageStatus.READ:
            return []
        tracked.is_played = True
        data = {"platform_at": change.at, "recipient_user_id": change.recipient_user_id}
        known = {name: value for name, value in data.items() if value is not None}
        return [message_fact(tracked, "message.played", known, self._clock)]

    def _failed(self, tracked: Tracked, change: StatusUpdate) -> list[Fact]:
        error = change.errors[0]
        rule = classify(error.code, details=error.details)
        data = error_data(error.code, error.title, error.details, rule.next_step)
        contact = self._conversations.key_of(tracked.phone_number_id, tracked.contact_key)
        return self._dispatcher.failed_later(tracked, rule, data, contact)

    def _find(self, change: StatusUpdate) -> Tracked | None:
        if change.message_id:
            return self._message_state.get(change.message_id)
        return self._message_state.by_wamid(change.wamid) if change.wamid else None

    def _received(self, change: InboundMessage, standing: Standing, ours_by_wamid: Mapping[str, str]) -> Fact:
        now = self._clock.now()
        is_plain = change.wamid is not None and change.content_key == plain_key(change.wamid)
        conversation_id = standing.conversation_id
        sent_at = change.at or now
        if standing.last_inbound_at is None or sent_at > standing.last_inbound_at:
            standing.last_inbound_at = sent_at
        data = {
            "message_id": new_id("msg"),
            "order": new_order(),
            "conversation_id": conversation_id,
            "wamid": change.wamid,
            **({} if is_plain else {"content_key": change.content_key}),
            "from": change.from_wa_id,
            "from_user_id": change.from_user_id,
            "name": change.profile_name,
            **({} if change.group_id is None else {"group_id": change.group_id}),
            "type": change.kind,
            "content": {key: value for key, value in change.content.items() if key not in ("from", "id", "timestamp")},
            "context_wamid": change.context_wamid,
            "sent_at": sent_at,
            "preview": preview_text(change.kind, change.content),
        }
        for name, wamid in (("context_message_id", change.context_wamid), ("target_message_id", change.target_wamid)):
            if wamid is not None and wamid in ours_by_wamid:
                data[name] = ours_by_wamid[wamid]
        return Fact("message.received", str(change.phone_number_id), now, data, conversation_id)

    def _on_unknown(self, change: object) -> None:
        self.stats.unknown += 1
        kind = type(change).__name__
        self.stats.by_kind[kind] = self.stats.by_kind.get(kind, 0) + 1


def _identity(change: InboundMessage) -> tuple[str, str]:
    """Identity of an inbound message: our number and its content key. In a group two numbers get the same wamid."""
    return change.phone_number_id or "", change.content_key


def _not_understood(changes: Sequence[object]) -> list[UnknownChange]:
    """Messages without a sender and statuses with an unknown word: recorded as they came, without any effect."""
    whole = []
    for change in changes:
        if isinstance(change, StatusUpdate) and change.status is StatusKind.UNKNOWN:
            part: dict[str, object] = {"statuses": [change.raw]}
        elif isinstance(change, InboundMessage) and _contact(change) is None:
            part = {"messages": [change.content]}
        else:
            continue
        number = {"display_phone_number": change.display_phone_number, "phone_number_id": change.phone_number_id}
        value = {"messaging_product": "whatsapp", "metadata": number, **part}
        whole.append(UnknownChange(f"uk:{change.content_key}", change.field, change.waba_id, value, is_value=True))
    return whole


def _contact(change: InboundMessage) -> ContactRef | None:
    if change.phone_number_id is None or not (change.from_wa_id or change.from_user_id):
        return None
    if change.group_id is not None:
        return ContactRef(change.phone_number_id, None, group_id=change.group_id)
    return ContactRef(
        phone_number_id=change.phone_number_id,
        wa_id=change.now.wa_id,
        user_id=change.now.user_id,
        name=change.profile_name,
        former=keys_of(change.from_wa_id, change.from_user_id),
        is_current=True,
        seen_at=change.at,
    )
