"""The MongoDB driver, imported once, with a thread pool as large as the connection pool.

Process: worker, whatsapp.

Motor runs every operation on a thread of a pool that it sizes when it is imported (``cpu_count * 5``). With fewer
threads than connections ``maxPoolSize`` is a fiction: on two CPUs a pool of 30 never opened more than 10 sockets
(measured). So the size is set here, before the one import of Motor in this project.
"""

import os

os.environ.setdefault("MOTOR_MAX_WORKERS", os.environ.get("PANAL_DB_POOL_PER_WORKER", "30"))

# The order matters: the line above must run first, hence E402.
from bson import ObjectId, encode
from bson.errors import InvalidDocument
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import DeleteMany, InsertOne, UpdateMany, UpdateOne
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
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

UNENCODABLE = (InvalidDocument, DocumentTooLarge, OverflowError, UnicodeEncodeError)
"""What the driver raises for a document that no database can take: too large, a number of more than 64 bits, a lone
surrogate."""


def has_more(stream: object) -> bool:
    """Are there changes in the batch that a change stream has fetched already? Then the next look costs nothing."""
    cursor = getattr(stream, "_cursor", None)
    return bool(getattr(cursor, "_data", None))


__all__ = [
    "UNENCODABLE",
    "AsyncIOMotorClient",
    "AsyncIOMotorCollection",
    "AsyncIOMotorDatabase",
    "AutoReconnect",
    "BulkWriteError",
    "ConnectionClosedEvent",
    "ConnectionCreatedEvent",
    "ConnectionFailure",
    "ConnectionPoolListener",
    "DeleteMany",
    "DuplicateKeyError",
    "ExecutionTimeout",
    "InsertOne",
    "ObjectId",
    "OperationFailure",
    "PyMongoError",
    "ServerSelectionTimeoutError",
    "UpdateMany",
    "UpdateOne",
    "WaitQueueTimeoutError",
    "encode",
    "has_more",
]
