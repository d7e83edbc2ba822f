"""A file behind a link that a client names: fetched through the guard, so that nothing of ours can be reached.

Process: worker.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

import aiohttp

from config.errors import RequestRefused
from services.egress import AddressPolicy, open_url
from services.media.kinds import clean_filename

CHUNK_BYTES: Final = 64 * 1024
REDIRECTS_MOST: Final = 3
LIMITS: Final = aiohttp.ClientTimeout(total=300, sock_connect=5, sock_read=20)


class RemoteFileFailed(RequestRefused):
    """The address did not give a file. Meta's word for it is code 131053."""

    code = "link_failed"

    def __init__(self, reason: str) -> None:
        """``reason`` ends the sentence that begins with "Downloading media from weblink failed"."""
        super().__init__(f"Downloading media from weblink failed {reason}", extra={"graph_code": 131053})


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An open download."""

    content_type: str | None
    filename: str | None
    chunks: AsyncIterator[bytes]


class RemoteFiles:
    """Opens links. ``session`` must stand on the guarded connector of ``policy``."""

    def __init__(self, session: aiohttp.ClientSession, policy: AddressPolicy) -> None:
        """The caller closes ``session``."""
        self.session = session
        self._policy = policy

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[RemoteFile]:
        """Raises ``UrlRefused`` for an address that may not be called, ``LinkFailed`` for one that gives nothing."""
        try:
            async with open_url(
                self.session, "GET", url, self._policy, max_redirects=REDIRECTS_MOST, timeout=LIMITS
            ) as response:
                if response.status != 200:
                    raise RemoteFileFailed(
                        f"with http code {response.status}, status message {response.reason or 'N/A'}"
                    )
                name = clean_filename(unquote(urlsplit(str(response.url)).path))
                yield RemoteFile(response.headers.get("content-type"), name, _chunks(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RemoteFileFailed(f"({type(error).__name__})") from error


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        yield chunk
