"""Streams in virtual time: from the log to live without a seam, bounded by what a client reads, an orderly end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from config.errors import Unavailable
from services.events import EventReader, Frame, Goodbye, Streams, StreamsFull, Tail, TypeFilter
from services.keys import NotAuthenticated
from services.store import Database, Event, EventStream
from tests.doubles.clock import LoopClock, virtual_time
from tests.doubles.database import MemoryDatabase
from tests.doubles.endpoint import log_of
from tests.doubles.event_stream import ScriptedStream, event_document

NUMBER = "1555"
EVERYTHING = TypeFilter([])


@dataclass
class ScriptedOutlet:
    """Remembers what it was sent; `pause_s` is how long a write takes, None for ever."""

    pause_s: float | None = 0.0
    seqs: list[int] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)
    goodbye: tuple[Goodbye, int] | None = None
    was_cut: bool = False

    async def send(self, frames: list[Frame]) -> None:
        if self.pause_s is None:
            await asyncio.Event().wait()
        await asyncio.sleep(self.pause_s or 0)
        self.seqs += [frame.seq for frame in frames]

    async def beat(self, position: int) -> None:
        self.beats.append(asyncio.get_running_loop().time())

    async def part(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        self.goodbye = (reason, position)

    def cut(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        self.goodbye = (reason, position)
        self.was_cut = True


class Bench:
    """A worker's streams over a log in memory."""

    def __init__(self, *, stored: int = 0, kept: int = 50, limit: int = 10, works: bool = True) -> None:
        self.database = MemoryDatabase()
        self.events = log_of(*["a"] * 5000)
        self.stored = 0
        self.store(stored)
        self.streams_made: list[ScriptedStream] = []

        def open_stream(_: Database) -> EventStream:
            self.streams_made.append(ScriptedStream(works))
            return cast(EventStream, self.streams_made[-1])

        self.tail = Tail(cast(Database, self.database), kept=kept, open_stream=open_stream)
        self.streams = Streams(self.tail, LoopClock(), limit=limit, max_life_s=3600)
        self.reader = EventReader(cast(Database, self.database), self.tail, LoopClock())

    def store(self, upto: int) -> list[Event]:
        new = self.events[self.stored : upto]
        self.database.put("events", *[event_document(event) for event in new])
        self.stored = upto
        return new

    def happen(self, upto: int) -> None:
        """Stored, and told by the change stream."""
        new = self.store(upto)
        self.streams_made[-1].say(*new)

    @asynccontextmanager
    async def serving(self, outlet: ScriptedOutlet, **fields: Any) -> AsyncIterator["asyncio.Task[None]"]:
        fields = {"after": None, "wanted": EVERYTHING} | fields
        task = asyncio.create_task(self.streams.serve(NUMBER, outlet, **fields))
        await asyncio.sleep(0.01)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.streams.close()


@virtual_time
async def test_a_stream_begins_with_what_happens_next() -> None:
    bench, outlet = Bench(stored=10), ScriptedOutlet()
    async with bench.serving(outlet):
        bench.happen(13)
        await asyncio.sleep(1)
        assert outlet.seqs == [11, 12, 13]


@pytest.mark.parametrize("after", [0, 1, 199, 200, 399, 430, 449, 450])
def test_a_stream_that_resumes_has_no_seam(after: int) -> None:
    @virtual_time
    async def run() -> None:
        bench, outlet = Bench(stored=450, kept=20), ScriptedOutlet()
        async with bench.serving(outlet, after=after):
            bench.happen(455)
            await asyncio.sleep(1)
            bench.happen(500)
            await asyncio.sleep(1)
            assert outlet.seqs == list(range(after + 1, 501))

    run()


@virtual_time
async def test_what_the_change_stream_missed_comes_from_the_log() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet):
        bench.store(9)  # nobody tells
        bench.happen(12)
        await asyncio.sleep(1)
        assert outlet.seqs == list(range(6, 13))


@virtual_time
async def test_a_silent_change_stream_is_found_out() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet):
        bench.store(9)
        await asyncio.sleep(6)
        assert outlet.seqs == [6, 7, 8, 9]


@virtual_time
async def test_without_change_streams_the_log_is_asked() -> None:
    bench, outlet = Bench(stored=5, works=False), ScriptedOutlet()
    async with bench.serving(outlet):
        await asyncio.sleep(3)
        bench.store(9)
        await asyncio.sleep(1)
        assert outlet.seqs == [6, 7, 8, 9]


