"""Collections and their indexes: one process makes them, before load.

Process: whatsapp (makes them), worker (waits for them).
"""

import hashlib
import logging
from collections.abc import Sequence
from typing import Final

from services.store.database import Database
from services.store.driver import Document, OperationFailure
from services.store.indexes import Index

log = logging.getLogger(__name__)

SCHEMA_VERSION: Final = 1
META = "meta"
_SCHEMA_ID = "schema"
_NOT_THERE = (26, 27)
"""NamespaceNotFound, IndexNotFound: https://www.mongodb.com/docs/manual/reference/error-codes/"""
_COMPARED = ("expireAfterSeconds", "partialFilterExpression", "unique", "sparse")

RETIRED: Final = (("messages", "idempotency_1"), ("conversations", "wa_id_1_activity_1"))
"""Indexes of earlier versions, dropped after their successors are made: a unique index never has a gap."""


async def ensure_schema(database: Database, expiry: tuple[Index, ...]) -> bool:
    """Make every index that is missing; return whether anything was to do. Two hosts may call it at once.

    Raises ``Unavailable``, and ``OperationFailure`` when the server refuses an index.
    """
    indexes = (await database.server()).indexes()
    wanted: Document = {"version": SCHEMA_VERSION, "indexes": _digest(indexes), "expiry": _fingerprint(expiry)}
    found = await database.find_one(META, {"_id": _SCHEMA_ID})
    if found is not None and all(found.get(key) == value for key, value in wanted.items()):
        return False
    for index in (*indexes, *expiry):
        await _make(database, index)
    for collection, name in RETIRED:
        await _drop(database, collection, name)
    await database.update(META, {"_id": _SCHEMA_ID}, {"$set": wanted}, upsert=True)
    log.info("Indexes are ready.", extra={"action": "schema.ready", "version": SCHEMA_VERSION})
    return True


async def is_schema_ready(database: Database) -> bool:
    """Has a process made the indexes of this version? Raises ``Unavailable``."""
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
    """Drop an index if it is there. Another host may be doing the same."""
    try:
        await database.run(lambda: database.collection(collection).drop_index(name))
    except OperationFailure as error:
        if error.code not in _NOT_THERE:
            raise


def _digest(indexes: Sequence[Index]) -> str:
    """Changes with every index that a version adds or drops, so no version number has to be raised by hand."""
    return hashlib.sha256(repr(indexes).encode()).hexdigest()[:16]


def _fingerprint(expiry: tuple[Index, ...]) -> str:
    return ";".join(f"{index.collection}:{dict(index.options)['expireAfterSeconds']}" for index in expiry)
