"""Files, to look at and to read: ours from the store, a customer's fetched from WhatsApp when somebody asks.

Process: worker, whatsapp.

A customer's file stays with WhatsApp until somebody wants it; then it is kept here. See docs/decisions/0005.
"""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakValueDictionary

from config import limits
from config.clock import Clock
from config.errors import PlatformRefused, RequestRefused
from services.graph import GraphAccess
from services.media.records import Media, MediaOrigin
from services.media.repository import MediaRepository
from services.store import Blob, Blobs

log = logging.getLogger(__name__)


class NoSuchMedia(RequestRefused):
    """Unknown, deleted, or past its time."""

    code = "not_found"
    default_text = "There is no such file, or its time is over."


class MediaDamaged(PlatformRefused):
    """What WhatsApp gave is not what its notification had announced."""

    code = "media_damaged"
    may_retry = True
    default_text = "The file that WhatsApp gave is not the one that it had announced."


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """A file whose bytes are here."""

    media: Media
    blob: Blob
    blobs: Blobs

    @property
    def size_bytes(self) -> int:
        """What there is to read."""
        return self.blob.size_bytes

    def chunks(self, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes, in pieces."""
        return self.blobs.read(self.blob, start=start, length=length)


class MediaService:
    """Finds and opens files. One fetch at a time for the same file in this process."""

    def __init__(self, repository: MediaRepository, blobs: Blobs, graph: GraphAccess, clock: Clock) -> None:
        self._repository = repository
        self._blobs = blobs
        self._graph = graph
        self._clock = clock
        self._fetching: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, media_id: str, *, with_deleted: bool = False) -> Media:
        """The file's facts; of one that somebody deleted only for messages that were accepted before.

        Raises ``NoSuchMedia``.
        """
        media = await self._repository.get(media_id, with_deleted=with_deleted)
        if media is None or media.expires_at <= self._clock.now():
            raise NoSuchMedia()
        return media

    async def open(self, media: Media) -> OpenMedia:
        """Its bytes, fetched first where they are still with WhatsApp.

        Raises ``NoSuchMedia``, ``GraphRefused``, ``GraphUnreachable``, ``MediaDamaged``, ``Unavailable``.
        """
        blob = await self._blobs.find(media.id)
        if blob is None and media.origin is MediaOrigin.CUSTOMER:
            lock = self._fetching.setdefault(media.id, asyncio.Lock())
            async with lock:
                blob = await self._blobs.find(media.id)
                if blob is None:
                    await self._fetch(media)
                    blob = await self._blobs.find(media.id)
        if blob is None:
            raise NoSuchMedia(detail=f"media {media.id} has no bytes")
        return OpenMedia(media, blob, self._blobs)

    async def _fetch(self, media: Media) -> None:
        number = media.phone_number_id
        token = self._graph.token_of(number)
        info = await self._graph.media.info(media.id, token, phone_number_id=number)
        async with self._graph.media.download(info.url, token) as download:
            facts = await self._blobs.write(media.id, download.chunks, max_bytes=limits.DOCUMENT_MAX_BYTES)
        expected = media.sha256 or hexadecimal(info.sha256)
        if expected is not None and expected != facts.sha256:
            await self._blobs.delete(media.id)
            raise MediaDamaged(detail=f"media {media.id}: sha256 {facts.sha256}, announced {expected}")
        log.info(
            "Fetched a customer's file.",
            extra={"action": "media.fetched", "media_id": media.id, "size_bytes": facts.size_bytes},
        )


def hexadecimal(sha256: str | None) -> str | None:
    """A SHA-256 as 64 hexadecimal digits, whether it came so or in base64; None when it is neither."""
    if sha256 is None:
        return None
    with suppress(ValueError):
        if len(sha256) == 64:
            return bytes.fromhex(sha256).hex()
        decoded = base64.b64decode(sha256, validate=True)
        return decoded.hex() if len(decoded) == 32 else None
    return None
