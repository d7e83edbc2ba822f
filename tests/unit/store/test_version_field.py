from typing import Any

from services.store import VersionedWrite
from services.store.versioned_write import operation


def change_of(write: VersionedWrite) -> Any:
    return operation(write)._doc  # the driver offers no other look at what it will send


def test_a_write_is_checked_by_seq_unless_it_names_another_field() -> None:
    plain = change_of(VersionedWrite("messages", "msg_1", 7, set={"status": "sent"}))
    (stage,) = plain
    condition, changed, kept = stage["$replaceWith"]["$cond"]
    assert condition == {"$lt": [{"$ifNull": ["$seq", -1]}, 7]}
    assert changed["$mergeObjects"][1] == {"status": {"$literal": "sent"}, "seq": 7}
    assert kept == "$$ROOT"


def test_a_document_of_several_numbers_keeps_one_guard_a_number() -> None:
    write = VersionedWrite("contacts", "con_1", 7, set={"name": "$name"}, drop=("opted_out",), guard="seq_106")
    replaced, dropped = change_of(write)
    condition, changed, _ = replaced["$replaceWith"]["$cond"]
    assert condition == {"$lt": [{"$ifNull": ["$seq_106", -1]}, 7]}
    assert changed["$mergeObjects"][1] == {"name": {"$literal": "$name"}, "seq_106": 7}
    assert dropped == {"$set": {"opted_out": {"$cond": [{"$eq": ["$seq_106", 7]}, "$$REMOVE", "$opted_out"]}}}
