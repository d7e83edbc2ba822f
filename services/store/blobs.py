"""Bytes of any size in MongoDB (GridFS): written and read in pieces, never whole in memory.

Process: worker, whatsapp.

A blob has a name; two writers may store the same name at once, which costs room and nothing else. A file's document is
written after its last piece, so what is half written is not there. An intent is written before the first piece: by it
the owner finds the pieces of a write that was cut off, and removes them.
"""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from config.errors import RequestRefused
from services.store.database import Database
from services.store.driver import AsyncIOMotorGridFSBucket, ObjectId

CHUNK_BYTES: Final = 255 * 1024
INTENT_LIFETIME: Final = timedelta(hours=6)
"""No upload takes longer."""
HEAD_BYTES: Final = 8192
"""So many first bytes are kept beside the facts: enough to see what a file is."""


class BlobTooLarge(RequestRefused):
    """More bytes came than this place takes."""

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
    """The blobs of one bucket: collections ``<bucket>.files`` and ``<bucket>.chunks``."""

    def __init__(self, database: Database, bucket: str) -> None:
        """No input or output."""
        self._database = database
        self._bucket = bucket
        self._grid = AsyncIOMotorGridFSBucket(database.client[database.options.name], bucket, CHUNK_BYTES)

    async def write(self, name: str, chunks: AsyncIterable[bytes], *, max_bytes: int) -> BlobFacts:
        """Store what comes. Raises ``BlobTooLarge`` past ``max_bytes``, ``Unavailable``; then nothing is left."""
        digest = hashlib.sha256()
        head = bytearray()
        size_bytes = 0
        key = ObjectId()
        intent = {"_id": key, "name": name, "at": datetime.now(UTC)}
        await self._database.insert_many(f"{self._bucket}.intents", [intent], ordered=True)
        file = self._grid.open_upload_stream_with_id(key, name)
        try:
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > max_bytes:
                    raise BlobTooLarge(f"The file is larger than {max_bytes} bytes.")
                digest.update(chunk)
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                await self._database.run(lambda data=chunk: file.write(data))  # type: ignore[misc]  # bound at once
            await self._database.run(file.close)
        except BaseException:
            await self._database.run(file.abort)
            raise
        return BlobFacts(size_bytes, digest.hexdigest(), bytes(head))

    async def find(self, name: str) -> Blob | None:
        """The blob with this name, or None."""
        found = await self._database.find_one(f"{self._bucket}.files", {"filename": name})
        return _blob(found) if found else None

    async def read(self, blob: Blob, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Its bytes from ``start`` on, piece by piece. Raises ``Unavailable``, also in the middle."""
        file = await self._database.run(lambda: self._grid.open_download_stream(blob.key))
        if start:
            file.seek(start)
        left = blob.size_bytes - start if length is None else length
        while left > 0:
            piece = await self._database.run(lambda: file.readchunk())
            if not piece:
                return
            yield piece[:left]
            left -= len(piece)

    async def sweep(self, *, limit: int = 100) -> int:
        """Remove the pieces of writes that were cut off more than ``INTENT_LIFETIME`` ago; answer how many writes."""
        ended = datetime.now(UTC) - INTENT_LIFETIME
        intents = await self._database.find(f"{self._bucket}.intents", {"at": {"$lt": ended}}, limit=limit)
        keys = [intent["_id"] for intent in intents]
        if not keys:
            return 0
        found = await self._database.find(
            f"{self._bucket}.files", {"_id": {"$in": keys}}, projection={"_id": 1}, limit=len(keys)
        )
        whole = {document["_id"] for document in found}
        lost = [key for key in keys if key not in whole]
        for key in lost:
            await self._database.delete_many(f"{self._bucket}.chunks", {"files_id": key})
        await self._database.delete_many(f"{self._bucket}.intents", {"_id": {"$in": keys}})
        return len(lost)

    async def delete(self, name: str) -> int:
        """Remove every blob of this name; answer how many there were."""
        found = await self._database.find(f"{self._bucket}.files", {"filename": name}, limit=100)
        for document in found:
            key = document["_id"]
            # The pieces go first: what is left of a delete that was cut off can be found by its file again.
            await self._database.delete_many(f"{self._bucket}.chunks", {"files_id": key})
            await self._database.delete_many(f"{self._bucket}.files", {"_id": key})
        return len(found)


def _blob(document: dict[str, Any]) -> Blob:
    return Blob(
        key=document["_id"],
        name=document["filename"],
        size_bytes=int(document["length"]),
        stored_at=document["uploadDate"],
    )
