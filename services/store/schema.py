"""Collections and their indexes, made once by one process, before load.

Process: whatsapp (makes them), worker (waits for them).
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.store.database import Database, Document
from services.store.driver import OperationFailure

log = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
META = "meta"
_SCHEMA_ID = "schema"
_NOT_THERE = (26, 27)
"""NamespaceNotFound, IndexNotFound: https://www.mongodb.com/docs/manual/reference/error-codes/"""
_COMPARED = ("expireAfterSeconds", "partialFilterExpression", "unique", "sparse")


@dataclass(frozen=True, slots=True)
class Index:
    """One index: keys in order, and MongoDB's options (``unique``, ``expireAfterSeconds`` …)."""

    collection: str
    keys: tuple[tuple[str, int], ...]
    options: tuple[tuple[str, Any], ...] = ()
    name: str = ""

    @property
    def full_name(self) -> str:
        """As MongoDB names it by itself, unless it has a name of its own."""
        return self.name or "_".join(f"{field}_{way}" for field, way in self.keys)


INDEXES: Final = (
    Index("messages", (("number", 1), ("status", 1), ("priority", 1), ("order", 1))),
    # Not partial: the embedded server finds nothing by a partial index and looks at every message instead.
    Index("messages", (("number", 1), ("due_at", 1))),
    Index("messages", (("conversation", 1), ("order", 1))),
    Index("messages", (("order", 1),)),
    Index("messages", (("to", 1), ("order", 1))),
    Index("messages", (("wamid", 1),)),
    Index("messages", (("idempotency", 1),), (("unique", True), ("sparse", True)), name="idempotency_1_sparse"),
    Index("events", (("number", 1), ("seq", 1)), (("unique", True),)),
    Index("conversations", (("pair", 1),), (("unique", True),)),
    Index("conversations", (("activity", 1),)),
    Index("conversations", (("number", 1), ("activity", 1))),
    Index(
        "conversations",
        (("number", 1), ("initiated_at", 1)),
        (("partialFilterExpression", {"initiated_at": {"$exists": True}}),),
    ),
    Index("conversations", (("tokens", 1),)),
    Index("conversations", (("wa_id", 1), ("activity", 1))),
    Index("notes", (("conversation", 1), ("order", 1))),
    Index("notifications", (("state", 1), ("order", 1))),
    Index("commands", (("state", 1), ("order", 1))),
    Index("attempts", (("endpoint", 1), ("order", 1))),
    Index("dead_letters", (("endpoint", 1), ("order", 1))),
    Index("keys", (("digest", 1),), (("unique", True),)),
    Index(
        "messages",
        (("campaign", 1), ("status", 1)),
        (("partialFilterExpression", {"campaign": {"$exists": True}}),),
    ),
    Index("contacts", (("key", 1),), (("unique", True),)),
    Index("contacts", (("keys", 1),)),
    Index("contacts", (("tokens", 1),)),
    Index("contacts", (("labels", 1), ("order", 1))),
    Index("contacts", (("opted_out", 1), ("order", 1))),
    Index("contacts", (("order", 1),)),
    Index("campaigns", (("order", 1),)),
    Index("campaigns", (("status", 1),)),
    Index("campaign_recipients", (("campaign", 1), ("order", 1))),
    # GridFS: the two that its specification asks for, made before the first upload.
    Index("blobs.files", (("filename", 1), ("uploadDate", 1))),
    Index("blobs.chunks", (("files_id", 1), ("n", 1)), (("unique", True),)),
    Index("blobs.intents", (("at", 1),)),
    Index("media", (("expires_at", 1),)),
    Index("templates", (("waba", 1), ("name", 1), ("language", 1))),
)

RETIRED: Final = (("messages", "idempotency_1"),)
"""Indexes of earlier versions, dropped once those that took their place stand: a unique one never has a gap."""


def expiry_indexes(*, events_days: int, notifications_days: int, attempts_days: int = 30) -> tuple[Index, ...]:
    """Time-to-live indexes: retention in days for each collection.

    Messages have none: the owner deletes them by their ``order``, which is indexed anyway.
    """
    day_s = 86_400
    return (
        Index("events", (("at", 1),), (("expireAfterSeconds", events_days * day_s),)),
        Index("notifications", (("received_at", 1),), (("expireAfterSeconds", notifications_days * day_s),)),
        Index("samples", (("at", 1),), (("expireAfterSeconds", 7_200),)),
        Index("commands", (("at", 1),), (("expireAfterSeconds", 7 * day_s),)),
        Index("attempts", (("at", 1),), (("expireAfterSeconds", attempts_days * day_s),)),
    )


async def ensure_schema(database: Database, expiry: tuple[Index, ...]) -> bool:
    """Make every index that is missing; answer whether anything was to do. Safe to call from two boxes at once."""
    wanted: Document = {"version": SCHEMA_VERSION, "indexes": _digest(INDEXES), "expiry": _fingerprint(expiry)}
    found = await database.find_one(META, {"_id": _SCHEMA_ID})
    if found is not None and all(found.get(key) == value for key, value in wanted.items()):
        return False
    for index in (*INDEXES, *expiry):
        await _make(database, index)
    for collection, name in RETIRED:
        await _drop(database, collection, name)
    await database.update(META, {"_id": _SCHEMA_ID}, {"$set": wanted}, upsert=True)
    log.info("Indexes are ready.", extra={"action": "schema.ready", "version": SCHEMA_VERSION})
    return True


async def is_schema_ready(database: Database) -> bool:
    """Has some process made the indexes of this version?"""
    found = await database.find_one(META, {"_id": _SCHEMA_ID})
    return found is not None and found.get("version") == SCHEMA_VERSION


async def _make(database: Database, index: Index) -> None:
    """Make one index. One of that name with other options (a changed retention, say) is replaced."""
    collection = database.collection(index.collection)
    name, options = index.full_name, dict(index.options)
    existing = await database.run(lambda: collection.index_information())
    if name in existing and any(existing[name].get(option) != options.get(option) for option in _COMPARED):
        await _drop(database, index.collection, name)
    await database.run(lambda: collection.create_index(list(index.keys), name=name, **options))


async def _drop(database: Database, collection: str, name: str) -> None:
    """Drop an index if it is there. Another box may be doing the same."""
    try:
        await database.run(lambda: database.collection(collection).drop_index(name))
    except OperationFailure as error:
        if error.code not in _NOT_THERE:
            raise


def _digest(indexes: Sequence[Index]) -> str:
    """Changes with every index that a version adds or drops, so that nobody has to remember to count up."""
    return hashlib.sha256(repr(indexes).encode()).hexdigest()[:16]


def _fingerprint(expiry: tuple[Index, ...]) -> str:
    return ";".join(f"{index.collection}:{dict(index.options)['expireAfterSeconds']}" for index in expiry)
