"""A database in memory that compares and sets, for what seals stored secrets anew."""

from dataclasses import dataclass
from typing import Any, cast

from services.store import Database
from services.store.database import Document
from tests.doubles.database import MemoryDatabase


@dataclass
class SealedDatabase(MemoryDatabase):
    """Knows dotted names, ``$ne``, ``$gt``, ``$exists``, ``$set``, ``$unset`` and ``$setOnInsert``.

    ``before_update`` is called once, before the next update: somebody else was faster.
    """

    before_update: Any = None

    @property
    def real(self) -> Database:
        """The same, as the code under test has it in its types."""
        return cast(Database, self)

    async def find(self, name: str, query: Document, **options: Any) -> list[Document]:
        limit = options.pop("limit")
        found = await super().find(name, {}, limit=10**9, **options)
        return [row for row in found if all(_holds(row, path, wanted) for path, wanted in query.items())][:limit]

    async def update(self, name: str, query: Document, change: Document, *, upsert: bool) -> int:
        trouble = await self._call()
        if trouble is not None:
            raise trouble.error
        if self.before_update is not None:
            meanwhile, self.before_update = self.before_update, None
            meanwhile()
        rows = self.rows.setdefault(name, {})
        row = next((row for row in rows.values() if all(_holds(row, *one) for one in query.items())), None)
        if row is None and upsert:
            rows[query["_id"]] = {"_id": query["_id"], **change.get("$setOnInsert", {})}
            return 1
        if row is None or not change.keys() & {"$set", "$unset"}:
            return 0
        row.update(change.get("$set", {}))
        for gone in change.get("$unset", {}):
            row.pop(gone, None)
        return 1


def _holds(row: Document, path: str, wanted: Any) -> bool:
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    operator, bound = next(iter(wanted.items()))
    return {
        "$ne": lambda: value != bound,
        "$gt": lambda: value > bound,
        "$exists": lambda: (path in row) == bound,
    }[operator]()
