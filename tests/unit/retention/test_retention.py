from datetime import timedelta
from typing import Any

import pytest

from services.retention import (
    Cleaner,
    RetentionOptions,
    StorageReader,
    StorageWatch,
    expired_messages,
    level_of,
    order_at,
)
from services.store import DatabaseUnavailable
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.collections import CollectionDatabase
from tests.doubles.database import Trouble
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

DAY = timedelta(days=1)
OLD = START - 100 * DAY
MB = 1_000_000


def message(name: str, *, at: Any = OLD, status: str = "read", changed: Any = None, **more: Any) -> dict[str, Any]:
    row = {"_id": f"msg_{name}", "order": order_at(at) + len(name), "status": status, "created_at": at, **more}
    return row if changed is None else {**row, "updated_at": changed}


def test_a_message_goes_by_its_last_change_and_never_while_there_is_something_to_do() -> None:
    page = [
        message("old"),
        message("received", status="received"),
        message("sent lately", changed=START - DAY),
        message("still scheduled", status="scheduled"),
        message("held", status="held"),
        message("uncertain", status="uncertain"),
        message("failed", status="failed", changed=OLD),
    ]
    assert expired_messages(page, START - 90 * DAY) == ["msg_old", "msg_received", "msg_failed"]


async def all_of(work: Cleaner) -> None:
    while await work.step():
        pass


def cleaner(
    database: CollectionDatabase, event_writer: MemoryEventWriter, clock: ManualClock, *, is_owner: bool = True
) -> Cleaner:
    options = RetentionOptions(messages_days=90, campaigns_days=90, idempotency_s=86_400)
    return Cleaner(database.real, event_writer, clock, is_owner=lambda: is_owner, options=options)


@virtual_time
async def test_old_messages_and_old_campaigns_go_in_slices() -> None:
    database, event_writer, clock = CollectionDatabase(), MemoryEventWriter(), ManualClock()
    database.put("messages", *(message(f"{at:04d}", at=OLD + timedelta(seconds=at)) for at in range(600)))
    database.put("messages", message("young", at=START - DAY), message("waiting", status="scheduled"))
    database.put(
        "campaigns",
        {"_id": "cmp_old", "status": "completed", "updated_at": OLD},
        {"_id": "cmp_young", "status": "completed", "updated_at": START - DAY},
        {"_id": "cmp_asleep", "status": "scheduled", "updated_at": OLD},
    )
    database.put(
        "campaign_recipients",
        *({"_id": f"r{at}", "campaign": "cmp_old", "order": order_at(OLD) + at} for at in range(300)),
        {"_id": "kept", "campaign": "cmp_young", "order": order_at(START)},
    )
    work = cleaner(database, event_writer, clock)
    await all_of(work)
    assert sorted(database.rows["messages"]) == ["msg_waiting", "msg_young"]
    assert sorted(database.rows["campaigns"]) == ["cmp_asleep", "cmp_young"]
    assert sorted(database.rows["campaign_recipients"]) == ["kept"]
    assert max(len(ids) for _, ids in database.deleted) <= 251
    reads = len(database.finds)
    assert await work.step() == 0
    assert len(database.finds) == reads  # the next pass is an hour away


@virtual_time
async def test_idempotency_keys_are_forgotten_after_their_time_and_each_message_is_looked_at_once() -> None:
    database, event_writer, clock = CollectionDatabase(), MemoryEventWriter(), ManualClock()
    database.put(
        "messages",
        message("a", at=START - 2 * DAY, idempotency="k1", digest=b"x"),
        message("b", at=START - 2 * DAY),
        message("young", at=START - timedelta(hours=1), idempotency="k2"),
    )
    work = cleaner(database, event_writer, clock)
    await all_of(work)
    assert [mark.id for mark in event_writer.marks if mark.collection == "messages"] == ["msg_a"]
    assert event_writer.marks[0].drop == ("idempotency", "digest")
    floor = [mark.set["idempotency_floor"] for mark in event_writer.marks if mark.collection == "meta"][-1]
    assert floor == order_at(START - DAY)
    database.put("meta", {"_id": "retention", "idempotency_floor": floor})
    clock.advance(3_600 * 24)
    await all_of(work)
    assert [mark.id for mark in event_writer.marks if mark.collection == "messages"] == ["msg_a", "msg_young"]