@virtual_time
async def test_events_told_twice_or_late_are_seen_once() -> None:
    bench, outlet = Bench(stored=3), ScriptedOutlet()
    async with bench.serving(outlet):
        bench.happen(6)
        bench.streams_made[-1].say(*bench.events[3:6])
        await asyncio.sleep(1)
        bench.streams_made[-1].say(bench.events[4])
        await asyncio.sleep(1)
        assert outlet.seqs == [4, 5, 6]


@virtual_time
async def test_a_filter_lets_through_what_is_wanted_and_the_position_goes_on() -> None:
    bench, outlet = Bench(stored=3), ScriptedOutlet()
    async with bench.serving(outlet, wanted=TypeFilter(["conversation.*"])):
        bench.happen(300)
        await asyncio.sleep(1)
        assert outlet.seqs == []
        bench.streams.drain()
        await asyncio.sleep(1)
        assert outlet.goodbye == (Goodbye.DRAINING, 300)


@virtual_time
async def test_one_tail_serves_all_and_is_open_only_while_somebody_listens() -> None:
    bench = Bench(stored=3)
    assert not bench.tail.is_open
    outlets = [ScriptedOutlet() for _ in range(5)]
    tasks = [
        asyncio.create_task(bench.streams.serve(NUMBER, outlet, after=None, wanted=EVERYTHING)) for outlet in outlets
    ]
    await asyncio.sleep(0.1)
    assert (bench.tail.is_open, bench.tail.opened_count, bench.streams.count) == (True, 1, 5)
    bench.happen(4)
    await asyncio.sleep(1)
    assert [outlet.seqs for outlet in outlets] == [[4]] * 5
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (bench.tail.is_open, bench.streams.count, bench.streams_made[0].is_stopped) == (False, 0, True)


@virtual_time
async def test_many_who_resume_at_once_cost_one_look_at_the_log() -> None:
    bench = Bench(stored=390, kept=20, limit=100)
    outlets = [ScriptedOutlet() for _ in range(50)]
    tasks = [
        asyncio.create_task(bench.streams.serve(NUMBER, outlet, after=100 + count, wanted=EVERYTHING))
        for count, outlet in enumerate(outlets)
    ]
    await asyncio.sleep(1)
    looks = [query for name, query in bench.database.finds if name == "events"]
    assert len(looks) < 15
    for count, outlet in enumerate(outlets):
        assert outlet.seqs == list(range(101 + count, 391))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@virtual_time
async def test_a_client_that_does_not_read_is_cut_where_it_may_come_back() -> None:
    bench, outlet = Bench(stored=5, kept=50), ScriptedOutlet(pause_s=None)
    async with bench.serving(outlet) as task:
        bench.happen(10)
        await asyncio.sleep(30)
        assert task.done()
        assert outlet.was_cut
        assert outlet.goodbye == (Goodbye.SLOW_READER, 5)
        assert bench.streams.counts.cut == 1


@virtual_time
async def test_a_burst_that_is_larger_than_the_ring_ends_nobodys_stream() -> None:
    bench, outlet = Bench(stored=5, kept=50), ScriptedOutlet(pause_s=0.1)
    async with bench.serving(outlet) as task:
        bench.happen(2000)
        await asyncio.sleep(5)
        assert not task.done()
        assert outlet.seqs == list(range(6, 2001))


@virtual_time
async def test_a_client_that_is_overtaken_by_the_ring_is_cut_soon() -> None:
    bench, outlet = Bench(stored=5, kept=200), ScriptedOutlet(pause_s=None)
    async with bench.serving(outlet) as task:
        await asyncio.sleep(1)
        bench.happen(10)
        await asyncio.sleep(0.5)
        bench.happen(1000)
        await asyncio.sleep(4)
        assert task.done()
        assert outlet.goodbye == (Goodbye.SLOW_READER, 5)


