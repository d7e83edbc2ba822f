"""Who asks while the same thing is being read waits for that answer."""

import asyncio

import pytest

from services.store import AHEAD_S, DatabaseUnavailable, RefreshAheadCache, SingleFlight
from tests.doubles.clock import ManualClock


class Source:
    """Counts reads; they end when ``gate`` is set."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.reads: list[str] = []
        self.error: Exception | None = None

    async def read(self, key: str) -> str:
        self.reads.append(key)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return key.upper()


async def test_many_that_ask_at_the_same_time_cost_one_read_for_each_key() -> None:
    source = Source()
    shared = SingleFlight(source.read)
    asking = [asyncio.create_task(shared.get(key)) for key in "aabbaab"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*asking) == list("AABBAAB")
    assert sorted(source.reads) == ["a", "b"]
    await shared.get("a")
    assert len(source.reads) == 3  # nothing is remembered


async def test_a_failure_is_told_to_everybody_and_the_next_one_tries_again() -> None:
    source = Source()
    source.error = DatabaseUnavailable("away")
    shared = SingleFlight(source.read)
    asking = [asyncio.create_task(shared.get("a")) for _ in range(3)]
    await asyncio.sleep(0)
    source.gate.set()
    for one in asking:
        with pytest.raises(DatabaseUnavailable):
            await one
    source.error = None
    assert await shared.get("a") == "A"


async def test_who_goes_away_does_not_take_the_answer_from_the_others() -> None:
    source = Source()
    shared = SingleFlight(source.read)
    first, second = (asyncio.create_task(shared.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == "A"


async def test_a_read_can_be_begun_before_anybody_needs_it() -> None:
    source = Source()
    shared = SingleFlight(source.read)
    begun = shared.begin("a")
    asking = asyncio.create_task(shared.get("a"))
    await asyncio.sleep(0)
    source.gate.set()
    assert await asking == await begun == "A"
    assert source.reads == ["a"]


def remembering(source: Source, *, most: int = 100) -> tuple[RefreshAheadCache[str, str], ManualClock]:
    clock = ManualClock()
    source.gate.set()
    return RefreshAheadCache(source.read, clock, fresh_s=10.0, most=most), clock


async def test_what_is_remembered_is_read_again_before_anybody_waits_for_it() -> None:
    source = Source()
    values, clock = remembering(source)
    assert await values.get("a") == "A"
    clock.advance(10 - AHEAD_S - 0.1)
    assert await values.get("a") == "A"
    assert len(source.reads) == 1
    clock.advance(0.2)
    source.gate.clear()
    async with asyncio.timeout(1):  # the read that begins now has not ended
        assert [await values.get("a") for _ in range(3)] == ["A"] * 3
    await asyncio.sleep(0)
    assert len(source.reads) == 2
    source.gate.set()
    await asyncio.sleep(0.01)
    clock.advance(AHEAD_S)
    assert await values.get("a") == "A"
    assert len(source.reads) == 2
    clock.advance(20)
    await asyncio.gather(*(values.get("a") for _ in range(5)))
    assert len(source.reads) == 3


async def test_a_read_ahead_that_fails_is_told_to_nobody_while_the_value_is_fresh() -> None:
    source = Source()
    values, clock = remembering(source)
    await values.get("a")
    clock.advance(10 - AHEAD_S / 2)
    source.error = DatabaseUnavailable("away")
    for _ in range(3):
        assert await values.get("a") == "A"
        await asyncio.sleep(0.01)
    clock.advance(AHEAD_S)
    with pytest.raises(DatabaseUnavailable):
        await values.get("a")
    source.error = None
    assert await values.get("a") == "A"


async def test_what_is_read_while_something_changes_is_not_what_came_after() -> None:
    source = Source()
    values, clock = remembering(source)
    source.gate.clear()
    before = asyncio.create_task(values.get("a"))
    await asyncio.sleep(0.01)
    clock.advance(1)
    changed_at = clock.monotonic()
    clock.advance(1)
    after = [asyncio.create_task(values.get("a", newer_than=changed_at)) for _ in range(64)]
    await asyncio.sleep(0.01)
    assert len(source.reads) == 2  # one more for all of them
    source.gate.set()
    await asyncio.gather(before, *after)
    assert await values.get("a", newer_than=changed_at) == "A"
    assert len(source.reads) == 2
    await values.get("a", newer_than=clock.monotonic())
    assert len(source.reads) == 3


async def test_only_so_many_are_remembered() -> None:
    source = Source()
    values, _ = remembering(source, most=3)
    for key in "abcda":
        await values.get(key)
    assert len(values) == 3
    assert source.reads == list("abcda")


async def test_a_peek_waits_for_nobody_and_says_what_is_fresh() -> None:
    source = Source()
    values, clock = remembering(source)
    assert values.peek("a") is None
    assert source.reads == []
    await values.get("a")
    assert values.peek("a") == "A"
    clock.advance(10 - AHEAD_S / 2)
    assert values.peek("a") == "A"
    await asyncio.sleep(0.01)
    assert len(source.reads) == 2, "it will soon be too old: it is read again"
    assert values.peek("a") == "A"
    clock.advance(20)
    assert values.peek("a") is None
    await asyncio.sleep(0.01)
    assert len(source.reads) == 2
