"""Writes that an older event can never undo: each carries the ``seq`` of its event and is refused by a newer document.

Process: whatsapp.

The filter is ``_id`` alone and the condition stands inside the update: a filter on ``_id`` and another field scans on
the embedded server, and costs nothing extra this way on any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.store.driver import Document, UpdateMany, UpdateOne

MOST_PUSHED = 200
"""Entries of an array that are kept: a message that is retried for ever must not grow for ever."""


@dataclass(frozen=True, slots=True)
class VersionedWrite:
    """One change of one document, which a newer document refuses.

    ``set`` are plain values, ``compute`` are MongoDB expressions over the stored document, ``push`` appends one entry
    to an array (which keeps its last ``MOST_PUSHED``), ``drop`` removes fields. ``upsert`` makes the document when it
    is missing. ``seq`` None is an idempotent change without that check (a mark on a notification, say). ``guard`` is
    the field that keeps the last ``seq``: a document that events of several numbers change needs one a number, since
    each number counts by itself. ``where`` means every document that fits instead of the one with this id; then ``seq``
    is None.
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


def operation(write: VersionedWrite) -> UpdateOne | UpdateMany:
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
        longer: Document = {"$concatArrays": [{"$ifNull": [f"${name}", []]}, [{"$literal": value}]]}
        changes[name] = {"$slice": [longer, -MOST_PUSHED]}
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


def operations(writes: Sequence[VersionedWrite]) -> list[tuple[UpdateOne | UpdateMany, list[VersionedWrite]]]:
    """The operations for these writes, in order, each with the writes in it: the same mark on many is one."""
    found: list[tuple[UpdateOne | UpdateMany, list[VersionedWrite]]] = []
    group: list[VersionedWrite] = []
    for write in writes:
        if group and _is_same_mark(group[0], write):
            group.append(write)
            continue
        if group:
            found.append((_of_group(group), group))
        group = [write]
    if group:
        found.append((_of_group(group), group))
    return found


def _is_same_mark(first: VersionedWrite, other: VersionedWrite) -> bool:
    return _is_mark(first) and _is_mark(other) and other.set == first.set


def _is_mark(write: VersionedWrite) -> bool:
    return write.seq is None and not write.upsert and not write.drop and write.where is None


def _of_group(group: Sequence[VersionedWrite]) -> UpdateOne | UpdateMany:
    if len(group) == 1:
        return operation(group[0])
    return UpdateMany({"_id": {"$in": [write.id for write in group]}}, {"$set": dict(group[0].set)})
