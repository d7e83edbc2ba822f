"""The MongoDB driver, imported once, with a thread pool as large as the connection pool.

Process: worker, whatsapp.

Motor runs every operation on a thread of a pool that it sizes when it is imported (``cpu_count * 5``). With fewer
threads than connections ``maxPoolSize`` is a fiction: on two CPUs a pool of 30 never opened more than 10 sockets
(measured). So the size is set here, before the one import of Motor in this project.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

os.environ.setdefault("MOTOR_MAX_WORKERS", os.environ.get("PANAL_DB_POOL_PER_WORKER", "30"))

# The order matters: the line above must run first, hence E402.
from bson import ObjectId, encode
from bson.errors import InvalidDocument
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import DeleteMany, InsertOne, MongoClient, UpdateMany, UpdateOne, timeout
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
from pymongo.monitoring import (
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
)

from services.store.answer_watch import QUESTION_S

Document = dict[str, Any]

UNENCODABLE = (InvalidDocument, DocumentTooLarge, OverflowError, UnicodeEncodeError)
"""What the driver raises for a document that no database can take: too large, a number of more than 64 bits, a lone
surrogate."""


def has_more(stream: object) -> bool:
    """Are there changes in the batch that a change stream has fetched already? Then the next look costs nothing."""
    cursor = getattr(stream, "_cursor", None)
    return bool(getattr(cursor, "_data", None))


_questions = ThreadPoolExecutor(1, thread_name_prefix="database-question")
"""A thread of its own: those of Motor may all wait for a database that hangs. It is made when it is needed."""


async def question(client: "MongoClient[dict[str, Any]]", database: str) -> None:
    """Read one small document, and raise what the driver says when it takes ``QUESTION_S``, connecting included.

    Not a ``ping``: a server whose storage hangs may answer that.
    """

    def ask() -> None:
        with timeout(QUESTION_S):
            client[database]["meta"].find_one({"_id": "schema"}, {"_id": 1})

    await asyncio.get_running_loop().run_in_executor(_questions, ask)


__all__ = [
    "UNENCODABLE",
    "AsyncIOMotorClient",
    "AsyncIOMotorCollection",
    "AsyncIOMotorDatabase",
    "AutoReconnect",
    "BulkWriteError",
    "Collection",
    "ConnectionClosedEvent",
    "ConnectionCreatedEvent",
    "ConnectionFailure",
    "ConnectionPoolListener",
    "DeleteMany",
    "Document",
    "DuplicateKeyError",
    "ExecutionTimeout",
    "InsertOne",
    "NetworkTimeout",
    "ObjectId",
    "OperationFailure",
    "PyMongoError",
    "ServerSelectionTimeoutError",
    "UpdateMany",
    "UpdateOne",
    "WaitQueueTimeoutError",
    "encode",
    "has_more",
    "question",
]