@virtual_time
async def test_a_slow_reader_loses_nothing_when_it_comes_back() -> None:
    bench, slow = Bench(stored=5, kept=200), ScriptedOutlet(pause_s=2.0)
    async with bench.serving(slow) as task:
        await asyncio.sleep(1)
        for upto in range(100, 2000, 100):
            bench.happen(upto)
            await asyncio.sleep(1)
        await asyncio.sleep(60)
        assert task.done()
        assert slow.goodbye is not None
        reason, position = slow.goodbye
        assert reason is Goodbye.SLOW_READER
        assert position == slow.seqs[-1]
        again = ScriptedOutlet()
        bench.streams._is_draining = False
        async with bench.serving(again, after=position):
            await asyncio.sleep(1)
            assert slow.seqs + again.seqs == list(range(6, bench.stored + 1))


@virtual_time
async def test_a_heartbeat_keeps_a_quiet_stream_open() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet):
        await asyncio.sleep(62)
        assert len(outlet.beats) == 3 or len(outlet.beats) == 4
        assert outlet.seqs == []


@virtual_time
async def test_a_stream_ends_after_its_life_with_a_goodbye() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet) as task:
        await asyncio.sleep(3602)
        assert task.done()
        assert outlet.goodbye == (Goodbye.MAX_LIFE, 5)


@virtual_time
async def test_a_key_that_was_revoked_ends_its_stream() -> None:
    async def recheck() -> None:
        raise NotAuthenticated()

    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet, recheck=recheck) as task:
        await asyncio.sleep(65)
        assert task.done()
        assert outlet.goodbye == (Goodbye.KEY_REVOKED, 5)


class Caller:
    """Somebody whose key ends: at a time, or when somebody says so."""

    def __init__(self, ends_at: datetime | None = None) -> None:
        self.ends_at = ends_at
        self.is_revoked = False
        self.looks = 0

    async def recheck(self) -> datetime | None:
        self.looks += 1
        if self.is_revoked or (self.ends_at is not None and self.ends_at <= LoopClock().now()):
            raise NotAuthenticated()
        return self.ends_at


def in_s(seconds: float) -> datetime:
    return LoopClock().now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("ends_in_s", [0.2, 7.0, 59.5, 61.0, 400.0])
def test_a_stream_ends_with_its_key(ends_in_s: float) -> None:
    @virtual_time
    async def run() -> None:
        bench, outlet = Bench(stored=5), ScriptedOutlet()
        caller = Caller(in_s(ends_in_s))
        async with bench.serving(outlet, recheck=caller.recheck) as task:
            await asyncio.sleep(ends_in_s - 0.1)
            assert not task.done()
            await asyncio.sleep(2.2)
            assert task.done()
            assert outlet.goodbye == (Goodbye.KEY_REVOKED, 5)
            assert caller.looks <= 4 + ends_in_s / 60, "nobody asks all the time"

    run()


@virtual_time
async def test_a_change_of_keys_has_every_stream_look_at_its_caller_within_two_seconds() -> None:
    bench, outlet, other = Bench(stored=5), ScriptedOutlet(), ScriptedOutlet()
    revoked, good = Caller(), Caller()
    async with bench.serving(outlet, recheck=revoked.recheck) as task:
        staying = asyncio.create_task(
            bench.streams.serve(NUMBER, other, after=None, wanted=EVERYTHING, recheck=good.recheck)
        )
        await asyncio.sleep(20)
        revoked.is_revoked = True
        bench.streams.check_callers()
        await asyncio.sleep(2)
        assert task.done()
        assert outlet.goodbye == (Goodbye.KEY_REVOKED, 5)
        assert not staying.done()
        assert good.looks == 2
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)


@virtual_time
async def test_a_stream_that_is_never_level_looks_at_its_caller_too() -> None:
    bench = Bench(stored=5000, kept=20)
    outlet = ScriptedOutlet(pause_s=0.5)
    caller = Caller(in_s(5))
    async with bench.serving(outlet, after=0, recheck=caller.recheck) as task:
        await asyncio.sleep(8)
        assert task.done()
        assert outlet.goodbye is not None
        assert outlet.goodbye[0] is Goodbye.KEY_REVOKED
        assert len(outlet.seqs) < 3000


@virtual_time
async def test_a_session_that_is_used_moves_the_end_of_its_stream() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    caller = Caller(in_s(30))
    async with bench.serving(outlet, recheck=caller.recheck) as task:
        for _ in range(20):
            await asyncio.sleep(25)
            caller.ends_at = in_s(30)
        assert not task.done()
        await asyncio.sleep(32)
        assert task.done()


