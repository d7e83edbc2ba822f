"""Sanic's HTTP protocol with a door-keeper: limits on connections, absolute deadlines, a drain that loses nothing.

Process: worker. Sanic's protocol classes carry no types, hence the ignores.
"""

from asyncio import BaseTransport
from typing import Any, Final, NamedTuple, cast

from sanic import Request, Sanic
from sanic.compat import Header
from sanic.exceptions import RequestTimeout
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from services.cluster.door import Door, refusal_answer

KNOWN_HEADER_MAX_BYTES: Final = 4096
"""A longer header is read anew each time: what a connection remembers stays small."""


def use_guarded_protocol(app: Sanic[Any, Any]) -> None:
    """In `main_process_start`: every worker will speak through `GuardedProtocol`. It needs `app.ctx.door` there."""
    for server in app.state.server_info:
        server.settings["protocol"] = GuardedProtocol


class _Head(NamedTuple):
    """The header of a plain request: the bytes, and what Sanic made of them.

    `whole` is all of it with the blank line, `block` what follows the first line, without that.
    """

    whole: bytes
    block: bytes
    method: str
    url: bytes
    headers: Header
    body_size: int | None


class GuardedHttp(Http):
    """Knows when the first byte of the request came: `began_at` on the loop's clock, 0 before it.

    A client that keeps its connection sends the same header again and again: what Sanic made of the last one holds for
    the next one that is the same, byte for byte. Everything else is Sanic's to read.
    """

    __slots__ = ("_last_head", "began_at")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)  # type: ignore[no-untyped-call]
        self._last_head: _Head | None = None

    def init_for_request(self) -> None:
        super().init_for_request()  # type: ignore[no-untyped-call]
        self.began_at = 0.0

    async def http1_request_header(self) -> None:
        """Sanic's, or the short way where the header is known: all of it, or all but the first line."""
        buffer: bytearray = self.recv_buffer
        most, last = min(self.HEADER_MAX_SIZE, KNOWN_HEADER_MAX_BYTES), self._last_head
        if last is not None and self.protocol.app.config.KEEP_ALIVE:  # else it drains: this answer is the last one here
            if buffer.startswith(last.whole):
                self._begin_known(last)
                return
            end = buffer.find(b"\r\n\r\n", 0, most)
            line_end = buffer.find(b"\r\n", 0, max(0, end))
            if line_end > 0 and buffer[line_end:end] == last.block:
                head = _with_first_line(last, bytes(buffer[: end + 4]), line_end)
                if head is not None:
                    self._last_head = head
                    self._begin_known(head)
                    return
        end = buffer.find(b"\r\n\r\n", 0, most)
        whole = bytes(buffer[: end + 4]) if end > 0 else b""
        self._last_head = None
        await super().http1_request_header()  # type: ignore[no-untyped-call]
        self._last_head = self._head(whole)

    def _head(self, whole: bytes) -> _Head | None:
        """What was read just now, if it is worth remembering: nothing in it depends on more than these bytes."""
        request = self.request
        line_end = whole.find(b"\r\n")
        is_plain = (
            line_end > 0
            and request.version == "1.1"
            and self.keep_alive
            and not self.upgrade_websocket
            and not self.expecting_continue
            and cast(Any, self.request_body) != "chunked"
        )
        if not is_plain:
            return None
        head = _Head(
            whole=whole,
            block=whole[line_end:-4],
            method="",
            url=b"",
            headers=Header(request.headers),
            body_size=self.request_bytes if self.request_body else None,
        )
        return _with_first_line(head, whole, line_end)

    def _begin_known(self, head: _Head) -> None:
        """As Sanic does with a header that it has read."""
        protocol = cast(Any, self.protocol)
        request = protocol.request_class(
            url_bytes=head.url,
            headers=Header(head.headers),
            head=head.whole[:-4],
            version="1.1",
            method=head.method,
            transport=protocol.transport,
            app=protocol.app,
        )
        protocol.request_class._current.set(request)
        self.keep_alive, self.url, self.head_only = True, head.url.decode(), head.method.upper() == "HEAD"
        self.request_bytes_left = self.request_bytes = head.body_size or 0
        this = cast(Any, self)  # Sanic's own types are narrower than its values
        this.request_body = True if head.body_size is not None else None
        del self.recv_buffer[: len(head.whole)]
        this.request, request.stream = request, self
        protocol.state["requests_count"] += 1

    def whole_body(self) -> bytes | None:
        """The body, when all of it has come and it is not too large. None: it is to be read in pieces."""
        buffer, size = cast(bytearray, self.recv_buffer), self.request_bytes_left or 0
        is_sized = cast(Any, self.request_body) is True and not self.expecting_continue
        if not is_sized or size != self.request_bytes or size > min(len(buffer), self.request_max_size or 0):
            return None
        body = bytes(buffer[:size])
        del buffer[:size]
        self.request_body, self.request_bytes_left = None, 0
        return body

    @property
    def takes_whole_answers(self) -> bool:
        """Nothing has been sent for this request, and its answer has a body."""
        return self.stage is Stage.HANDLER and not (
            self.head_only or self.expecting_continue or self.protocol.access_log
        )

    async def answer_whole(self, answer: bytes, *, size: int) -> None:
        """Send head and body. `size`: of the body, in bytes."""
        cast(Any, self).response_func = None
        self.response_size = size
        await self._send(answer)
        self.stage = Stage.IDLE


