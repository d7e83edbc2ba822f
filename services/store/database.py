"""One bounded database handle a process: every operation passes its gate, is counted, and fails in our words.

Process: worker, whatsapp.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from config.errors import PanalError, Unavailable
from config.metering import SILENT, Meter
from services.store.driver import (
    UNENCODABLE,
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    BulkWriteError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    UpdateMany,
    UpdateOne,
    WaitQueueTimeoutError,
)
from services.store.open_connections import OpenConnections
from services.store.pacer import Pacer

log = logging.getLogger(__name__)

Document = dict[str, Any]
T = TypeVar("T")
DUPLICATE_KEY: Final = 11000
OUT_OF_DISK_SPACE: Final = 14031
FULL_SIGNS: Final = ("over your space quota", "no space left on device", "enospc")
AWAY_S: Final = 0.5
"""After a search for a server that found none, operations are refused at once for so long."""
FULL_RETRY_S: Final = 60.0
"""A full database is not emptied in a second: callers need not knock so often."""
FULL_REMIND_S: Final = 600.0
"""How often a process says again in its log that the database is full."""
EMBEDDED_SET: Final = "secantus"  # the replica set that the embedded server says it is


class DatabaseUnavailable(Unavailable):
    """The database did not answer in time, or cannot be reached. Nothing is known to be lost."""

    code = "database_unavailable"
    was_sent: bool = True
    """May the operation have been applied all the same?"""


class StorageFull(DatabaseUnavailable):
    """The database refuses writes because it has no room left: an outage for what is written."""

    code = "storage_full"
    was_sent = False
    default_text = "The database is full, so this was not stored. The operator has to make room; then send it again."

    def __init__(self, *, detail: str | None = None) -> None:
        """``detail`` is what the server said."""
        super().__init__(detail=detail, retry_after_s=FULL_RETRY_S)


class DatabaseBusy(Unavailable):
    """More operations wait in this process than its pool can serve in the allowed time."""

    code = "database_busy"


class WriteRefused(PanalError):
    """The database will never take one write of an ordered bulk: those before ``position`` are applied, none after it.

    ``position`` None: the driver could not even encode one of them, and cannot say which.
    """

    code = "write_refused"
    position: int | None = None


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """How one process talks to MongoDB.

    Times in milliseconds. ``ops_per_s`` is this process's share of the operation budget; 0: there is none.
    """

    uri: str
    name: str
    pool: int
    wait_queue_ms: int
    connect_ms: int
    select_ms: int
    app_name: str
    socket_ms: int = 15_000
    ops_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One document of an insert met a unique index. ``index`` is its position in what was given."""

    index: int
    message: str


@dataclass(slots=True)
class PoolUse:
    """What the gate saw: operations under way, waiting, and finished since the start of the process."""

    limit: int
    in_use: int = 0
    waiting: int = 0
    operations: int = 0
    documents: int = 0
    waited_s: float = 0.0
    errors: int = 0


