"""Sanic's HTTP protocol with a connection tracker-keeper: limits on connections, absolute deadlines, a drain that
loses nothing.

Process: worker. Sanic's protocol classes carry no types, hence the ignores.
"""

import logging
import time
import uuid
from asyncio import BaseTransport, CancelledError
from typing import Any, Final, NamedTuple, cast

from sanic import Request, Sanic
from sanic.compat import Header
from sanic.exceptions import RequestTimeout
from sanic.http.constants import Stage

from config.errors import PanalError
from services.http_server.connection_limits import ConnectionTracker, TooManyConnections
from services.http_server.fast_path import FastRoute, FindFastRoute, LeaveFastPath, PendingAnswer
from services.http_server.forwarded import NOBODY, TrustedProxies, origin_of, peer_of
from services.http_server.framing import END
from services.http_server.half_closed import HalfClosedProtocol
from services.http_server.header_cache import MAX_BYTES, HeaderCache, read_by, remember
from services.http_server.refusal import refusal_answer
from services.http_server.request_id import REQUEST_ID_HEADER, request_id_of
from services.http_server.strict_http import StrictHttp
from services.http_server.websocket import handshake_request, stop_listening

logger = logging.getLogger(__name__)

CLIENT_CLOSED: Final = 499
"""Counted for a request whose client went before its answer."""


def use_panal_protocol(app: Sanic[Any, Any]) -> None:
    """In `main_process_start`: every worker will speak through `GuardedProtocol`.

    It needs `app.ctx.connections` there.
    """
    for server in app.state.server_info:
        server.settings["protocol"] = PanalProtocol


class PanalHttp(StrictHttp):
    """Knows when the first byte of the request came: `began_at` on the loop's clock, 0 before it.

    A client that keeps its connection sends nearly the same header again and again: what Sanic made of the last one
    holds for the next one, line by line. Everything else is Sanic's to read.
    """

    __slots__ = ("began_at", "known")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self.known: HeaderCache | None = None

    def init_for_request(self) -> None:
        super().init_for_request()  # type: ignore[no-untyped-call]
        self.began_at = 0.0

    async def http1_request_header(self) -> None:
        """Sanic's, or the fast path where the header is known but for single lines."""
        buffer: bytearray = self.recv_buffer
        if self.known is not None and self.protocol.app.config.KEEP_ALIVE:  # else it drains: this answer is the last
            header = read_by(self.known, buffer)
            if header is not None:
                self.known = header
                self._begin_known(header)
                return
        end = buffer.find(END, 0, MAX_BYTES)
        whole = bytes(buffer[: end + len(END)]) if end > 0 else b""
        self.known = None
        await super().http1_request_header()
        if whole and self._is_plain():
            self.known = remember(
                whole, self.request.headers, body_size=self.request_bytes if self.request_body else None
            )

    def _is_plain(self) -> bool:
        """Nothing in how this request is to be read depends on more than its header."""
        return (
            self.request.version == "1.1"
            and self.keep_alive
            and not self.upgrade_websocket
            and not self.expecting_continue
            and cast(Any, self.request_body) != "chunked"
        )

    def _begin_known(self, header: HeaderCache) -> None:
        """As Sanic does with a header that it has read."""
        protocol = cast(Any, self.protocol)
        request = protocol.request_class(
            url_bytes=header.url,
            headers=Header(header.pairs),
            head=header.whole[: -len(END)],
            version="1.1",
            method=header.method,
            transport=protocol.transport,
            app=protocol.app,
        )
        protocol.request_class._current.set(request)
        self.keep_alive, self.url, self.head_only = True, header.url.decode(), header.method.upper() == "HEAD"
        self.request_bytes_left = self.request_bytes = header.body_size or 0
        this = cast(Any, self)  # Sanic's own types are narrower than its values
        this.request_body = True if header.body_size else None
        del self.recv_buffer[: len(header.whole)]
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
        """Nothing has been sent for this request, its body was read, and its answer has a body."""
        return self.stage is Stage.HANDLER and not (
            self.head_only
            or self.request_body
            or self.expecting_continue
            or self.protocol.access_log
            or cast(Any, self.protocol).is_half_closed
        )

    async def answer_whole(self, answer: bytes, *, size: int) -> None:
        """Send head and body. `size`: of the body, in bytes."""
        cast(Any, self).response_func = None
        self.response_size = size
        await self._send(answer)
        self.stage = Stage.IDLE


