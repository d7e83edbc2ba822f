"""The gate in front of the driver: bounded, counted, never leaking; and what the driver's errors mean to us."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from services.store import Database, DatabaseBusy, DatabaseOptions, DatabaseUnavailable, StorageFull
from services.store.answer_watch import TICK_S, AnswerWatch
from services.store.faults import duplicates
from tests.doubles.clock import virtual_time


@asynccontextmanager
async def gate(pool: int = 2) -> AsyncIterator[Database]:
    """A database that nobody answers for: what is run here are coroutines of the test's own."""
    database = Database(
        DatabaseOptions(
            uri="mongodb://127.0.0.1:1/",
            name="x",
            pool=pool,
            wait_queue_ms=500,
            connect_ms=1,
            select_ms=1,
            app_name="t",
        )
    )
    yield database
    await database.close()


async def fails(error: Exception) -> None:
    raise error


@virtual_time
async def test_no_more_run_at_a_time_than_there_are_connections() -> None:
    async with gate(pool=3) as database:
        running = most = 0

        async def operation() -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return running

        await asyncio.gather(*(database.run(operation) for _ in range(20)))
        assert most == 3
        use = database.use
        assert (use.in_use, use.waiting, use.operations) == (0, 0, 20)


@virtual_time
async def test_the_use_of_the_pool_counts_operations_and_open_connections() -> None:
    async with gate(pool=3) as database:
        running = asyncio.create_task(database.run(lambda: asyncio.sleep(1), documents=5))
        await asyncio.sleep(0)
        database.connections.count = 2  # what the driver's events count
        use = database.pool_use()
        assert (use.limit, use.in_use, use.open, use.operations, use.documents) == (3, 1, 2, 1, 5)
        await running
        database.connections.count = 1
        assert (database.pool_use().in_use, database.pool_use().open) == (0, 1)


@virtual_time
async def test_who_waits_too_long_is_told_that_the_server_is_busy() -> None:
    async with gate(pool=1) as database:
        hanging = asyncio.create_task(database.run(lambda: asyncio.sleep(1.5)))
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        with pytest.raises(DatabaseBusy) as busy:
            await database.run(lambda: asyncio.sleep(0))
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5, abs=0.01)
        assert busy.value.may_retry
        assert database.use.waiting == 0
        await hanging
        await database.run(lambda: asyncio.sleep(0))


@virtual_time
async def test_callers_that_come_and_go_never_cost_a_connection() -> None:
    chance = random.Random(7)
    async with gate(pool=4) as database:
        for _ in range(60):
            callers = [
                asyncio.create_task(database.run(lambda: asyncio.sleep(chance.random() / 50))) for _ in range(12)
            ]
            await asyncio.sleep(chance.random() / 40)
            for caller in callers:
                if chance.random() < 0.6:
                    caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
        assert database.use.in_use == database.use.waiting == 0
        most = await asyncio.gather(*(database.run(lambda: asyncio.sleep(0.4)) for _ in range(4)))
        assert len(most) == 4, "all four still fit at once"


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("no server"),
        WaitQueueTimeoutError("no connection"),
        OperationFailure("stepping down", 189),
        OperationFailure("not primary", 10107),
        OperationFailure("interrupted", 11602),
        OperationFailure("over the time limit", 50),
        OperationFailure("you are over your network transfer limit", 8000),
        OperationFailure('WtError { code: -31804, message: "WT_PANIC: WiredTiger library panic" }', 1),
        WriteConcernError("waiting for replication timed out", 64),
    ],
    ids=lambda error: f"{type(error).__name__} {getattr(error, 'code', '')}",
)
@virtual_time
async def test_what_may_pass_is_unavailable(error: Exception) -> None:
    async with gate() as database:
        with pytest.raises(DatabaseUnavailable) as unavailable:
            await database.run(lambda: fails(error))
        assert unavailable.value.may_retry
        assert "closed" not in unavailable.value.text
        assert database.use.errors == 1
        assert database.use.in_use == 0


@pytest.mark.parametrize("error", [ServerSelectionTimeoutError("no server"), WaitQueueTimeoutError("no connection")])
@virtual_time
async def test_what_was_never_sent_is_known_to_be(error: Exception) -> None:
    async with gate() as database:
        with pytest.raises(DatabaseUnavailable) as unavailable:
            await database.run(lambda: fails(error))
        assert not unavailable.value.was_sent
    async with gate() as database:
        with pytest.raises(DatabaseUnavailable) as lost:
            await database.run(lambda: fails(AutoReconnect("closed")))
        assert lost.value.was_sent


@virtual_time
async def test_while_a_search_for_a_server_has_just_failed_nobody_waits_for_another_one() -> None:
    asked = []

    async def asks() -> None:
        asked.append(1)

    async with gate() as database:
        with pytest.raises(DatabaseUnavailable):
            await database.run(lambda: fails(ServerSelectionTimeoutError("no server")))
        with pytest.raises(DatabaseUnavailable) as refused:
            await database.run(asks)
        assert not asked
        assert not refused.value.was_sent
        database._away_until = 0.0  # half a second later
        await database.run(asks)
        assert asked


@pytest.mark.parametrize(
    "error", [OperationFailure("unknown operator: $x", 2), DuplicateKeyError("E11000", 11000), TypeError("x")], ids=repr
)
@virtual_time
async def test_our_own_mistakes_are_let_through(error: Exception) -> None:
    async with gate() as database:
        with pytest.raises(type(error)):
            await database.run(lambda: fails(error))
        assert database.use.in_use == 0