@virtual_time
async def test_a_look_that_hangs_or_finds_no_database_is_tried_again() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    answers = ["good", "away", "hang", "good"]

    async def recheck() -> datetime | None:
        if not answers:
            raise NotAuthenticated()
        match answers.pop(0):
            case "away":
                raise Unavailable("Away.")
            case "hang":
                await asyncio.Event().wait()
        return in_s(10)

    async with bench.serving(outlet, recheck=recheck) as task:
        await asyncio.sleep(20)
        assert not task.done()
        assert answers == []
        bench.happen(6)
        await asyncio.sleep(0.5)
        assert outlet.seqs == [6]
        await asyncio.sleep(12)
        assert task.done()


@pytest.mark.parametrize("by", ["clock", "change"])
def test_a_long_poll_ends_with_its_key(by: str) -> None:
    @virtual_time
    async def run() -> None:
        bench = Bench(stored=5)
        caller = Caller(in_s(4) if by == "clock" else None)
        page = asyncio.create_task(
            bench.reader.page(NUMBER, after=5, limit=10, types=[], wait_s=30, recheck=caller.recheck)
        )
        await asyncio.sleep(3.5)
        assert bench.reader.is_used
        if by == "change":
            caller.is_revoked = True
            bench.reader.check_callers()
        await asyncio.sleep(0.6)
        with pytest.raises(NotAuthenticated):
            await asyncio.wait_for(page, 0.01)
        assert not bench.reader.is_used

    run()


@virtual_time
async def test_a_long_poll_tells_nothing_that_happened_after_its_key_had_ended() -> None:
    bench, caller = Bench(stored=5), Caller(in_s(4))
    page = asyncio.create_task(
        bench.reader.page(NUMBER, after=5, limit=10, types=[], wait_s=30, recheck=caller.recheck)
    )
    await asyncio.sleep(1)
    bench.reader.check_callers()
    await asyncio.sleep(3)
    bench.happen(6)
    with pytest.raises(NotAuthenticated):
        await asyncio.wait_for(page, 1)


@virtual_time
async def test_more_streams_than_allowed_are_told_to_come_later() -> None:
    bench = Bench(stored=5, limit=1)
    async with bench.serving(ScriptedOutlet()):
        with pytest.raises(StreamsFull) as caught:
            bench.streams.check_room()
        assert caught.value.may_retry


@virtual_time
async def test_a_worker_that_leaves_takes_no_new_stream() -> None:
    bench = Bench(stored=5)
    bench.streams.drain()
    with pytest.raises(StreamsFull):
        await bench.streams.serve(NUMBER, ScriptedOutlet(), after=None, wanted=EVERYTHING)


@virtual_time
async def test_a_position_from_another_log_begins_at_the_end() -> None:
    bench, outlet = Bench(stored=5), ScriptedOutlet()
    async with bench.serving(outlet, after=10**9):
        bench.happen(6)
        await asyncio.sleep(1)
        assert outlet.seqs == [6]


@virtual_time
async def test_a_long_poll_answers_with_the_first_event_that_fits() -> None:
    bench = Bench(stored=5)
    page = asyncio.create_task(bench.reader.page(NUMBER, after=5, limit=10, types=[], wait_s=30))
    await asyncio.sleep(5)
    assert not page.done()
    bench.happen(7)
    await asyncio.sleep(0.5)
    assert [event.seq for event in (await page).events] == [6, 7]
    assert not bench.tail.is_open


@virtual_time
async def test_a_long_poll_ends_with_what_there_is_when_the_worker_leaves() -> None:
    bench = Bench(stored=5)
    page = asyncio.create_task(bench.reader.page(NUMBER, after=5, limit=10, types=[], wait_s=30))
    await asyncio.sleep(5)
    bench.reader.drain()
    await asyncio.sleep(0.5)
    assert page.done()
    assert ((await page).events, (await page).after) == ([], 5)
    late = await bench.reader.page(NUMBER, after=5, limit=10, types=[], wait_s=30)
    assert late.events == []


@virtual_time
async def test_a_long_poll_that_sees_nothing_ends_in_time_and_has_moved_on() -> None:
    bench = Bench(stored=5)
    page = asyncio.create_task(bench.reader.page(NUMBER, after=5, limit=10, types=["contact.*"], wait_s=10))
    await asyncio.sleep(1)
    bench.happen(9)
    await asyncio.sleep(11)
    answer = await page
    assert (answer.events, answer.after) == ([], 9)
