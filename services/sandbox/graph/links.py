"""Media links in a send: fetched as Meta fetches them, so that a dead link ends in 131053.

Process: sandbox.

By default only loopback links are fetched (setting `fetch_links`): an emulator should work without a network, and
`https://example.com/a.png` in somebody's test must not fail. Meta caches a link for 10 minutes; so
does this, when it was good.
"""

import ipaddress
from urllib.parse import urlsplit

import aiohttp

from services.sandbox.world.life import LateError
from services.sandbox.world.mediastore import LIMITS_BYTES, kind_of_mime
from services.sandbox.world.world import World

CACHE_S = 600.0
CACHED_MOST = 10_000
FETCH_TIMEOUT_S = 10.0
CODE = 131053


class Links:
    """Fetches and remembers. One session, opened at the first fetch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session: aiohttp.ClientSession | None = None
        self._good_until: dict[tuple[str, str], float] = {}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def forget(self) -> None:
        self._good_until.clear()

    async def trouble_with(self, link: str, kind: str) -> LateError | None:
        """Why a message with this link fails, or None."""
        which = self._world.settings.now.fetch_links
        if which == "none" or (which == "loopback" and not is_loopback(link)):
            return None
        now_s = self._world.now()
        if self._good_until.get((link, kind), 0.0) > now_s:
            return None
        trouble = await self._fetch(link, kind)
        if trouble is None:
            if len(self._good_until) >= CACHED_MOST:
                self._good_until.clear()
            self._good_until[link, kind] = now_s + CACHE_S
        return trouble

    async def _fetch(self, link: str, kind: str) -> LateError | None:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.get(link) as answer:
                if answer.status != 200:
                    reason = f"{answer.status}, status message {answer.reason or 'N/A'}"
                    return LateError(CODE, f"Downloading media from weblink failed with http code {reason}")
                size = await _size_of(answer, LIMITS_BYTES[kind])
                mime_type = answer.content_type
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return LateError(CODE, f"Downloading media from weblink failed: {type(error).__name__}")
        return _judge(kind, mime_type, size)


async def _size_of(answer: aiohttp.ClientResponse, most: int) -> int:
    """Bytes of the body; stops counting just past the limit."""
    size = 0
    async for chunk in answer.content.iter_chunked(65536):
        size += len(chunk)
        if size > most:
            break
    return size


def _judge(kind: str, mime_type: str, size: int) -> LateError | None:
    most = LIMITS_BYTES[kind]
    if not 0 < size <= most:
        return LateError(
            CODE, f"{kind.capitalize()} file has size {size} bytes but must be atmost {most} bytes and non-empty"
        )
    found = kind_of_mime(mime_type)
    if kind != "document" and found != kind:
        return LateError(
            CODE, f"{kind.capitalize()} file uploaded with mimetype as {mime_type}. Please choose a different file."
        )
    return None


def is_loopback(link: str) -> bool:
    """Whether a link leads to this machine by its own words."""
    host = urlsplit(link).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
