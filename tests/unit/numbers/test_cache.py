"""What a worker remembers of the numbers: how old it may be, and what ends it."""

import asyncio

import pytest

from config.errors import Unavailable
from services.numbers import Number, NumberCache
from services.numbers.cache import FRESH_S, UnknownNumber
from services.store import AHEAD_S
from tests.doubles.clock import ManualClock
from tests.doubles.event_writer import NUMBER

MINE = Number(NUMBER, "102290129340398", "15550783881", "cloud")
OTHER = Number("100000000000002", "102290129340398", "15550783882", "cloud")


class Repository:
    """Answers with ``numbers``, or fails with ``error``; waits for ``gate``."""

    def __init__(self, *numbers: Number) -> None:
        self.numbers = list(numbers)
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.reads = 0

    async def all(self) -> list[Number]:
        self.reads += 1
        found, error = list(self.numbers), self.error
        await self.gate.wait()
        if error is not None:
            raise error
        return found


def directory(*numbers: Number) -> tuple[NumberCache, Repository, ManualClock]:
    repository, clock = Repository(*numbers), ManualClock()
    return NumberCache(repository, clock), repository, clock  # type: ignore[arg-type]


async def test_the_first_is_meant_where_none_is_named() -> None:
    numbers, repository, _ = directory(MINE, OTHER)
    assert await numbers.resolve(None) == MINE
    assert await numbers.resolve(OTHER.phone_number_id) == OTHER
    with pytest.raises(UnknownNumber):
        await numbers.resolve("1")
    assert repository.reads == 1


async def test_they_are_read_again_before_somebody_has_to_wait_for_it() -> None:
    numbers, repository, clock = directory(MINE)
    await numbers.resolve(None)
    repository.numbers.append(OTHER)
    clock.advance(FRESH_S - AHEAD_S / 2)
    repository.gate.clear()
    async with asyncio.timeout(1):
        assert await numbers.all() == [MINE]
    repository.gate.set()
    await asyncio.sleep(0.01)
    assert await numbers.all() == [MINE, OTHER]
    assert repository.reads == 2


async def test_what_was_read_before_a_change_does_not_count_as_new() -> None:
    numbers, repository, _ = directory(MINE)
    repository.gate.clear()
    asking = asyncio.create_task(numbers.all())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    repository.numbers.append(OTHER)
    numbers.forget()
    repository.gate.set()
    assert await asking == [MINE]
    assert await numbers.all() == [MINE, OTHER]


async def test_when_the_database_is_away_the_old_ones_serve_and_without_any_it_is_said() -> None:
    numbers, repository, clock = directory()
    with pytest.raises(Unavailable) as refused:
        await numbers.resolve(None)
    assert refused.value.code == "no_number"
    repository.numbers.append(MINE)
    await numbers.resolve(None)
    repository.error = Unavailable("The database is away.")
    clock.advance(FRESH_S + 1)
    assert await numbers.resolve(None) == MINE


async def test_what_was_read_just_now_is_known_without_a_read() -> None:
    numbers, repository, clock = directory(MINE, OTHER)
    assert numbers.known(None) is None
    await numbers.all()
    assert numbers.known(None) == MINE
    assert numbers.known(OTHER.phone_number_id) == OTHER
    assert numbers.known("1") is None
    numbers.forget()
    assert numbers.known(None) is None
    await numbers.all()
    clock.advance(FRESH_S)
    assert numbers.known(None) is None
    assert repository.reads == 2
