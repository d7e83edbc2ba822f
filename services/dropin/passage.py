"""What Panal has no opinion about goes to the Graph API as it came, with our token in place of the caller's key.

Process: worker.

Numbers, profiles, templates, block lists, flows, resumable uploads: Meta's answer is the answer. Only addresses in it
are turned to us, and nothing that holds our token gets out.
"""

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import aiohttp
import orjson
from yarl import URL

from services.graph import GraphAccess, GraphUnknown, GraphUnreachable

ANSWER_MAX_BYTES: Final = 16 * 1024 * 1024
REPEATABLE: Final = frozenset({"GET", "DELETE"})
SECRET_PARAMETERS: Final = frozenset({"access_token", "appsecret_proof"})
KEPT_REQUEST_HEADERS: Final = ("content-type", "file_offset", "content-length")
KEPT_ANSWER_HEADERS: Final = ("x-business-use-case-usage", "x-app-usage", "retry-after", "x-fb-trace-id")
TIMEOUT: Final = aiohttp.ClientTimeout(total=300, sock_connect=5, sock_read=60)


@dataclass(frozen=True, slots=True)
class PassedCall:
    """A call to hand on. ``path`` has no version; ``body`` is bytes, or a stream of them."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] | None


@dataclass(frozen=True, slots=True)
class PassedAnswer:
    """What Meta said: its status, what it says of limits, its JSON."""

    http_status: int
    headers: Mapping[str, str]
    value: Any


class Passage:
    """Hands calls on. ``base_url`` of an answer's links is the caller's own view of us."""

    def __init__(self, graph: GraphAccess) -> None:
        """No input or output."""
        self._graph = graph

    async def call(self, call: PassedCall, *, phone_number_id: str, base_url: str) -> PassedAnswer:
        """Meta's answer, whatever it is. Raises ``GraphRefused`` (no token), ``GraphUnreachable``, ``GraphUnknown``."""
        graph = self._graph
        token = graph.token_of(phone_number_id)
        query = [pair for pair in call.query if pair[0] not in SECRET_PARAMETERS]
        query += graph.proof_of(token).items()
        path = "/".join(quote(segment, safe=":") for segment in call.path)
        text = f"{graph.base_url.rstrip('/')}/{graph.version}/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {name: call.headers[name] for name in KEPT_REQUEST_HEADERS if name in call.headers}
        if not isinstance(call.body, AsyncIterable):
            headers.pop("content-length", None)
        try:
            async with graph.session.request(
                call.method,
                URL(text, encoded=True),
                data=call.body or None,
                headers=headers | {"authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                return _answer(call, response, await _read(response), base_url)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            detail = f"{call.method} {path}: {type(error).__name__}: {error}"
            if call.method in REPEATABLE or isinstance(error, aiohttp.ClientConnectorError):
                raise GraphUnreachable(detail=detail) from error
            raise GraphUnknown(detail=detail) from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > ANSWER_MAX_BYTES:
            raise aiohttp.ClientPayloadError(f"The answer is longer than {ANSWER_MAX_BYTES} bytes")
    return bytes(data)


def _answer(call: PassedCall, response: aiohttp.ClientResponse, raw: bytes, base_url: str) -> PassedAnswer:
    headers = {name: response.headers[name] for name in KEPT_ANSWER_HEADERS if name in response.headers}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # A page of some proxy: no client of the Cloud API could read it.
        detail = f"HTTP {response.status}, {len(raw)} bytes of {response.content_type}"
        raise (GraphUnreachable if call.method in REPEATABLE else GraphUnknown)(detail=detail) from error
    if isinstance(value, dict) and isinstance(value.get("paging"), dict):
        own = dict(call.query).get("access_token")
        for name in ("next", "previous"):
            if isinstance(value["paging"].get(name), str):
                value["paging"][name] = _turned(value["paging"][name], base_url, access_token=own)
    return PassedAnswer(response.status, headers, value)


def _turned(link: str, base_url: str, *, access_token: str | None) -> str:
    """A link of Meta's paging, as the caller may follow it: our host, and his own token if he put it into the query."""
    parts = urlsplit(link)
    segments = parts.path.split("/")[2:]  # "", the version
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in SECRET_PARAMETERS]
    if access_token:
        query.append(("access_token", access_token))
    return f"{base_url}/{'/'.join(segments)}" + (f"?{urlencode(query)}" if query else "")