class Database:
    """A bounded client and the few verbs this project uses.

    Constructing does no input or output: Motor connects at the first operation. All verbs raise
    ``DatabaseUnavailable`` or ``DatabaseBusy`` for trouble that may pass, and let programming errors through.
    """

    def __init__(self, options: DatabaseOptions, *, meter: Meter = SILENT) -> None:
        """Prepare the client; nothing is opened yet."""
        self.options = options
        self._meter = meter
        self.connections = OpenConnections()
        self.pacer = Pacer(options.ops_per_s)
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            options.uri,
            maxPoolSize=options.pool,
            minPoolSize=0,
            waitQueueTimeoutMS=options.wait_queue_ms,
            connectTimeoutMS=options.connect_ms,
            serverSelectionTimeoutMS=options.select_ms,
            socketTimeoutMS=options.socket_ms,
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
        self.use = PoolUse(limit=options.pool)
        self._away_until = 0.0
        self._told_full_at = float("-inf")
        self._sorts_by_index: bool | None = None
        self._gate = asyncio.Semaphore(options.pool)

    def collection(self, name: str) -> AsyncIOMotorCollection[Document]:
        """The raw collection, for code inside ``services/store``."""
        return self._db[name]

    async def run(self, operation: Callable[[], Awaitable[T]], *, documents: int = 1) -> T:
        """Run one operation inside the gate; translate what the driver raises."""
        use = self.use
        if time.monotonic() < self._away_until:
            raise self._away("A search for a server failed a moment ago.")
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
        self.went_out(documents)
        try:
            return await operation()
        except BulkWriteError:
            raise
        except OperationFailure as error:
            if error.code != DUPLICATE_KEY and is_full(error.code, str(error)):
                raise self._full(str(error)) from error
            if error.code == DUPLICATE_KEY or not _passes(error):
                raise
            self._failed()
            raise DatabaseUnavailable("The database does not answer.", detail=str(error)) from error
        except PyMongoError as error:
            self._failed()
            if isinstance(error, ServerSelectionTimeoutError):
                # Nobody who comes now, or who asks twice for one request, has to wait for the same news again.
                self._away_until = time.monotonic() + AWAY_S
                raise self._away(str(error)) from error
            unavailable = DatabaseUnavailable("The database does not answer.", detail=str(error))
            unavailable.was_sent = not isinstance(error, WaitQueueTimeoutError)
            raise unavailable from error
        finally:
            use.in_use -= 1
            self._gate.release()

    def _full(self, detail: str) -> StorageFull:
        """Counted, and told in the log once: every write fails until there is room."""
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
        """One operation goes to the server: the gate's own, or a look of a change stream, which has its own thread."""
        self.use.operations += 1
        self.use.documents += documents
        self.pacer.spend()
        self._meter.database_ran(documents=documents)

    def _failed(self) -> None:
        self.use.errors += 1
        self._meter.database_failed()

    async def sorts_by_index(self) -> bool:
        """Does the server walk an index in order and stop at the limit? MongoDB does; the embedded server does not."""
        if self._sorts_by_index is None:
            self._sorts_by_index = (await self.command("hello")).get("setName") != EMBEDDED_SET
        return self._sorts_by_index

    async def ping(self) -> None:
        """One round trip; raises DatabaseUnavailable."""
        await self.run(lambda: self._db.command("ping"))

    async def command(self, name: str, value: Any = 1) -> Document:
        """A database command with at most one argument, for example ``hello`` or ``collStats`` of a collection."""
        return dict(await self.run(lambda: self._db.command(name, value)))

    async def find_one(self, name: str, query: Document, projection: Document | None = None) -> Document | None:
        """The first document that fits, or None."""
        return await self.run(lambda: self._db[name].find_one(query, projection))

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

        async def read() -> list[Document]:
            cursor = self._db[name].find(query, projection, limit=limit, batch_size=limit + 1)
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.to_list(limit)

        return await self.run(read)

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """The first ``limit`` results of a pipeline."""
        return await self.run(lambda: self._db[name].aggregate(pipeline).to_list(limit))

    async def count(self, name: str) -> int:
        """About how many documents a collection holds, without looking at them."""
        return int(await self.run(lambda: self._db[name].estimated_document_count()))

    async def collection_names(self) -> list[str]:
        """Every collection there is."""
        return sorted(await self.run(lambda: self._db.list_collection_names()))

    async def insert_many(self, name: str, documents: list[Document], *, ordered: bool) -> list[Duplicate]:
        """Insert; answer those refused by a unique index. Any other write error is ``DatabaseUnavailable``.

        That it is full is ``StorageFull``, which is one, too.
        """
        try:
            await self.run(lambda: self._db[name].insert_many(documents, ordered=ordered), documents=len(documents))
        except BulkWriteError as error:
            if (refused := _full_fault(error)) is not None:
                raise self._full(refused) from error
            return _duplicates(error)
        return []

    async def bulk(self, name: str, writes: list[UpdateOne | UpdateMany], *, ordered: bool) -> int:
        """Apply many updates in one round trip; answer how many documents changed.

        Raises ``WriteRefused`` when an ordered one met a write that the database will never take.
        """
        try:
            result = await self.run(lambda: self._db[name].bulk_write(writes, ordered=ordered), documents=len(writes))
        except BulkWriteError as error:
            if (full := _full_fault(error)) is not None:
                raise self._full(full) from error
            self._failed()
            refused = _refused(error)
            if refused is None or not ordered:
                raise DatabaseUnavailable("A bulk write failed.", detail=str(error.details)[:2000]) from error
            raise refused from error
        except UNENCODABLE as error:
            raise WriteRefused("A write cannot be encoded.", detail=str(error)[:500]) from error
        return int(result.modified_count) + int(result.upserted_count)

    async def update(self, name: str, query: Document, change: Document | list[Document], *, upsert: bool) -> int:
        """Update one document; answer 1 when it was changed or made, else 0."""
        result = await self.run(lambda: self._db[name].update_one(query, change, upsert=upsert))
        return int(result.modified_count) + (1 if result.upserted_id is not None else 0)

    async def update_and_read(
        self, name: str, query: Document, change: Document | list[Document], *, upsert: bool
    ) -> Document | None:
        """Update one document and answer it as it is afterwards."""
        return await self.run(
            lambda: self._db[name].find_one_and_update(query, change, upsert=upsert, return_document=True)
        )

    async def delete_many(self, name: str, query: Document) -> int:
        """Delete what fits; answer how many."""
        result = await self.run(lambda: self._db[name].delete_many(query))
        return int(result.deleted_count)

    async def close(self) -> None:
        """Close every connection."""
        self.client.close()


