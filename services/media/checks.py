"""Does a message name files that there are? Asked before it is accepted.

Process: worker.
"""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from config.clock import Clock
from services.keys import Caller
from services.media.parts import media_parts
from services.media.repository import MediaRepository
from services.messages import Content, ContentFault, ContentRefused
from services.numbers import Number

INVALID_PARAMETER: Final = 100
REMEMBERED_MOST: Final = 5_000


class MediaCheck:
    """Refuses ids that nobody has. Files do not change, so what was found is remembered until its time is over."""

    def __init__(self, repository: MediaRepository, clock: Clock) -> None:
        """Empty."""
        self._repository = repository
        self._clock = clock
        self._known: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    async def check(self, content: Content, number: Number, caller: Caller) -> None:
        """Raises ``ContentRefused`` with every faulty path: unknown, past its time, or of a number that is not his."""
        if content.kind == "text":
            return
        parts = [part for part in media_parts(content.payload) if part.media_id is not None]
        missing = {part.media_id for part in parts if part.media_id} - self._known.keys()
        if missing:
            for media in (await self._repository.by_ids(sorted(missing))).values():
                self._known[media.id] = (media.phone_number_id, media.expires_at)
            while len(self._known) > REMEMBERED_MOST:
                self._known.popitem(last=False)
        faults = [
            ContentFault(
                f"{part.path}.id", "is not the id of a file that was uploaded here and still exists", INVALID_PARAMETER
            )
            for part in parts
            if not self._may_use(str(part.media_id), caller)
        ]
        if faults:
            raise ContentRefused(faults)

    def _may_use(self, media_id: str, caller: Caller) -> bool:
        known = self._known.get(media_id)
        if known is None:
            return False
        phone_number_id, expires_at = known
        return expires_at > self._clock.now() and caller.may_use(phone_number_id)
