"""The database in memory with what contacts, campaigns and retention need beside: arrays, counts by group, deletes."""

from dataclasses import dataclass, field
from typing import Any, cast

from services.store import Database
from services.store.database import Document
from tests.doubles.database import MemoryDatabase


@dataclass
class CollectionDatabase(MemoryDatabase):
    """A field that holds an array fits when one of its items does. `sizes` are the answers of `collStats`."""

    deleted: list[tuple[str, list[str]]] = field(default_factory=list)
    sizes: dict[str, Document] = field(default_factory=dict)

    @property
    def real(self) -> Database:
        """The same, as the code under test has it in its types."""
        return cast(Database, self)

    async def find(self, name: str, query: Document, **options: Any) -> list[Document]:
        arrays = {
            key: wanted
            for key, wanted in query.items()
            if any(isinstance(row.get(key), list) for row in self.rows.get(name, {}).values())
        }
        plain = {key: wanted for key, wanted in query.items() if key not in arrays}
        limit = options.pop("limit")
        found = await super().find(name, plain, limit=10**9, **options)
        return [row for row in found if all(_holds(row.get(key), wanted) for key, wanted in arrays.items())][:limit]

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        match, group = pipeline[0]["$match"], pipeline[1]["$group"]
        counts: dict[Any, int] = {}
        for row in await self.find(name, match, limit=10**9):
            key = row.get(group["_id"][1:]) if group["_id"] else None
            counts[key] = counts.get(key, 0) + 1
        return [{"_id": key, "count": count} for key, count in counts.items()][:limit]

    async def delete_many(self, name: str, query: Document) -> int:
        await self._call()
        ids = list(query["_id"]["$in"])
        self.deleted.append((name, ids))
        return sum(self.rows.get(name, {}).pop(id_, None) is not None for id_ in ids)

    async def collection_names(self) -> list[str]:
        return sorted(self.sizes)

    async def command(self, _name: str, value: Any = 1) -> Document:
        await self._call()
        return self.sizes[value]


def _holds(value: Any, wanted: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(item in wanted["$in"] for item in items) if isinstance(wanted, dict) else wanted in items
