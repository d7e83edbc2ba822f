"""A database that answers nothing is found out within seconds; a slow one, or one that answers others, is not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from services.store.answer_watch import AGAIN_S, PATIENCE_S, QUESTION_S, TICK_S, AnswerWatch, Silence
from tests.doubles.clock import virtual_time

FOUND_OUT_S = PATIENCE_S + QUESTION_S + 2 * TICK_S


class Server:
    """Answers the question while it is `well`; else the question takes its whole time and fails."""

    def __init__(self, *, is_well: bool) -> None:
        self.is_well = is_well
        self.questions = 0

    async def ask(self) -> None:
        self.questions += 1
        if not self.is_well:
            await asyncio.sleep(QUESTION_S)
            raise ConnectionError("no answer")


async def operation(watch: AnswerWatch, work: Callable[[], Awaitable[object]]) -> float:
    """One operation as `Database.run` does it; TimeoutError when the watch ended it. The seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    limit = asyncio.timeout(None)
    watch.add(limit)
    try:
        async with limit:
            await work()
        watch.heard()
    finally:
        watch.discard(limit)
    return loop.time() - began


async def forever() -> None:
    await asyncio.sleep(1000)


@virtual_time
async def test_who_waits_for_a_database_that_hangs_is_told_within_seconds() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)
    began = asyncio.get_running_loop().time()
    outcomes = await asyncio.gather(*(operation(watch, forever) for _ in range(30)), return_exceptions=True)
    assert all(isinstance(outcome, TimeoutError) for outcome in outcomes)
    assert asyncio.get_running_loop().time() - began <= FOUND_OUT_S
    assert watch.is_hung
    assert server.questions == 1
    watch.stop()


@virtual_time
async def test_it_is_well_again_with_the_first_answer() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)
    with pytest.raises(TimeoutError):
        await operation(watch, forever)
    await asyncio.sleep(60)
    assert watch.is_hung
    server.is_well = True
    await asyncio.sleep(QUESTION_S + AGAIN_S)
    assert not watch.is_hung
    assert watch.silent_s == 0
    assert await operation(watch, lambda: asyncio.sleep(1)) == pytest.approx(1)


@virtual_time
async def test_a_slow_operation_is_left_alone_while_the_question_is_answered() -> None:
    server = Server(is_well=True)
    watch = AnswerWatch(server.ask, limit_s=60)
    assert await operation(watch, lambda: asyncio.sleep(9)) == pytest.approx(9)
    assert not watch.is_hung
    assert server.questions >= 1


@virtual_time
async def test_a_slow_operation_is_left_alone_while_others_are_answered() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)
    slow = asyncio.create_task(operation(watch, lambda: asyncio.sleep(20)))
    while not slow.done():
        await operation(watch, lambda: asyncio.sleep(1.5))
    assert slow.result() == pytest.approx(20)
    assert server.questions == 0, "watching costs no operation while answers come"


@virtual_time
async def test_an_answer_during_the_question_is_an_answer() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)
    slow = asyncio.create_task(operation(watch, lambda: asyncio.sleep(3.5)))
    await operation(watch, lambda: asyncio.sleep(PATIENCE_S + QUESTION_S / 2))
    await slow
    assert server.questions == 1
    assert not watch.is_hung


@virtual_time
async def test_nothing_is_asked_and_no_timer_stays_while_nobody_waits() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)
    await operation(watch, lambda: asyncio.sleep(0.1))
    await asyncio.sleep(3600)
    assert server.questions == 0
    assert watch._timer is None


@virtual_time
async def test_failures_without_an_answer_are_silence_too() -> None:
    server = Server(is_well=False)
    watch = AnswerWatch(server.ask, limit_s=60)

    async def fails() -> None:
        await asyncio.sleep(0.4)
        raise ConnectionError

    async def again_and_again() -> None:
        while not watch.is_hung:
            with pytest.raises((ConnectionError, TimeoutError)):
                await operation(watch, fails)

    await asyncio.wait_for(asyncio.gather(again_and_again(), again_and_again()), 10)
    watch.stop()


def test_a_process_that_did_not_run_does_not_take_its_own_pause_for_silence() -> None:
    silence = Silence()
    silence.look(0.0, waiting=5, answers=0)
    assert silence.look(100.0, waiting=5, answers=0) == 2 * TICK_S


def test_silence_ends_with_an_answer_and_when_nobody_waits() -> None:
    silence = Silence()
    for tick in range(9):
        silence.look(tick * TICK_S, waiting=1, answers=0)
    assert silence.seconds == pytest.approx(2.0)
    assert silence.look(9 * TICK_S, waiting=1, answers=1) == 0
    silence.look(10 * TICK_S, waiting=1, answers=1)
    assert silence.look(11 * TICK_S, waiting=0, answers=1) == 0
