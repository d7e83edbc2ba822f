"""Group commit and versioned writes, on the real embedded server."""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.conversations import project_conversation
from services.events.projection_writer import apply_writes
from services.store import Database, DatabaseUnavailable, DuplicateOf, Event, GroupCommit, VersionedWrite, mark
from services.store.versioned_write import operation
from tests.doubles.clock import START
from tests.integration.store.conftest import Server, opened

pytestmark = pytest.mark.integration


async def apply(database: Database, *writes: VersionedWrite) -> None:
    await database.bulk("messages", [operation(write) for write in writes], ordered=True)


async def stored(database: Database, id_: str = "m") -> dict[str, Any]:
    found = await database.find_one("messages", {"_id": id_})
    assert found is not None
    return found


async def unique_idempotency(database: Database) -> None:
    await database.collection("messages").create_index([("idempotency", 1)], unique=True, sparse=True)


async def test_many_callers_share_a_few_inserts_and_each_learns_its_own_fate(database: Database) -> None:
    await unique_idempotency(database)
    inserts = GroupCommit(database, "messages", max_waiting=2_000)
    documents = [{"_id": f"m{i}", "idempotency": f"k{i % 150}"} for i in range(300)]
    outcomes = await asyncio.gather(*(inserts.insert(document) for document in documents))
    assert [outcome is None for outcome in outcomes] == [i < 150 for i in range(300)]
    assert inserts.batches < 10
    assert len(await database.find("messages", {}, limit=1_000)) == 150


async def test_an_insert_without_the_key_is_never_a_duplicate(database: Database) -> None:
    await unique_idempotency(database)
    inserts = GroupCommit(database, "messages", max_waiting=100)
    assert await inserts.insert_all([{"_id": "a"}, {"_id": "b"}]) == [None, None]


class LostAnswer(Database):
    """The server does the first insert, and its answer gets lost on the way."""

    lost = 1

    async def insert_many(self, name: str, documents: list[dict[str, Any]], *, ordered: bool) -> list[Any]:
        found = await super().insert_many(name, documents, ordered=ordered)
        if self.lost:
            self.lost -= 1
            raise DatabaseUnavailable("The answer got lost.")
        return found


async def test_a_lost_answer_is_told_from_a_duplicate(database: Database) -> None:
    await unique_idempotency(database)
    await database.insert_many("messages", [{"_id": "earlier", "idempotency": "k"}], ordered=False)
    losing = LostAnswer(database.options)
    try:
        inserts = GroupCommit(losing, "messages", max_waiting=100)
        outcomes = await inserts.insert_all([{"_id": "a", "idempotency": "new"}, {"_id": "b", "idempotency": "k"}])
    finally:
        await losing.close()
    assert outcomes[0] is None
    assert isinstance(outcomes[1], DuplicateOf)


async def test_a_document_that_cannot_be_encoded_fails_alone(database: Database) -> None:
    inserts = GroupCommit(database, "messages", max_waiting=100)
    outcomes = await asyncio.gather(
        *(inserts.insert({"_id": f"m{i}", "n": 2**70 if i == 3 else i}) for i in range(6)), return_exceptions=True
    )
    assert [isinstance(outcome, OverflowError) for outcome in outcomes] == [i == 3 for i in range(6)]
    assert len(await database.find("messages", {}, limit=10)) == 5


async def test_an_older_event_changes_nothing(database: Database) -> None:
    await apply(database, VersionedWrite("messages", "m", 5, set={"status": "read"}, upsert=True))
    await apply(
        database, VersionedWrite("messages", "m", 4, set={"status": "sent", "wamid": "x"}, push={"timeline": {"q": 4}})
    )
    assert await stored(database) == {"_id": "m", "status": "read", "seq": 5}


async def test_the_same_event_twice_changes_nothing_more(database: Database) -> None:
    await database.insert_many("messages", [{"_id": "m", "status": "queued", "seq": 0}], ordered=False)
    write = VersionedWrite(
        "messages",
        "m",
        1,
        set={"status": "sent"},
        push={"timeline": {"s": "sent", "at": START}},
        compute={"unread": {"$add": [{"$ifNull": ["$unread", 0]}, 1]}},
    )
    for _ in range(3):
        await apply(database, write)
    found = await stored(database)
    assert len(found["timeline"]) == 1
    assert found["unread"] == 1


