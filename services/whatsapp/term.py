"""A reign: from getting the lease to losing it. All that the owner knows in memory begins and ends here.

Process: whatsapp.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from config.errors import Unavailable
from services.campaigns import CampaignRepository, CampaignState
from services.contacts import ConsentState, ContactEditor, ContactState
from services.conversations import ConversationState
from services.events import REPLAY, EventWriter, apply_writes
from services.links import Link
from services.media import BUCKET, MediaForSending, MediaRepository, MediaService
from services.messages import Hold, MessageRepository, MessageState
from services.numbers import Number, NumberState
from services.sending import (
    Dispatcher,
    DispatchOptions,
    Due,
    LaneLoader,
    Lanes,
    PreparedLink,
    RateLimiter,
    SendLimits,
    SendPolicy,
    limits_of,
)
from services.store import Blobs, Database, Fact, Fenced, last_seq, read_events
from services.telemetry.scoreboard import Scoreboard
from services.whatsapp.background_tasks import (
    BackgroundTask,
    background_tasks,
    due_readers,
    first_background_tasks,
    numbers_of,
    project,
    templates_of,
)
from services.whatsapp.context import OwnerContext
from services.whatsapp.event_metrics import EventMetrics
from services.wiring import Owner

log = logging.getLogger(__name__)

OPENS_WITHIN_S = 1.0
"""Longer only when the database takes nothing: then something old has to go first."""


@dataclass(frozen=True, slots=True)
class TermOptions:
    """Times in seconds. ``stop_s`` is for sends that are under way at a stop, and again for what is still to write."""

    dispatch: DispatchOptions
    pace: SendLimits
    renew_s: float
    floor_every_s: float = 30.0
    stop_s: float = 8.0


class OwnerTerm:
    """The owner at work. Build one for each time the lease is won; ``run`` returns on stop and raises when fenced."""

    def __init__(
        self,
        queen: Owner,
        *,
        links: Mapping[str, Link],
        numbers: list[Number],
        seqs: dict[str, int],
        options: TermOptions,
        board: Scoreboard | None = None,
    ) -> None:
        """No input or output. ``seqs`` is the last event number of each phone number, ``links`` its transport."""
        database, lease, clock = queen.database, queen.lease, queen.clock
        self._database = database
        self._lease = lease
        self._clock = clock
        self._options = options
        self._number_repository = queen.numbers
        repository = MessageRepository(database)
        journal = EventWriter(database, lease, seqs=seqs, project=project)
        ledger = MessageState(repository)
        journal.listeners.append(EventMetrics(ledger).hear)
        lanes = Lanes()
        people = ContactState(database)
        directory = ConversationState(database, numbers=[number.phone_number_id for number in numbers], aliases=people)
        governor = RateLimiter(clock.monotonic)
        for number in numbers:
            hold = Hold(number.hold_reason, number.hold_until) if number.hold_reason else None
            pace = limits_of(number, options.pace)
            governor.set_number(number.phone_number_id, pace, hold=hold, is_paused=number.is_paused)
        book = NumberState(
            numbers,
            on_change=lambda number: governor.set_pace(number.phone_number_id, limits_of(number, options.pace)),
        )
        consents = ConsentState(database)
        campaigns = CampaignState(CampaignRepository(database))
        gate = SendPolicy(
            governor,
            standing_of=directory.standing,
            consents=consents,
            is_marketing=campaigns.is_marketing,
            hold_of=campaigns.hold_of,
        )
        media_records, blobs = MediaRepository(database), Blobs(database, BUCKET)
        library = MediaService(media_records, blobs, queen.graph, clock)
        media = MediaForSending(library, media_records, queen.graph, clock)
        links = {name: PreparedLink(link, ledger=ledger, media=media) for name, link in links.items()}
        dispatcher = Dispatcher(
            lanes=lanes,
            ledger=ledger,
            recorder=journal,
            gate=gate,
            answers=queen.answers,
            link_of=links.__getitem__,
            is_owner=lease.is_held,
            clock=clock,
            options=options.dispatch,
        )
        directory.mergers.append(dispatcher.merge)
        self.court = OwnerContext(
            settings=queen.settings,
            database=database,
            box=queen.box,
            session=queen.session,
            lease=lease,
            wakeup=queen.wakeup,
            clock=clock,
            numbers=numbers,
            links=links,
            journal=journal,
            ledger=ledger,
            lanes=lanes,
            directory=directory,
            dispatcher=dispatcher,
            governor=governor,
            consents=consents,
            contact_ledger=people,
            contacts=ContactEditor(people, consents, directory),
            campaigns=campaigns,
            messages=repository,
            graph=queen.graph,
            media=media,
            media_records=media_records,
            blobs=blobs,
            number_book=book,
            board=board,
        )
        self._floors: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Own the numbers until ``stop`` is set. Raises ``Fenced`` when another process took over."""
        loops: list[asyncio.Task[None]] = [
            asyncio.create_task(self.court.journal.run(), name="journal"),
            asyncio.create_task(self._renew(), name="renew"),
        ]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            templates, numbers = templates_of(self.court), numbers_of(self.court)
            admission = LaneLoader(
                journal=self.court.journal,
                ledger=self.court.ledger,
                lanes=self.court.lanes,
                directory=self.court.directory,
                dispatcher=self.court.dispatcher,
                governor=self.court.governor,
                consents=self.court.consents,
                clock=self._clock,
                template_text=templates.text_of,
            )
            self.court.directory.mergers.append(admission.merge)
            due = due_readers(self.court, admission)
            opening = asyncio.create_task(self._open(due), name="open")
            try:
                await asyncio.wait([opening], timeout=OPENS_WITHIN_S)
                loops += self._loops(first_background_tasks(self.court))
                await opening
            finally:
                opening.cancel()
            await templates.recall()
            await numbers.recall(self._number_repository)
            loops.append(asyncio.create_task(self._keep_floors(), name="floors"))
            loops += self._loops(background_tasks(self.court, admission, due, templates=templates, numbers=numbers))
            ends: list[asyncio.Future[Any]] = [*loops, stopping, self.court.dispatcher.failure]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                await finished  # raises what ended it, unless it is the stop
            await self._close(loops)
        finally:
            stopping.cancel()
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            # What left already may still be answered: the process remembers it for its next reign.
            await self.court.dispatcher.stop(within_s=self._options.stop_s if not stop.is_set() else 0.0)

    def _loops(self, background_tasks: list[BackgroundTask]) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self._forever(duty), name=duty.name) for duty in background_tasks]

    async def _open(self, due: list[Due]) -> None:
        """Finish what the last owner left, say in every log that a reign began (the fence), find messages in doubt."""
        for number in self.court.numbers:
            await self._replay(number.phone_number_id)
        await self._read_numbers()
        now = self._clock.now()
        data = {"owner": self._lease.holder, "epoch": self._lease.token}
        entry = self.court.journal.record(
            [Fact("number.connected", n.phone_number_id, now, data) for n in self.court.numbers]
            + [Fact("cluster.owner_changed", number, now, data) for number in self.court.number_ids[:1]]
        )
        await self._or_failure(entry.applied)
        self.court.opened.set()
        for number_id in self.court.number_ids:
            counted = await self.court.directory.initiated(number_id, since=now - timedelta(days=1))
            self.court.governor.remember_initiated(number_id, [(key, at.timestamp()) for key, at in counted])
        for reader in due:
            count = await reader.recover()
            if count:
                log.warning(
                    "Messages whose outcome is unknown wait for evidence.",
                    extra={"action": "message.in_doubt", "count": count},
                )

    async def _replay(self, phone_number_id: str) -> None:
        """Apply the newest events again: the last owner may have died between its log and its documents."""
        reached = self.court.journal.seqs[phone_number_id]
        after = max(0, reached - REPLAY)
        while after < reached:
            events, last = await read_events(self._database, phone_number_id, after=after, limit=500)
            await apply_writes(self._database, [write for event in events for write in project(event)])
            after = max(last, after + 500)

    async def _read_numbers(self) -> None:
        """As they are now: the last owner may have died before its documents told of a pause, a hold or a limit."""
        court, pace = self.court, self._options.pace
        for number in await self._number_repository.all():
            if court.number_book.get(number.phone_number_id) is None:
                continue  # it came after this reign was prepared
            court.number_book.replace(number)
            hold = Hold(number.hold_reason, number.hold_until) if number.hold_reason else None
            court.governor.set_number(
                number.phone_number_id, limits_of(number, pace), hold=hold, is_paused=number.is_paused
            )

    async def _or_failure(self, future: "asyncio.Future[None]") -> None:
        """Wait for a write, or for the news that the journal cannot write any more."""
        until = self._clock.monotonic() + 60
        while not future.done():
            if not self._lease.is_held() or self._clock.monotonic() > until:
                raise Fenced("The owner lease ran out.", detail="while the reign began")
            await asyncio.wait([future], timeout=0.2)
        await future

    async def _close(self, loops: list[asyncio.Task[None]]) -> None:
        """Start nothing new, let sends end, write what is known, give the lease back."""
        for task in loops[2:]:
            task.cancel()
        await self.court.dispatcher.stop(within_s=self._options.stop_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.court.journal.drained(), self._options.stop_s)
        await self._raise_floors()
        with contextlib.suppress(Unavailable):
            await self._lease.release()

    async def _renew(self) -> None:
        """Renew in time; when it fails long enough the lease runs out by itself, and ``Fenced`` ends the reign."""
        while True:
            await asyncio.sleep(self._options.renew_s if self._lease.remaining_s() > self._options.renew_s else 0.25)
            token = self._lease.token
            try:
                view = await self._lease.acquire()
            except Unavailable as error:
                log.warning(
                    "The lease could not be renewed.", extra={"action": "lease.renew_failed", "detail": str(error)}
                )
            else:
                if self._lease.token != token:
                    raise Fenced("Another process owns the numbers now.", detail=f"token {token}, now {view.token}")
            if not self._lease.is_held():
                raise Fenced("The owner lease ran out.", detail=f"token {token}")

    async def _forever(self, duty: BackgroundTask) -> None:
        """Work while there is work, then wait to be woken. A database that is away is waited for.

        Inside an operation budget each step waits for its turn, and idle looks come less often.
        """
        line, poll_s = self._database.pacer.line(gather=duty.gather), duty.poll_s * self._database.pacer.stretch
        while True:
            await line.turn()
            try:
                count = await duty.step()
            except Unavailable as error:
                log.warning(
                    "The owner waits for the database.",
                    extra={"action": "owner.waiting", "duty": duty.name, "detail": str(error)},
                )
                await asyncio.sleep(0.5)
                continue
            if count and not duty.is_thorough:
                continue
            if duty.inbox is None:
                await asyncio.sleep(poll_s)
            else:
                await self.court.wakeup.wait(duty.inbox, poll_s=poll_s, reader=duty.name)

    async def _keep_floors(self) -> None:
        while True:
            await asyncio.sleep(self._options.floor_every_s)
            await self._raise_floors()

    async def _raise_floors(self) -> None:
        for number, seq in self.court.journal.reached.items():
            if self._floors.get(number) != seq:
                with contextlib.suppress(Unavailable):
                    await self._number_repository.raise_floor(number, seq)
                    self._floors[number] = seq


async def last_seqs(database: Database, numbers: list[Number]) -> dict[str, int]:
    """The last event number of each phone number."""
    return {
        number.phone_number_id: await last_seq(database, number.phone_number_id, floor=number.seq_floor)
        for number in numbers
    }
