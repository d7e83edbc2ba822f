"""A term of the owner: everything between winning the lease and losing it.

Process: whatsapp.
"""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from config.errors import Unavailable
from services.events import REPLAY, apply_writes
from services.numbers import Number
from services.sending import Due, set_number
from services.store import Database, Fact, Fenced, last_seq, read_events
from services.whatsapp.cluster_events import ClusterEvents
from services.whatsapp.event_metrics import EventMetrics
from services.whatsapp.intake import Intake
from services.whatsapp.task_loop import run_forever
from services.whatsapp.watchdog import Watchdog
from services.wiring import (
    BackgroundTask,
    Owner,
    OwnerContext,
    OwnSteps,
    TermParts,
    background_tasks,
    build_parts,
    first_background_tasks,
    project,
)

log = logging.getLogger(__name__)

OPENS_WITHIN_S = 1.0
"""Opening takes longer only when the database refuses writes. Then retention starts, to make room."""
WRITER_AND_LEASE = 2
"""These loops start first and end last: a stop still writes events under the lease."""


@dataclass(frozen=True, slots=True)
class TermOptions:
    """Times in seconds. A stop waits ``stop_s`` for sends under way, then ``stop_s`` for events still to be written."""

    renew_s: float
    floor_every_s: float = 30.0
    stop_s: float = 8.0


class OwnerTerm:
    """One term. Build it each time the lease is won; ``run`` returns on stop and raises ``Fenced`` when fenced."""

    def __init__(self, owner: Owner, context: OwnerContext, options: TermOptions) -> None:
        """Start nothing. From now on the event writer counts its events for the metrics."""
        self._context = context
        self._database = owner.database
        self._lease = owner.lease
        self._clock = owner.clock
        self._number_repository = owner.numbers
        self._limits = owner.limits
        self._options = options
        self._floors: dict[str, int] = {}
        context.event_writer.listeners.append(EventMetrics(context.message_state).hear)

    async def run(self, stop: asyncio.Event) -> None:
        """Own the numbers until ``stop`` is set. Raises ``Fenced`` when another process took over."""
        loops: list[asyncio.Task[None]] = [
            asyncio.create_task(self._context.event_writer.run(), name="event_writer"),
            asyncio.create_task(self._renew(), name="renew"),
        ]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            parts = build_parts(self._context)
            opening = asyncio.create_task(self._open(parts.due), name="open")
            try:
                await asyncio.wait([opening], timeout=OPENS_WITHIN_S)
                loops += self._loops(first_background_tasks(self._context))
                await opening
            finally:
                opening.cancel()
            await parts.templates.recall()
            await parts.numbers.recall(self._number_repository)
            loops.append(asyncio.create_task(self._keep_floors(), name="floors"))
            loops += self._loops(background_tasks(self._context, parts, self._own_steps(parts)))
            ends: list[asyncio.Future[Any]] = [*loops, stopping, self._context.dispatcher.failure]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for finished in done:
                await finished  # raises what ended it, unless it is the stop
            await self._close(loops)
        finally:
            stopping.cancel()
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            # WhatsApp may still answer sends that have left: the process keeps these answers for its next term.
            await self._context.dispatcher.stop(within_s=self._options.stop_s if not stop.is_set() else 0.0)

    def _own_steps(self, parts: TermParts) -> OwnSteps:
        context = self._context
        intake = Intake(
            database=context.database,
            event_writer=context.event_writer,
            message_state=context.message_state,
            conversations=context.conversations,
            repository=context.messages,
            dispatcher=context.dispatcher,
            contact_events=parts.contact_events,
            templates=parts.templates,
            numbers=parts.numbers,
            clock=context.clock,
        )
        cluster_events = None
        if context.scoreboard is not None:
            cluster_events = ClusterEvents(
                context.scoreboard, context.event_writer, context.number_ids[0], context.clock
            ).step
        return OwnSteps(intake=intake.ingest_new, watchdog=Watchdog(context).step, cluster_events=cluster_events)

    def _loops(self, tasks: list[BackgroundTask]) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(run_forever(task, self._context), name=task.name) for task in tasks]

    async def _open(self, due: list[Due]) -> None:
        """Replay the logs, record the new term in each of them (the fence), find messages in doubt."""
        for number in self._context.numbers:
            await self._replay(number.phone_number_id)
        await self._read_numbers()
        now = self._clock.now()
        data = {"owner": self._lease.holder, "epoch": self._lease.token}
        entry = self._context.event_writer.record(
            [Fact("number.connected", n.phone_number_id, now, data) for n in self._context.numbers]
            + [Fact("cluster.owner_changed", number, now, data) for number in self._context.number_ids[:1]]
        )
        await self._wait_for(entry.applied)
        self._context.opened.set()
        for number_id in self._context.number_ids:
            counted = await self._context.conversations.initiated(number_id, since=now - timedelta(days=1))
            self._context.rate_limiter.remember_initiated(number_id, [(key, at.timestamp()) for key, at in counted])
        for reader in due:
            count = await reader.recover()
            if count:
                log.warning(
                    "Messages whose outcome is unknown wait for evidence.",
                    extra={"action": "message.in_doubt", "count": count},
                )

    async def _replay(self, phone_number_id: str) -> None:
        """Apply the newest events again: the last owner may have died after its log and before its documents."""
        reached = self._context.event_writer.seqs[phone_number_id]
        after = max(0, reached - REPLAY)
        while after < reached:
            events, last = await read_events(self._database, phone_number_id, after=after, limit=500)
            await apply_writes(self._database, [write for event in events for write in project(event)])
            after = max(last, after + 500)

    async def _read_numbers(self) -> None:
        """Read the numbers again after the replay: it may have changed a pause, a hold or a limit."""
        context = self._context
        for number in await self._number_repository.all():
            if context.number_state.get(number.phone_number_id) is None:
                continue  # it was added after this term was built
            context.number_state.replace(number)
            set_number(context.rate_limiter, number, self._limits)

    async def _wait_for(self, future: "asyncio.Future[None]") -> None:
        """Wait for a write. Raises ``Fenced`` when the lease runs out first, or after a minute."""
        until = self._clock.monotonic() + 60
        while not future.done():
            if not self._lease.is_held() or self._clock.monotonic() > until:
                raise Fenced("The owner lease ran out.", detail="while the term began")
            await asyncio.wait([future], timeout=0.2)
        await future

    async def _close(self, loops: list[asyncio.Task[None]]) -> None:
        """Start nothing new, let sends end, write the remaining events, release the lease."""
        for task in loops[WRITER_AND_LEASE:]:
            task.cancel()
        await self._context.dispatcher.stop(within_s=self._options.stop_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._context.event_writer.drained(), self._options.stop_s)
        await self._raise_floors()
        with contextlib.suppress(Unavailable):
            await self._lease.release()

    async def _renew(self) -> None:
        """Renew the lease in time. Raises ``Fenced``, which ends the term, once it has run out or has another owner."""
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

    async def _keep_floors(self) -> None:
        while True:
            await asyncio.sleep(self._options.floor_every_s)
            await self._raise_floors()

    async def _raise_floors(self) -> None:
        for number, seq in self._context.event_writer.reached.items():
            if self._floors.get(number) != seq:
                with contextlib.suppress(Unavailable):
                    await self._number_repository.raise_floor(number, seq)
                    self._floors[number] = seq


async def last_seqs(database: Database, numbers: list[Number]) -> dict[str, int]:
    """Return the last event number of each phone_number_id. Raises ``Unavailable``."""
    return {
        number.phone_number_id: await last_seq(database, number.phone_number_id, floor=number.seq_floor)
        for number in numbers
    }
