"""Loads messages from the database into their lanes, together with the state of their contacts.

A lane holds a few messages of its recipient. The rest stays in the database until the lane is nearly empty, so a
recipient with thousands of messages takes no memory from others.

Process: whatsapp.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.clock import Clock
from services.conversations import ConversationState, Standing
from services.events import EventWriter
from services.messages import (
    Message,
    MessageRepository,
    MessageState,
    MessageStatus,
    Priority,
    is_window_open,
    message_fact,
    preview_text,
)
from services.sending.dispatch import Dispatcher
from services.sending.lanes import Lanes
from services.sending.rate_limiter import RateLimiter
from services.sending.send_policy import Consents, contact_of

LANE_CAPACITY = 32
"""Messages of one recipient in memory."""
CROWDED = 3_750
CROWDED_CAPACITY = 4
"""The same while more than ``CROWDED`` messages are in memory: many recipients with many messages that cannot leave."""

_WAITING = frozenset({MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.HELD})


@dataclass(slots=True)
class UnloadedMessages:
    """Messages of one lane that wait in the database: none has an order below ``first``; ``count`` grows with each.

    ``addresses``: their recipients. A contact may have several addresses.
    """

    first: int
    count: int = 0
    addresses: set[str] = field(default_factory=set)


class LaneLoader:
    """Puts messages into lanes. Calling it again with the same messages changes nothing."""

    def __init__(
        self,
        *,
        event_writer: EventWriter,
        message_state: MessageState,
        lanes: Lanes,
        conversations: ConversationState,
        dispatcher: Dispatcher,
        rate_limiter: RateLimiter,
        consents: Consents,
        clock: Clock,
        template_text: Callable[[str, Mapping[str, Any]], str | None] = lambda _number, _sent: None,
    ) -> None:
        """``template_text`` renders a number's `template` object for the preview; None if the catalogue lacks it."""
        self._event_writer = event_writer
        self._message_state = message_state
        self._lanes = lanes
        self._conversations = conversations
        self._dispatcher = dispatcher
        self._rate_limiter = rate_limiter
        self._consents = consents
        self._clock = clock
        self._template_text = template_text
        self._unloaded: dict[tuple[str, str], UnloadedMessages] = {}

    @property
    def waiting_count(self) -> int:
        """Messages in all lanes."""
        return len(self._lanes)

    def moving_count(self, phone_number_id: str) -> int:
        """A number's messages in lanes that are not blocked by something of their own: a pair's rate, evidence."""
        return self._lanes.moving_count(phone_number_id)

    @property
    def unloaded_count(self) -> int:
        """Lanes with more messages in the database."""
        return len(self._unloaded)

    async def refill(self, repository: MessageRepository) -> int:
        """Fetch more messages for lanes that are nearly empty; return how many came. Raises ``Unavailable``."""
        count = 0
        for key, unloaded in list(self._unloaded.items()):
            if self._lanes.length(key) > self._capacity // 4:
                continue
            met, number = unloaded.count, key[0]
            priority, to = Priority(key[1].partition(":")[0]), sorted(unloaded.addresses)
            page = await repository.queued_to(number, priority, to, above=unloaded.first - 1, limit=LANE_CAPACITY)
            # A message that comes for this lane meanwhile is newer. It stays in the database: it must not go first.
            count += await self.admit(page, refilling=key)
            if unloaded.count != met or self._unloaded.get(key) is not unloaded:
                continue  # the page may lack it: the next refill begins at the same place
            if len(page) == LANE_CAPACITY:
                unloaded.first = page[-1].order + 1
            else:
                del self._unloaded[key]
        return count

    def unloaded_addresses(self, phone_number_id: str, priority: Priority) -> frozenset[str]:
        """The addresses that have more messages in the database."""
        lanes = (
            unloaded.addresses
            for key, unloaded in self._unloaded.items()
            if key[0] == phone_number_id and key[1].startswith(f"{priority.value}:")
        )
        return frozenset(address for addresses in lanes for address in addresses)

    def merge(self, number: str, *, into: Standing, absorbed: Standing) -> None:
        """Two contacts are merged, and so are their lanes: unloaded messages of either leave before newer ones."""
        for priority in Priority:
            old, key = ((number, f"{priority.value}:{one.key}") for one in (absorbed, into))
            other, own = self._unloaded.pop(old, None), self._unloaded.pop(key, None)
            if other is None and own is None:
                continue
            parts = [unloaded for unloaded in (other, own) if unloaded is not None]
            merged = UnloadedMessages(
                min(unloaded.first for unloaded in parts), sum(unloaded.count for unloaded in parts)
            )
            merged.addresses.update(*(unloaded.addresses for unloaded in parts))
            self._unloaded[key] = merged
            for message in self._lanes.waiting(key):
                if message.order >= merged.first and message.status is MessageStatus.QUEUED:
                    self._lanes.finish(key, message.id)
                    self._leave_in_database(key, message)

    async def admit(self, page: Sequence[Message], *, refilling: tuple[str, str] | None = None) -> int:
        """Put messages that still wait (or are in doubt) into their lanes; return how many were new.

        ``refilling``: the lane for which this page was fetched. Raises ``Unavailable``.
        """
        fresh = [message for message in page if self._is_new(message)]
        if not fresh:
            return 0
        contacts = {message.id: contact_of(message) for message in fresh}
        await self._consents.load([contact.key for contact in contacts.values()])
        await self._conversations.load(list(contacts.values()))
        # Other tasks ran during the reads: a message may have been admitted or canceled.
        fresh = self._fitting([message for message in fresh if self._is_new(message)], refilling)
        if not fresh:
            return 0
        # From here to the record nothing awaits, so memory and log stay in step.
        standings, facts = self._conversations.open([contacts[message.id] for message in fresh], self._clock.now())
        for message in fresh:
            contact = contacts[message.id]
            standing = standings[contact.phone_number_id, contact.key]
            tracked = self._message_state.track(message)
            tracked.conversation_id = standing.conversation_id
            if standing.pair_tat is not None:
                self._rate_limiter.remember_pair(contact.phone_number_id, standing.key, standing.pair_tat)
            # A message reported as stuck while it waited in the database has a seq, but no conversation yet.
            is_unseen = message.status is MessageStatus.QUEUED and message.conversation_id is None
            if message.seq == 0 or is_unseen or tracked.status is MessageStatus.SCHEDULED:
                tracked.status = MessageStatus.QUEUED
                data = {
                    "order": message.order,
                    "type": message.kind,
                    "preview": self._preview(message),
                }
                facts.append(message_fact(tracked, "message.queued", data, self._clock))
        if facts:
            self._event_writer.record(facts)
        for message in fresh:
            self._dispatcher.offer(message)
        return len(fresh)

    def unknown(self, message_ids: Sequence[str]) -> list[str]:
        """Return the ids that are not in memory."""
        return [message_id for message_id in message_ids if self._message_state.get(message_id) is None]

    async def park(self, messages: Sequence[Message]) -> list[Message]:
        """Park messages that wait for their customers; return those whose window is open. Raises ``Unavailable``."""
        await self._conversations.load([contact_of(message) for message in messages])
        now, free = self._clock.now(), []
        for message in messages:
            contact = contact_of(message)
            standing = self._conversations.standing(contact.phone_number_id, contact.key)
            if standing is not None and is_window_open(standing.last_inbound_at, now):
                free.append(message)
            else:
                self._message_state.track(message)
                key = self._conversations.key_of(contact.phone_number_id, contact.key)
                self._dispatcher.park(contact.phone_number_id, key, message.id)
        return free

    def _preview(self, message: Message) -> str:
        sent = message.payload.get("template") if message.kind == "template" else None
        text = self._template_text(message.phone_number_id, sent) if isinstance(sent, Mapping) else None
        return text or preview_text(message.kind, message.payload)

    @property
    def _capacity(self) -> int:
        return CROWDED_CAPACITY if len(self._lanes) > CROWDED else LANE_CAPACITY

    def _fitting(self, messages: list[Message], refilling: tuple[str, str] | None) -> list[Message]:
        """Return the messages whose lane has room. The others stay in the database, with all that follow in their lane.

        A message that was admitted before (held, in doubt) always has room.
        """
        taken: Counter[tuple[str, str]] = Counter()
        chosen = []
        for message in messages:
            key = Lanes.key(message, self._conversations.key_of(message.phone_number_id, contact_of(message).key))
            unloaded = self._unloaded.get(key) if key != refilling else None
            if message.status is not MessageStatus.QUEUED:
                chosen.append(message)
            elif (unloaded is not None and message.order >= unloaded.first) or self._lanes.length(key) + taken[
                key
            ] >= self._capacity:
                self._leave_in_database(key, message)
            else:
                taken[key] += 1
                chosen.append(message)
        return chosen

    def _leave_in_database(self, key: tuple[str, str], message: Message) -> None:
        unloaded = self._unloaded.setdefault(key, UnloadedMessages(message.order))
        unloaded.first = min(unloaded.first, message.order)
        unloaded.count += 1
        unloaded.addresses.add(str(message.to))

    def _is_new(self, message: Message) -> bool:
        """Is it in no lane, and waiting by what memory knows? The documents may lag behind the log."""
        if message.id in self._lanes:
            return False
        tracked = self._message_state.get(message.id)
        if tracked is None:
            return message.status in _WAITING or message.status is MessageStatus.SENDING
        return tracked.status in _WAITING and tracked.status is message.status
