import random
from typing import Any, cast

import pytest

from services.store import EPOCH_FLOOR, AscendingReader, Database, newest
from tests.doubles.database import MemoryDatabase

MINUTE = 60_000 << 20


def database_with(orders: list[int]) -> MemoryDatabase:
    memory = MemoryDatabase()
    memory.put("contacts", *({"_id": f"con_{at}", "order": order, "label": "a"} for at, order in enumerate(orders)))
    return memory


async def walk(memory: MemoryDatabase, **options: Any) -> list[list[int]]:
    ascent = AscendingReader(cast(Database, memory), "contacts", {"label": "a"}, **options)
    pages = []
    while page := await ascent.next():
        pages.append([document["order"] for document in page])
    return pages


@pytest.mark.parametrize("seed", range(8))
async def test_every_document_comes_once_and_in_order_wherever_it_lies(seed: int) -> None:
    chance = random.Random(seed)
    # Bursts of an import, lonely ones months apart, and some of the same order.
    orders: list[int] = []
    at = EPOCH_FLOOR + 1
    for _ in range(12):
        at += chance.choice([1, 1 << 20, MINUTE, 50_000 * MINUTE])
        for _ in range(chance.choice([1, 3, 40])):
            at += chance.choice([0, 1, 1, 1 << 20])
            orders.append(at)
    memory = database_with(orders)
    pages = await walk(memory, page=7, up_to=at)
    assert [order for page in pages for order in page] == sorted(orders)
    assert len(memory.finds) < len(orders) + 80


async def test_equal_orders_are_never_cut_in_two() -> None:
    start = EPOCH_FLOOR + 5
    orders = [start, start + 1, start + 2, start + 2, start + 2, start + 3]
    assert await walk(database_with(orders), page=3, up_to=start + 10) == [orders[:2], orders[2:5], orders[5:]]


async def test_a_walk_goes_on_where_another_ended() -> None:
    start = EPOCH_FLOOR + 5
    memory = database_with([start + at for at in range(10)])
    first = AscendingReader(cast(Database, memory), "contacts", {}, page=4, up_to=start + 100)
    page = await first.next()
    rest = await walk(memory, after=first.reached, page=100, up_to=start + 100)
    assert [document["order"] for document in page] + rest[0] == [start + at for at in range(10)]


async def test_an_empty_collection_ends_soon() -> None:
    memory = MemoryDatabase()
    assert await walk(memory, up_to=EPOCH_FLOOR + 3 * 366 * 24 * 60 * MINUTE) == []
    assert len(memory.finds) < 12


async def test_a_smaller_page_may_be_asked_for() -> None:
    start = EPOCH_FLOOR + 5
    memory = database_with([start + at for at in range(10)])
    ascent = AscendingReader(cast(Database, memory), "contacts", {}, page=100, up_to=start + 100)
    assert len(await ascent.next(3)) == 3
    assert len(await ascent.next()) == 7


@pytest.mark.parametrize("limit", [1, 7, 40, 200])
async def test_the_newest_come_first_wherever_they_lie(limit: int) -> None:
    start = EPOCH_FLOOR + 5_000_000 * MINUTE
    orders = [start + at for at in range(30)] + [start + 90_000 * MINUTE + at for at in range(60)]
    memory = database_with(orders)
    seen: list[int] = []
    below = max(orders) + 1
    while page := await newest(
        cast(Database, memory),
        "contacts",
        {"label": "a"},
        field="order",
        below=below,
        first_slice=MINUTE,
        limit=limit,
    ):
        assert len(page) <= limit
        seen += [document["order"] for document in page]
        below = seen[-1]
    assert seen == sorted(orders, reverse=True)
