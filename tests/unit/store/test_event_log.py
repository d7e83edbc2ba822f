"""The append is the fence: our own retry is accepted, a stranger's number stops us, and no number is left out."""

from collections import deque

import pytest

from services.store import (
    SEQ_FLOOR,
    SEQ_FLOORS,
    DatabaseUnavailable,
    Event,
    Fenced,
    append,
    last_seq,
    raise_seq_floor,
    read_events,
    seq_floor,
)
from services.store.event_log import EVENTS
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

NUMBER = "106540352242922"


def events(*seqs: int, owner: str = "ours") -> list[Event]:
    return [Event(f"evt_{owner}_{seq}", NUMBER, seq, "message.sent", START, {}) for seq in seqs]


def stored(database: MemoryDatabase) -> list[tuple[int, str]]:
    return sorted((row["seq"], row["_id"]) for row in database.rows.get(EVENTS, {}).values())


@virtual_time
async def test_events_are_stored_in_order() -> None:
    database = MemoryDatabase()
    await append(database, events(1, 2, 3))
    assert [seq for seq, _ in stored(database)] == [1, 2, 3]


@virtual_time
async def test_our_own_retry_is_accepted() -> None:
    database = MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable(), is_applied=True)]))
    batch = events(1, 2, 3)
    with pytest.raises(DatabaseUnavailable):
        await append(database, batch)
    await append(database, batch)
    assert len(stored(database)) == 3


@virtual_time
async def test_a_half_stored_batch_is_completed() -> None:
    database = MemoryDatabase()
    batch = events(1, 2, 3, 4)
    await append(database, batch[:2])
    await append(database, batch)
    assert [seq for seq, _ in stored(database)] == [1, 2, 3, 4]


@virtual_time
async def test_a_strangers_number_fences_before_anything_is_stored() -> None:
    database = MemoryDatabase()
    await append(database, events(1, owner="theirs"))
    with pytest.raises(Fenced):
        await append(database, events(1, 2))
    assert stored(database) == [(1, "evt_theirs_1")]


@virtual_time
async def test_a_stranger_in_the_middle_of_a_batch_leaves_no_gap() -> None:
    database = MemoryDatabase()
    await append(database, events(2, owner="theirs"))
    with pytest.raises(Fenced):
        await append(database, events(1, 2, 3))
    assert [seq for seq, _ in stored(database)] == [1, 2]


@virtual_time
async def test_the_last_number_is_the_floor_when_retention_took_the_events() -> None:
    database = MemoryDatabase()
    assert await last_seq(database, NUMBER, floor=0) == 0
    assert await last_seq(database, NUMBER, floor=77) == 77
    await append(database, events(78, 79))
    assert await last_seq(database, NUMBER, floor=77) == 79


@virtual_time
async def test_reading_goes_on_after_a_filter_that_fits_nothing() -> None:
    database = MemoryDatabase()
    await append(database, events(1, 2, 3))
    found, reached = await read_events(database, NUMBER, after=0, limit=2, types=["contact.*"])
    assert (found, reached) == ([], 2)
    found, reached = await read_events(database, NUMBER, after=reached, limit=2, types=["message.*"])
    assert [event.seq for event in found] == [3]
    assert reached == 3


@virtual_time
async def test_reading_from_before_the_retention_finds_the_oldest_that_is_left() -> None:
    database = MemoryDatabase()
    await append(database, events(1_001, 1_002, 1_003))
    found, reached = await read_events(database, NUMBER, after=5, limit=2)
    assert [event.seq for event in found] == [1_001, 1_002]
    assert reached == 1_002


@virtual_time
async def test_reading_at_the_end_stays_where_it_is() -> None:
    database = MemoryDatabase()
    await append(database, events(1))
    assert await read_events(database, NUMBER, after=1, limit=10) == ([], 1)


@virtual_time
async def test_the_floor_of_a_number_rises_and_never_falls() -> None:
    database = MemoryDatabase()
    database.put(SEQ_FLOORS, {"_id": NUMBER, SEQ_FLOOR: 4, "display": "12025550100"})
    for seq, floor in ((9, 9), (7, 9), (12, 12)):
        await raise_seq_floor(database, NUMBER, seq)
        assert await seq_floor(database, NUMBER) == floor
    assert database.rows[SEQ_FLOORS][NUMBER]["display"] == "12025550100"


@virtual_time
async def test_an_unknown_number_begins_at_nothing_and_is_not_made_by_its_floor() -> None:
    database = MemoryDatabase()
    await raise_seq_floor(database, NUMBER, 9)
    assert await seq_floor(database, NUMBER) == 0
    assert NUMBER not in database.rows.get(SEQ_FLOORS, {})
    database.put(SEQ_FLOORS, {"_id": NUMBER})
    assert await seq_floor(database, NUMBER) == 0, "a number that has no floor yet"
