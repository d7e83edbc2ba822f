"""Writes that an older event can never undo: each carries the ``seq`` of its event and is refused by a newer document.

Process: whatsapp.

The filter is ``_id`` alone and the condition stands inside the update: a filter on ``_id`` and another field scans on
the embedded server, and costs nothing extra this way on any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.store.database import Document
from services.store.driver import UpdateMany, UpdateOne


@dataclass(frozen=True, slots=True)
class Write:
    """One guarded change of one document.

    ``set`` are plain values, ``compute`` are MongoDB expressions over the stored document, ``push`` appends one entry
    to an array, ``drop`` removes fields. ``upsert`` makes the document when it is missing. ``seq`` None is an
    unguarded, idempotent change (a mark on a notification, say). ``guard`` is the field that keeps the last ``seq``: a
    document that events of several numbers change needs one a number, since each number counts by itself.
    ``where`` means every document that fits instead of the one with this id; then ``seq`` is None.
    """

    collection: str
    id: str
    seq: int | None
    set: Mapping[str, Any] = field(default_factory=dict)
    compute: Mapping[str, Any] = field(default_factory=dict)
    push: Mapping[str, Any] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    upsert: bool = False
    guard: str = "seq"
    where: Mapping[str, Any] | None = None


def operation(write: Write) -> UpdateOne | UpdateMany:
    """The driver's operation for a write."""
    if write.seq is None:
        change: Document = {}
        if write.set:
            change["$set"] = dict(write.set)
        if write.drop:
            change["$unset"] = dict.fromkeys(write.drop, "")
        if write.where is not None:
            return UpdateMany(dict(write.where), change)
        return UpdateOne({"_id": write.id}, change, upsert=write.upsert)
    # Values are data, never expressions: a text that begins with "$" must not be read as a field.
    changes: Document = {name: {"$literal": value} for name, value in write.set.items()}
    changes.update(write.compute)
    for name, value in write.push.items():
        changes[name] = {"$concatArrays": [{"$ifNull": [f"${name}", []]}, [{"$literal": value}]]}
    changes[write.guard] = write.seq
    changed: Document = {"$mergeObjects": ["$$ROOT", changes]}
    stages: list[Document] = [
        {"$replaceWith": {"$cond": [{"$lt": [{"$ifNull": [f"${write.guard}", -1]}, write.seq]}, changed, "$$ROOT"]}}
    ]
    if write.drop:
        is_applied: Document = {"$eq": [f"${write.guard}", write.seq]}
        stages.append(
            {"$set": {name: {"$cond": [is_applied, "$$REMOVE", f"${name}"]} for name in write.drop}},
        )
    return UpdateOne({"_id": write.id}, stages, upsert=write.upsert)
