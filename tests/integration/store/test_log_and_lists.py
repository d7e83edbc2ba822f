"""The numbered log, the schema, the change notifier and newest-first lists, on the real embedded server."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.conversations import ConversationState
from services.messages import MessageFilter, MessageRepository, MessageStatus
from services.messages.documents import MESSAGES, message_document
from services.store import (
    ChangeNotifier,
    Database,
    Event,
    Fenced,
    VersionedWrite,
    append,
    ensure_schema,
    expiry_indexes,
    is_schema_ready,
    last_seq,
    read_events,
)
from services.store.embedded.server import EmbeddedServer
from services.store.event_log import EVENTS
from services.store.indexes import INDEXES
from services.store.versioned_write import operation
from tests.doubles.clock import START
from tests.doubles.messages import outgoing
from tests.harness.slack import slack

pytestmark = pytest.mark.integration

NUMBER = "106540352242922"
Connect = Callable[[], Awaitable[Database]]
EXPIRY = expiry_indexes(events_days=30, notifications_days=7)


def events(*seqs: int, owner: str = "ours") -> list[Event]:
    at = START.replace(microsecond=678_000)  # as exactly as the database keeps it
    return [Event(f"evt_{owner}_{seq}", NUMBER, seq, "message.sent", at, {"n": seq}, "cnv_1") for seq in seqs]


async def unique_numbers(database: Database) -> None:
    await database.collection(EVENTS).create_index([("number", 1), ("seq", 1)], unique=True)


async def seqs(database: Database) -> list[int]:
    return [event.seq for event in (await read_events(database, NUMBER, after=0, limit=1_000))[0]]


async def test_a_batch_is_stored_once_however_often_it_is_tried(database: Database) -> None:
    await unique_numbers(database)
    for batch in (events(1, 2), events(1, 2, 3, 4), events(1, 2, 3, 4), events(3, 4, 5)):
        await append(database, batch)
    assert await seqs(database) == [1, 2, 3, 4, 5]
    found, reached = await read_events(database, NUMBER, after=2, limit=2)
    assert (found, reached) == (events(3, 4), 4)
    assert await last_seq(database, NUMBER, floor=0) == 5


async def test_of_two_owners_one_is_fenced_and_the_log_has_no_gap(connect: Connect) -> None:
    ours, theirs = await connect(), await connect()
    await unique_numbers(ours)
    await append(ours, events(1, 2, 3))
    await append(theirs, events(4, owner="theirs"))  # a new term opens with an event of its own
    with pytest.raises(Fenced):
        await append(ours, events(4, 5, 6))
    await append(theirs, events(5, owner="theirs"))
    assert await seqs(ours) == [1, 2, 3, 4, 5]


async def test_two_owners_who_write_at_the_same_moment_leave_one_log(connect: Connect) -> None:
    first = await connect()
    await unique_numbers(first)
    owners = [first, *[await connect() for _ in range(3)]]
    batches = [events(*range(1, 60), owner=f"owner{i}") for i in range(len(owners))]
    outcomes = await asyncio.gather(
        *(append(owner, batch) for owner, batch in zip(owners, batches, strict=True)), return_exceptions=True
    )
    assert all(outcome is None or isinstance(outcome, Fenced) for outcome in outcomes)
    assert sum(outcome is None for outcome in outcomes) <= 1
    found = await seqs(first)
    assert found == list(range(1, len(found) + 1))


async def test_what_retention_took_is_passed_over(database: Database) -> None:
    await unique_numbers(database)
    await append(database, events(*range(900, 905)))
    found, reached = await read_events(database, NUMBER, after=3, limit=2)
    assert ([event.seq for event in found], reached) == ([900, 901], 901)
    assert await read_events(database, NUMBER, after=3, limit=2, seeks=False) == ([], 3)


async def test_two_boxes_that_start_at_once_make_one_schema(connect: Connect) -> None:
    ours, theirs = await connect(), await connect()
    assert not await is_schema_ready(ours)
    did = await asyncio.gather(ensure_schema(ours, EXPIRY), ensure_schema(theirs, EXPIRY))
    assert any(did)
    assert await is_schema_ready(ours)
    assert not await ensure_schema(theirs, EXPIRY)
    for index in INDEXES:
        made = await ours.collection(index.collection).index_information()
        assert index.full_name in made

    # Another retention: the index is replaced, and nothing else is touched.
    assert await ensure_schema(ours, expiry_indexes(events_days=5, notifications_days=7))
    made = await ours.collection(EVENTS).index_information()
    assert made["at_1"]["expireAfterSeconds"] == 5 * 86_400

    # An earlier version: another index of the same name, and one that this version has another for.
    messages = ours.collection("messages")
    await messages.drop_index("number_1_due_at_1")
    await messages.drop_index("idempotency_1_sparse")
    await messages.create_index(
        [("number", 1), ("due_at", 1)], partialFilterExpression={"due_at": {"$exists": True}}, name="number_1_due_at_1"
    )
    await messages.create_index(
        [("idempotency", 1)], unique=True, partialFilterExpression={"idempotency": {"$exists": True}}
    )
    await ours.update("meta", {"_id": "schema"}, {"$set": {"indexes": "of an older version"}}, upsert=False)
    assert all(await asyncio.gather(ensure_schema(ours, EXPIRY), ensure_schema(theirs, EXPIRY)))
    made = await messages.index_information()
    assert "partialFilterExpression" not in made["number_1_due_at_1"]
    assert made["idempotency_1_sparse"]["unique"]
    assert "idempotency_1" not in made

    # A version that has one more index than the one that made the schema.
    assert not await ensure_schema(ours, EXPIRY)
    await ours.collection(EVENTS).drop_index("number_1_seq_1")
    await ours.update("meta", {"_id": "schema"}, {"$set": {"indexes": "of an older version"}}, upsert=False)
    assert await ensure_schema(ours, EXPIRY)
    assert "number_1_seq_1" in await ours.collection(EVENTS).index_information()


async def test_an_address_that_was_given_up_is_taken_by_somebody_new(connect: Connect) -> None:
    """A number that is somebody else's now: the owner writes nothing more while the database refuses that."""
    ours = await connect()
    if not isinstance(await ours.server(), EmbeddedServer):
        pytest.skip("only the embedded server keeps a value that nobody has any more")
    await ensure_schema(ours, EXPIRY)
    for collection, field in (("contacts", "key"), ("conversations", "pair")):
        old = VersionedWrite(collection, "old", 1, set={field: "wa:1"}, upsert=True)
        moved = VersionedWrite(collection, "old", 2, set={field: "wa:2"})
        new = VersionedWrite(collection, "new", 3, set={field: "wa:1"}, upsert=True)
        await ours.bulk(collection, [operation(write) for write in (old, moved, new)], ordered=True)
        found = await ours.find(collection, {field: "wa:1"}, limit=5)
        assert [document["_id"] for document in found] == ["new"]


