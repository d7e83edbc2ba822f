"""The event writer: facts get their number, are appended to the log, and only then change documents.

Process: whatsapp.

One batch at a time is appended while the one before is being applied, and the next gathers: a group commit for the
owner. A fact is durable when its event is; documents follow, and a new owner repeats what was left out.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from config.errors import Unavailable
from config.ids import new_id
from services.events.projection_writer import apply_writes
from services.store import (
    BatchDelay,
    Database,
    Event,
    Fact,
    Fenced,
    Lease,
    Unencodable,
    VersionedWrite,
    append,
    fault_of,
)

log = logging.getLogger(__name__)

MAX_BATCH = 400
GATHER = BatchDelay(0.03)
"""Batches in a row are so far apart: each is a commit of the log, and one of every collection that it touches."""
REPLAY = 4 * MAX_BATCH
"""How many of the newest events a new owner applies again: more than can have been appended and not applied."""


@dataclass(slots=True)
class Entry:
    """Facts recorded together. ``durable`` is set when they stand in the log, ``applied`` when documents show them."""

    events: list[Event]
    marks: Sequence[VersionedWrite]
    durable: asyncio.Future[None]
    applied: asyncio.Future[None]


@dataclass(slots=True)
class EventWriterStats:
    """Counters since the term began."""

    events: int = 0
    batches: int = 0
    retries: int = 0
    dead_letters: int = 0
    by_type: dict[str, int] = field(default_factory=dict)


class EventWriter:
    """Numbers, appends and applies facts, in the order in which they were recorded.

    ``seqs`` is the last number used for each phone number, ``reached`` the last one that stands in the log.
    ``project`` turns an event into guarded writes.
    """

    def __init__(
        self,
        database: Database,
        lease: Lease,
        *,
        seqs: dict[str, int],
        project: Callable[[Event], list[VersionedWrite]],
    ) -> None:
        """Nothing runs yet; ``run`` is the loop."""
        self._database = database
        self._line = database.operation_budget.queue(weight=2.0, delay=GATHER)
        self._lease = lease
        self.seqs = seqs
        self.reached = dict(seqs)
        self._project = project
        self._pending: deque[Entry] = deque()
        self._to_apply: asyncio.Queue[list[Entry]] = asyncio.Queue(maxsize=1)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._unfinished: dict[int, Entry] = {}
        self.stats = EventWriterStats()
        self.listeners: list[Callable[[Sequence[Event]], None]] = []
        """Told of events, in order, once they stand in the log. They must be quick and must not fail."""

    def record(self, facts: Sequence[Fact], marks: Sequence[VersionedWrite] = ()) -> Entry:
        """Number these facts now and write them soon. Await ``durable`` before acting on them outside.

        More than ``MAX_BATCH`` facts go in parts, in order, the marks with the last one, which is answered.
        """
        loop = asyncio.get_running_loop()
        while len(facts) > MAX_BATCH:
            # REPLAY counts on batches that keep their limit.
            self.record(facts[:MAX_BATCH])
            facts = facts[MAX_BATCH:]
        events = []
        for fact in facts:
            seq = self.seqs[fact.number] + 1
            self.seqs[fact.number] = seq
            events.append(Event(new_id("evt"), fact.number, seq, fact.type, fact.at, fact.data, fact.conversation_id))
        entry = Entry(events, marks, loop.create_future(), loop.create_future())
        self._pending.append(entry)
        self._unfinished[id(entry)] = entry
        self._idle.clear()
        self._wake.set()
        return entry

    async def run(self) -> None:
        """Write until cancelled. Raises ``Fenced`` when the log or the lease says that another one owns the number."""
        loops = [
            asyncio.create_task(self._append_loop(), name="events-append"),
            asyncio.create_task(self._apply_loop(), name="events-apply"),
        ]
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                await ended  # raises what ended it
        finally:
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            self._give_up()

    def _give_up(self) -> None:
        """Nothing is written any more: a caller that waits for a write must not wait for ever."""
        for entry in self._unfinished.values():
            for future in (entry.durable, entry.applied):
                if not future.done():
                    future.set_exception(Fenced("The term is over.", detail="a fact was not written"))
                    future.exception()  # read here: perhaps nobody waits for it
        self._unfinished.clear()
        self._idle.set()

    async def drained(self) -> None:
        """Wait until everything that was recorded is applied."""
        await self._idle.wait()

    async def _append_loop(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                await self._line.turn()  # the batch goes on gathering meanwhile
                batch = self._take()
                await self._append(batch)
                for entry in batch:
                    if not entry.durable.done():
                        entry.durable.set_result(None)
                    for listener in self.listeners:
                        listener(entry.events)
                await self._to_apply.put(batch)

    async def _apply_loop(self) -> None:
        while True:
            batch = await self._to_apply.get()
            writes = [write for entry in batch for event in entry.events for write in self._project(event)]
            writes += [mark for entry in batch for mark in entry.marks]
            await self._until_done(partial(apply_writes, self._database, writes))
            for entry in batch:
                if not entry.applied.done():
                    entry.applied.set_result(None)
                self._unfinished.pop(id(entry), None)
            if not self._unfinished:
                self._idle.set()

    def _take(self) -> list[Entry]:
        batch: list[Entry] = []
        count = 0
        while self._pending and (not batch or count + len(self._pending[0].events) <= MAX_BATCH):
            entry = self._pending.popleft()
            batch.append(entry)
            count += len(entry.events)
        return batch

    async def _append(self, batch: list[Entry]) -> None:
        try:
            await self._append_all(batch)
        except Unencodable:
            self._set_aside(batch)
            await self._append_all(batch)  # what stands in the log already is recognised
        self.stats.batches += 1

    def _set_aside(self, batch: list[Entry]) -> None:
        """What can never be stored keeps its number, so that there is no gap, and says why instead."""
        for entry in batch:
            for position, event in enumerate(entry.events):
                reason = fault_of(event)
                if reason is None:
                    continue
                self.stats.dead_letters += 1
                detail = {"event_type": event.type, "seq": event.seq, "detail": reason}
                log.error("An event cannot be stored.", extra={"action": "journal.dead_letter", **detail})
                data = {"type": event.type, "reason": reason}
                entry.events[position] = replace(event, type="cluster.dead_letter", data=data)

    async def _append_all(self, batch: list[Entry]) -> None:
        by_number: dict[str, list[Event]] = {}
        for entry in batch:
            for event in entry.events:
                by_number.setdefault(event.number, []).append(event)
        for events in by_number.values():
            await self._until_done(partial(append, self._database, events))
            self.reached[events[-1].number] = events[-1].seq
            self.stats.events += len(events)
            for event in events:
                self.stats.by_type[event.type] = self.stats.by_type.get(event.type, 0) + 1

    async def _until_done(self, write: Callable[[], Awaitable[None]]) -> None:
        """Repeat an idempotent write while the database is away and the lease holds."""
        delay_s = 0.05
        while True:
            if not self._lease.is_held():
                raise Fenced("The owner lease ran out.", detail="the event writer stopped before a write")
            try:
                await write()
            except Unavailable as error:
                self.stats.retries += 1
                log.warning(
                    "The event writer waits for the database.",
                    extra={"action": "journal.waiting", "detail": str(error)},
                )
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, 1.0)
            else:
                return
