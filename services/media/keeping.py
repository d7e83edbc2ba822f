"""The owner's part: files are deleted when somebody asks, and when their time is over.

Process: whatsapp.
"""

import logging
from typing import Final

from config.clock import Clock
from services.commands import Command, Outcome
from services.media.repository import MEDIA, MediaRepository
from services.store import Blobs, Write

log = logging.getLogger(__name__)

BATCH: Final = 50


class MediaKeeping:
    """Handler of ``media.delete``, and the sweep."""

    def __init__(self, repository: MediaRepository, blobs: Blobs, clock: Clock) -> None:
        """No input or output."""
        self._repository = repository
        self._blobs = blobs
        self._clock = clock

    async def delete(self, command: Command) -> Outcome:
        """Remove a file: its bytes now, its facts with the next sweep. Messages that wait for it will fail."""
        media_id = str(command.data.get("media_id", ""))
        await self._blobs.delete(media_id)
        ended = {"is_deleted": True, "expires_at": self._clock.now()}
        return Outcome({"success": True}, writes=[Write(MEDIA, media_id, None, set=ended)])

    async def sweep(self) -> int:
        """Remove what has ended, and pieces of uploads that were cut off; answer how much. Bytes go before facts."""
        ended = await self._repository.ended(self._clock.now(), limit=BATCH)
        for media_id in ended:
            await self._blobs.delete(media_id)
        if ended:
            await self._repository.forget(ended)
            log.info("Removed files whose time is over.", extra={"action": "media.swept", "count": len(ended)})
        return len(ended) + await self._blobs.sweep()
