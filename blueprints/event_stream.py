"""``/v1/events/stream`` and ``/v1/events/ws``: events as they happen, by server-sent events or WebSocket.

Process: worker.

A browser's EventSource and WebSocket cannot send headers. For these two paths, and no other, the key may come as
``access_token`` in the query; it is taken out of the request before anything could log it.
"""

import asyncio
import contextlib
import re
import socket
from datetime import datetime
from typing import Any, cast

import orjson
from httptools import parse_url
from sanic import Blueprint, HTTPResponse, Request, Websocket
from websockets.exceptions import ConnectionClosed

from blueprints.access import require_reach
from blueprints.request_reading import authenticated, number_for, services_of, whole_number, word
from config.errors import Fault, RequestRefused
from services.events import Frame, Goodbye, TypeFilter
from services.keys import NotPermitted, Scope, require

bp = Blueprint("event_stream", url_prefix="/events")

MAX_SEQ = 2**53
MAX_TYPES_LENGTH = 1000
WRITE_BUFFER_BYTES = 32 * 1024
SEND_BUFFER_BYTES = 128 * 1024
ABORT_AFTER_S = 30.0
CLOSE_CODE = {Goodbye.DRAINING: 1001, Goodbye.KEY_REVOKED: 4401}
CLOSE_TRY_LATER = 1013

SSE_HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",
    "content-type": "text/event-stream; charset=utf-8",
}

_ACCESS_TOKEN = re.compile(rb"(^|&)access_token=[^&]*")


@bp.on_request
async def admit(request: Request) -> None:
    """Check every stream before its handshake: caller, number, origin, free places."""
    token = request.args.get("access_token")
    if token is not None:
        _forget_token(request)
        if "authorization" not in request.headers:
            request.headers["authorization"] = f"Bearer {token}"
    services = services_of(request)
    caller = await authenticated(request)
    require(caller, Scope.EVENTS_READ)
    require_reach(request, caller)
    number = await number_for(request, word(request, "phone_number_id"), caller)
    types = [part for part in (word(request, "types", longest=MAX_TYPES_LENGTH) or "").split(",") if part]
    request.ctx.number = number.phone_number_id
    request.ctx.after = _after(request)
    request.ctx.wanted = TypeFilter(types, numbers=caller.numbers)
    services.streams.check_room()


async def may_listen(request: Request, phone_number_id: str) -> datetime | None:
    """Until when may this caller read the events of this number? None: no end is known. Raises when it may not."""
    caller = await authenticated(request)
    require(caller, Scope.EVENTS_READ)
    if not caller.may_use(phone_number_id):
        raise NotPermitted("This API key may not read this number.")
    return caller.ends_at


@bp.get("/stream")
async def stream_events(request: Request) -> HTTPResponse | None:
    """Server-sent events: ``id`` is the number of the event, so a browser resumes by itself."""
    if request.method == "HEAD":
        return HTTPResponse(headers=SSE_HEADERS)
    response = await request.respond(status=200, headers=SSE_HEADERS)
    outlet = SseOutlet(request, response)
    await response.send(b"retry: 1000\n\n")
    await services_of(request).streams.serve(
        request.ctx.number,
        outlet,
        after=request.ctx.after,
        wanted=request.ctx.wanted,
        recheck=lambda: may_listen(request, request.ctx.number),
    )
    await response.eof()
    return None


