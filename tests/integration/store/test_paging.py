"""Lists on the real server: both ways of reading a page give the same page."""

import random
from typing import Any

import pytest

from services.store import Database, newest
from services.store.embedded.server import EmbeddedServer
from services.store.server_strategy import MongoServer

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("strategy", [MongoServer, EmbeddedServer])
async def test_both_ways_of_reading_a_page_give_the_same_page(database: Database, strategy: type[MongoServer]) -> None:
    base = 1_795_000_000_000 << 20
    # Dense at the end, a gap of months, and one a day before that.
    orders = [base - (n << 20) for n in range(50)] + [base - ((n * 86_400_000 + 10**10) << 20) for n in range(30)]
    rows: list[dict[str, Any]] = [{"_id": f"d{order}", "order": order, "number": "1"} for order in orders]
    await database.collection("descent").delete_many({})
    await database.insert_many("descent", rows, ordered=False)
    database._server = strategy(database)
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


async def test_a_divided_query_means_what_it_meant_whole(database: Database) -> None:
    """The embedded server is asked in two stages (``query_division``): any filter, against the same one in Python."""
    chance = random.Random(7)
    rows: list[dict[str, Any]] = [
        {
            "_id": f"p{n}",
            "order": n,
            "number": chance.choice(["1", "2"]),
            "status": chance.choice(["queued", "sent", "read"]),
            "priority": chance.choice([0, 1]),
            "to": chance.choice(["a", "b", "c"]),
            "tokens": chance.sample(["ana", "anabel", "ben", "lia", "leo"], 2),
        }
        for n in range(400)
    ]
    for name in ("messages", "contacts"):
        await database.collection(name).delete_many({})
        await database.insert_many(name, [dict(row) for row in rows], ordered=False)

    def fits(row: dict[str, Any], field: str, wanted: Any) -> bool:
        if field == "$and":
            bounds = [one["tokens"]["$elemMatch"] for one in wanted]
            return all(any(one["$gte"] <= token < one["$lt"] for token in row["tokens"]) for one in bounds)
        if not isinstance(wanted, dict):
            return bool(row[field] == wanted)
        if "$in" in wanted:
            return row[field] in wanted["$in"]
        return bool(wanted["$gte"] <= row[field] < wanted["$lt"])

    word = {"tokens": {"$elemMatch": {"$gte": "an", "$lt": "ao"}}}
    other = {"tokens": {"$elemMatch": {"$gte": "l", "$lt": "m"}}}
    choices: dict[str, list[Any]] = {
        "order": [{"$gte": 20, "$lt": 300}, {"$gte": 0, "$lt": 50}],
        "number": ["1", {"$in": ["1", "2"]}, {"$in": ["3"]}],
        "status": ["read", {"$in": ["queued", "sent"]}],
        "priority": [0, {"$in": [0, 1]}],
        "to": ["a", {"$in": ["a", "c"]}],
        "$and": [[word], [word, other]],
        "_id": [{"$in": ["p1", "p30", "p200"]}],
    }
    for _ in range(120):
        fields = chance.sample(list(choices), chance.randint(1, 4))
        query = {field: chance.choice(choices[field]) for field in fields}
        name = "contacts" if "$and" in query else "messages"
        found = await database.find(name, query, projection={"order": 1}, sort=[("order", -1)], limit=25)
        whole = [row["order"] for row in reversed(rows) if all(fits(row, *one) for one in query.items())]
        assert [row["order"] for row in found] == whole[:25], query
        counted = await database.aggregate(name, [{"$match": query}, {"$count": "n"}], limit=1)
        assert (counted[0]["n"] if counted else 0) == len(whole), query
