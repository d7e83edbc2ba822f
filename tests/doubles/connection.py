"""A connection that writes down what a strategy asks of the server, in place of a driver."""

from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

from services.store import Document
from services.store.operation_budget import OperationBudget

T = TypeVar("T")


class RecordingConnection:
    """`asked` holds every operation, in order; `refuses_transactions` makes the next ones fail as a server would.

    It is `client`, `collection` and `cursor` in one: each call only adds to `asked`.
    """

    def __init__(self, *, ops_per_s: float = 0.0) -> None:
        self.operation_budget = OperationBudget(ops_per_s)
        self.asked: list[tuple[str, Any]] = []
        self.documents: list[int] = []
        self.transaction_error: Exception | None = None
        self.client: Any = SimpleNamespace(admin=self)

    async def run(self, operation: Callable[[], Awaitable[T]], *, documents: int = 1) -> T:
        self.documents.append(documents)
        return await operation()

    async def run_pipeline(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        self.asked.append(("aggregate", pipeline))
        return []

    def collection(self, name: str) -> Any:
        return self

    def collection_of_threads(self, name: str) -> Any:
        return _OnThreads(self)

    def find(self, query: Document, projection: Document | None, *, limit: int, batch_size: int) -> Any:
        self.asked.append(("find", query))
        return self

    def sort(self, keys: list[tuple[str, int]]) -> Any:
        self.asked.append(("sort", keys))
        return self

    async def to_list(self, limit: int) -> list[Document]:
        return []

    async def bulk_write(self, writes: Sequence[Any], *, ordered: bool) -> Any:
        self.asked.append(("bulk_write", len(writes)))
        return SimpleNamespace(modified_count=len(writes), upserted_count=0)

    async def command(self, name: str, value: Any) -> None:
        self.asked.append((name, value))


class _OnThreads:
    """The synchronous collection: a session and its transaction are one context each."""

    def __init__(self, connection: RecordingConnection) -> None:
        self._connection = connection
        self.database = SimpleNamespace(client=self)

    def start_session(self) -> "_OnThreads":
        return self

    def start_transaction(self) -> "_OnThreads":
        return self

    def __enter__(self) -> "_OnThreads":
        return self

    def __exit__(self, *_: object) -> None: ...

    def bulk_write(self, writes: Sequence[Any], *, ordered: bool, session: object) -> Any:
        self._connection.asked.append(("transaction", len(writes)))
        if self._connection.transaction_error is not None:
            raise self._connection.transaction_error
        return SimpleNamespace(modified_count=len(writes) - 1, upserted_count=1)
