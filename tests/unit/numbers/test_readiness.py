"""Readiness answers in time, whatever the database does, and says what it did not hear."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.numbers import Readiness
from services.numbers.readiness import FRESH_S, LIMIT_S
from services.store import DatabaseUnavailable
from services.store.schema import SCHEMA_VERSION
from tests.doubles.clock import LoopClock, virtual_time


@dataclass
class Answers:
    """What the watch of the database says."""

    is_hung: bool = False
    silent_s: float = 0.0


@dataclass
class OneAnswer:
    """A database whose reads take so long, one by one, or fail."""

    takes_s: list[float] = field(default_factory=list)
    error: Exception | None = None
    answers: Answers = field(default_factory=Answers)
    reads: int = 0

    async def find_one(self, *_: Any) -> dict[str, Any]:
        self.reads += 1
        await asyncio.sleep(self.takes_s.pop(0) if self.takes_s else 0)
        if self.error is not None:
            raise self.error
        return {"version": SCHEMA_VERSION}

    async def aggregate(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        return [await self.find_one()]


class FittingKey:
    """The key of the secrets fits."""

    is_strict = True

    async def fault(self) -> str | None:
        return None


def readiness(database: OneAnswer) -> Readiness:
    checked: Any = FittingKey()
    return Readiness(database, LoopClock(), lease_name="whatsapp", key_check=checked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("takes_s", "unheard"),
    [
        ([100.0], "the indexes and who owns the numbers"),
        ([0.1, 100.0], "who owns the numbers"),
        ([1.0, 1.0], "who owns"),
    ],
)
@virtual_time
async def test_what_is_not_heard_in_time_is_told_by_name(takes_s: list[float], unheard: str) -> None:
    began = asyncio.get_running_loop().time()
    report = await readiness(OneAnswer(takes_s)).check()
    assert asyncio.get_running_loop().time() - began == pytest.approx(LIMIT_S)
    assert not report.is_ready
    assert f"Not heard: {unheard}" in report.checks["database"]


@virtual_time
async def test_a_database_that_hangs_is_told_with_its_silence() -> None:
    database = OneAnswer(error=DatabaseUnavailable("Refused at once."), answers=Answers(is_hung=True, silent_s=12.3))
    report = await readiness(database).check()
    assert "has not answered anything for 12 s" in report.checks["database"]


@virtual_time
async def test_many_who_ask_at_once_cost_one_look_and_no_more_time() -> None:
    database = OneAnswer([100.0])
    began = asyncio.get_running_loop().time()
    ready = readiness(database)
    reports = await asyncio.gather(*(ready.check() for _ in range(50)))
    assert asyncio.get_running_loop().time() - began == pytest.approx(LIMIT_S)
    assert {report.is_ready for report in reports} == {False}
    assert database.reads == 1


@virtual_time
async def test_what_was_not_heard_is_asked_again_soon() -> None:
    database = OneAnswer([100.0])
    ready = readiness(database)
    assert not (await ready.check()).is_ready
    await asyncio.sleep(FRESH_S)
    assert "database" in (await ready.check()).checks
    assert (await ready.check()).checks["database"] == "ok"
