"""One bounded database handle a process: every operation passes its gate, is counted, and raises our errors.

Process: worker, whatsapp.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from config.metering import SILENT, Meter, PoolUse
from services.store.answer_watch import AnswerWatch
from services.store.driver import (
    UNENCODABLE,
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    BulkWriteError,
    Collection,
    Document,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    UpdateMany,
    UpdateOne,
    WaitQueueTimeoutError,
    question,
)
from services.store.faults import (
    DUPLICATE_KEY,
    DatabaseBusy,
    DatabaseUnavailable,
    Duplicate,
    StorageFull,
    WriteRefused,
    duplicates,
    full_fault,
    is_full,
    passes,
    refused_by,
)
from services.store.open_connections import OpenConnections
from services.store.operation_budget import OperationBudget
from services.store.server_choice import choose_server
from services.store.server_strategy import ServerStrategy

log = logging.getLogger(__name__)

T = TypeVar("T")
AWAY_S: Final = 0.5
"""After a search for a server that found none, operations are refused at once for so long."""
FULL_REMIND_S: Final = 600.0
"""How often a process says again in its log that the database is full."""
_BY_ID: Final = {"_id": None}.keys()


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """How one process talks to MongoDB.

    Times in milliseconds; ``command_ms`` for one operation. ``ops_per_s``: our share of the budget; 0: there is none.
    """

    uri: str
    name: str
    pool: int
    wait_queue_ms: int
    connect_ms: int
    select_ms: int
    app_name: str
    command_ms: int = 10_000
    ops_per_s: float = 0.0


class Database:
    """A bounded client and the few verbs this project uses.

    Motor connects at the first operation. Every verb raises ``DatabaseUnavailable`` or ``DatabaseBusy`` for a failure
    that may pass, and lets programming errors through.
    """

    def __init__(self, options: DatabaseOptions, *, meter: Meter = SILENT) -> None:
        self.options = options
        self._meter = meter
        self.connections = OpenConnections()
        self.operation_budget = OperationBudget(options.ops_per_s)
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            options.uri,
            maxPoolSize=options.pool,
            minPoolSize=0,
            waitQueueTimeoutMS=options.wait_queue_ms,
            connectTimeoutMS=options.connect_ms,
            serverSelectionTimeoutMS=options.select_ms,
            socketTimeoutMS=options.command_ms,
            maxIdleTimeMS=60_000,
            tz_aware=True,
            appname=options.app_name,
            # A retried write of ours is recognised by its own _id, so the driver need not retry for us;
            # the embedded server slows to a tenth with retryable writes.
            retryWrites=False,
            w="majority",
            event_listeners=[self.connections],
        )
        self._db = self.client[options.name]
        self._collections: dict[str, AsyncIOMotorCollection[Document]] = {}
        self.use = PoolUse(limit=options.pool)
        self._away_until = 0.0
        self._told_full_at = float("-inf")
        self._server: ServerStrategy | None = None
        self._gate = asyncio.Semaphore(options.pool)
        limit_s = options.command_ms / 1000
        self.answers = AnswerWatch(lambda: question(self.client.delegate, options.name), limit_s=limit_s)

    def collection(self, name: str) -> AsyncIOMotorCollection[Document]:
        """The raw collection, for code inside ``services/store``. Motor would make it anew for each operation."""
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = self._db[name]
        return found

    def collection_of_threads(self, name: str) -> Collection[Document]:
        """The same collection of the synchronous client, for code inside ``services/store`` that runs on a thread."""
        found: Collection[Document] = self.client.delegate[self.options.name][name]
        return found

    async def run(self, operation: Callable[[], Awaitable[T]], *, documents: int = 1) -> T:
        """Run one operation inside the gate; raise the driver's errors as ours."""
        use = self.use
        self._refuse_if_away()
        if self._gate.locked():
            use.waiting += 1
            self._meter.database_waited()
            began = time.monotonic()
            try:
                async with asyncio.timeout(self.options.wait_queue_ms / 1000):
                    await self._gate.acquire()
            except TimeoutError as error:
                raise DatabaseBusy(
                    "The server is busy: too many database operations wait.",
                    detail=f"{use.waiting} waiting for {use.limit} connections over {self.options.wait_queue_ms} ms",
                ) from error
            finally:
                use.waiting -= 1
                use.waited_s += time.monotonic() - began
        else:
            await self._gate.acquire()
        use.in_use += 1
        limit = asyncio.timeout(None)
        self.answers.add(limit)
        try:
            self._refuse_if_away()
            self.went_out(documents)
            async with limit:
                answer = await operation()
            self.answers.heard()
            return answer
        except BulkWriteError:
            self.answers.heard()
            raise
        except OperationFailure as error:
            self.answers.heard()
            if error.code != DUPLICATE_KEY and is_full(error.code, str(error)):
                raise self._full(str(error)) from error
            if error.code == DUPLICATE_KEY or not passes(error):
                raise
            self._failed()
            raise DatabaseUnavailable("The database does not answer.", detail=str(error)) from error
        except (TimeoutError, NetworkTimeout) as error:
            self._failed()
            unavailable = DatabaseUnavailable("The database does not answer.", detail=str(error) or "no answer in time")
            unavailable.has_timed_out = True
            raise unavailable from error
        except PyMongoError as error:
            self._failed()
            if isinstance(error, ServerSelectionTimeoutError):
                # The next operations, and a second one of the same request, need not search again and fail later.
                self._away_until = time.monotonic() + AWAY_S
                raise self._away(str(error)) from error
            unavailable = DatabaseUnavailable("The database does not answer.", detail=str(error))
            unavailable.was_sent = not isinstance(error, WaitQueueTimeoutError)
            raise unavailable from error
        finally:
            self.answers.discard(limit)
            use.in_use -= 1
            self._gate.release()

    def _refuse_if_away(self) -> None:
        if time.monotonic() < self._away_until:
            raise self._away("A search for a server failed a moment ago.")
        if self.answers.is_hung:
            raise self._away(f"It has not answered anything for {self.answers.silent_s:.1f} s.")

    def _full(self, detail: str) -> StorageFull:
        """Count it, and log it once: every write fails until there is space."""
        self._failed()
        now = time.monotonic()
        if now - self._told_full_at >= FULL_REMIND_S:
            self._told_full_at = now
            log.error(
                "The database is full and refuses writes. Take the next tier or a larger disk; shorten "
                "PANAL_RETENTION_…_DAYS so that it does not fill up again.",
                extra={"action": "storage.full", "detail": detail[:500]},
            )
        return StorageFull(detail=detail[:2000])

    def _away(self, detail: str) -> DatabaseUnavailable:
        unavailable = DatabaseUnavailable("The database does not answer.", detail=detail)
        unavailable.was_sent = False
        return unavailable

    def went_out(self, documents: int = 1) -> None:
        """Count one operation: of the gate, or a look of a change stream, which runs on a thread of its own."""
        self.use.operations += 1
        self.use.documents += documents
        self.operation_budget.spend()
        self._meter.database_ran(documents=documents)

    def pool_use(self) -> PoolUse:
        """The counters at this moment; the caller does not keep the object."""
        self.use.open = self.connections.count
        return self.use

    @property
    def trouble_count(self) -> int:
        """Operations that failed, and times that the server was lost: also while this process asked it nothing."""
        return self.use.errors + self.connections.lost_count

    def _failed(self) -> None:
        self.use.errors += 1
        self._meter.database_failed()

    async def server(self) -> ServerStrategy:
        """The strategy for this server. The first operation that needs it asks the server, once a process."""
        if self._server is None:
            self._server = choose_server(await self.command("hello"), self)
        return self._server

    async def ping(self) -> None:
        """One round trip; raises DatabaseUnavailable."""
        await self.run(lambda: self._db.command("ping"))

    async def command(self, name: str, value: Any = 1) -> Document:
        """A database command with at most one argument, for example ``hello`` or ``collStats`` of a collection."""
        return dict(await self.run(lambda: self._db.command(name, value)))

    async def find_one(self, name: str, query: Document, projection: Document | None = None) -> Document | None:
        """The first document that fits, or None."""
        if query.keys() == _BY_ID:
            return await self.run(lambda: self.collection(name).find_one(query, projection))
        found = await self.find(name, query, projection=projection, limit=1)
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
        """Up to ``limit`` documents in one round trip where they fit in one batch."""
        server = self._server or await self.server()
        return await server.find(name, query, projection=projection, sort=sort, limit=limit)

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """The first ``limit`` results of a pipeline."""
        server = self._server or await self.server()
        return await server.aggregate(name, pipeline, limit=limit)

    async def run_pipeline(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """The first ``limit`` results of a pipeline that goes to the server as it is."""
        return await self.run(lambda: self.collection(name).aggregate(pipeline, batchSize=limit + 1).to_list(limit))

    async def count(self, name: str) -> int:
        """About how many documents a collection holds, without looking at them."""
        return int(await self.run(lambda: self.collection(name).estimated_document_count()))

    async def collection_names(self) -> list[str]:
        """Every collection there is."""
        return sorted(await self.run(lambda: self._db.list_collection_names()))

    async def insert_many(self, name: str, documents: list[Document], *, ordered: bool) -> list[Duplicate]:
        """Insert; return those that a unique index refused. Any other write error is ``DatabaseUnavailable``.

        A full database is ``StorageFull``, a subclass of it.
        """
        try:
            await self.run(
                lambda: self.collection(name).insert_many(documents, ordered=ordered), documents=len(documents)
            )
        except BulkWriteError as error:
            if (refused := full_fault(error)) is not None:
                raise self._full(refused) from error
            return duplicates(error)
        return []

    async def bulk(self, name: str, writes: Sequence[UpdateOne | UpdateMany], *, ordered: bool) -> int:
        """Apply many updates in one round trip; return how many documents changed.

        Raises ``WriteRefused`` when an ordered one met a write that the database will never take.
        """
        try:
            server = self._server or await self.server()
            return await server.bulk(name, writes, ordered=ordered)
        except BulkWriteError as error:
            if (full := full_fault(error)) is not None:
                raise self._full(full) from error
            self._failed()
            refused = refused_by(error)
            if refused is None or not ordered:
                raise DatabaseUnavailable("A bulk write failed.", detail=str(error.details)[:2000]) from error
            raise refused from error
        except UNENCODABLE as error:
            raise WriteRefused("A write cannot be encoded.", detail=str(error)[:500]) from error

    async def abort_transactions(self) -> None:
        """End the transactions that a killed owner left open, where a server keeps them."""
        await (await self.server()).abort_transactions()

    async def update(self, name: str, query: Document, change: Document | list[Document], *, upsert: bool) -> int:
        """Update one document; return 1 when it was changed or made, else 0."""
        result = await self.run(lambda: self.collection(name).update_one(query, change, upsert=upsert))
        return int(result.modified_count) + (1 if result.upserted_id is not None else 0)

    async def update_and_read(
        self, name: str, query: Document, change: Document | list[Document], *, upsert: bool
    ) -> Document | None:
        """Update one document and return it as it is afterwards."""
        return await self.run(
            lambda: self.collection(name).find_one_and_update(query, change, upsert=upsert, return_document=True)
        )

    async def delete_many(self, name: str, query: Document) -> int:
        """Delete what fits; return how many."""
        result = await self.run(lambda: self.collection(name).delete_many(query))
        return int(result.deleted_count)

    async def close(self) -> None:
        """Close every connection."""
        self.answers.stop()
        self.client.close()