async def test_events_of_one_batch_apply_in_order(database: Database) -> None:
    await database.insert_many("messages", [{"_id": "m", "seq": 0}], ordered=False)
    await apply(
        database,
        *(
            VersionedWrite("messages", "m", seq, set={"status": f"s{seq}"}, push={"timeline": {"q": seq}})
            for seq in range(1, 40)
        ),
    )
    found = await stored(database)
    assert found["status"] == "s39"
    assert [entry["q"] for entry in found["timeline"]] == list(range(1, 40))


@pytest.mark.parametrize(
    "value",
    [
        "$status", "$$ROOT", "$$REMOVE", "$", "", "a.b", {"$add": [1, 2]}, {"a.b": "$c"}, ["$x", {"$y": 1}], None, True,
        2**63 - 1, -1.5, {}, [],
    ],
    ids=repr,
)  # fmt: skip
async def test_values_are_kept_literally(database: Database, value: object) -> None:
    write = VersionedWrite("messages", "m", 1, set={"kept": value}, push={"list": {"kept": value}}, upsert=True)
    await apply(database, write)
    found = await stored(database)
    assert found["kept"] == value
    assert found["list"] == [{"kept": value}]


async def test_dropped_fields_go_and_come_back_with_the_next_event(database: Database) -> None:
    await apply(
        database, VersionedWrite("messages", "m", 1, set={"held_reason": "paused", "status": "held"}, upsert=True)
    )
    await apply(
        database, VersionedWrite("messages", "m", 2, set={"status": "queued"}, drop=("held_reason", "held_until"))
    )
    assert await stored(database) == {"_id": "m", "status": "queued", "seq": 2}
    await apply(database, VersionedWrite("messages", "m", 1, drop=("status",)))
    assert (await stored(database))["status"] == "queued"


async def test_without_upsert_a_missing_document_stays_missing(database: Database) -> None:
    await apply(database, VersionedWrite("messages", "m", 1, set={"status": "sent"}))
    await apply(database, mark("messages", "m", "done"))
    assert await database.find_one("messages", {"_id": "m"}) is None


async def test_an_upsert_makes_the_document_once(database: Database) -> None:
    for seq in (3, 3, 2):
        await apply(database, VersionedWrite("messages", "m", seq, set={"n": seq}, upsert=True))
    assert await stored(database) == {"_id": "m", "n": 3, "seq": 3}


async def test_two_numbers_guard_one_document_apart(database: Database) -> None:
    await apply(database, VersionedWrite("messages", "m", 90, set={"a": 1}, upsert=True, guard="seq_1"))
    await apply(database, VersionedWrite("messages", "m", 5, set={"b": 2}, guard="seq_2"))
    await apply(database, VersionedWrite("messages", "m", 89, set={"a": 0}, guard="seq_1"))
    assert await stored(database) == {"_id": "m", "a": 1, "b": 2, "seq_1": 90, "seq_2": 5}


async def test_marks_are_plain_and_may_repeat(database: Database) -> None:
    await database.insert_many("messages", [{"_id": "m", "state": "new"}], ordered=False)
    for _ in range(2):
        await apply(database, mark("messages", "m", "done", {"status": "canceled"}))
    assert await stored(database) == {"_id": "m", "state": "done", "result": {"status": "canceled"}}


async def test_the_newest_message_of_a_customer_decides_whatever_comes_last(database: Database) -> None:
    def received(seq: int, hours: int) -> VersionedWrite:
        data = {"message_id": f"m{seq}", "order": seq, "type": "text", "sent_at": START + timedelta(hours=hours)}
        event = Event(f"evt_{seq}", "106540352242922", seq, "message.received", START, data, "m")
        (write,) = project_conversation(event)
        return replace(write, collection="messages", upsert=True)

    for seq, hours in ((1, 5), (2, 3), (3, 7), (4, -70)):
        await apply(database, received(seq, hours))
    found = await stored(database)
    assert found["last_inbound_at"] == (START + timedelta(hours=7)).replace(microsecond=678_000)
    assert found["unread"] == 4


