"""While one insert is under way the next documents gather; each caller learns the fate of its own document."""

import asyncio
from collections import deque
from typing import Any

import pytest

from services.store import DatabaseBusy, DatabaseUnavailable, DuplicateOf, GroupCommit, IntakeFull, StorageFull
from services.store.group_commit import ENOUGH
from services.store.operation_budget import GATHER_BURST, BatchDelay, OperationBudget
from tests.doubles.clock import virtual_time
from tests.doubles.database import MemoryDatabase, Trouble


def commit(database: MemoryDatabase, **limits: int) -> GroupCommit:
    return GroupCommit(database, "messages", **({"max_waiting": 100} | limits))


def document(id_: str, **more: Any) -> dict[str, Any]:
    return {"_id": id_, **more}


@virtual_time
async def test_what_comes_during_an_insert_goes_together_in_the_next_one() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inserts = commit(database)
    callers = [asyncio.create_task(inserts.insert(document("a")))]
    await asyncio.sleep(0.01)
    callers += [asyncio.create_task(inserts.insert(document(name))) for name in "bcd"]
    await asyncio.sleep(0.01)
    assert inserts.waiting_count == 3
    assert database.gate is not None
    database.gate.set()
    assert await asyncio.gather(*callers) == [None] * 4
    assert [[row["_id"] for row in batch] for batch in database.inserts] == [["a"], ["b", "c", "d"]]
    assert inserts.waiting_count == 0


@virtual_time
async def test_small_batches_in_a_row_gather_and_full_ones_do_not_wait() -> None:
    loop = asyncio.get_running_loop()
    database = MemoryDatabase(operation_budget=OperationBudget(0, monotonic=loop.time))
    inserts = GroupCommit(database, "messages", max_waiting=1_000, delay=BatchDelay(1.0))  # type: ignore[arg-type]
    for number in range(int(GATHER_BURST)):
        await inserts.insert(document(f"alone{number}"))
    began = loop.time()
    await asyncio.gather(*(inserts.insert(document(f"few{number}")) for number in range(ENOUGH - 1)))
    assert loop.time() == began + 1.0
    for turn in range(5):
        await asyncio.gather(*(inserts.insert(document(f"many{turn}.{number}")) for number in range(ENOUGH)))
    assert loop.time() == began + 1.0
    assert [len(batch) for batch in database.inserts] == [1] * int(GATHER_BURST) + [ENOUGH - 1] + [ENOUGH] * 5


@virtual_time
async def test_a_batch_has_at_most_its_limit_and_groups_stay_whole() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inserts = commit(database, max_batch=3)
    callers = [asyncio.create_task(inserts.insert_all([document(f"{group}{i}") for i in range(2)])) for group in "abc"]
    callers.append(asyncio.create_task(inserts.insert_all([document(f"long{i}") for i in range(5)])))
    await asyncio.sleep(0.01)
    assert database.gate is not None
    database.gate.set()
    await asyncio.gather(*callers)
    assert [len(batch) for batch in database.inserts] == [2, 2, 2, 5]


@virtual_time
async def test_a_duplicate_is_told_to_its_own_caller_alone() -> None:
    database = MemoryDatabase()
    database.put("messages", document("earlier", idempotency="k"))
    fine, refused, also_fine = await commit(database).insert_all(
        [document("a"), document("b", idempotency="k"), document("c", idempotency="other")]
    )
    assert fine is None
    assert isinstance(refused, DuplicateOf)
    assert also_fine is None
    assert set(database.rows["messages"]) == {"earlier", "a", "c"}


@virtual_time
async def test_a_lost_answer_is_no_duplicate_on_the_second_try() -> None:
    lost = Trouble(DatabaseUnavailable(), is_applied=True)
    database = MemoryDatabase(trouble=deque([lost]))
    database.put("messages", document("earlier", idempotency="k"))
    outcomes = await commit(database).insert_all([document("a"), document("b", idempotency="k")])
    assert outcomes[0] is None
    assert isinstance(outcomes[1], DuplicateOf)
    assert len(database.inserts) == 2


@virtual_time
async def test_a_database_that_stays_away_is_told_and_the_next_batch_is_tried_afresh() -> None:
    database = MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable()), Trouble(DatabaseUnavailable())]))
    inserts = commit(database)
    with pytest.raises(DatabaseUnavailable):
        await inserts.insert(document("a"))
    assert await inserts.insert(document("a")) is None