def _with_first_line(head: _Head, whole: bytes, line_end: int) -> _Head | None:
    """The same header after another first line. None: that line is Sanic's to judge."""
    words = whole[:line_end].split(b" ")
    if len(words) != 3 or words[2] != b"HTTP/1.1" or not (words[0].isascii() and words[1].isascii()):
        return None
    return head._replace(whole=whole, method=words[0].decode(), url=words[1])


class GuardedRequest(Request):
    """A request whose body, as a rule, came in one piece with its header. Handlers that stream read for themselves."""

    __slots__ = ()

    async def receive_body(self) -> None:
        """Sanic's, or the short way."""
        stream = self.stream
        body = stream.whole_body() if isinstance(stream, GuardedHttp) else None
        if body is None:
            await super().receive_body()  # type: ignore[no-untyped-call]
        else:
            self.body = body


class GuardedProtocol(WebSocketProtocol):
    """One connection. Without a door in `app.ctx` (a test client) it is Sanic's own."""

    HTTP_CLASS = GuardedHttp
    __slots__ = ("_address", "_door", "_is_refused", "is_expired")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_class = GuardedRequest
        self._door: Door | None = getattr(self.app.ctx, "door", None)
        self._address = ""
        self._is_refused = False
        self.is_expired = False

    def connection_made(self, transport: BaseTransport) -> None:
        if self._door is not None:
            peer = transport.get_extra_info("peername")
            self._address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
            code = self._door.refusal(self._address)
            if code is not None:
                self._is_refused = True
                cast(Any, transport).write(refusal_answer(code))
                transport.close()
                return
            self._door.came(self, self._address)
        super().connection_made(transport)  # type: ignore[no-untyped-call]

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_refused:
            return
        if self._door is not None:
            self._door.went(self, self._address)
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        http = self.http
        if http is not None and not http.began_at and http.stage in (Stage.IDLE, Stage.REQUEST):
            http.began_at = self.loop.time()
        super().data_received(data)  # type: ignore[no-untyped-call]

    @property
    def awaits_client(self) -> bool:
        """Sanic clears this event when it begins to wait for more, and sets it when something comes."""
        return not self._data_received.is_set()

    def expire(self) -> None:
        """Too slow: 408, the same way as Sanic's own timer. The next sweep closes the connection whatever happens.

        Sanic would go on reading the rest of the body, for as long as somebody sends it.
        """
        self.is_expired = True
        if self._task is not None and self.http is not None:
            self.http.exception = RequestTimeout("The request did not arrive in time.")
            self._task.cancel()

    def answer_and_close(self) -> None:
        """Draining: a request that is being handled is the last one here."""
        if self.http is not None and self.websocket is None:
            self.http.keep_alive = False

    def close_if_idle(self) -> bool:
        """Sanic closes idle connections first thing in a drain, with requests on their way. Ours get the window."""
        if self._door is None or self.websocket is not None:
            return bool(super().close_if_idle())  # type: ignore[no-untyped-call]
        self._door.begin_drain(self.loop)
        return False

    def close_if_still_idle(self) -> None:
        """The window is over. A request that has begun is answered first."""
        if self.websocket is None and (self.http is None or self.http.stage is Stage.IDLE):
            self.close()
