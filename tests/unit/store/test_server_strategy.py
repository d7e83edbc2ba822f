"""MongoDB is asked as the caller asks; the embedded server in the way that it answers fast. Chosen by its own words."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.errors import AutoReconnect, OperationFailure

from services.store import Database, DatabaseOptions
from services.store.embedded.server import REUSED_VALUES, TRANSACTION_FROM, EmbeddedServer
from services.store.indexes import INDEXES
from services.store.server_choice import choose_server
from services.store.server_strategy import MongoServer
from tests.doubles.connection import RecordingConnection

BETWEEN = {"$gte": 1, "$lt": 9}
QUERY = {"status": "read", "order": BETWEEN}
"""`order` has an index, `status` is looked at afterwards."""


def writes(count: int) -> list[UpdateOne]:
    return [UpdateOne({"_id": str(n)}, {"$set": {"x": n}}) for n in range(count)]


@pytest.mark.parametrize(
    ("hello", "strategy"),
    [
        ({"setName": "secantus"}, EmbeddedServer),
        ({"setName": "atlas-abc-shard-0"}, MongoServer),
        ({"msg": "isdbgrid"}, MongoServer),
        ({}, MongoServer),
    ],
)
def test_what_the_server_says_of_itself_chooses(hello: dict[str, Any], strategy: type) -> None:
    assert type(choose_server(hello, RecordingConnection())) is strategy


async def test_mongodb_gets_each_query_as_it_is() -> None:
    connection = RecordingConnection()
    server = MongoServer(connection)
    await server.find("messages", QUERY, projection={"to": 1}, sort=[("order", -1)], limit=5)
    pipeline = [{"$match": QUERY}, {"$count": "n"}]
    await server.aggregate("messages", pipeline, limit=1)
    assert connection.asked == [("find", QUERY), ("sort", [("order", -1)]), ("aggregate", pipeline)]


async def test_the_embedded_server_gets_a_query_in_two_stages_where_no_index_answers_all_of_it() -> None:
    connection = RecordingConnection()
    server = EmbeddedServer(connection)
    first, rest = {"$match": {"order": BETWEEN}}, {"$match": {"status": "read"}}
    await server.find("messages", QUERY, projection={"to": 1}, sort=[("order", -1)], limit=5)
    await server.find("messages", {"order": BETWEEN}, projection=None, sort=(), limit=5)
    await server.aggregate("messages", [{"$match": QUERY}, {"$count": "n"}], limit=1)
    await server.aggregate("messages", [{"$group": {"_id": 1}}], limit=1)
    assert connection.asked == [
        ("aggregate", [first, rest, {"$sort": {"order": -1}}, {"$limit": 5}, {"$project": {"to": 1}}]),
        ("find", {"order": BETWEEN}),
        ("aggregate", [first, rest, {"$count": "n"}]),
        ("aggregate", [{"$group": {"_id": 1}}]),
    ]


@pytest.mark.parametrize(
    ("strategy", "ops_per_s", "count", "asked"),
    [
        (MongoServer, 0, 50, "bulk_write"),
        (EmbeddedServer, 0, TRANSACTION_FROM - 1, "bulk_write"),
        (EmbeddedServer, 0, TRANSACTION_FROM, "transaction"),
        (EmbeddedServer, 90, TRANSACTION_FROM, "bulk_write"),
    ],
)
async def test_a_transaction_is_for_the_embedded_server_without_a_budget(
    strategy: type[MongoServer], ops_per_s: float, count: int, asked: str
) -> None:
    connection = RecordingConnection(ops_per_s=ops_per_s)
    assert await strategy(connection).bulk("messages", writes(count), ordered=True) == count
    assert (connection.asked, connection.documents) == ([(asked, count)], [count])


async def test_a_transaction_that_was_refused_is_repeated_write_by_write() -> None:
    connection = RecordingConnection()
    connection.transaction_error = OperationFailure("no", 121)
    assert await EmbeddedServer(connection).bulk("messages", writes(4), ordered=True) == 4
    assert connection.asked == [("transaction", 4), ("bulk_write", 4)]


async def test_a_transaction_without_an_answer_is_not_repeated() -> None:
    connection = RecordingConnection()
    connection.transaction_error = AutoReconnect("closed")
    with pytest.raises(AutoReconnect):
        await EmbeddedServer(connection).bulk("messages", writes(4), ordered=True)
    assert connection.asked == [("transaction", 4)]


async def test_only_the_embedded_server_keeps_transactions_of_a_killed_process() -> None:
    connection = RecordingConnection()
    await MongoServer(connection).abort_transactions()
    assert connection.asked == []
    await EmbeddedServer(connection).abort_transactions()
    assert connection.asked == [("killAllSessions", [])]


def test_values_that_change_hands_have_no_unique_index_on_the_embedded_server() -> None:
    on_mongodb = MongoServer(RecordingConnection()).indexes()
    embedded = EmbeddedServer(RecordingConnection()).indexes()
    assert on_mongodb == INDEXES
    changed = {(one.collection, one.full_name) for one, other in zip(embedded, INDEXES, strict=True) if one != other}
    assert changed == REUSED_VALUES
    assert all(dict(one.options) == {} for one in embedded if (one.collection, one.full_name) in REUSED_VALUES)


@pytest.mark.parametrize(("upper", "first_width"), [(1000, 10), (101, 1), (1000, 5000), (100, 10)])
def test_the_slices_of_a_page_meet_and_reach_the_floor(upper: int, first_width: int) -> None:
    ranges = list(EmbeddedServer(RecordingConnection()).ranges_below(upper, floor=100, first_width=first_width))
    covered = [value for one in ranges for value in range(one["$lt"] - 1, one["$gte"] - 1, -1)]
    assert covered == list(range(upper - 1, 99, -1))
    assert list(MongoServer(RecordingConnection()).ranges_below(upper, floor=100, first_width=1)) == [{"$lt": upper}]


class AnsweringDatabase(Database):
    """Its server answers `hello`, once it answers at all; nothing else goes out."""

    def __init__(self) -> None:
        super().__init__(
            DatabaseOptions(
                uri="mongodb://127.0.0.1:1/", name="x", pool=1, wait_queue_ms=1, connect_ms=1, select_ms=1, app_name="t"
            )
        )
        self.hellos = 0
        self.is_away = True

    async def command(self, name: str, value: Any = 1) -> dict[str, Any]:
        assert name == "hello"
        self.hellos += 1
        if self.is_away:
            raise AutoReconnect("closed")
        return {"setName": "secantus"}

    async def run(self, operation: Callable[[], Awaitable[Any]], *, documents: int = 1) -> Any:
        return []


async def test_the_server_is_asked_once_and_again_only_when_it_did_not_answer() -> None:
    database = AnsweringDatabase()
    with pytest.raises(AutoReconnect):
        await database.find("messages", QUERY, limit=1)
    database.is_away = False
    for _ in range(3):
        await database.find("messages", QUERY, limit=1)
        await database.aggregate("messages", [{"$match": QUERY}], limit=1)
    assert database.hellos == 2
    assert type(await database.server()) is EmbeddedServer
    await database.close()


def test_only_the_choice_knows_the_embedded_server() -> None:
    services = Path(__file__).parents[3] / "services"
    knowing = {
        str(path.relative_to(services))
        for path in services.rglob("*.py")
        if "services.store.embedded" in path.read_text(encoding="utf-8") and path.parent.name != "embedded"
    }
    assert knowing == {"store/server_choice.py"}