async def test_an_insert_wakes_its_reader_at_once_and_nobody_else(connect: Connect) -> None:
    ours, theirs = await connect(), await connect()
    change_notifier = ChangeNotifier(ours, ["messages", "commands"])
    change_notifier.start()
    try:
        # The stream opens, and wakes everybody once: something may have come before it.
        await asyncio.gather(change_notifier.wait("messages", poll_s=5), change_notifier.wait("commands", poll_s=5))
        assert change_notifier.is_streaming
        waits_s = []
        for position in range(5):
            began = time.monotonic()
            waiting = asyncio.create_task(change_notifier.wait("messages", poll_s=5))
            await asyncio.sleep(0.05)
            await theirs.insert_many("messages", [{"_id": f"m{position}"}], ordered=False)
            await waiting
            waits_s.append(time.monotonic() - began)
        assert sorted(waits_s)[2] < slack()
        began = time.monotonic()
        await change_notifier.wait("commands", poll_s=0.3)
        assert time.monotonic() - began >= 0.29
        change_notifier.wake("commands")
        await asyncio.wait_for(change_notifier.wait("commands", poll_s=5), 1)
    finally:
        change_notifier.stop()
        await asyncio.sleep(1.2)  # the thread leaves before its client is closed


async def test_under_heavy_insert_load_time_wakes_the_readers_and_the_stream_comes_back(connect: Connect) -> None:
    ours, theirs = await connect(), await connect()
    change_notifier = ChangeNotifier(ours, ["messages", "commands"])
    change_notifier.start()
    try:
        await asyncio.gather(change_notifier.wait("messages", poll_s=5), change_notifier.wait("commands", poll_s=5))
        await theirs.insert_many("messages", [{"_id": f"m{number}"} for number in range(1_000)], ordered=False)
        async with asyncio.timeout(5):
            while not change_notifier.bursts:
                await change_notifier.wait("messages", poll_s=0.1)
            # A command that comes meanwhile is found by the clock.
            await change_notifier.wait("commands", poll_s=5)
        async with asyncio.timeout(10):
            while (await in_s(change_notifier.wait("messages", poll_s=0.3))) < 0.29:
                pass  # the burst is over once no reader is woken any more
        assert change_notifier.bursts == 1
        waiting = asyncio.create_task(in_s(change_notifier.wait("messages", poll_s=5)))
        await asyncio.sleep(0.05)
        await theirs.insert_many("messages", [{"_id": "after"}], ordered=False)
        assert await waiting < 1
    finally:
        change_notifier.stop()
        await asyncio.sleep(1.2)  # the thread leaves before its client is closed


