"""One HTTP client for all that is asked; an answer, or why there was none.

Process: none of the cluster's; a command.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0: there was none, and `reason` says why. `body` is the JSON object, empty when it was none."""

    status: int
    body: Mapping[str, Any]
    reason: str = ""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def why(self) -> str:
        """`503 database_unavailable`, `timeout`: short enough to be counted."""
        return f"{self.status} {self.body.get('code', '')}".strip() if self.status else self.reason


class Client:
    """Keeps connections open, at most 256; never follows a redirect (a load test must hit what was named)."""

    def __init__(self, url: str, key: str, *, timeout_s: float) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {key}", "user-agent": "panal-verify"}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256), timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        json_body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. Never raises for what the network or the server does."""
        assert self._session is not None, "use `async with`"  # noqa: S101
        try:
            async with self._session.request(
                method,
                self._url + path,
                json=json_body,
                headers={**self._headers, **(headers or {})},
                allow_redirects=False,
            ) as response:
                return Answer(response.status, _object(await response.read()))
        except TimeoutError:
            return Answer(NO_ANSWER, {}, "timeout")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(NO_ANSWER, {}, type(error).__name__)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
