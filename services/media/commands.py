"""The owner's part: files are deleted when somebody asks, and when their time is over.

Process: whatsapp.
"""

import logging
from datetime import timedelta
from typing import Final

from config.clock import Clock
from config.errors import PlatformRefused, Unavailable
from services.commands import Command, Outcome
from services.graph import GraphAccess
from services.media.records import Media, MediaOrigin
from services.media.repository import MEDIA, MediaRepository
from services.media.sending import MediaForSending
from services.media.service import NoSuchMedia
from services.store import Blobs, VersionedWrite

log = logging.getLogger(__name__)

BATCH: Final = 50
GRACE: Final = timedelta(hours=24)
"""A client may delete a file as soon as its message was accepted; the message may have to wait."""


class MediaCommands:
    """Handler of ``media.delete``, and the sweep."""

    def __init__(
        self, repository: MediaRepository, blobs: Blobs, sending: MediaForSending, graph: GraphAccess, clock: Clock
    ) -> None:
        self._repository = repository
        self._blobs = blobs
        self._sending = sending
        self._graph = graph
        self._clock = clock

    async def delete(self, command: Command) -> Outcome:
        """Nobody finds the file any more. Messages that were accepted before still take it along, for ``GRACE``."""
        media_id = str(command.data.get("media_id", ""))
        if await self._repository.get(media_id) is None:
            raise NoSuchMedia()
        gone = {"is_deleted": True, "expires_at": self._clock.now() + GRACE}
        return Outcome({"success": True}, writes=[VersionedWrite(MEDIA, media_id, None, set=gone)])

    async def sweep(self) -> int:
        """Remove what has ended, and pieces of uploads that were cut off; answer how much. Bytes go before facts."""
        ended = await self._repository.ended(self._clock.now(), limit=BATCH)
        for media in ended:
            self._sending.forget(media.id)
            await self._remove_copies(media)
            await self._blobs.delete(media.id)
        if ended:
            await self._repository.forget([media.id for media in ended])
            log.info("Removed files whose time is over.", extra={"action": "media.swept", "count": len(ended)})
        return len(ended) + await self._blobs.sweep()

    async def _remove_copies(self, media: Media) -> None:
        """At WhatsApp. That it keeps one stops nothing: it removes them by itself after a month."""
        copies = {number: platform.id for number, platform in media.platform.items()}
        if media.origin is MediaOrigin.CUSTOMER:
            copies[media.phone_number_id] = media.id
        for number, platform_id in copies.items() if media.is_deleted else ():
            try:
                await self._graph.media.delete(platform_id, self._graph.token_of(number), phone_number_id=number)
            except (PlatformRefused, Unavailable) as error:
                log.info(
                    "WhatsApp keeps its copy of a deleted file.",
                    extra={"action": "media.copy_kept", "media_id": media.id, "detail": str(error)},
                )
