"""What the owner knows is ahead of the database, and never forgotten while something is still to do."""

from dataclasses import replace

from services.messages import Direction, MessageRepository, MessageState, MessageStatus
from services.messages.documents import MESSAGES, message_document
from services.messages.state import MAX_SETTLED
from tests.doubles.clock import virtual_time
from tests.doubles.database import MemoryDatabase
from tests.doubles.messages import outgoing

S = MessageStatus


def message_state(database: MemoryDatabase) -> MessageState:
    return MessageState(MessageRepository(database))  # type: ignore[arg-type]


@virtual_time
async def test_a_newer_view_is_not_replaced_by_what_the_database_has() -> None:
    database = MemoryDatabase()
    database.put(MESSAGES, message_document(outgoing(1)))
    known = message_state(database)
    known.track(outgoing(1)).status = S.SENT
    await known.load(["msg_1"], [])
    assert known.track(outgoing(1)).status is S.SENT
    assert database.finds == []


@virtual_time
async def test_what_is_not_held_is_read_together() -> None:
    database = MemoryDatabase()
    for position in range(5):
        database.put(MESSAGES, message_document(outgoing(position, status=S.SENT, wamid=f"wamid.{position}")))
    known = message_state(database)
    await known.load(["msg_0", "msg_1", "msg_0", "msg_9"], ["wamid.3", "wamid.4"])
    assert len(database.finds) == 2
    third = known.by_wamid("wamid.3")
    assert third is not None
    assert third.id == "msg_3"
    assert known.get("msg_9") is None


@virtual_time
async def test_memory_has_an_end_and_keeps_what_is_active() -> None:
    known = message_state(MemoryDatabase())
    for position in range(50):
        known.track(outgoing(position, status=S.UNCERTAIN))
    for position in range(50, MAX_SETTLED + 1_000):
        known.track(outgoing(position, status=S.SENT, wamid=f"wamid.{position}"))
    assert len(known._tracked) <= MAX_SETTLED + 1
    assert all(known.get(f"msg_{position}") is not None for position in range(50))
    assert known.get("msg_60") is None
    assert known.by_wamid("wamid.60") is None


@virtual_time
async def test_both_wamids_of_a_message_that_went_twice_are_found_even_after_it_was_forgotten() -> None:
    database = MemoryDatabase()
    known = message_state(database)
    tracked = known.track(outgoing(1, status=S.SENT))
    known.learn_wamid(tracked, "wamid.first")
    known.learn_wamid(tracked, "wamid.second")
    assert known.by_wamid("wamid.first") is known.by_wamid("wamid.second") is tracked
    for position in range(2, MAX_SETTLED + 100):
        known.track(outgoing(position, status=S.SENT))
    assert known.get("msg_1") is None
    database.put(MESSAGES, message_document(outgoing(1, status=S.SENT, wamid="wamid.first")))
    await known.load([], ["wamid.first"])
    found = known.by_wamid("wamid.first")
    assert found is not None
    assert found.id == "msg_1"


@virtual_time
async def test_what_a_customer_wrote_is_not_tracked_when_its_id_is_named() -> None:
    database = MemoryDatabase()
    inbound = replace(outgoing(1, wamid="wamid.theirs"), direction=Direction.IN, to=None, status=S.RECEIVED)
    database.put(MESSAGES, message_document(inbound))
    known = message_state(database)
    await known.load(["msg_1"], ["wamid.theirs"])
    assert known.get("msg_1") is None
    assert known.by_wamid("wamid.theirs") is None
