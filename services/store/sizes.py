"""How much a database holds: the server's own statistics, or an estimate where it has none.

Process: whatsapp.
"""

import logging
from dataclasses import dataclass
from typing import Final

from services.store.database import Database
from services.store.driver import OperationFailure, encode

log = logging.getLogger(__name__)

SAMPLE: Final = 50
INDEX_SHARE: Final = 0.6
"""Indexes of ours against documents, where the server tells neither; measured on a filled database of ours."""


@dataclass(frozen=True, slots=True)
class CollectionSize:
    """One collection: documents, their bytes without compression, and those of its indexes."""

    name: str
    documents: int
    data_bytes: int
    index_bytes: int

    @property
    def bytes(self) -> int:
        """Both together: what a free Atlas cluster counts."""
        return self.data_bytes + self.index_bytes


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """All of it. ``is_estimate``: the server has no statistics."""

    data_bytes: int
    index_bytes: int
    collections: tuple[CollectionSize, ...]
    is_estimate: bool

    @property
    def bytes(self) -> int:
        """Documents and indexes together."""
        return self.data_bytes + self.index_bytes


async def measure(database: Database) -> DatabaseSize:
    """Every collection, the largest first. Raises ``Unavailable``."""
    collections = []
    is_estimate = False
    for name in await database.collection_names():
        if name.startswith("system."):
            continue
        try:
            collections.append(await _asked(database, name))
        except OperationFailure as error:
            if not is_estimate:
                log.info(
                    "The server tells no sizes; they are estimated.",
                    extra={"action": "storage.estimated", "detail": str(error)[:200]},
                )
            is_estimate = True
            collections.append(await _estimated(database, name))
    collections.sort(key=lambda one: one.bytes, reverse=True)
    return DatabaseSize(
        data_bytes=sum(one.data_bytes for one in collections),
        index_bytes=sum(one.index_bytes for one in collections),
        collections=tuple(collections),
        is_estimate=is_estimate,
    )


async def _asked(database: Database, name: str) -> CollectionSize:
    found = await database.command("collStats", name)
    return CollectionSize(
        name,
        documents=int(found.get("count", 0)),
        data_bytes=int(found.get("size", 0)),
        index_bytes=int(found.get("totalIndexSize", 0)),
    )


async def _estimated(database: Database, name: str) -> CollectionSize:
    count = await database.count(name)
    sample = await database.find(name, {}, limit=SAMPLE)
    data_bytes = count * sum(len(encode(document)) for document in sample) // len(sample) if sample else 0
    return CollectionSize(name, count, data_bytes, int(data_bytes * INDEX_SHARE))