async def test_of_two_conversations_that_become_one_a_search_finds_the_words_of_both(database: Database) -> None:
    number, said = "106540352242922", {"type": "text", "sent_at": START}

    async def tell(seq: int, type_: str, of: str, **data: Any) -> None:
        event = Event(f"evt_{seq}", number, seq, type_, START, {"conversation_id": of, **data}, of)
        await apply_writes(database, project_conversation(event))

    async def conversation(id_: str) -> dict[str, Any]:
        found = await database.find_one("conversations", {"_id": id_})
        assert found is not None
        return found

    await tell(1, "conversation.opened", "cnv_1", contact_key="wa:1555", wa_id="1555")
    await tell(2, "conversation.opened", "cnv_2", contact_key="user:US.1", user_id="US.1")
    await tell(
        3, "message.received", "cnv_1", message_id="m3", order=3, preview="Where is it?", **{"from": "1555"}, **said
    )
    await tell(4, "message.received", "cnv_2", message_id="m4", order=4, preview="Hello", name="Ana", **said)
    gone = await conversation("cnv_2")
    merged = {"contact_keys": ["user:US.1", "wa:1555"], "wa_id": "1555", "user_id": "US.1", "merged_id": "cnv_2"}
    merged |= {"unread_count": 1, "labels": [], "activity": 4, "text_tokens": gone["text_tokens"], "name": gone["name"]}
    await tell(5, "conversation.merged", "cnv_1", **merged)
    assert set((await conversation("cnv_1"))["tokens"]) == {"1555", "where", "is", "it", "ana", "hello"}
    assert (await conversation("cnv_2"))["tokens"] == []
    await tell(
        6,
        "message.received",
        "cnv_1",
        message_id="m6",
        order=6,
        preview="Thanks",
        name="Ana",
        **{"from": "1555"},
        **said,
    )
    assert set((await conversation("cnv_1"))["tokens"]) == {"1555", "where", "is", "it", "ana", "hello", "thanks"}


async def test_a_bulk_with_a_write_that_fails_goes_as_far_as_it_can(database: Database) -> None:
    """On the embedded server a bulk is one transaction; one that is refused is repeated without."""
    await database.collection("messages").create_index([("wamid", 1)], unique=True, sparse=True)
    await database.insert_many("messages", [{"_id": f"m{i}"} for i in range(6)], ordered=False)
    writes = [
        VersionedWrite("messages", f"m{i}", 1, set={"wamid": "same" if i in (1, 4) else f"w{i}"}) for i in range(6)
    ]
    with pytest.raises(DatabaseUnavailable):
        await apply(database, *writes)
    found = await database.find("messages", {}, limit=10)
    assert sorted(one["_id"] for one in found if one.get("seq") == 1) == ["m0", "m1", "m2", "m3"]
    await apply(database, *writes[:4], writes[5])
    assert (await stored(database, "m5"))["wamid"] == "w5"


async def test_one_mark_reaches_many(database: Database) -> None:
    await database.insert_many("messages", [{"_id": f"m{i}", "state": "new"} for i in range(5)], ordered=False)
    await apply_writes(database, [mark("messages", f"m{i}", "done") for i in range(4)])
    found = await database.find("messages", {}, limit=10)
    assert sorted(one["_id"] for one in found if one["state"] == "done") == ["m0", "m1", "m2", "m3"]


OPEN_AND_WAIT = """
import sys, time, pymongo
client = pymongo.MongoClient(sys.argv[1])
with client.start_session() as session:
    session.start_transaction()
    client[sys.argv[2]].messages.update_one({"_id": "m"}, {"$set": {"status": "sent"}}, session=session)
    print("open", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("server", ["embedded"], indirect=True)  # nobody else is given transactions
async def test_a_transaction_of_a_killed_owner_holds_nothing_up(database: Database) -> None:
    """The embedded server keeps it open for a minute after its client is gone."""
    await database.insert_many("messages", [{"_id": "m", "status": "queued"}], ordered=True)
    owner = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        OPEN_AND_WAIT,
        database.options.uri,
        database.options.name,
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"open\n"
    owner.kill()
    await owner.wait()
    await database.abort_transactions()
    async with asyncio.timeout(5):
        assert await database.update("messages", {"_id": "m"}, {"$set": {"status": "sending"}}, upsert=False) == 1
    assert (await stored(database))["status"] == "sending"


async def test_a_server_that_goes_away_is_noticed_by_who_asks_it_nothing(tmp_path: Path) -> None:
    """Messages that others store around that moment come late: the owner must know, though none of its own failed."""
    (tmp_path / "db").mkdir()
    server = Server(tmp_path / "db")
    server.start()
    try:
        async with opened(server.uri, "noticed", {}) as database:
            assert database.trouble_count == database.use.errors
            before = database.trouble_count
            server.kill()
            async with asyncio.timeout(5):
                while database.trouble_count == before:  # noqa: ASYNC110 - the driver tells on a thread of its own
                    await asyncio.sleep(0.01)
            assert database.use.errors == before
    finally:
        server.kill()
