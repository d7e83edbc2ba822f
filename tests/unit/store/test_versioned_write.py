"""Which operations a list of writes becomes."""

from pymongo import UpdateMany, UpdateOne

from services.store import DONE, FAILED, NOTIFICATIONS, VersionedWrite, mark
from services.store.versioned_write import MOST_PUSHED, operation, operations


def test_the_same_mark_on_many_is_one_operation() -> None:
    found = operations([mark(NOTIFICATIONS, name, DONE) for name in "abc"])
    assert [(type(one), [write.id for write in group]) for one, group in found] == [(UpdateMany, ["a", "b", "c"])]
    assert found[0][0] == UpdateMany({"_id": {"$in": ["a", "b", "c"]}}, {"$set": {"state": "done"}})


def test_only_neighbours_that_are_alike_go_together() -> None:
    other = VersionedWrite(NOTIFICATIONS, "d", 7, set={"state": "done"})
    dropping = VersionedWrite(NOTIFICATIONS, "e", None, set={"state": "done"}, drop=("body",))
    making = VersionedWrite(NOTIFICATIONS, "f", None, set={"state": "done"}, upsert=True)
    states = [("a", DONE), ("b", FAILED), ("c", FAILED)]
    found = operations([*(mark(NOTIFICATIONS, name, state) for name, state in states), other, dropping, making])
    assert [[write.id for write in group] for _, group in found] == [["a"], ["b", "c"], ["d"], ["e"], ["f"]]
    assert [type(one) for one, _ in found] == [UpdateOne, UpdateMany, UpdateOne, UpdateOne, UpdateOne]


def test_events_are_never_thrown_together() -> None:
    writes = [VersionedWrite("messages", "m", seq, set={"status": "sent"}) for seq in (1, 2, 3)]
    assert len(operations(writes)) == 3
    assert operations([]) == []


def test_what_is_pushed_has_an_end() -> None:
    change = str(operation(VersionedWrite("messages", "m", 1, push={"timeline": {"status": "sent"}})))
    assert "{'$slice': [{'$concatArrays': [{'$ifNull': ['$timeline', []]}" in change
    assert f"-{MOST_PUSHED}]" in change