@bp.websocket("/ws")  # type: ignore[untyped-decorator]  # Sanic gives it no types
async def socket_events(request: Request, websocket: Websocket) -> None:
    """One event a message. What the client says is read and ignored."""
    outlet = SocketOutlet(request, websocket)
    serving = asyncio.create_task(
        services_of(request).streams.serve(
            request.ctx.number,
            outlet,
            after=request.ctx.after,
            wanted=request.ctx.wanted,
            recheck=lambda: may_listen(request, request.ctx.number),
        )
    )
    listening = asyncio.create_task(_until_closed(websocket))
    try:
        await asyncio.wait([serving, listening], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (serving, listening):
            task.cancel()
        results = await asyncio.gather(serving, listening, return_exceptions=True)
    failure = results[0]
    if isinstance(failure, Exception) and not isinstance(failure, ConnectionClosed | ConnectionError):
        with contextlib.suppress(Exception):
            await websocket.close(CLOSE_TRY_LATER, Goodbye.UNAVAILABLE.value)


class SseOutlet:
    """Frames as server-sent events. A goodbye is an event too, with its own name and the place to come back to."""

    def __init__(self, request: Request, response: Any) -> None:
        """``response`` is open."""
        self._transport = request.transport
        self._response = response
        self._told = -1
        _bound_buffer(self._transport)

    async def send(self, frames: list[Frame]) -> None:
        """All of them in one write."""
        await self._response.send(b"".join(frame.sse for frame in frames))
        self._told = frames[-1].seq

    async def beat(self, position: int) -> None:
        """A comment. A reader who filters is also told how far it has come, once it is worth it: an ``id`` alone
        moves a browser's Last-Event-ID and makes no event.
        """
        is_behind = self._told >= 0 and position - self._told >= 200
        await self._response.send(b": beat\nid: %d\n\n" % position if is_behind else b": beat\n\n")
        if is_behind:
            self._told = position

    async def part(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """The last event."""
        await self._response.send(_sse_goodbye(reason, position, retry_ms))

    def cut(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """Into the buffer, in the framing of the response, and close."""
        data = _sse_goodbye(reason, position, retry_ms)
        _leave(self._transport, b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))


class SocketOutlet:
    """Frames as text messages. Heartbeats are the protocol's own pings."""

    def __init__(self, request: Request, websocket: Websocket) -> None:
        """``websocket`` is open."""
        self._transport = request.transport
        self._socket = websocket
        _bound_buffer(self._transport)

    async def send(self, frames: list[Frame]) -> None:
        """One message an event."""
        for frame in frames:
            await self._socket.send(frame.body.decode())

    async def beat(self, position: int) -> None:
        """Nothing: pings do it."""

    async def part(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """A message of its own kind, then a close frame."""
        await self._socket.send(_socket_goodbye(reason, position, retry_ms).decode())
        await self._socket.close(CLOSE_CODE.get(reason, CLOSE_TRY_LATER), reason.value)

    def cut(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """Two frames of RFC 6455 into the buffer, by hand: a text below 126 bytes and a close."""
        said = _socket_goodbye(reason, position, retry_ms)
        code = CLOSE_CODE.get(reason, CLOSE_TRY_LATER).to_bytes(2, "big") + reason.value.encode()
        _leave(self._transport, bytes([0x81, len(said)]) + said + bytes([0x88, len(code)]) + code)


def _after(request: Request) -> int | None:
    """Where to go on: a browser's own header wins, since it knows more than the URL that it was opened with."""
    header = request.headers.get("last-event-id")
    if header:
        if not header.isascii() or not header.isdigit() or len(header) > 16:
            raise RequestRefused(faults=[Fault("Last-Event-ID", "must be the number of an event")])
        return int(header)
    if "after" not in request.args:
        return None
    return whole_number(request, "after", 0, least=0, most=MAX_SEQ)


def _forget_token(request: Request) -> None:
    """Rewrite the URL without the token: Sanic logs URLs of requests that were cut off."""
    raw: bytes = request.raw_url
    path, mark, query = raw.partition(b"?")
    rest = _ACCESS_TOKEN.sub(b"", query).lstrip(b"&")
    request.raw_url = path + (mark + rest if rest else b"")
    cast(Any, request)._parsed_url = parse_url(request.raw_url)
    request.parsed_args.clear()
    request.parsed_not_grouped_args.clear()


async def _until_closed(websocket: Websocket) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await websocket.recv()


def _bound_buffer(transport: Any) -> None:
    """What one reader can hold back, here and in the kernel: a thousand that do not read must not fill the memory."""
    with contextlib.suppress(AttributeError, NotImplementedError, OSError):
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def _leave(transport: Any, data: bytes) -> None:
    """Write without waiting, close when the client has read it, or in a while whether it has or not."""
    if transport is None or transport.is_closing():
        return
    transport.write(data)
    transport.close()
    asyncio.get_running_loop().call_later(ABORT_AFTER_S, transport.abort)


def _sse_goodbye(reason: Goodbye, position: int, retry_ms: int) -> bytes:
    said = _socket_goodbye(reason, position, retry_ms)
    return b"id: %d\nevent: goodbye\nretry: %d\ndata: %s\n\n" % (position, retry_ms, said)


def _socket_goodbye(reason: Goodbye, position: int, retry_ms: int) -> bytes:
    return orjson.dumps({"type": "goodbye", "reason": reason.value, "after": position, "retry_ms": retry_ms})
