"""Addresses under which a file can be read for five minutes without a key: they carry their own proof.

Process: worker.

The path is Meta's own, so that clients that rewrite hosts find it: `/whatsapp_business/attachments/?mid&ext&hash`.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from config import limits

_PURPOSE = b"panal media url v1"


class MediaUrls:
    """Signs and checks addresses on ``PATH``. All workers share ``secret``; a key of our own is drawn from it."""

    PATH: Final = "/whatsapp_business/attachments/"

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), _PURPOSE, hashlib.sha256).digest()

    def url_of(self, media_id: str, now: datetime, *, base_url: str) -> str:
        """The address, good for five minutes."""
        ends_at_s = int((now + limits.MEDIA_URL_LIFETIME).timestamp())
        query = urlencode({"mid": media_id, "ext": ends_at_s, "hash": self._proof(media_id, ends_at_s)})
        return f"{base_url}{self.PATH}?{query}"

    def media_id_in(self, query: Mapping[str, str], now: datetime) -> str | None:
        """The file that these parameters open, or None: forged, cut, or too old."""
        media_id, end = query.get("mid", ""), query.get("ext", "")
        if not end.isascii() or not end.isdigit() or len(end) > 12:
            return None
        is_ours = hmac.compare_digest(query.get("hash", "").encode(), self._proof(media_id, int(end)).encode())
        return media_id if is_ours and int(end) >= now.timestamp() else None

    def _proof(self, media_id: str, ends_at_s: int) -> str:
        return hmac.new(self._key, f"{media_id}\n{ends_at_s}".encode(), hashlib.sha256).hexdigest()
