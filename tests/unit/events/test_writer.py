"""Facts get consecutive numbers, stand in the log before documents change, and wait for a database that is away."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from services.events.writer import MAX_BATCH, REPLAY, EventWriter
from services.store import DatabaseBusy, DatabaseUnavailable, Event, Fact, Fenced, StorageFull, VersionedWrite
from services.store.event_log import EVENTS
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

NUMBER, OTHER = "106540352242922", "106540352242923"


@dataclass
class HeldLease:
    """A lease that is held until a test says otherwise."""

    is_ours: bool = True

    def is_held(self) -> bool:
        return self.is_ours


def project(event: Event) -> list[VersionedWrite]:
    return [VersionedWrite("messages", event.data["message_id"], event.seq, set={"status": event.type})]


def fact(position: int, number: str = NUMBER) -> Fact:
    return Fact("message.sent", number, START, {"message_id": f"msg_{position}"})


def event_writer(database: MemoryDatabase, lease: HeldLease | None = None, **seqs: int) -> EventWriter:
    return EventWriter(
        database,  # type: ignore[arg-type]
        lease or HeldLease(),  # type: ignore[arg-type]
        seqs={NUMBER: 0, OTHER: 0} | seqs,
        project=project,
    )


@asynccontextmanager
async def running(written: EventWriter) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(written.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def log_of(database: MemoryDatabase, number: str = NUMBER) -> list[tuple[int, str]]:
    rows = [row for row in database.rows.get(EVENTS, {}).values() if row["number"] == number]
    return [(row["seq"], row["data"]["message_id"]) for row in sorted(rows, key=lambda row: row["seq"])]


def bulk_sizes(database: MemoryDatabase) -> list[int]:
    return [len(writes) for _, writes in database.bulks]


@virtual_time
async def test_numbers_follow_the_order_of_recording_for_each_phone_number() -> None:
    database = MemoryDatabase()
    written = event_writer(database, **{OTHER: 40})
    async with running(written):
        written.record([fact(1), fact(2)])
        written.record([fact(3), fact(4, OTHER)])
        await written.drained()
    assert log_of(database) == [(1, "msg_1"), (2, "msg_2"), (3, "msg_3")]
    assert log_of(database, OTHER) == [(41, "msg_4")]


@virtual_time
async def test_a_fact_is_durable_before_it_is_applied() -> None:
    database = MemoryDatabase()
    written = event_writer(database)
    entry = written.record([fact(1)])
    assert not entry.durable.done()
    async with running(written):
        await entry.durable
        assert log_of(database) == [(1, "msg_1")]
        assert database.bulks == []
        await entry.applied
    assert bulk_sizes(database) == [1]


@virtual_time
async def test_what_is_recorded_during_a_write_goes_together() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    written = event_writer(database)
    async with running(written):
        written.record([fact(0)])
        await asyncio.sleep(0.01)
        for position in range(1, 30):
            written.record([fact(position)])
        assert database.gate is not None
        database.gate.set()
        await written.drained()
    assert [len(batch) for batch in database.inserts] == [1, 29]


@virtual_time
async def test_only_what_stands_in_the_log_counts_as_reached() -> None:
    """The floor is kept beside the number: were it ahead of the log, a new owner would leave a gap."""
    database = MemoryDatabase(gate=asyncio.Event())
    written = event_writer(database, **{OTHER: 40})
    async with running(written):
        written.record([fact(1), fact(2)])
        assert written.seqs == {NUMBER: 2, OTHER: 40}
        await asyncio.sleep(0.01)
        assert written.reached == {NUMBER: 0, OTHER: 40}
        assert database.gate is not None
        database.gate.set()
        await written.drained()
        assert written.reached == {NUMBER: 2, OTHER: 40}


@virtual_time
async def test_marks_without_facts_are_written_too() -> None:
    database = MemoryDatabase()
    written = event_writer(database)
    async with running(written):
        entry = written.record([], [VersionedWrite("notifications", "ntf_1", None, set={"state": "done"})])
        await entry.applied
    assert [name for name, _ in database.bulks] == ["notifications"]
    assert database.inserts == []


@pytest.mark.parametrize("error", [DatabaseUnavailable, DatabaseBusy, StorageFull])
@pytest.mark.parametrize("is_applied", [False, True])
@virtual_time
async def test_it_waits_for_a_database_that_is_away_and_leaves_no_gap(error: type[Exception], is_applied: bool) -> None:
    database = MemoryDatabase(trouble=deque([Trouble(error(), is_applied=is_applied)] * 3))
    written = event_writer(database)
    async with running(written) as task:
        written.record([fact(1), fact(2)])
        await asyncio.wait_for(written.drained(), 60)
        assert not task.done()
    assert log_of(database) == [(1, "msg_1"), (2, "msg_2")]


@pytest.mark.parametrize("error", [DatabaseUnavailable, DatabaseBusy, StorageFull])
@virtual_time
async def test_documents_follow_when_the_database_is_back(error: type[Exception]) -> None:
    # The append passes, the bulk write meets trouble three times.
    database = MemoryDatabase(trouble=deque([None, *[Trouble(error())] * 3]))
    written = event_writer(database)
    async with running(written):
        entry = written.record([fact(1)])
        await asyncio.wait_for(entry.applied, 60)
    assert bulk_sizes(database) == [1]


@virtual_time
async def test_a_lost_lease_stops_it_before_a_write() -> None:
    database, lease = MemoryDatabase(), HeldLease(is_ours=False)
    written = event_writer(database, lease)
    async with running(written) as task:
        entry = written.record([fact(1)])
        with pytest.raises(Fenced):
            await asyncio.wait_for(asyncio.shield(task), 1)
    assert log_of(database) == []
    with pytest.raises(Fenced):
        await entry.durable  # who waits for a write is told that it will not come
    with pytest.raises(Fenced):
        await entry.applied


@virtual_time
async def test_a_lease_that_is_lost_while_the_database_is_away_ends_the_waiting() -> None:
    database, lease = MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable())] * 500)), HeldLease()
    written = event_writer(database, lease)
    async with running(written) as task:
        written.record([fact(1)])
        await asyncio.sleep(5)
        assert not task.done()
        lease.is_ours = False
        with pytest.raises(Fenced):
            await asyncio.wait_for(asyncio.shield(task), 5)


@virtual_time
async def test_a_strangers_number_stops_it_and_changes_no_document() -> None:
    database = MemoryDatabase()
    database.put(EVENTS, {"_id": "evt_theirs", "number": NUMBER, "seq": 1, "data": {"message_id": "theirs"}})
    written = event_writer(database)
    async with running(written) as task:
        written.record([fact(1)])
        with pytest.raises(Fenced):
            await asyncio.wait_for(asyncio.shield(task), 1)
    assert database.bulks == []


def unapplied(database: MemoryDatabase) -> int:
    """Events in the log that no document shows: what a new owner must repeat."""
    applied = sum(len(writes) for _, writes in database.bulks)
    return len(log_of(database)) - applied


class StuckDocuments(MemoryDatabase):
    """Takes events and never a change of a document, as when the owner dies in between."""

    async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
        await asyncio.Event().wait()
        return 0


@pytest.mark.parametrize("size", [1, 150, MAX_BATCH, 1_000, 5_000])
@virtual_time
async def test_never_more_is_logged_and_not_applied_than_a_new_owner_repeats(size: int) -> None:
    database = StuckDocuments()
    written = event_writer(database)
    async with running(written):
        for _ in range(max(4, 4_000 // size)):
            written.record([fact(position) for position in range(size)])
        await asyncio.wait([asyncio.create_task(asyncio.sleep(60))])
        assert 0 < unapplied(database) <= REPLAY


@virtual_time
async def test_facts_that_are_recorded_together_are_done_together() -> None:
    database = MemoryDatabase()
    written = event_writer(database)
    async with running(written):
        mark = VersionedWrite("notifications", "ntf_1", None, set={"state": "done"})
        entry = written.record([fact(position) for position in range(1_000)], [mark])
        await entry.durable
        assert len(log_of(database)) == 1_000
        await entry.applied
        assert sum(bulk_sizes(database)) == 1_001
        assert database.bulks[-1][0] == "notifications"  # the mark comes last: before it, all of them are repeated
        await written.drained()


@virtual_time
async def test_what_cannot_be_stored_keeps_its_number_and_says_why() -> None:
    database = MemoryDatabase()
    database.trouble.append(Trouble(OverflowError("MongoDB can only handle up to 8-byte ints")))
    written = event_writer(database)
    heard: list[Event] = []
    written.listeners.append(heard.extend)
    huge = Fact("message.received", NUMBER, START, {"message_id": "msg_huge", "n": 1 << 64})
    async with running(written):
        first, poison, last = (written.record([one]) for one in (fact(1), huge, fact(2)))
        for entry in (first, poison, last):
            await entry.durable
    rows = sorted(database.rows[EVENTS].values(), key=lambda row: row["seq"])
    assert [(row["seq"], row["type"]) for row in rows] == [
        (1, "message.sent"),
        (2, "cluster.dead_letter"),
        (3, "message.sent"),
    ]
    assert rows[1]["data"]["type"] == "message.received"
    assert "8-byte" in rows[1]["data"]["reason"]
    assert [event.type for event in heard] == [row["type"] for row in rows]
    assert written.stats.dead_letters == 1
