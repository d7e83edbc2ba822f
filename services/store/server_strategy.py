"""What depends on the server: how it is asked to find and to write, which indexes it gets. `MongoServer` is MongoDB.

Process: worker, whatsapp.

The choice is made once for each process (`server_choice.py`). MongoDB plans for itself: it is asked as the caller asks.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from services.store.driver import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    Collection,
    Document,
    UpdateMany,
    UpdateOne,
)
from services.store.indexes import INDEXES, Index
from services.store.operation_budget import OperationBudget

T = TypeVar("T")


class Connection(Protocol):
    """What a strategy needs of `Database`: its clients, and the gate that counts every operation."""

    client: AsyncIOMotorClient[Document]
    operation_budget: OperationBudget

    def collection(self, name: str) -> AsyncIOMotorCollection[Document]:
        """The raw collection."""
        ...

    def collection_of_threads(self, name: str) -> Collection[Document]:
        """The same collection of the synchronous client, for what runs on a thread."""
        ...

    async def run(self, operation: Callable[[], Awaitable[T]], *, documents: int = 1) -> T:
        """Run one operation inside the gate."""
        ...

    async def run_pipeline(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """The first ``limit`` results of a pipeline, which the server gets as it is."""
        ...


class ServerStrategy(Protocol):
    """One kind of server. All coroutines raise what `Database.run` raises."""

    def indexes(self) -> tuple[Index, ...]:
        """The indexes that this server gets."""
        ...

    def ranges_below(self, upper: int, *, floor: int, first_width: int) -> Iterator[Mapping[str, int]]:
        """Conditions on a field that together mean ``floor <= value < upper``: the highest values first.

        One condition a query, until a page is full. ``first_width`` is a hint in units of the field.
        """
        ...

    async def find(
        self, name: str, query: Document, *, projection: Document | None, sort: Sequence[tuple[str, int]], limit: int
    ) -> list[Document]:
        """Up to ``limit`` documents in one operation."""
        ...

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """The first ``limit`` results of a pipeline, in one operation."""
        ...

    async def bulk(self, name: str, writes: Sequence[UpdateOne | UpdateMany], *, ordered: bool) -> int:
        """Apply many updates; return how many documents changed. Raises the driver's ``BulkWriteError``."""
        ...

    async def abort_transactions(self) -> None:
        """End the transactions that a killed process left open."""
        ...


class MongoServer:
    """MongoDB. The base of other strategies, which replace what their server does worse."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def indexes(self) -> tuple[Index, ...]:
        return INDEXES

    def ranges_below(self, upper: int, *, floor: int, first_width: int) -> Iterator[Mapping[str, int]]:
        """One range: MongoDB walks an index backwards and stops when the page is full."""
        yield {"$lt": upper}

    async def find(
        self, name: str, query: Document, *, projection: Document | None, sort: Sequence[tuple[str, int]], limit: int
    ) -> list[Document]:
        def read() -> Awaitable[list[Document]]:
            # One batch larger than the limit: the server closes the cursor by itself.
            cursor = self._connection.collection(name).find(query, projection, limit=limit, batch_size=limit + 1)
            return (cursor.sort(list(sort)) if sort else cursor).to_list(limit)

        return await self._connection.run(read)

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        return await self._connection.run_pipeline(name, pipeline, limit=limit)

    async def bulk(self, name: str, writes: Sequence[UpdateOne | UpdateMany], *, ordered: bool) -> int:
        requests = list(writes)
        result = await self._connection.run(
            lambda: self._connection.collection(name).bulk_write(requests, ordered=ordered), documents=len(requests)
        )
        return int(result.modified_count) + int(result.upserted_count)

    async def abort_transactions(self) -> None:
        """Nothing to do: no transaction is opened on MongoDB."""
