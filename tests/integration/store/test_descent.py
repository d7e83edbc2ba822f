"""Lists on the real server: both ways of reading a page give the same page."""

from typing import Any

import pytest

from services.store import Database, newest

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("sorts_by_index", [True, False])
async def test_both_ways_of_reading_a_page_give_the_same_page(database: Database, sorts_by_index: bool) -> None:
    base = 1_795_000_000_000 << 20
    # Dense at the end, a gap of months, and one a day before that.
    orders = [base - (n << 20) for n in range(50)] + [base - ((n * 86_400_000 + 10**10) << 20) for n in range(30)]
    rows: list[dict[str, Any]] = [{"_id": f"d{order}", "order": order, "number": "1"} for order in orders]
    await database.collection("descent").delete_many({})
    await database.insert_many("descent", rows, ordered=False)
    database._is_embedded = not sorts_by_index
    seen: list[int] = []
    below = base + 1
    while True:
        page = await newest(
            database, "descent", {"number": "1"}, field="order", below=below, first_slice=60_000 << 20, limit=7
        )
        seen += [row["order"] for row in page]
        if len(page) < 7:
            break
        below = page[-1]["order"]
    assert seen == sorted(orders, reverse=True)
