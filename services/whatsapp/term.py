"""A term: from getting the lease to losing it. All that the owner knows in memory begins and ends here.

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
        owner: Owner,
        *,
        links: Mapping[str, Link],
        numbers: list[Number],
        seqs: dict[str, int],
        options: TermOptions,
        scoreboard: Scoreboard | None = None,
    ) -> None:
        """No input or output. ``seqs`` is the last event number of each phone number, ``links`` its transport."""
        database, lease, clock = owner.database, owner.lease, owner.clock
        self._database = database
        self._lease = lease
        self._clock = clock
        self._options = options
        self._number_repository = owner.numbers
        repository = MessageRepository(database)
        event_writer = EventWriter(database, lease, seqs=seqs, project=project)
        message_state = MessageState(repository)
        event_writer.listeners.append(EventMetrics(message_state).hear)
        lanes = Lanes()
        people = ContactState(database)
        conversations = ConversationState(
            database, numbers=[number.phone_number_id for number in numbers], aliases=people
        )
        rate_limiter = RateLimiter(clock.monotonic)
        for number in numbers:
            hold = Hold(number.hold_reason, number.hold_until) if number.hold_reason else None
            pace = limits_of(number, options.pace)
            rate_limiter.set_number(number.phone_number_id, pace, hold=hold, is_paused=number.is_paused)
        number_state = NumberState(
            numbers,
            on_change=lambda number: rate_limiter.set_limits(number.phone_number_id, limits_of(number, options.pace)),
        )
        consents = ConsentState(database)
        campaigns = CampaignState(CampaignRepository(database))
        policy = SendPolicy(
            rate_limiter,
            standing_of=conversations.standing,
            consents=consents,
            is_marketing=campaigns.is_marketing,
            hold_of=campaigns.hold_of,
        )
        media_records, blobs = MediaRepository(database), Blobs(database, BUCKET)
        library = MediaService(media_records, blobs, owner.graph, clock)
        media = MediaForSending(library, media_records, owner.graph, clock)
        links = {name: PreparedLink(link, message_state=message_state, media=media) for name, link in links.items()}
        dispatcher = Dispatcher(
            lanes=lanes,
            message_state=message_state,
            recorder=event_writer,
            policy=policy,
            answers=owner.answers,
            link_of=links.__getitem__,
            is_owner=lease.is_held,
            clock=clock,
            options=options.dispatch,
        )
        conversations.mergers.append(dispatcher.merge)
        self.context = OwnerContext(
            settings=owner.settings,
            database=database,
            box=owner.box,
            session=owner.session,
            lease=lease,
            change_notifier=owner.change_notifier,
            clock=clock,
            numbers=numbers,
            links=links,
            event_writer=event_writer,
            message_state=message_state,
            lanes=lanes,
            conversations=conversations,
            dispatcher=dispatcher,
            rate_limiter=rate_limiter,
            consents=consents,
            contact_state=people,
            contacts=ContactEditor(people, consents, conversations),
            campaigns=campaigns,
            messages=repository,
            graph=owner.graph,
            media=media,
            media_records=media_records,
            blobs=blobs,
            number_state=number_state,
            scoreboard=scoreboard,
        )
        self._floors: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Own the numbers until ``stop`` is set. Raises ``Fenced`` when another process took over."""
        loops: list[asyncio.Task[None]] = [
            asyncio.create_task(self.context.event_writer.run(), name="journal"),
            asyncio.create_task(self._renew(), name="renew"),
        ]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            templates, numbers = templates_of(self.context), numbers_of(self.context)
            lane_loader = LaneLoader(
                event_writer=self.context.event_writer,
                message_state=self.context.message_state,
                lanes=self.context.lanes,
                conversations=self.context.conversations,
                dispatcher=self.context.dispatcher,
                rate_limiter=self.context.rate_limiter,
                consents=self.context.consents,
                clock=self._clock,
                template_text=templates.text_of,
            )
            self.context.conversations.mergers.append(lane_loader.merge)
            due = due_readers(self.context, lane_loader)
            opening = asyncio.create_task(self._open(due), name="open")
            try:
                await asyncio.wait([opening], timeout=OPENS_WITHIN_S)
                loops += self._loops(first_background_tasks(self.context))
                await opening
            finally:
                opening.cancel()
            await templates.recall()
            await numbers.recall(self._number_repository)
            loops.append(asyncio.create_task(self._keep_floors(), name="floors"))
            loops += self._loops(background_tasks(self.context, lane_loader, due, templates=templates, numbers=numbers))
            ends: list[asyncio.Future[Any]] = [*loops, stopping, self.context.dispatcher.failure]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                await finished  # raises what ended it, unless it is the stop
            await self._close(loops)
        finally:
            stopping.cancel()
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            # What left already may still be answered: the process remembers it for its next term.
            await self.context.dispatcher.stop(within_s=self._options.stop_s if not stop.is_set() else 0.0)

    def _loops(self, background_tasks: list[BackgroundTask]) -> list[asyncio.Task[None]]:
        return [
            asyncio.create_task(self._forever(background_task), name=background_task.name)
            for background_task in background_tasks
        ]

    async def _open(self, due: list[Due]) -> None:
        """Finish what the last owner left, say in every log that a term began (the fence), find messages in doubt."""
        for number in self.context.numbers:
            await self._replay(number.phone_number_id)
        await self._read_numbers()
        now = self._clock.now()
        data = {"owner": self._lease.holder, "epoch": self._lease.token}
        entry = self.context.event_writer.record(
            [Fact("number.connected", n.phone_number_id, now, data) for n in self.context.numbers]
            + [Fact("cluster.owner_changed", number, now, data) for number in self.context.number_ids[:1]]
        )
        await self._or_failure(entry.applied)
        self.context.opened.set()
        for number_id in self.context.number_ids:
            counted = await self.context.conversations.initiated(number_id, since=now - timedelta(days=1))
            self.context.rate_limiter.remember_initiated(number_id, [(key, at.timestamp()) for key, at in counted])
        for reader in due:
            count = await reader.recover()
            if count:
                log.warning(
                    "Messages whose outcome is unknown wait for evidence.",
                    extra={"action": "message.in_doubt", "count": count},
                )

    async def _replay(self, phone_number_id: str) -> None:
        """Apply the newest events again: the last owner may have died between its log and its documents."""
        reached = self.context.event_writer.seqs[phone_number_id]
        after = max(0, reached - REPLAY)
        while after < reached:
            events, last = await read_events(self._database, phone_number_id, after=after, limit=500)
            await apply_writes(self._database, [write for event in events for write in project(event)])
            after = max(last, after + 500)

    async def _read_numbers(self) -> None:
        """As they are now: the last owner may have died before its documents told of a pause, a hold or a limit."""
        context, pace = self.context, self._options.pace
        for number in await self._number_repository.all():
            if context.number_state.get(number.phone_number_id) is None:
                continue  # it came after this term was prepared
            context.number_state.replace(number)
            hold = Hold(number.hold_reason, number.hold_until) if number.hold_reason else None
            context.rate_limiter.set_number(
                number.phone_number_id, limits_of(number, pace), hold=hold, is_paused=number.is_paused
            )

    async def _or_failure(self, future: "asyncio.Future[None]") -> None:
        """Wait for a write, or for the news that the event writer cannot write any more."""
        until = self._clock.monotonic() + 60
        while not future.done():
            if not self._lease.is_held() or self._clock.monotonic() > until:
                raise Fenced("The owner lease ran out.", detail="while the term began")
            await asyncio.wait([future], timeout=0.2)
        await future

    async def _close(self, loops: list[asyncio.Task[None]]) -> None:
        """Start nothing new, let sends end, write what is known, give the lease back."""
        for task in loops[2:]:
            task.cancel()
        await self.context.dispatcher.stop(within_s=self._options.stop_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.context.event_writer.drained(), self._options.stop_s)
        await self._raise_floors()
        with contextlib.suppress(Unavailable):
            await self._lease.release()

    async def _renew(self) -> None:
        """Renew in time; when it fails long enough the lease runs out by itself, and ``Fenced`` ends the term."""
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

    async def _forever(self, background_task: BackgroundTask) -> None:
        """Work while there is work, then wait to be woken. A database that is away is waited for.

        Inside an operation budget each step waits for its turn, and idle looks come less often.
        """
        queue, poll_s = (
            self._database.operation_budget.queue(delay=background_task.delay),
            background_task.poll_s * self._database.operation_budget.stretch,
        )
        while True:
            await queue.turn()
            try:
                count = await background_task.step()
            except Unavailable as error:
                log.warning(
                    "The owner waits for the database.",
                    extra={"action": "owner.waiting", "background_task": background_task.name, "detail": str(error)},
                )
                await asyncio.sleep(0.5)
                continue
            if count and not background_task.is_thorough:
                continue
            if background_task.inbox is None:
                await asyncio.sleep(poll_s)
            else:
                await self.context.change_notifier.wait(
                    background_task.inbox, poll_s=poll_s, reader=background_task.name
                )

    async def _keep_floors(self) -> None:
        while True:
            await asyncio.sleep(self._options.floor_every_s)
            await self._raise_floors()

    async def _raise_floors(self) -> None:
        for number, seq in self.context.event_writer.reached.items():
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