async def in_s(work: Awaitable[None]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def all_pages(repository: MessageRepository, wanted: MessageFilter, limit: int) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        page = await repository.page(
            MessageFilter(to=wanted.to, phone_number_id=wanted.phone_number_id, status=wanted.status, before=before),
            limit=limit,
        )
        found += [message.id for message in page]
        if len(page) < limit:
            return found
        before = page[-1].order


async def indexed(database: Database) -> None:
    await database.collection(MESSAGES).create_index([("order", 1)])
    await database.collection(MESSAGES).create_index([("to", 1), ("order", 1)])


async def test_lists_of_sparse_messages_are_whole_newest_first_and_quick(database: Database) -> None:
    await indexed(database)
    now = time.time_ns() // 1_000_000
    ages = [0, 1, 59, 60, 61, 3_600, 86_400, 86_401, *(30 * 86_400 * month for month in range(1, 20))]
    documents = [
        message_document(outgoing(position, order=((now - age * 1_000) << 20) + position))
        for position, age in enumerate(ages)
    ]
    await database.insert_many(MESSAGES, documents, ordered=False)
    repository = MessageRepository(database)
    newest_first = [document["_id"] for document in sorted(documents, key=lambda row: -row["order"])]
    for limit in (1, 2, 7, 200):
        before = database.use.operations
        assert await all_pages(repository, MessageFilter(), limit) == newest_first
        pages = len(ages) // limit + 1
        assert database.use.operations - before <= pages * 9


async def test_lists_of_dense_messages_have_neither_gap_nor_duplicate(database: Database) -> None:
    await indexed(database)
    now = time.time_ns() // 1_000_000
    documents = [
        message_document(
            outgoing(
                position,
                order=((now - position // 40) << 20) + (position * 7_919) % (1 << 19),
                to=f"1650555{position % 7:04}",
                status=MessageStatus.READ if position % 3 else MessageStatus.SENT,
                created_at=START - timedelta(milliseconds=position),
            )
        )
        for position in range(5_000)
    ]
    for start in range(0, 5_000, 500):
        await database.insert_many(MESSAGES, documents[start : start + 500], ordered=False)
    repository = MessageRepository(database)
    ordered = sorted(documents, key=lambda row: -row["order"])
    assert await all_pages(repository, MessageFilter(), 200) == [row["_id"] for row in ordered]
    phone = "16505550003"
    assert await all_pages(repository, MessageFilter(to=phone), 50) == [
        row["_id"] for row in ordered if row["to"] == phone
    ]
    assert await all_pages(repository, MessageFilter(status=MessageStatus.SENT), 199) == [
        row["_id"] for row in ordered if row["status"] == "sent"
    ]


async def test_lists_of_several_numbers_and_of_those_counted_today_are_whole(database: Database) -> None:
    await indexed(database)
    for index in INDEXES:
        if index.collection == "conversations":
            await database.collection("conversations").create_index(list(index.keys), **dict(index.options))
    base = (time.time_ns() // 1_000_000) << 20
    rows = [
        message_document(outgoing(position, order=base - position, number=f"number_{position % 3}"))
        for position in range(30)
    ]
    await database.insert_many(MESSAGES, rows, ordered=False)
    wanted = MessageFilter(numbers=frozenset({"number_0", "number_2"}))
    page = await MessageRepository(database).page(wanted, limit=200)
    assert [message.id for message in page] == [row["_id"] for row in rows if row["number"] != "number_1"]

    now = START.replace(microsecond=0)
    ages_h = {"cnv_0": 1, "cnv_1": 30, "cnv_2": 23, "cnv_3": None}
    conversations = [
        {"_id": id_, "number": "number_0", "contact_key": id_, "pair": id_}
        | ({} if age is None else {"initiated_at": now - timedelta(hours=age)})
        for id_, age in ages_h.items()
    ]
    await database.insert_many("conversations", conversations, ordered=False)
    counted = await ConversationState(database).initiated("number_0", since=now - timedelta(days=1))
    assert counted == [("cnv_2", now - timedelta(hours=23)), ("cnv_0", now - timedelta(hours=1))]
