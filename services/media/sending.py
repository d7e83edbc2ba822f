"""A file of ours on its way to WhatsApp: uploaded once a number, remembered as long as WhatsApp keeps it.

Process: whatsapp.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

from config import limits
from config.clock import Clock
from config.errors import PlatformRefused, RequestRefused, Unavailable
from services.graph import GraphAccess, GraphRefused, GraphUnknown, GraphUnsendable, classify
from services.links import NotSubmitted, SendRefused
from services.media.parts import media_parts, with_media_ids
from services.media.records import PlatformMedia
from services.media.repository import MediaRepository
from services.media.service import MediaDamaged, MediaService

log = logging.getLogger(__name__)

MEDIA_UPLOAD_ERROR: Final = 131053
REMEMBERED_MOST: Final = 10_000
MARGIN: Final = timedelta(hours=1)
"""An id that ends this soon is not used any more."""
LEAST_BYTES_PER_S: Final = 64 * 1024
BASE_TIMEOUT_S: Final = 30.0

Key = tuple[str, str]
"""A media id of ours and a phone number."""


class MediaForSending:
    """Gives messages WhatsApp's media ids. However many messages want a file at once, it is uploaded once."""

    def __init__(self, library: MediaService, repository: MediaRepository, graph: GraphAccess, clock: Clock) -> None:
        """Nothing is remembered yet but what the documents say."""
        self._library = library
        self._repository = repository
        self._graph = graph
        self._clock = clock
        self._known: OrderedDict[Key, PlatformMedia] = OrderedDict()
        self._uploading: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def prepared(self, phone_number_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload with WhatsApp's ids. Links stay: WhatsApp fetches them itself.

        Raises ``SendRefused`` (the file is gone, or WhatsApp does not want it) and ``NotSubmitted`` (later, perhaps).
        """
        wanted = {part.media_id for part in media_parts(payload)} - {None}
        ids = {media_id: await self._id_for(phone_number_id, media_id) for media_id in wanted if media_id}
        return with_media_ids(payload, ids) if ids else dict(payload)

    def forget(self, media_id: str) -> None:
        """The file is gone: no message gets its ids any more."""
        for key in [key for key in self._known if key[0] == media_id]:
            del self._known[key]

    async def _id_for(self, number: str, media_id: str) -> str:
        key = (media_id, number)
        if (known := self._fresh(key)) is not None:
            return known
        lock = self._uploading.setdefault(key, asyncio.Lock())
        async with lock:
            if (known := self._fresh(key)) is not None:
                return known
            try:
                platform = await self._stored_or_uploaded(number, media_id)
            except GraphRefused as refusal:
                raise SendRefused(
                    refusal.rule,
                    title=refusal.title,
                    details=refusal.details,
                    retry_after_s=refusal.retry_after_s,
                    fbtrace_id=refusal.fbtrace_id,
                ) from refusal
            except GraphUnsendable as error:
                raise _refused(media_id, error.detail or error.text) from error
            except (Unavailable, GraphUnknown, MediaDamaged) as error:
                # A repeated upload shows to nobody: what is unknown may simply be tried again.
                raise NotSubmitted(detail=f"media {media_id}: {error}") from error
            except (RequestRefused, PlatformRefused) as refusal:
                raise _refused(media_id, refusal.text) from refusal
            self._remember(key, platform)
            return platform.id

    async def _stored_or_uploaded(self, number: str, media_id: str) -> PlatformMedia:
        media = await self._library.get(media_id, with_deleted=True)
        stored = media.platform.get(number)
        if stored is not None and stored.expires_at - MARGIN > self._clock.now():
            return stored
        opened = await self._library.open(media)
        now = self._clock.now()
        platform_id = await self._graph.media.upload(
            number,
            self._graph.token_of(number),
            content=opened.chunks(),
            size_bytes=opened.size_bytes,
            mime_type=media.mime_type,
            filename=media.filename or f"{media.kind}-{media.id}",
            timeout_s=BASE_TIMEOUT_S + opened.size_bytes / LEAST_BYTES_PER_S,
        )
        platform = PlatformMedia(platform_id, now + limits.MEDIA_ID_LIFETIME)
        await self._repository.remember(media.id, number, platform)
        log.info(
            "Uploaded a file to WhatsApp.",
            extra={"action": "media.uploaded", "media_id": media.id, "size_bytes": opened.size_bytes},
        )
        return platform

    def _fresh(self, key: Key) -> str | None:
        known = self._known.get(key)
        if known is None or known.expires_at - MARGIN <= self._clock.now():
            return None
        self._known.move_to_end(key)
        return known.id

    def _remember(self, key: Key, platform: PlatformMedia) -> None:
        self._known[key] = platform
        if len(self._known) > REMEMBERED_MOST:
            self._known.popitem(last=False)


def _refused(media_id: str, reason: str) -> SendRefused:
    rule = classify(MEDIA_UPLOAD_ERROR)
    return SendRefused(rule, title=rule.title, details=f"media {media_id}: {reason}")
