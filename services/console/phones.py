"""The way from the console to the emulated phones: the sandbox's control API, on loopback.

Process: worker.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

import aiohttp
import orjson

from config.errors import Unavailable
from services.keys import NotPermitted

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

    async def control(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes | None = None,
        numbers: frozenset[str] = frozenset(),
    ) -> PhoneAnswer:
        """One call of the control API, ``path`` without ``/_sandbox/``, limited to ``numbers`` when there are any.

        Raises ``Unavailable`` when it is not up, ``NotPermitted`` for what a limited key may not do.
        """
        if numbers and not may_call(method, path):
            raise NotPermitted("This changes every phone, or shows what was set for them; this API key is limited.")
        return await self._call(method, f"/_sandbox/{path}", query=limited_query(query, numbers), body=body)

    async def media(self, media_id: str, numbers: frozenset[str] = frozenset()) -> PhoneAnswer:
        """The bytes of a medium that the business uploaded: its address first, then what is there.

        ``numbers``: only a medium of one of these.
        """
        try:
            for asked in [f"?phone_number_id={number}" for number in sorted(numbers)] or [""]:
                async with self._opened().get(f"{self._base}/v23.0/{media_id}{asked}") as answer:
                    found = PhoneAnswer(answer.status, answer.content_type, await answer.read())
                if found.status == 200:
                    break
            if found.status != 200:
                return found
            url = str(orjson.loads(found.body)["url"])
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


def may_call(method: str, path: str) -> bool:
    """May a limited key make this call? One phone and its messages, yes; what holds for all phones may be read."""
    is_of_phones = path == "phones" or path.startswith("phones/")
    return is_of_phones or (method in ("GET", "HEAD") and not path.startswith("rules"))


def limited_query(query: str, numbers: frozenset[str]) -> str:
    """The caller's query with the limit of his key, whatever limit he wrote into it himself."""
    if not numbers:
        return query
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "numbers"]
    return urlencode([*kept, ("numbers", ",".join(sorted(numbers)))])


def _away(error: BaseException) -> Unavailable:
    return Unavailable("The sandbox does not answer.", detail=repr(error), retry_after_s=1)