async def test_somebody_else_owns_it_so_nothing_is_deleted() -> None:
    database = CollectionDatabase()
    database.put("messages", message("old"))
    assert await cleaner(database, MemoryEventWriter(), ManualClock(), is_owner=False).step() == 0
    assert database.rows["messages"]


@pytest.mark.parametrize(
    ("used_mb", "before", "level"),
    [
        (0, "ok", "ok"),
        (79, "ok", "ok"),
        (80, "ok", "warning"),
        (78, "warning", "warning"),
        (74, "warning", "ok"),
        (95, "warning", "critical"),
        (85, "critical", "warning"),
        (500, "ok", "critical"),
    ],
)
def test_levels_do_not_flap(used_mb: int, before: str, level: str) -> None:
    assert level_of(used_mb * MB, 100, before=before) == level


def test_no_limit_is_never_reached() -> None:
    assert level_of(10**15, 0, before="ok") == "ok"


def size(documents: int, data: int, index: int) -> dict[str, int]:
    return {"count": documents, "size": data, "totalIndexSize": index}


async def test_a_database_that_fills_up_is_told_once_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    database, event_writer, clock = CollectionDatabase(), MemoryEventWriter(), ManualClock()
    database.sizes = {"messages": size(10, 40 * MB, 20 * MB), "events": size(5, 5 * MB, 5 * MB)}
    watch = StorageWatch(database.real, event_writer, clock, limit_mb=100, number=NUMBER)
    await watch.step()
    assert not event_writer.facts
    record = event_writer.marks[-1].set
    assert (record["used_mb"], record["used_percent"], record["level"]) == (70.0, 70.0, "ok")
    assert record["collections"][0] == {"name": "messages", "documents": 10, "data_mb": 40.0, "index_mb": 20.0}
    await watch.step()
    assert len(event_writer.entries) == 1  # once a minute
    database.sizes["messages"] = size(10, 60 * MB, 20 * MB)
    for _ in range(3):
        clock.advance(60)
        await watch.step()
    (fact,) = event_writer.facts
    assert (fact.type, fact.data["level"], fact.data["used_percent"]) == ("cluster.storage", "warning", 90.0)
    assert "PANAL_RETENTION_MESSAGES_DAYS" in fact.data["next_step"]
    assert [one.action for one in caplog.records if hasattr(one, "action")] == ["storage.nearly_full"]  # type: ignore[attr-defined]
    database.sizes["messages"] = size(10, 10 * MB, MB)
    clock.advance(60)
    await watch.step()
    assert event_writer.facts[-1].data["level"] == "ok"


async def test_a_new_owner_does_not_repeat_the_warning() -> None:
    database, event_writer, clock = CollectionDatabase(), MemoryEventWriter(), ManualClock()
    database.sizes = {"messages": size(10, 85 * MB, 0)}
    database.put("meta", {"_id": "storage", "level": "warning"})
    await StorageWatch(database.real, event_writer, clock, limit_mb=100, number=NUMBER).step()
    assert not event_writer.facts


async def test_the_reader_answers_while_the_database_is_away() -> None:
    database, clock = CollectionDatabase(), ManualClock()
    reader = StorageReader(database.real, clock)
    assert await reader.read() is None
    database.put("meta", {"_id": "storage", "level": "ok", "used_mb": 1.0})
    clock.advance(11)
    assert await reader.read() == {"level": "ok", "used_mb": 1.0}
    clock.advance(11)
    database.trouble.append(Trouble(DatabaseUnavailable("away")))
    assert await reader.read() == {"level": "ok", "used_mb": 1.0}