def bulk_error(*codes: int, concern: int | None = None) -> BulkWriteError:
    return BulkWriteError(
        {
            "writeErrors": [{"index": index, "code": code, "errmsg": f"E{code}"} for index, code in enumerate(codes)],
            "writeConcernErrors": [] if concern is None else [{"code": concern, "errmsg": "not replicated"}],
        }
    )


def test_duplicates_are_told_by_their_position() -> None:
    assert [(one.index, one.message) for one in duplicates(bulk_error(11000, 11000))] == [
        (0, "E11000"),
        (1, "E11000"),
    ]


@pytest.mark.parametrize("error", [bulk_error(11000, 2), bulk_error(concern=64), bulk_error(11000, concern=91)])
def test_what_is_not_known_to_be_stored_on_most_members_is_not_acknowledged(error: BulkWriteError) -> None:
    with pytest.raises(DatabaseUnavailable):
        duplicates(error)


QUOTA = "you are over your space quota, using 513 MB of 512 MB"


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure(QUOTA, 8000),
        OperationFailure("available disk space of 1 bytes is less than required minimum", 14031),
        OperationFailure("WiredTiger error (28): __posix_file_write: No space left on device", 1),
    ],
    ids=lambda error: str(error.code),
)
@virtual_time
async def test_a_database_without_room_is_full_not_away(error: OperationFailure) -> None:
    async with gate() as database:
        with pytest.raises(StorageFull) as full:
            await database.run(lambda: fails(error))
        assert (full.value.code, full.value.may_retry, full.value.retry_after_s) == ("storage_full", True, 60)
        assert not full.value.was_sent, "the same write at once finds no more room"
        assert "full" in full.value.text
        assert str(error) not in full.value.text
        assert str(error) in str(full.value)
        assert database.use.errors == 1


class RefusingDatabase(Database):
    """Its server answers every operation with the same error."""

    answer: Exception

    async def run(self, operation: object, *, documents: int = 1) -> object:  # type: ignore[override]
        raise self.answer


@virtual_time
async def test_one_write_of_many_that_finds_no_room_says_that_it_is_full() -> None:
    async with gate() as plain:
        database = RefusingDatabase(plain.options)
        database.answer = BulkWriteError(
            {
                "writeErrors": [
                    {"index": 0, "code": 11000, "errmsg": "E11000 duplicate key { text: 'no space left on device' }"},
                    {"index": 1, "code": 8000, "errmsg": QUOTA},
                ],
            }
        )
        with pytest.raises(StorageFull):
            await database.insert_many("messages", [{}, {}], ordered=False)
        with pytest.raises(StorageFull):
            await database.bulk("messages", [], ordered=True)
        database.answer = BulkWriteError(
            {"writeErrors": [{"index": 0, "code": 11000, "errmsg": "E11000 { text: 'no space left on device' }"}]}
        )
        assert len(await database.insert_many("messages", [{}], ordered=False)) == 1, "what people write is no sign"
        await database.close()


@virtual_time
async def test_that_it_is_full_is_told_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    async with gate() as database:
        with caplog.at_level(logging.WARNING, logger="services.store"):
            for _ in range(3):
                with pytest.raises(StorageFull):
                    await database.run(lambda: fails(OperationFailure(QUOTA, 8000)))
    told = [record for record in caplog.records if getattr(record, "action", "") == "storage.full"]
    assert len(told) == 1
    assert "PANAL_RETENTION_" in told[0].getMessage()


class Mute:
    """The question to a database that hangs, until it is told to answer."""

    def __init__(self) -> None:
        self.answers = False

    async def ask(self) -> None:
        if not self.answers:
            await asyncio.sleep(1)
            raise NetworkTimeout("timed out")


@virtual_time
async def test_a_database_that_hangs_ends_every_wait_and_refuses_at_once_until_it_answers() -> None:
    async with gate(pool=2) as database:
        mute = Mute()
        database.answers = AnswerWatch(mute.ask, limit_s=10)
        loop = asyncio.get_running_loop()
        began = loop.time()
        waits = [asyncio.create_task(database.run(lambda: asyncio.sleep(1000))) for _ in range(2)]
        outcomes = await asyncio.gather(*waits, return_exceptions=True)
        assert loop.time() - began < 4
        for outcome in outcomes:
            assert isinstance(outcome, DatabaseUnavailable)
            assert (outcome.was_sent, outcome.has_timed_out) == (True, True)
        assert (database.use.in_use, database.use.errors) == (0, 2)
        began = loop.time()
        with pytest.raises(DatabaseUnavailable) as refused:
            await database.run(lambda: asyncio.sleep(0))
        assert loop.time() == began
        assert not refused.value.was_sent
        mute.answers = True
        await asyncio.sleep(3)
        assert await database.run(lambda: asyncio.sleep(0, "well")) == "well"


@virtual_time
async def test_who_waits_for_a_connection_of_a_database_that_hangs_is_not_sent_into_the_dark() -> None:
    async with gate(pool=1) as database:
        database.answers = AnswerWatch(Mute().ask, limit_s=10)
        first = asyncio.create_task(database.run(lambda: asyncio.sleep(1000)))
        await asyncio.sleep(2.8)
        second = asyncio.create_task(database.run(lambda: asyncio.sleep(1000)))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert [getattr(outcome, "was_sent", None) for outcome in outcomes] == [True, False]
        assert asyncio.get_running_loop().time() < 5


@virtual_time
async def test_an_operation_that_alone_takes_too_long_has_a_limit_of_its_own() -> None:
    async with gate() as database:
        mute = Mute()
        mute.answers = True
        database.answers = AnswerWatch(mute.ask, limit_s=10)
        with pytest.raises(DatabaseUnavailable) as late:
            await database.run(lambda: asyncio.sleep(1000))
        assert late.value.has_timed_out
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=TICK_S)