@virtual_time
async def test_a_busy_pool_is_told_without_a_second_try() -> None:
    database = MemoryDatabase(trouble=deque([Trouble(DatabaseBusy())]))
    with pytest.raises(DatabaseBusy):
        await commit(database).insert(document("a"))
    assert database.inserts == []


@virtual_time
async def test_past_its_limit_it_refuses_at_once() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inserts = commit(database, max_waiting=2)
    first = asyncio.create_task(inserts.insert(document("a")))
    await asyncio.sleep(0.01)  # under way, so it waits no more
    second = asyncio.create_task(inserts.insert_all([document("b"), document("c")]))
    await asyncio.sleep(0.01)
    with pytest.raises(IntakeFull):
        await inserts.insert(document("d"))
    assert database.gate is not None
    database.gate.set()
    await asyncio.gather(first, second)
    assert await inserts.insert(document("d")) is None


@virtual_time
async def test_a_caller_that_leaves_does_not_take_the_others_along() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inserts = commit(database)
    leaving = asyncio.create_task(inserts.insert(document("a")))
    staying = asyncio.create_task(inserts.insert(document("b")))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert database.gate is not None
    database.gate.set()
    assert await staying is None
    assert set(database.rows["messages"]) == {"a", "b"}


@virtual_time
async def test_closing_waits_for_what_was_taken() -> None:
    database = MemoryDatabase()
    inserts = commit(database)
    caller = asyncio.create_task(inserts.insert(document("a")))
    await asyncio.sleep(0)
    await inserts.close()
    assert "a" in database.rows["messages"]
    assert await caller is None


class Picky(MemoryDatabase):
    """Cannot encode one of the documents, as the driver cannot encode an integer of more than 64 bits."""

    async def insert_many(self, name: str, documents: list[dict[str, Any]], *, ordered: bool) -> list[Any]:
        if any(row.get("poison") for row in documents):
            raise OverflowError("MongoDB can only handle up to 8-byte ints")
        return await super().insert_many(name, documents, ordered=ordered)


@virtual_time
async def test_a_document_that_cannot_be_encoded_fails_alone() -> None:
    database = Picky(gate=asyncio.Event())
    inserts = commit(database)
    first = asyncio.create_task(inserts.insert(document("first")))
    await asyncio.sleep(0.01)
    callers = [
        asyncio.create_task(inserts.insert(row)) for row in (document("a"), document("bad", poison=True), document("c"))
    ]
    await asyncio.sleep(0.01)
    assert database.gate is not None
    database.gate.set()
    await first
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert outcomes[0] is None
    assert isinstance(outcomes[1], OverflowError)
    assert outcomes[2] is None
    assert set(database.rows["messages"]) == {"first", "a", "c"}


def unsent() -> DatabaseUnavailable:
    error = DatabaseUnavailable()
    error.was_sent = False
    return error


@pytest.mark.parametrize("error", [unsent(), StorageFull()], ids=lambda error: str(error.code))
@virtual_time
async def test_what_was_never_sent_or_found_no_room_is_not_tried_twice(error: DatabaseUnavailable) -> None:
    """The search for a server took its time already; a second one would double the wait."""
    database = MemoryDatabase(trouble=deque([Trouble(error)]))
    inserts = commit(database)
    with pytest.raises(type(error)):
        await inserts.insert(document("a"))
    assert inserts.batches == 1
    assert await inserts.insert(document("a")) is None
    assert len(database.inserts) == 1


@virtual_time
async def test_while_the_database_is_away_nobody_waits_for_the_batch_after_next() -> None:
    database = MemoryDatabase(gate=asyncio.Event(), trouble=deque([Trouble(unsent())]))
    inserts = commit(database)
    callers = [asyncio.create_task(inserts.insert(document(name))) for name in "ab"]
    await asyncio.sleep(0.01)
    callers += [asyncio.create_task(inserts.insert(document(name))) for name in "cd"]
    await asyncio.sleep(0.01)
    assert inserts.waiting_count == 2
    assert database.gate is not None
    database.gate.set()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert all(isinstance(outcome, DatabaseUnavailable) for outcome in outcomes)
    assert inserts.waiting_count == 0
    assert await inserts.insert(document("e")) is None