def is_full(code: int | None, message: str) -> bool:
    """Does the server refuse a write for want of room?

    14031 is MongoDB's OutOfDiskSpace. 8000 is any error of Atlas itself; the quota is told by its words, "you are over
    your space quota". A storage engine passes on the words of the operating system.
    Source: MongoDB, "Error codes"; Atlas, "Free cluster limits".
    """
    words = message.lower()
    return code == OUT_OF_DISK_SPACE or any(sign in words for sign in FULL_SIGNS)


def _full_fault(error: BulkWriteError) -> str | None:
    """What the server said of the first write that found no room."""
    details: Mapping[str, Any] = error.details or {}
    for fault in (*details.get("writeErrors", []), *details.get("writeConcernErrors", [])):
        code, message = fault.get("code"), str(fault.get("errmsg", ""))
        if code != DUPLICATE_KEY and is_full(code, message):
            return message or f"code {code}"
    return None


def _passes(error: OperationFailure) -> bool:
    """Is this failure one that may pass by itself (stepping down, interrupted, shutting down)?

    64 is a write that too few members confirmed in time; 8000 is Atlas itself (over a limit of the free tier).
    """
    passing = {6, 7, 50, 64, 89, 91, 133, 189, 262, 8000, 9001, 10107, 11600, 11602, 13435, 13436, 112, 251}
    # The embedded engine stops at the first write that it cannot make, its disk full or damaged: WT_PANIC until it is
    # started again.
    return (error.code in passing) or "WT_PANIC" in str(error) or error.has_error_label("RetryableWriteError")


_NEVER: Final = frozenset({14, 17, 22, 121, 10334, 17280, 17419})
"""A write that carries one of these will be refused every time: bad type or BSON, document validation, an object
that is, or would grow, too large, a key too large for its index. https://www.mongodb.com/docs/manual/reference/error-codes/
"""


def _refused(error: BulkWriteError) -> WriteRefused | None:
    """The first write that the database will never take; None when the failure is of another kind."""
    found: list[Document] = (error.details or {}).get("writeErrors") or []
    if not found or found[0].get("code") not in _NEVER:
        return None
    refused = WriteRefused("The database refuses a write.", detail=str(found[0].get("errmsg"))[:500])
    refused.position = int(found[0]["index"])
    return refused


def _duplicates(error: BulkWriteError) -> list[Duplicate]:
    details = error.details or {}
    if details.get("writeConcernErrors"):
        # The primary has it, most members do not: a change of primary may still lose it.
        raise DatabaseUnavailable("The database did not confirm a write.", detail=str(details)[:2000]) from error
    faults = details.get("writeErrors", [])
    others = [fault for fault in faults if fault.get("code") != DUPLICATE_KEY]
    if others:
        raise DatabaseUnavailable("The database refused a write.", detail=str(others[0])[:2000]) from error
    return [Duplicate(index=int(fault["index"]), message=str(fault.get("errmsg", ""))) for fault in faults]
