"""What Panal has no opinion about goes to the Graph API, with our token in place of the caller's key.

Process: worker.

Numbers, profiles, templates, block lists, flows, resumable uploads: Meta's answer is the answer. Only links in it are
turned to us, and nothing that holds our token gets out: see ``answers.py``. What is sent is what was judged: see
``calls.py``.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from config.errors import PanalError
from services.cloud_api.answers import AnswerCleaner, AnswerWithheld, scrubbed
from services.cloud_api.calls import ProxiedCall, is_credential
from services.graph import GraphAccess, GraphUnknown, GraphUnreachable, SecretScrubber, WitnessedBody

ANSWER_MAX_BYTES: Final = 16 * 1024 * 1024
THREAD_BYTES: Final = 128 * 1024
"""A longer answer is cleaned in a thread: a page of templates must not hold other requests up."""
REPEATABLE: Final = frozenset({"GET", "HEAD", "DELETE"})
KEPT_ANSWER_HEADERS: Final = ("x-business-use-case-usage", "x-app-usage", "retry-after", "x-fb-trace-id")
TIMEOUT: Final = aiohttp.ClientTimeout(total=300, sock_connect=5, sock_read=60)


@dataclass(frozen=True, slots=True)
class ProxiedAnswer:
    """What Meta said: its status, what it says of limits, its JSON."""

    http_status: int
    headers: Mapping[str, str]
    value: Any


class _WitnessedStream:
    """A stream that knows whether any of it was asked for."""

    def __init__(self, source: AsyncIterable[bytes]) -> None:
        self._source = source
        self.has_left = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._source:
            self.has_left = True
            yield piece
        self.has_left = True


class GraphProxy:
    """Hands calls on. ``base_url`` of an answer's links is the caller's own view of us."""

    def __init__(self, graph: GraphAccess) -> None:
        self._graph = graph

    async def call(
        self, call: ProxiedCall, *, phone_number_id: str, base_url: str, own_token: str | None
    ) -> ProxiedAnswer:
        """Meta's answer to a plain call, whatever it is.

        Raises ``GraphRefused`` (no token), ``GraphUnreachable``, ``GraphUnknown``, ``AnswerWithheld``.
        """
        graph = self._graph
        token = graph.token_of(phone_number_id)
        proof = graph.proof_of(token)
        scrubber = SecretScrubber([token, *proof.values(), graph.app_secret])
        cleaner = AnswerCleaner(scrubber, graph_url=graph.base_url, base_url=base_url, own_token=own_token)
        query = [pair for pair in call.query if not is_credential(pair[0])]
        query += proof.items()
        path = "/".join(quote(segment, safe=":") for segment in call.path)
        text = f"{graph.base_url.rstrip('/')}/{graph.version}/{path}" + (f"?{urlencode(query)}" if query else "")
        data = _data_of(call)
        try:
            async with graph.session.request(
                call.method,
                URL(text, encoded=True),
                data=data,
                headers={**call.headers, "authorization": f"Bearer {token}"},
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                raw = await _read(response)
                facts = f"HTTP {response.status}, {len(raw)} bytes of {response.content_type}"
                headers = _headers(response, cleaner)
        except PanalError:
            raise
        except Exception as error:
            # Whatever it was: the witness alone says whether the call may have had an effect.
            detail = scrubbed(f"{call.method} {path}: {type(error).__name__}: {error}", scrubber)
            if call.method in REPEATABLE or (data is not None and not data.has_left):
                raise GraphUnreachable(detail=detail) from None
            raise GraphUnknown(detail=detail) from None
        value = await _value(raw, cleaner, call=call, facts=scrubbed(facts, scrubber))
        return ProxiedAnswer(response.status, headers, value)


def _data_of(call: ProxiedCall) -> WitnessedBody | _WitnessedStream | None:
    if isinstance(call.body, AsyncIterable):
        return _WitnessedStream(call.body)
    if not call.body and call.method in REPEATABLE:
        return None
    return WitnessedBody(call.body or b"")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > ANSWER_MAX_BYTES:
            raise aiohttp.ClientPayloadError(f"The answer is longer than {ANSWER_MAX_BYTES} bytes")
    return bytes(data)


def _headers(response: aiohttp.ClientResponse, cleaner: AnswerCleaner) -> dict[str, str]:
    found = {name: cleaner.header(response.headers[name]) for name in KEPT_ANSWER_HEADERS if name in response.headers}
    return {name: value for name, value in found.items() if value is not None}


async def _value(raw: bytes, cleaner: AnswerCleaner, *, call: ProxiedCall, facts: str) -> Any:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # A page of some proxy: no client of the Cloud API could read it.
        raise (GraphUnreachable if call.method in REPEATABLE else GraphUnknown)(detail=facts) from None
    try:
        if len(raw) <= THREAD_BYTES:
            return cleaner.value(value)
        return await asyncio.to_thread(cleaner.value, value)
    except AnswerWithheld as withheld:
        place = f"{call.method} {'/'.join(call.path)}: {facts}: {withheld.detail}"
        raise AnswerWithheld(detail=place) from None
    except RecursionError:
        raise AnswerWithheld(detail=f"{call.method}: {facts}: nested too deep") from None
