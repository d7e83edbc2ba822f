"""One HTTP call to the Graph API, and the one question that matters when it goes wrong: had the request left?

A message must reach WhatsApp once. So the outcome of a call that broke is decided by a witness in the body of the
request: it is asked to write itself at the very moment when bytes go to the socket. Not asked: nothing left, a resend
is safe. Asked: the request may have arrived, and only evidence may say so. This holds for every kind of failure: a bad
address, a name that does not resolve, TLS, a header that cannot be written, a bug of ours.

Process: whatsapp, worker (media and templates).
"""

import asyncio
import re
import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from yarl import URL

from config.errors import PanalError
from services.graph.classify import classify
from services.graph.outcomes import GraphRefused, GraphUnknown, GraphUnreachable, GraphUnsendable
from services.graph.secrets import SecretScrubber
from services.graph.usage import Usage, read_usage

ANSWER_LIMIT_BYTES = 8 * 1024 * 1024
READ_CHUNK_BYTES = 64 * 1024
CONNECT_TIMEOUT_S = 5.0

REPEATABLE_METHODS = frozenset({"GET", "DELETE"})
"""Doing these twice is doing them once, so their outcome is never unknown in a way that matters."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What no header may hold (RFC 9110, 5.5)."""

PEER_CLOSED_EVENTS = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """A 2xx answer of the Graph API: its JSON object and what the throttle headers said."""

    http_status: int
    body: dict[str, Any]
    usage: Usage


class WitnessedBody(aiohttp.BytesPayload):
    """A request body that knows whether any of it was handed to the socket.

    A keep-alive connection that the other side has closed is noticed here, before the first byte: aiohttp itself
    learns of it one turn of the event loop too late, when a POST can no longer be repeated safely.
    """

    def __init__(self, value: bytes) -> None:
        # An empty body is no JSON.
        super().__init__(value, content_type="application/json" if value else "application/octet-stream")
        self.has_left = False

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        _require_open(writer)
        self.has_left = True
        await super().write_with_length(writer, content_length)


class WitnessedForm(aiohttp.MultipartWriter):
    """A multipart body with the same witness. It is written once: its parts may be streams."""

    def __init__(self) -> None:
        super().__init__("form-data")
        self.has_left = False

    async def write(self, writer: AbstractStreamWriter, close_boundary: bool = True) -> None:
        _require_open(writer)
        self.has_left = True
        await super().write(writer, close_boundary)

    def require_writable(self) -> None:
        """Raise ``GraphUnsendable`` for a part whose headers cannot be written."""
        for part, _, _ in self._parts:
            for name, value in part.headers.items():
                if _CONTROL.search(value) or not _has_bytes(value):
                    raise GraphUnsendable(detail=f"the header {name} of a part has a character that it must not have")


class GraphTransport:
    """Calls on one aiohttp session, which its maker closes. `base_url` has no version; it is added to each path."""

    def __init__(self, session: aiohttp.ClientSession, *, base_url: str, version: str, timeout_s: float) -> None:
        self._session = session
        self._root = f"{base_url.rstrip('/')}/{version.strip('/')}" if version else base_url.rstrip("/")
        self._limits = _time_limits(timeout_s)

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str,
        json_body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        form: WitnessedForm | None = None,
        timeout_s: float | None = None,
    ) -> GraphAnswer:
        """The answer, or GraphRefused, GraphUnreachable (safe to repeat), GraphUnsendable or GraphUnknown (not safe).

        `path` is already quoted. A connection that turned out to be stale before a byte was written is replaced once.
        Without a body and for reading alone there is no witness, and none is needed.
        """
        limits = self._limits if timeout_s is None else _time_limits(timeout_s)
        content = None if form is not None else _content_of(method, json_body)
        if form is not None:
            form.require_writable()
        for is_last_try in (False, True):
            data = form if content is None else WitnessedBody(content)
            try:
                return await self._once(method, path, token=token, data=data, params=params, limits=limits)
            except PanalError:
                raise
            except Exception as error:
                # Whatever it was: the witness alone says whether it may have had an effect.
                has_left = data is not None and data.has_left
                if has_left and method not in REPEATABLE_METHODS:
                    raise GraphUnknown(detail=f"{method} {path}: {_describe(error)}") from error
                is_stale = content is not None and not has_left and _met_a_closed_connection(error)
                if is_last_try or not is_stale:
                    raise GraphUnreachable(detail=f"{method} {path}: {_describe(error)}") from error
        raise AssertionError("unreachable")

    async def _once(
        self,
        method: str,
        path: str,
        *,
        token: str,
        data: WitnessedBody | WitnessedForm | None,
        params: Mapping[str, str] | None,
        limits: aiohttp.ClientTimeout,
    ) -> GraphAnswer:
        url = URL(f"{self._root}/{path}", encoded=True)
        async with self._session.request(
            method,
            url.update_query(params) if params else url,
            data=data,
            headers={"Authorization": f"Bearer {token}"},
            timeout=limits,
            allow_redirects=False,
        ) as response:
            raw = await _read_all(response)
            return _judge(method, path, response, raw, secrets=(token, (params or {}).get("appsecret_proof")))


