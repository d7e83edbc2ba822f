"""Bytes of any size in MongoDB (GridFS): written and read in pieces, never whole in memory.

Process: worker, whatsapp.

A blob has a name; two writers may store the same name at once, which only costs space. A file's document is
written after its last piece, so a half-written file cannot be found. An intent is written before the first piece: by it
the owner finds the pieces of a write that was cut off, and removes them.
"""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from config.errors import RequestRefused, Unavailable
from services.store.database import Database
from services.store.driver import Document, ObjectId

CHUNK_BYTES: Final = 255 * 1024
GROUP_COUNT: Final = 4
GROUP_BYTES: Final = GROUP_COUNT * CHUNK_BYTES
"""So much goes in one operation: a database that is charged by the operation, and a memory that many uploads share."""
INTENT_LIFETIME: Final = timedelta(hours=6)
"""No upload takes longer."""
HEAD_BYTES: Final = 8192
"""So many first bytes are kept beside the facts: enough to see what a file is."""


class BlobTooLarge(RequestRefused):
    """More bytes came than the caller of ``write`` allows."""

    code = "body_too_large"


@dataclass(frozen=True, slots=True)
class BlobFacts:
    """What was counted while the bytes went by. ``sha256`` is hexadecimal."""

    size_bytes: int
    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob."""

    key: ObjectId
    name: str
    size_bytes: int
    stored_at: datetime


class Blobs:
    """The blobs of one bucket, in GridFS's own form: collections ``<bucket>.files`` and ``<bucket>.chunks``.

    The pieces are written and read here, a few at a time: the driver's GridFS gathers up to 48 MB before it writes,
    and reads 25 MB ahead, for each of many uploads and downloads at once.
    """

    def __init__(self, database: Database, bucket: str) -> None:
        """The blobs of ``bucket``; ``intents`` is our own third collection."""
        self._database = database
        self._files, self._chunks, self._intents = f"{bucket}.files", f"{bucket}.chunks", f"{bucket}.intents"

    async def write(self, name: str, chunks: AsyncIterable[bytes], *, max_bytes: int) -> BlobFacts:
        """Store the stream under ``name``; return what was counted on the way.

        Raises ``BlobTooLarge`` past ``max_bytes``, and ``Unavailable``; then no piece is left.
        """
        digest = hashlib.sha256()
        head = bytearray()
        size_bytes = 0
        key = ObjectId()
        intent = {"_id": key, "name": name, "at": datetime.now(UTC)}
        await self._database.insert_many(self._intents, [intent], ordered=True)
        try:
            waiting = bytearray()
            count = 0
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > max_bytes:
                    raise BlobTooLarge(f"The file is larger than {max_bytes} bytes.")
                digest.update(chunk)
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                waiting += chunk
                if len(waiting) >= GROUP_BYTES:
                    count = await self._put(key, count, waiting)
            await self._put(key, count, waiting, is_last=True)
            await self._database.insert_many(self._files, [_file(key, name, size_bytes)], ordered=True)
        except BaseException:
            await self._database.delete_many(self._chunks, {"files_id": key})
            raise
        return BlobFacts(size_bytes, digest.hexdigest(), bytes(head))

    async def _put(self, key: ObjectId, count: int, waiting: bytearray, *, is_last: bool = False) -> int:
        """Write the whole pieces of what waits, at the end also the rest, and take them out; return the next number."""
        documents: list[Document] = []
        while len(waiting) >= CHUNK_BYTES or (is_last and waiting):
            documents.append({"files_id": key, "n": count + len(documents), "data": bytes(waiting[:CHUNK_BYTES])})
            del waiting[:CHUNK_BYTES]
        if documents:
            await self._database.insert_many(self._chunks, documents, ordered=False)
        return count + len(documents)

    async def find(self, name: str) -> Blob | None:
        """The blob with this name, or None. Raises ``Unavailable``."""
        found = await self._database.find_one(self._files, {"filename": name})
        return _blob(found) if found else None

    async def read(self, blob: Blob, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from ``start`` on, piece by piece. Raises ``Unavailable``, also in the middle."""
        left = blob.size_bytes - start if length is None else length
        number, skipped = divmod(start, CHUNK_BYTES)
        while left > 0:
            upper = number + GROUP_COUNT
            found = await self._database.find(
                self._chunks,
                {"files_id": blob.key, "n": {"$gte": number, "$lt": upper}},
                sort=[("files_id", 1), ("n", 1)],
                limit=GROUP_COUNT,
            )
            if not found:
                raise Unavailable("The file ends too early.", detail=f"blob {blob.name}, piece {number}")
            for document in found:
                piece = bytes(document["data"])[skipped : skipped + left]
                skipped = 0
                left -= len(piece)
                if piece:
                    yield piece
            number = upper

    async def sweep(self, *, limit: int = 100) -> int:
        """Remove the pieces of writes that broke off over ``INTENT_LIFETIME`` ago; return how many writes."""
        ended = datetime.now(UTC) - INTENT_LIFETIME
        intents = await self._database.find(self._intents, {"at": {"$lt": ended}}, limit=limit)
        keys = [intent["_id"] for intent in intents]
        if not keys:
            return 0
        found = await self._database.find(self._files, {"_id": {"$in": keys}}, projection={"_id": 1}, limit=len(keys))
        whole = {document["_id"] for document in found}
        lost = [key for key in keys if key not in whole]
        for key in lost:
            await self._database.delete_many(self._chunks, {"files_id": key})
        await self._database.delete_many(self._intents, {"_id": {"$in": keys}})
        return len(lost)

    async def delete(self, name: str) -> int:
        """Remove every blob of this name; return how many there were. Raises ``Unavailable``."""
        found = await self._database.find(self._files, {"filename": name}, limit=100)
        for document in found:
            key = document["_id"]
            # The pieces go first: what is left of a delete that was cut off can be found by its file again.
            await self._database.delete_many(self._chunks, {"files_id": key})
            await self._database.delete_many(self._files, {"_id": key})
        return len(found)


def _file(key: ObjectId, name: str, size_bytes: int) -> dict[str, Any]:
    """A file's document. Source: MongoDB, "GridFS specification"."""
    return {
        "_id": key,
        "length": size_bytes,
        "chunkSize": CHUNK_BYTES,
        "uploadDate": datetime.now(UTC),
        "filename": name,
    }


def _blob(document: dict[str, Any]) -> Blob:
    return Blob(
        key=document["_id"],
        name=document["filename"],
        size_bytes=int(document["length"]),
        stored_at=document["uploadDate"],
    )
