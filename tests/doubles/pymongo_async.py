"""`Database` on PyMongo's own asynchronous client instead of Motor: what leaving Motor would change, and no more.

See docs/decisions/0009-leaving-motor.md. The store's integration tests run on both.
"""

from typing import Any, cast

from pymongo import AsyncMongoClient, MongoClient

from config.metering import SILENT, Meter
from services.store import Database, DatabaseOptions, Document
from services.store.driver import AsyncIOMotorClient


class PyMongoDatabase(Database):
    """The client, the threads' own synchronous client, `run_pipeline` and `close` (coroutines of the driver here)."""

    def __init__(self, options: DatabaseOptions, *, meter: Meter = SILENT) -> None:
        super().__init__(options, meter=meter)
        self.client.close()
        how: dict[str, Any] = {
            "maxPoolSize": options.pool,
            "minPoolSize": 0,
            "waitQueueTimeoutMS": options.wait_queue_ms,
            "connectTimeoutMS": options.connect_ms,
            "serverSelectionTimeoutMS": options.select_ms,
            "socketTimeoutMS": options.command_ms,
            "maxIdleTimeMS": 60_000,
            "tz_aware": True,
            "appname": options.app_name,
            "retryWrites": False,
            "w": "majority",
            "event_listeners": [self.connections],
        }
        self._asynchronous: AsyncMongoClient[Document] = AsyncMongoClient(options.uri, **how)
        # Change streams and one kind of bulk run on threads of ours, which Motor lends its synchronous client to.
        self._synchronous: MongoClient[Document] = MongoClient(options.uri, connect=False, **how)
        self._asynchronous.delegate = self._synchronous  # type: ignore[attr-defined]
        self.client = cast("AsyncIOMotorClient[Document]", self._asynchronous)
        self._db = self.client[options.name]

    async def run_pipeline(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        async def read() -> list[Document]:
            cursor = await self._asynchronous[self.options.name][name].aggregate(pipeline, batchSize=limit + 1)
            return await cursor.to_list(limit)

        return await self.run(read)

    async def close(self) -> None:
        await self._asynchronous.close()
        self._synchronous.close()
