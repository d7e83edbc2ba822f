"""A database in memory: collections with unique indexes, plain queries, and trouble on demand."""

import asyncio
import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from services.store import Document
from services.store.embedded.server import EmbeddedServer
from services.store.faults import Duplicate
from services.store.operation_budget import OperationBudget
from services.store.server_strategy import Connection, ServerStrategy

UNIQUE = {"events": [("number", "seq")], "messages": [("idempotency",)], "conversations": [("number", "contact_key")]}

_COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, bound: value is not None and value > bound,
    "$gte": lambda value, bound: value is not None and value >= bound,
    "$lt": lambda value, bound: value is not None and value < bound,
    "$lte": lambda value, bound: value is not None and value <= bound,
    "$in": lambda value, bound: any(item in bound for item in (value if isinstance(value, list) else [value])),
}


@dataclass
class Trouble:
    """One failing call. `is_applied`: the server did it all the same, only the answer got lost."""

    error: Exception
    is_applied: bool = False


@dataclass
class MemoryDatabase:
    """The verbs of `Database` that plain rules need. `bulk` only remembers: what a server does with it is its affair.

    `trouble` is taken up one call at a time (a None lets one call pass). `gate`, while not set, holds every call back.
    """

    rows: dict[str, dict[str, Document]] = field(default_factory=dict)
    trouble: deque[Trouble | None] = field(default_factory=deque)
    gate: asyncio.Event | None = None
    inserts: list[list[Document]] = field(default_factory=list)
    bulks: list[tuple[str, list[Any]]] = field(default_factory=list)
    finds: list[tuple[str, Document]] = field(default_factory=list)
    operation_budget: OperationBudget = field(default_factory=lambda: OperationBudget(0))
    _taken: dict[tuple[Any, ...], str] = field(default_factory=dict)

    async def server(self) -> ServerStrategy:
        """The embedded one: a page is read in slices. Only what asks nothing of a connection works."""
        return EmbeddedServer(cast(Connection, self))

    def put(self, name: str, *documents: Document) -> None:
        for document in documents:
            self.rows.setdefault(name, {})[document["_id"]] = copy.deepcopy(document)
            self._taken |= dict.fromkeys(_unique_keys(name, document), document["_id"])

    async def find_one(self, name: str, query: Document, projection: Document | None = None) -> Document | None:
        found = await self.find(name, query, limit=1)
        return found[0] if found else None

    async def find(
        self,
        name: str,
        query: Document,
        *,
        projection: Document | None = None,
        sort: Sequence[tuple[str, int]] = (),
        limit: int,
    ) -> list[Document]:
        trouble = await self._call()
        if trouble is not None:
            raise trouble.error
        self.finds.append((name, query))
        found = [document for document in self.rows.get(name, {}).values() if _fits(document, query)]
        for key, way in reversed(sort):
            found.sort(key=lambda document: document[key], reverse=way < 0)
        return copy.deepcopy(found[:limit])

    async def insert_many(self, name: str, documents: list[Document], *, ordered: bool) -> list[Duplicate]:
        trouble = await self._call()
        if trouble is not None and not trouble.is_applied:
            raise trouble.error
        self.inserts.append(copy.deepcopy(documents))
        duplicates = []
        for index, document in enumerate(documents):
            holder = self._holder(name, document)
            if holder is None:
                self.put(name, document)
                continue
            duplicates.append(Duplicate(index, f"E11000 duplicate key, held by {holder}"))
            if ordered:
                break
        if trouble is not None:
            raise trouble.error
        return duplicates

    async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
        trouble = await self._call()
        if trouble is not None:
            raise trouble.error
        self.bulks.append((name, writes))
        return len(writes)

    async def update(self, name: str, query: Document, change: Document, *, upsert: bool) -> int:
        """Of a query by id alone, with ``$set`` and ``$max``."""
        trouble = await self._call()
        if trouble is not None:
            raise trouble.error
        document = self.rows.setdefault(name, {}).get(query["_id"])
        if document is None:
            if not upsert:
                return 0
            document = self.rows[name][query["_id"]] = {"_id": query["_id"]}
        document |= change.get("$set", {})
        for field_name, value in change.get("$max", {}).items():
            document[field_name] = max(document.get(field_name, value), value)
        return 1

    async def _call(self) -> Trouble | None:
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        return self.trouble.popleft() if self.trouble else None

    def _holder(self, name: str, document: Document) -> str | None:
        if document["_id"] in self.rows.get(name, {}):
            return str(document["_id"])
        return next((self._taken[key] for key in _unique_keys(name, document) if key in self._taken), None)


def _unique_keys(name: str, document: Document) -> list[tuple[Any, ...]]:
    keys = [(name, *(document.get(part) for part in fields)) for fields in UNIQUE.get(name, ())]
    return [key for key in keys if None not in key]


def _fits(document: Document, query: Document) -> bool:
    for name, wanted in query.items():
        value = document.get(name)
        if isinstance(wanted, dict):
            if not all(_COMPARES[operator](value, bound) for operator, bound in wanted.items()):
                return False
        elif value != wanted:
            return False
    return True