def _content_of(method: str, json_body: Mapping[str, Any] | None) -> bytes | None:
    """The body's bytes; empty, so that there is a witness, for a call that changes something without one.

    Raises ``GraphUnsendable`` for what has no JSON.
    """
    if json_body is None:
        return None if method in REPEATABLE_METHODS else b""
    try:
        return orjson.dumps(json_body)
    except (TypeError, ValueError, RecursionError) as error:
        raise GraphUnsendable(detail=f"the body has no JSON: {_describe(error)}") from error


def _time_limits(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, sock_connect=min(CONNECT_TIMEOUT_S, total_s))


async def _read_all(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in response.content.iter_chunked(READ_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > ANSWER_LIMIT_BYTES:
            raise aiohttp.ClientPayloadError(f"The answer is longer than {ANSWER_LIMIT_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _judge(
    method: str, path: str, response: aiohttp.ClientResponse, raw: bytes, *, secrets: Sequence[str | None]
) -> GraphAnswer:
    """A 2xx JSON object is an answer, an `error` object a refusal. What else answered decides by its status:
    below 500 it refused before anything happened, from 500 on it may stand in front of a platform that did act.

    What is read, and every refusal, is shown to callers sooner or later: no credential stays in it.
    """
    usage = read_usage(response.headers)
    body = _json_object(raw)
    if body is not None and isinstance(body.get("error"), dict):
        error = SecretScrubber(secrets).cleared_value(body["error"])
        raise _refusal(error, http_status=response.status, usage=usage)
    if 200 <= response.status < 300 and body is not None:
        if method == "GET":
            body = SecretScrubber(secrets).cleared_value(body)
        return GraphAnswer(response.status, body, usage)
    said = f"{method} {path}: HTTP {response.status}, {len(raw)} bytes of {response.content_type}"
    if 300 <= response.status < 500 or (response.status >= 500 and method in REPEATABLE_METHODS):
        raise GraphRefused(
            classify(None, None, response.status),
            http_status=response.status,
            title="an answer that is not the Graph API's",
            details=said,
            retry_after_s=usage.retry_after_s,
        )
    raise GraphUnknown(detail=said)


def _refusal(error: dict[str, Any], *, http_status: int, usage: Usage) -> GraphRefused:
    code, subcode = _integer(error.get("code")), _integer(error.get("error_subcode"))
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else data
    details = details or error.get("error_user_msg")
    details = details if isinstance(details, str) else None
    message = error.get("message")
    title = message.removeprefix(f"(#{code})").strip() if isinstance(message, str) else "no message"
    trace_id = error.get("fbtrace_id")
    return GraphRefused(
        classify(code, subcode, http_status, details=details),
        http_status=http_status,
        title=title,
        details=details,
        subcode=subcode,
        fbtrace_id=trace_id if isinstance(trace_id, str) else None,
        retry_after_s=usage.retry_after_s,
    )


def _json_object(raw: bytes) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _integer(value: object) -> int | None:
    """Meta sends numbers; some proxies and mocks send them as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else None


def _failed_to_connect(error: BaseException) -> bool:
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)


def _met_a_closed_connection(error: BaseException) -> bool:
    is_of_the_socket = isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError | ConnectionError)
    return is_of_the_socket and not _failed_to_connect(error)


def _has_bytes(value: str) -> bool:
    try:
        return bool(value.encode())
    except UnicodeEncodeError:
        return False


def _require_open(writer: AbstractStreamWriter) -> None:
    transport = getattr(writer, "transport", None)
    if transport is None or transport.is_closing() or _peer_has_closed(transport):
        raise aiohttp.ClientConnectionResetError("The connection was closed before the request was written")


def _peer_has_closed(transport: asyncio.BaseTransport) -> bool:
    """Has the other side closed its end of this connection, although the event loop has not noticed yet?

    Answers False where it cannot be asked (no POLLRDHUP outside Linux, a transport without a socket).
    """
    sock = transport.get_extra_info("socket")
    if sock is None or not PEER_CLOSED_EVENTS:
        return False
    try:
        poll = select.poll()
        poll.register(sock.fileno(), PEER_CLOSED_EVENTS)
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return True


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