@virtual_time
async def test_nobody_waits_for_ever_on_a_database_that_stalls() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    inserts = commit(database)
    began = asyncio.get_running_loop().time()
    with pytest.raises(DatabaseUnavailable) as stalled:
        await inserts.insert(document("a"))
    assert asyncio.get_running_loop().time() - began < 10
    assert stalled.value.was_sent, "it may be stored yet: the same Idempotency-Key tells"
    assert database.gate is not None
    database.gate.set()
    await inserts.close()
    assert "a" in database.rows["messages"]


@virtual_time
async def test_each_waits_as_long_as_the_first_on_a_database_that_stalls() -> None:
    database = MemoryDatabase(gate=asyncio.Event())
    loop = asyncio.get_running_loop()
    inserts = commit(database)
    waits: dict[str, float] = {}

    async def wait(name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        began = loop.time()
        with pytest.raises(DatabaseUnavailable):
            await inserts.insert(document(name))
        waits[name] = loop.time() - began

    await asyncio.gather(wait("a", 0), wait("b", 3), wait("c", 7.5))
    assert waits == pytest.approx({"a": 8, "b": 8, "c": 8}, abs=0.1)
    assert database.gate is not None
    database.gate.set()
    assert await inserts.insert(document("d")) is None
    await inserts.close()


@virtual_time
async def test_a_document_is_stamped_when_it_goes_out_and_again_when_it_goes_out_again() -> None:
    database = MemoryDatabase()
    stamps = iter(range(10, 100))
    inserts = GroupCommit(
        database,  # type: ignore[arg-type]
        "messages",
        max_waiting=100,
        stamp=lambda document: document.update(order=next(stamps)),
    )
    await inserts.insert_all([document("a", order=1), document("b", order=2)])
    assert [database.rows["messages"][name]["order"] for name in "ab"] == [10, 11]
    database.trouble.append(Trouble(DatabaseUnavailable("away")))
    await inserts.insert(document("c", order=3))
    assert database.rows["messages"]["c"]["order"] == 13, "the first try did not arrive"
    database.trouble.append(Trouble(DatabaseUnavailable("away"), is_applied=True))
    assert await inserts.insert(document("d", order=4)) is None
    assert database.rows["messages"]["d"]["order"] == 14, "the first try did arrive"


def timed_out() -> DatabaseUnavailable:
    error = DatabaseUnavailable("The database does not answer.")
    error.has_timed_out = True
    return error


@pytest.mark.parametrize("is_applied", [False, True])
@virtual_time
async def test_what_timed_out_is_told_as_unknown_and_not_sent_twice(is_applied: bool) -> None:
    """It took all of its time already, and may be stored: only its own key tells."""
    database = MemoryDatabase(trouble=deque([Trouble(timed_out(), is_applied=is_applied)]))
    inserts = commit(database)
    with pytest.raises(DatabaseUnavailable) as unknown:
        await inserts.insert(document("a"))
    assert "Idempotency-Key" in unknown.value.text
    assert len(database.inserts) == int(is_applied)
    assert ("a" in database.rows.get("messages", {})) is is_applied


@pytest.mark.parametrize(
    "second", [unsent(), timed_out(), DatabaseUnavailable()], ids=["unsent", "timed out", "broken"]
)
@virtual_time
async def test_a_second_try_that_fails_does_not_forget_that_the_first_may_have_worked(
    second: DatabaseUnavailable,
) -> None:
    database = MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable(), is_applied=True), Trouble(second)]))
    with pytest.raises(DatabaseUnavailable) as unknown:
        await commit(database).insert(document("a"))
    assert unknown.value.was_sent
    assert "Idempotency-Key" in unknown.value.text


@virtual_time
async def test_those_who_were_not_sent_yet_are_told_that_nothing_was_stored() -> None:
    database = MemoryDatabase(gate=asyncio.Event(), trouble=deque([Trouble(timed_out(), is_applied=True)]))
    inserts = commit(database)
    sent = asyncio.create_task(inserts.insert(document("sent")))
    await asyncio.sleep(0.01)
    waiting = asyncio.create_task(inserts.insert(document("waiting")))
    await asyncio.sleep(0.01)
    assert database.gate is not None
    database.gate.set()
    outcomes = await asyncio.gather(sent, waiting, return_exceptions=True)
    assert ["Idempotency-Key" in getattr(outcome, "text", "") for outcome in outcomes] == [True, False]
    assert [getattr(outcome, "was_sent", None) for outcome in outcomes] == [True, False]
    assert set(database.rows["messages"]) == {"sent"}
