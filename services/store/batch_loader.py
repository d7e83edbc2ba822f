"""Reads by key that come at the same time go together in one query (``$in``).

Process: worker, whatsapp.

While one read is under way the next keys gather. Every caller gets a document that was read after it asked.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from config.errors import Unavailable
from services.store.database import Database
from services.store.driver import Document


class ReadsFull(Unavailable):
    """More reads wait in this process than it may hold."""

    code = "reads_full"


class BatchLoader:
    """Reads documents of one collection by the value of one indexed field.

    ``fixed`` are further conditions that every read shares. At most ``max_waiting`` keys wait; past it ``ReadsFull``.
    """

    def __init__(
        self,
        database: Database,
        collection: str,
        field: str = "_id",
        *,
        projection: Document | None = None,
        max_waiting: int = 5_000,
        max_batch: int = 200,
    ) -> None:
        self._database = database
        self._collection = collection
        self._field = field
        self._projection = projection
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._waiting: dict[Any, asyncio.Future[Document | None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._budget_queue = database.operation_budget.queue(weight=3.0)  # somebody waits for the answer

    async def get(self, key: Any) -> Document | None:
        """The document with this key, or None. Raises ``ReadsFull`` and what ``Database.find`` raises."""
        return await asyncio.shield(self.begin(key))

    def begin(self, key: Any) -> "asyncio.Future[Document | None]":
        """As ``get``, without waiting. Other callers may share the future: do not cancel it. Raises ``ReadsFull``."""
        future = self._waiting.get(key)
        if future is None:
            if len(self._waiting) >= self._max_waiting:
                raise ReadsFull("The server has more reads waiting than it may hold. Try again in a moment.")
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._reader is None:
                self._reader = asyncio.create_task(self._read_all(), name=f"group-read-{self._collection}")
        return future

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                await self._budget_queue.turn()
                keys = list(self._waiting)[: self._max_batch]
                # Taken out before the read: a caller that comes from now on gets a newer answer.
                futures = {key: self._waiting.pop(key) for key in keys}
                try:
                    found = await self._read(keys)
                except Exception as error:
                    for future in futures.values():
                        future.set_exception(error)
                        future.exception()  # seen: asyncio must not warn when no caller is left
                    continue
                for key, future in futures.items():
                    future.set_result(found.get(key))
        finally:
            self._reader = None

    async def _read(self, keys: Sequence[Any]) -> dict[Any, Document]:
        query: Document = {self._field: keys[0] if len(keys) == 1 else {"$in": list(keys)}}
        found = await self._database.find(self._collection, query, projection=self._projection, limit=len(keys))
        # A field that holds a list fits each key in the list.
        held = ((document[self._field], document) for document in found)
        return {key: one for value, one in held for key in (value if isinstance(value, list) else [value])}