class PanalRequest(Request):
    """A request whose body, as a rule, came in one piece with its header. Handlers that stream read for themselves."""

    __slots__ = ()

    @property
    def id(self) -> uuid.UUID | str:
        """The client's `X-Request-ID` where it is one that a log and an answer can hold, else our own."""
        if self._id is None:
            self._id = request_id_of(self.headers.getone(REQUEST_ID_HEADER, None))
        return cast(uuid.UUID | str, self._id)

    @property
    def path(self) -> str:
        """Sanic's; `http://host` without a path is `/` (RFC 9112, 3.2.2), where Sanic has None."""
        path: bytes | None = self._parsed_url.path
        return "/" if path is None else path.decode()

    async def receive_body(self) -> None:
        """Sanic's, or the short route."""
        stream = self.stream
        body = stream.whole_body() if isinstance(stream, PanalHttp) else None
        if body is None:
            await super().receive_body()  # type: ignore[no-untyped-call]
        else:
            self.body = body


class _FastRequest(NamedTuple):
    """A request on the short route: its bytes, should it have to take Sanic's path after all."""

    route: FastRoute
    pending: PendingAnswer
    began: float
    header: HeaderCache
    data: bytes


class _Failure(NamedTuple):
    """What a request met on the fast path, after it had pending."""

    error: BaseException
    began: float


