"""Feeds campaigns: recipients become messages, page by page, no more than a few hundred waiting at once.

Process: whatsapp.

Each recipient's message has an id that was chosen when the list was made, so storing it again changes nothing: a crash
at any point costs a repeated page, never a second message.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from config.clock import Clock
from config.errors import RequestRefused
from services.campaigns.commands import campaign_fact, started
from services.campaigns.documents import CAMPAIGNS, RECIPIENTS, progress_values, recipient_record
from services.campaigns.duplicates import People, duplicates_among
from services.campaigns.handover import Handover, hand_over
from services.campaigns.recipients import RecipientLists, person_of_contact
from services.campaigns.records import CampaignStatus
from services.campaigns.repository import CampaignRepository
from services.campaigns.settling import Settling
from services.campaigns.state import WAITING, Active, CampaignState
from services.contacts import ContactFilter, ContactRepository, contact_record
from services.messages import MESSAGES, MessageStatus, message_document
from services.store import Database, Recorder, VersionedWrite

log = logging.getLogger(__name__)

PAGE: Final = 250
MAX_HELD: Final = 2_000
MAX_PASSES: Final = 3
TELL_EVERY_S: Final = 5.0
LAST_LOOK_S: Final = 1.0
"""Documents are behind what is known by what the event writer still writes: the final count waits for them."""

MIN_OUTCOMES: Final = 20
FAILED_SHARE: Final = 0.8


class Consents(Protocol):
    """Who must not be written to."""

    async def load(self, keys: Sequence[str]) -> None:
        """Know what there is to know of these contacts."""
        ...

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        """Why this contact must not get it, or None."""
        ...


@dataclass(frozen=True, slots=True)
class FeederOptions:
    """``outstanding`` messages of one campaign may wait at once."""

    outstanding: int


class CampaignFeeder:
    """The background task. One ``step`` looks at every campaign once."""

    def __init__(
        self,
        database: Database,
        *,
        state: CampaignState,
        repository: CampaignRepository,
        contacts: ContactRepository,
        lists: RecipientLists,
        consents: Consents,
        people: People,
        settling: Settling,
        recorder: Recorder,
        is_owner: Callable[[], bool],
        clock: Clock,
        options: FeederOptions,
    ) -> None:
        """Nothing is read yet."""
        self._database = database
        self._state = state
        self._repository = repository
        self._contacts = contacts
        self._lists = lists
        self._consents = consents
        self._people = people
        self._settling = settling
        self._recorder = recorder
        self._is_owner = is_owner
        self._clock = clock
        self._options = options

    async def step(self) -> int:
        """Do what can be done now; answer how much it was. Raises ``Unavailable``: then call it again."""
        await self._state.load(self._clock.monotonic())
        count = 0
        for active in self._state.at_work():
            count += await self._advance(active)
        return count

    async def _advance(self, active: Active) -> int:
        if active.status is CampaignStatus.SCHEDULED:
            send_at = active.campaign.send_at
            if send_at is not None and send_at > self._clock.now():
                return 0
            self._recorder.record([started(active, self._clock)])
        if active.is_withdrawing:
            return await self._withdraw(active)
        self._settling.settle(active)
        self._tell(active)
        if active.status is not CampaignStatus.RUNNING or self._gives_up(active):
            return 0
        if not active.progress.is_prepared:
            return await self._prepare(active)
        if not active.is_fed:
            return await self._feed(active)
        return await self._complete(active)

    # --- the list

    async def _prepare(self, active: Active) -> int:
        """Make the list complete: contacts with the label, a page a step; then count it."""
        campaign = active.campaign
        if campaign.audience.label is not None:
            wanted = ContactFilter(label=campaign.audience.label, numbers=frozenset(campaign.audience.numbers))
            walk = self._contacts.walk(wanted, after=active.progress.prepared_to)
            if found := await walk.next():
                people = [person_of_contact(contact_record(document, wanted.numbers)) for document in found]
                try:
                    report = await self._lists.add(campaign.id, people, held=active.progress.total or 0)
                except RequestRefused as refusal:
                    self._pause(active, {"reason": refusal.code, "detail": refusal.text})
                    return 0
                total = (active.progress.total or 0) + report.added
                active.advance(prepared_to=walk.reached, total=total)
                self._write_down(active)
                return len(found)
        active.advance(is_prepared=True, total=await self._repository.count(campaign.id))
        self._write_down(active)
        return 1

    async def _feed(self, active: Active) -> int:
        now_s = self._clock.monotonic()
        room = self._room(active, now_s)
        if room <= 0:
            return 0
        if not active.page:
            if active.walk is None:
                active.walk = self._repository.walk(active.campaign.id, after=active.progress.cursor, page=PAGE)
            active.page = [recipient_record(document) for document in await active.walk.next(room)]
        if not active.page:
            active.is_fed = True
            return 1
        page = active.page
        await self._consents.load([recipient.key for recipient in page])
        twins = await duplicates_among(self._people, self._repository, active.campaign.id, page)
        result = hand_over(active.campaign, page, self._blocks(active), now=self._clock.now(), twins=twins)
        await self._keep_sent(result)
        # Paused, canceled or overthrown while this was read: what is not stored yet stays where it is.
        if active.status is not CampaignStatus.RUNNING or not self._is_owner():
            return 0
        if result.messages:
            active.outstanding |= await self._store(result)
        active.page = []
        active.pace.spend(len(result.messages))
        progress = active.progress
        active.advance(
            cursor=page[-1].order, seen=progress.seen + len(page), skipped=progress.skipped + len(result.skipped)
        )
        marks = [
            VersionedWrite(RECIPIENTS, id_, None, set={"skipped": reason}) for id_, reason in result.skipped.items()
        ]
        self._write_down(active, marks)
        return len(page)

    async def _store(self, result: Handover) -> dict[str, MessageStatus]:
        """Insert the messages; answer those that wait. One that is there already may be long past waiting."""
        messages = result.messages
        documents = [message_document(message) for message in messages]
        duplicates = await self._database.insert_many(MESSAGES, documents, ordered=False)
        known = {messages[duplicate.index].id for duplicate in duplicates}
        fresh = {message.id: message.status for message in messages if message.id not in known}
        if not known:
            return fresh
        states = await self._repository.statuses(sorted(known))
        found = {id_: MessageStatus(state["status"]) for id_, state in states.items()}
        return fresh | {id_: status for id_, status in found.items() if status in WAITING}

    def _room(self, active: Active, now_s: float) -> int:
        """How many recipients may be handed over now. A few are not worth a page while others wait."""
        waiting, held = self._settling.waiting(active)
        most = active.pace.outstanding(self._options.outstanding)
        room = 0 if held >= MAX_HELD else min(PAGE, most - waiting)
        allowance = active.pace.allowance(now_s)
        if allowance is not None:
            return min(room, allowance)
        return room if room >= min(PAGE, most // 4) or waiting == 0 else 0

    def _blocks(self, active: Active) -> Callable[[str], str | None]:
        number = active.campaign.phone_number_id
        return lambda key: self._consents.blocks(key, is_marketing=active.is_marketing, number=number)

    async def _keep_sent(self, result: Handover) -> None:
        """A page that is repeated after a crash: who got the message, and opted out because of it, was not skipped."""
        if not result.skipped:
            return
        ids = {result.recipients[id_].message_id: id_ for id_ in result.skipped}
        for message_id in await self._repository.statuses(list(ids)):
            del result.skipped[ids[message_id]]

    # --- the end

    async def _complete(self, active: Active) -> int:
        if active.outstanding:
            active.idle_since_s = None
            return 0
        now_s = self._clock.monotonic()
        if active.idle_since_s is None:
            active.idle_since_s = now_s
        if now_s - active.idle_since_s < LAST_LOOK_S:
            return 0
        if await self._begins_again(active):
            return 1
        results = await self._repository.results(active.campaign.id)
        if active.status is not CampaignStatus.RUNNING:
            return 0  # canceled while this was counted
        active.status = CampaignStatus.COMPLETED
        active.change(results=results)
        data = {"total": active.progress.total, "skipped": active.progress.skipped, "results": results}
        self._recorder.record([campaign_fact(active, "campaign.completed", data, self._clock.now())])
        log.info(
            "A campaign is completed.",
            extra={"action": "campaign.completed", "campaign_id": active.campaign.id, **data},
        )
        return 1

    async def _begins_again(self, active: Active) -> bool:
        """Was everybody seen? Somebody may have been put on the list below what was read already: then once more."""
        count = await self._repository.count(active.campaign.id)
        if count <= active.progress.seen or active.progress.passes >= MAX_PASSES:
            return False
        active.walk, active.is_fed = None, False
        active.advance(cursor=0, seen=0, skipped=0, passes=active.progress.passes + 1, total=count)
        self._write_down(active)
        return True

    async def _withdraw(self, active: Active) -> int:
        """Cancel messages that have not left, a page a step."""
        count = await self._settling.withdraw(active)
        if count:
            return count
        self._settling.settle(active)
        if not active.outstanding:
            active.is_withdrawing = False
            results = await self._repository.results(active.campaign.id)
            active.change(results=results)
            values = {"is_withdrawing": False, "results": results}
            self._recorder.record([], [VersionedWrite(CAMPAIGNS, active.campaign.id, None, set=values)])
        return 0

    def _gives_up(self, active: Active) -> bool:
        """Nearly everything fails: a template that was rejected, say. A person has to look before thousands follow."""
        outcomes = active.outcomes
        failed = outcomes.count(False)
        if len(outcomes) < MIN_OUTCOMES or failed < FAILED_SHARE * len(outcomes):
            return False
        data = {
            "reason": "failures",
            "detail": f"{failed} of the last {len(outcomes)} messages failed. "
            "Look at one of them (GET …/recipients), mend the cause, then resume.",
        }
        self._pause(active, data)
        return True

    def _pause(self, active: Active, data: Mapping[str, Any]) -> None:
        active.status = CampaignStatus.PAUSED
        self._recorder.record([campaign_fact(active, "campaign.paused", data, self._clock.now())])
        log.warning(
            "A campaign was paused.",
            extra={"action": "campaign.paused", "campaign_id": active.campaign.id, "reason": data["reason"]},
        )

    # --- telling

    def _tell(self, active: Active) -> None:
        """How far it is, every few seconds, when something changed."""
        now_s = self._clock.monotonic()
        if active.campaign.started_at is None or now_s - active.told_at_s < TELL_EVERY_S:
            return
        data = self._settling.progress(active)
        if data != active.told and active.progress.seen:
            self._recorder.record([campaign_fact(active, "campaign.progress", data, self._clock.now())])
            active.told, active.told_at_s = data, now_s

    def _write_down(self, active: Active, marks: Sequence[VersionedWrite] = ()) -> None:
        values = progress_values(active.progress)
        self._recorder.record([], [*marks, VersionedWrite(CAMPAIGNS, active.campaign.id, None, set=values)])
