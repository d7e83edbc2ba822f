"""The way from the console to the emulated phones: the sandbox's control API, on loopback.

Process: worker.
"""

from dataclasses import dataclass
from typing import Final

import aiohttp

from config.errors import Unavailable

TIMEOUT_S: Final = 10.0
LARGEST_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PhoneAnswer:
    """What the sandbox answered."""

    status: int
    content_type: str
    body: bytes


class EmulatedPhones:
    """A small client, opened at its first call. ``token`` is for media, which the emulated Graph API keeps."""

    def __init__(self, *, port: int, token: str) -> None:
        """Opens nothing."""
        self._base = f"http://127.0.0.1:{port}"
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def control(self, method: str, path: str, *, query: str = "", body: bytes | None = None) -> PhoneAnswer:
        """One call of the control API, ``path`` without ``/_sandbox/``. Raises ``Unavailable`` when it is not up."""
        return await self._call(method, f"/_sandbox/{path}", query=query, body=body)

    async def media(self, media_id: str) -> PhoneAnswer:
        """The bytes of a medium that the business uploaded: its address first, then what is there."""
        try:
            async with self._opened().get(f"{self._base}/v23.0/{media_id}") as answer:
                if answer.status != 200:
                    return PhoneAnswer(answer.status, answer.content_type, await answer.read())
                url = str((await answer.json())["url"])
            if not url.startswith(self._base + "/"):
                raise Unavailable("The sandbox named an address that is not its own.", detail=url)
            async with self._opened().get(url) as answer:
                return PhoneAnswer(answer.status, answer.content_type, await answer.content.read(LARGEST_BYTES))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _away(error) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _call(self, method: str, path: str, *, query: str = "", body: bytes | None = None) -> PhoneAnswer:
        url = f"{self._base}{path}" + (f"?{query}" if query else "")
        try:
            async with self._opened().request(method, url, data=body) as answer:
                return PhoneAnswer(answer.status, answer.content_type, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _away(error) from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), headers={"Authorization": f"Bearer {self._token}"}
            )
        return self._session


def _away(error: BaseException) -> Unavailable:
    return Unavailable("The sandbox does not answer.", detail=repr(error), retry_after_s=1)