class PanalProtocol(HalfClosedProtocol):
    """One connection. Without a connection tracker in `app.ctx` (a test client) it is Sanic's own; without
    `find_fast_route` all is.
    """

    HTTP_CLASS = PanalHttp
    __slots__ = (
        *("_address", "_connections", "_failure", "_find_fast_route", "_is_refused", "_proxies", "_fast_request"),
        *("is_expired", "silent_since"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_class = PanalRequest
        self._connections: ConnectionTracker | None = getattr(self.app.ctx, "connections", None)
        self._proxies: TrustedProxies = getattr(self.app.ctx, "proxies", NOBODY)
        self._address = ""
        self._is_refused = False
        self.is_expired = False
        self.silent_since: float | None = None
        self._find_fast_route: FindFastRoute | None = getattr(self.app.ctx, "find_fast_route", None)
        self._fast_request: _FastRequest | None = None
        self._failure: _Failure | None = None
        self.request_handler = self._handle_request

    def connection_made(self, transport: BaseTransport) -> None:
        if self._connections is not None:
            self._address = peer_of(transport)
            code = self._connections.refusal(self._address)
            if code is not None:
                self._is_refused = True
                cast(Any, transport).write(refusal_answer(code))
                transport.close()
                return
            self._connections.opened(self, self._address)
        self.silent_since = self.loop.time()
        super().connection_made(transport)  # type: ignore[no-untyped-call]

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_refused:
            return
        if self._connections is not None:
            self._connections.closed(self, self._address)
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self.silent_since = None
        if self._fast_request is not None:
            self._hold(data)
            return
        http = self.http
        if http is not None:
            if http.owed_bytes:
                data = http.without_owed(data)
                if not data:
                    return
            if http.stage is Stage.IDLE and self._find_fast_route is not None and self._takes_fast_path(http, data):
                return
            if not http.began_at and http.stage in (Stage.IDLE, Stage.REQUEST):
                http.began_at = self.loop.time()
        super().data_received(data)  # type: ignore[no-untyped-call]

    sanic_request_to_ws_request = staticmethod(handshake_request)

    async def websocket_handshake(self, request: Request, subprotocols: Any = None) -> Any:
        websocket = await super().websocket_handshake(request, subprotocols)
        stop_listening(websocket)
        return websocket

    def _takes_fast_path(self, http: PanalHttp, data: bytes) -> bool:
        """Is it a whole request that a way takes on? Only while the connection's task waits for one."""
        known = http.known
        if (
            known is None
            or http.request_body
            or self._data_received.is_set()
            or self.recv_buffer
            or not http.keep_alive
            or not self._can_write.is_set()
        ):
            return False
        header = read_by(known, data)
        if header is None or len(data) != len(header.whole) + (header.body_size or 0):
            return False
        route = cast(FindFastRoute, self._find_fast_route)(header.lines[0])
        if route is None or (header.body_size or 0) > self.request_max_size:
            return False
        began = time.perf_counter()
        try:
            pending = route.begin(header, data[len(header.whole) :])
        except PanalError:
            return False  # Sanic's path meets it again, and tells it
        except Exception:
            logger.exception("A fast path failed; Sanic's path answers.", extra={"action": "request.bug"})
            return False
        if pending is None:
            return False
        http.known, http.stage = header, Stage.HANDLER
        self._time = time.monotonic()  # Sanic's timers go by it
        self.state["requests_count"] += 1
        self._fast_request = _FastRequest(route, pending, began, header, data)
        pending.done.add_done_callback(self._answer_fast)
        return True

    def _hold(self, data: bytes) -> None:
        """What comes before the answer is out waits for it, as it would in Sanic's route."""
        self.recv_buffer += data
        if len(self.recv_buffer) >= self.app.config.REQUEST_BUFFER_SIZE and self.transport:
            self.transport.pause_reading()

    def _answer_fast(self, _: Any) -> None:
        fast, self._fast_request = cast(_FastRequest, self._fast_request), None
        http, transport = self.http, self.transport
        if http is None or transport is None or transport.is_closing():
            self._count(fast, CLIENT_CLOSED)
            return
        http.stage = Stage.IDLE
        try:
            answer = fast.pending.result()
        except (Exception, CancelledError) as error:
            self._failure = None if isinstance(error, LeaveFastPath) else _Failure(error, fast.began)
            self.recv_buffer[:0] = fast.data
            self._data_received.set()
            return
        if self.app.ctx.life.should_close() or (self.is_half_closed and not self.recv_buffer):
            http.keep_alive = False
        self._count(fast, answer.status)
        connection = b"keep-alive" if http.keep_alive else b"close"
        head, body = answer.head, answer.body
        transport.write(b"%bcontent-length: %d\r\nconnection: %b\r\n\r\n%b" % (head, len(body), connection, body))
        self._time = time.monotonic()
        if not http.keep_alive:
            self.close()
        elif self.recv_buffer:
            self._data_received.set()

    def _count(self, fast: _FastRequest, status: int) -> None:
        self.app.ctx.life.answered(
            fast.route.method,
            fast.route.route,
            path=fast.header.url.decode(),
            status=status,
            seconds=time.perf_counter() - fast.began,
            key_id=fast.pending.key_id,
            given_request_id=fast.header.value(REQUEST_ID_HEADER),
            client=lambda: self._proxies.origin(self._address, fast.header.pairs).address,
        )

    async def _handle_request(self, request: Request) -> None:
        """Sanic's, or the failure that the fast path met."""
        failure, self._failure = self._failure, None
        if failure is None:
            await self._handle_for_client(request)
            return
        request.route, _, _ = self.app.router.get(request.path, request.method, None)
        cast(Any, request.stream).perft0 = failure.began
        await self.app.handle_exception(request, failure.error)

    def eof_received(self) -> bool | None:
        if self._is_refused:
            return False
        if self._fast_request is not None and self._owes_answer():  # nobody else is to wake the connection's task
            self.is_half_closed = True
            return True
        return super().eof_received()

    async def _handle_for_client(self, request: Request) -> None:
        """Sanic's. A proxy's connection is counted for the client whose request is on it, for as long as it is."""
        door = self._connections
        if (
            door is None
            or not self._proxies.trusts(self._address)
            or (client := origin_of(request).address) == self._address
        ):
            await self.app.handle_request(request)
            return
        if not door.takes(client):
            await self.app.handle_exception(request, TooManyConnections())
            return
        door.count(client, 1)
        try:
            await self.app.handle_request(request)
        finally:
            door.count(client, -1)

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
        """Sanic closes idle connections first thing in a drain, with requests on their route. Ours get the window."""
        if self._connections is None or self.websocket is not None:
            return bool(super().close_if_idle())  # type: ignore[no-untyped-call]
        self._connections.begin_drain(self.loop)
        return False

    def close_if_still_idle(self) -> None:
        """The window is over. A request that has pending is answered first."""
        if self.websocket is None and (self.http is None or self.http.stage is Stage.IDLE):
            self.close()
