"""The operation budget: nobody waits while there are tokens, and the rate is kept when there are none."""

import asyncio
from collections import Counter

import pytest

from services.store.operation_budget import GATHER_BURST, BatchDelay, BudgetQueue, OperationBudget, Shares, shares
from tests.doubles.clock import virtual_time

RATE = 200.0
SECONDS = 0.5


async def work(
    operation_budget: OperationBudget, queue: BudgetQueue, done: Counter[str], name: str, until: float
) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        await queue.turn()
        operation_budget.spend()
        done[name] += 1


def emptied(rate: float = RATE) -> OperationBudget:
    """A budget on the loop's time, whose burst is used up."""
    operation_budget = OperationBudget(rate, monotonic=asyncio.get_running_loop().time)
    for _ in range(int(rate)):
        operation_budget.spend()
    return operation_budget


async def test_without_a_budget_nobody_waits() -> None:
    operation_budget = OperationBudget(0)
    queue = operation_budget.queue()
    for _ in range(10_000):
        await queue.turn()
        operation_budget.spend()
    assert not operation_budget.is_paced


@virtual_time
async def test_a_burst_inside_the_budget_does_not_wait() -> None:
    operation_budget = OperationBudget(50, monotonic=asyncio.get_running_loop().time)
    queue = operation_budget.queue()
    began = asyncio.get_running_loop().time()
    for _ in range(45):
        await queue.turn()
        operation_budget.spend()
    assert asyncio.get_running_loop().time() - began < 0.1


@virtual_time
async def test_an_empty_budget_is_kept() -> None:
    operation_budget, done = emptied(), Counter[str]()
    await work(operation_budget, operation_budget.queue(), done, "only", asyncio.get_running_loop().time() + SECONDS)
    assert 0.6 * RATE * SECONDS <= done["only"] <= 1.15 * RATE * SECONDS + 2


@virtual_time
async def test_lines_that_always_ask_share_by_weight() -> None:
    operation_budget, done = emptied(), Counter[str]()
    until = asyncio.get_running_loop().time() + SECONDS
    await asyncio.gather(
        work(operation_budget, operation_budget.queue(3), done, "messages", until),
        work(operation_budget, operation_budget.queue(1), done, "notices", until),
    )
    assert 2.0 <= done["messages"] / done["notices"] <= 4.5


@virtual_time
async def test_a_queue_that_rarely_asks_is_served_before_one_that_always_asks() -> None:
    operation_budget, done = emptied(20), Counter[str]()
    loop = asyncio.get_running_loop()
    greedy = [
        asyncio.create_task(work(operation_budget, operation_budget.queue(1), done, f"greedy {n}", loop.time() + 0.6))
        for n in range(5)
    ]
    await asyncio.sleep(0.2)
    began = loop.time()
    await operation_budget.queue(1).turn()
    # In turn behind five others it would be 0.3 s.
    assert loop.time() - began < 0.2
    await asyncio.gather(*greedy)


@virtual_time
async def test_single_operations_push_batches_back_only_so_far() -> None:
    operation_budget = emptied(100)
    for _ in range(10_000):
        operation_budget.spend()
    began = asyncio.get_running_loop().time()
    await operation_budget.queue().turn()
    assert 0.4 < asyncio.get_running_loop().time() - began < 0.8


@virtual_time
async def test_a_waiter_that_gives_up_takes_nothing() -> None:
    operation_budget = emptied(50)
    first = asyncio.create_task(operation_budget.queue().turn())
    second = asyncio.create_task(operation_budget.queue().turn())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert operation_budget.waiting_count == 0


@virtual_time
async def test_without_a_budget_batches_in_a_row_gather_and_a_lone_one_never_waits() -> None:
    loop = asyncio.get_running_loop()
    queue = OperationBudget(0, monotonic=loop.time).queue(delay=BatchDelay(0.02))
    began = loop.time()
    for _ in range(int(GATHER_BURST)):
        await queue.turn()
    assert loop.time() == began
    for _ in range(50):
        await queue.turn()
    assert abs(loop.time() - began - 50 * 0.02) < 1e-6

    await asyncio.sleep(10)  # at rest, however long, no more than a burst gathers
    began = loop.time()
    for _ in range(int(GATHER_BURST) + 5):
        await queue.turn()
    assert abs(loop.time() - began - 5 * 0.02) < 1e-6


@virtual_time
async def test_a_batch_that_has_enough_goes_early_and_the_next_one_does_not_pay_for_it() -> None:
    loop = asyncio.get_running_loop()
    queue, enough, began = (
        OperationBudget(0, monotonic=loop.time).queue(delay=BatchDelay(1.0)),
        asyncio.Event(),
        loop.time(),
    )
    for _ in range(int(GATHER_BURST)):
        await queue.turn(enough=enough)
    loop.call_later(0.25, enough.set)
    await queue.turn(enough=enough)
    assert loop.time() == began + 0.25
    await queue.turn(enough=enough)  # still enough
    assert loop.time() == began + 0.25
    enough.clear()
    await queue.turn(enough=enough)
    assert loop.time() == began + 1.25


@virtual_time
async def test_inside_a_budget_batches_gather_as_long_as_some_tokens_take() -> None:
    loop = asyncio.get_running_loop()
    operation_budget = OperationBudget(100, monotonic=loop.time)
    queue, began = operation_budget.queue(delay=BatchDelay(5.0)), loop.time()
    for _ in range(50):
        await queue.turn()
        operation_budget.spend()
    assert loop.time() == began

    patient, began = OperationBudget(20, monotonic=loop.time).queue(delay=BatchDelay(5.0, tokens=4)), loop.time()
    for _ in range(int(GATHER_BURST) + 10):
        await patient.turn()
    assert abs(loop.time() - began - 10 * 4 / 20) < 1e-6


@virtual_time
async def test_inside_a_budget_a_batch_that_has_enough_gathers_on() -> None:
    loop = asyncio.get_running_loop()
    queue, enough = OperationBudget(20, monotonic=loop.time).queue(delay=BatchDelay(5.0, tokens=4)), asyncio.Event()
    enough.set()
    for _ in range(int(GATHER_BURST)):
        await queue.turn(enough=enough)
    began = loop.time()
    await queue.turn(enough=enough)
    assert abs(loop.time() - began - 4 / 20) < 1e-6  # the token is what is scarce


def test_a_budget_is_divided_between_boxes_owner_and_workers() -> None:
    one, two = shares(100, workers=4), shares(100, workers=4, instances=2)
    assert one.owner_per_s + 4 * one.worker_per_s == pytest.approx(100)
    assert (two.owner_per_s, two.worker_per_s) == pytest.approx((one.owner_per_s / 2, one.worker_per_s / 2))
    assert shares(0, workers=4) == Shares(0, 0)
