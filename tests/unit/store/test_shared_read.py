"""Who asks while the same thing is being read waits for that answer."""

import asyncio

import pytest

from services.store import DatabaseUnavailable, SharedRead


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
    shared = SharedRead(source.read)
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
    shared = SharedRead(source.read)
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
    shared = SharedRead(source.read)
    first, second = (asyncio.create_task(shared.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == "A"


async def test_a_read_can_be_begun_before_anybody_needs_it() -> None:
    source = Source()
    shared = SharedRead(source.read)
    begun = shared.begin("a")
    asking = asyncio.create_task(shared.get("a"))
    await asyncio.sleep(0)
    source.gate.set()
    assert await asking == await begun == "A"
    assert source.reads == ["a"]
