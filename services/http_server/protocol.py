"""Sanic's HTTP protocol with connection limits, absolute deadlines, the fast path, and a drain that loses no request.

Process: worker. Sanic's protocol classes carry no types, hence the ignores.
"""

import logging
import time
from asyncio import BaseTransport, CancelledError
from typing import Any, Final, NamedTuple, cast

from sanic import Request, Sanic
from sanic.exceptions import RequestTimeout
from sanic.http.constants import Stage

from config.errors import PanalError
from services.http_server.connection_limits import ConnectionTracker, TooManyConnections
from services.http_server.fast_path import FastRoute, FindFastRoute, LeaveFastPath, PendingAnswer
from services.http_server.forwarded import NOBODY, TrustedProxies, origin_of, peer_of
from services.http_server.half_closed import HalfClosedProtocol
from services.http_server.header_cache import HeaderCache, read_with
from services.http_server.http1 import PanalHttp, PanalRequest
from services.http_server.refusal import refusal_answer
from services.http_server.request_id import REQUEST_ID_HEADER
from services.http_server.websocket import handshake_request, stop_listening

logger = logging.getLogger(__name__)

CLIENT_CLOSED: Final = 499
"""Status in logs and metrics of a request whose client disconnected before its answer."""


def use_panal_protocol(app: Sanic[Any, Any]) -> None:
    """Call it in `main_process_start`: every worker will use `PanalProtocol`, with `app.ctx.connections` of its own."""
    for server in app.state.server_info:
        server.settings["protocol"] = PanalProtocol


class _FastRequest(NamedTuple):
    """A request on the fast path. ``data`` keeps its bytes: it may still have to take Sanic's path."""

    route: FastRoute
    pending: PendingAnswer
    began: float
    header: HeaderCache
    data: bytes


class _Failure(NamedTuple):
    """An error on the fast path after the request had begun: Sanic's path renders it."""

    error: BaseException
    began: float


class PanalProtocol(HalfClosedProtocol):
    """One connection.

    Without `app.ctx.connections` (a test client) nothing is limited; without `app.ctx.find_fast_route` every request
    takes Sanic's path.
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
        """Is ``data`` a whole request that a fast route accepts? Only while the connection's task waits for one."""
        cached = http.cached_header
        if (
            cached is None
            or http.request_body
            or self._data_received.is_set()
            or self.recv_buffer
            or not http.keep_alive
            or not self._can_write.is_set()
        ):
            return False
        header = read_with(cached, data)
        if header is None or len(data) != len(header.whole) + (header.body_size or 0):
            return False
        route = cast(FindFastRoute, self._find_fast_route)(header.lines[0])
        if route is None or (header.body_size or 0) > self.request_max_size:
            return False
        began = time.perf_counter()
        try:
            pending = route.begin(header, data[len(header.whole) :])
        except PanalError:
            return False  # Sanic's path meets the same error, and renders it
        except Exception:
            logger.exception("A fast path failed; Sanic's path answers.", extra={"action": "request.bug"})
            return False
        if pending is None:
            return False
        http.cached_header, http.stage = header, Stage.HANDLER
        self._time = time.monotonic()  # Sanic's timers read it
        self.state["requests_count"] += 1
        self._fast_request = _FastRequest(route, pending, began, header, data)
        pending.done.add_done_callback(self._answer_fast)
        return True

    def _hold(self, data: bytes) -> None:
        """Buffer bytes that come before the answer has left, as Sanic's path does."""
        self.recv_buffer += data
        if len(self.recv_buffer) >= self.app.config.REQUEST_BUFFER_SIZE and self.transport:
            self.transport.pause_reading()

    def _answer_fast(self, _: Any) -> None:
        fast_request, self._fast_request = cast(_FastRequest, self._fast_request), None
        http, transport = self.http, self.transport
        if http is None or transport is None or transport.is_closing():
            self._count(fast_request, CLIENT_CLOSED)
            return
        http.stage = Stage.IDLE
        try:
            answer = fast_request.pending.result()
        except (Exception, CancelledError) as error:
            self._failure = None if isinstance(error, LeaveFastPath) else _Failure(error, fast_request.began)
            self.recv_buffer[:0] = fast_request.data
            self._data_received.set()
            return
        if self.app.ctx.life.should_close() or (self.is_half_closed and not self.recv_buffer):
            http.keep_alive = False
        self._count(fast_request, answer.status)
        connection = b"keep-alive" if http.keep_alive else b"close"
        head, body = answer.head, answer.body
        transport.write(b"%bcontent-length: %d\r\nconnection: %b\r\n\r\n%b" % (head, len(body), connection, body))
        self._time = time.monotonic()
        if not http.keep_alive:
            self.close()
        elif self.recv_buffer:
            self._data_received.set()

    def _count(self, fast_request: _FastRequest, status: int) -> None:
        self.app.ctx.life.answered(
            fast_request.route.method,
            fast_request.route.pattern,
            path=fast_request.header.url.decode(),
            status=status,
            seconds=time.perf_counter() - fast_request.began,
            key_id=fast_request.pending.key_id,
            given_request_id=fast_request.header.value(REQUEST_ID_HEADER),
            client=lambda: self._proxies.origin(self._address, fast_request.header.pairs).address,
        )

    async def _handle_request(self, request: Request) -> None:
        """Handle the request as Sanic does, or render the error that it met on the fast path."""
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
        if self._fast_request is not None and self._owes_answer():  # its answer wakes the connection's task
            self.is_half_closed = True
            return True
        return super().eof_received()

    async def _handle_for_client(self, request: Request) -> None:
        """Handle the request as Sanic does. One of a trusted proxy counts against the limit of its client meanwhile."""
        connections = self._connections
        if (
            connections is None
            or not self._proxies.trusts(self._address)
            or (client := origin_of(request).address) == self._address
        ):
            await self.app.handle_request(request)
            return
        if not connections.has_room_for(client):
            await self.app.handle_exception(request, TooManyConnections())
            return
        connections.count(client, 1)
        try:
            await self.app.handle_request(request)
        finally:
            connections.count(client, -1)

    @property
    def awaits_client(self) -> bool:
        """Is it the client's turn? Sanic clears this event when it waits for data, and sets it when data comes."""
        return not self._data_received.is_set()

    def expire(self) -> None:
        """Answer 408 as Sanic's own timer does. The next sweep aborts the connection in any case.

        Otherwise Sanic would read the rest of the body for as long as the client sends it.
        """
        self.is_expired = True
        if self._task is not None and self.http is not None:
            self.http.exception = RequestTimeout("The request did not arrive in time.")
            self._task.cancel()

    def answer_and_close(self) -> None:
        """While draining: the request that is being handled is the last one of this connection."""
        if self.http is not None and self.websocket is None:
            self.http.keep_alive = False

    def close_if_idle(self) -> bool:
        """Keep idle connections open for the drain's window: Sanic would cut requests that are just arriving."""
        if self._connections is None or self.websocket is not None:
            return bool(super().close_if_idle())  # type: ignore[no-untyped-call]
        self._connections.begin_drain(self.loop)
        return False

    def close_if_still_idle(self) -> None:
        """The window is over: close the connection unless a request has begun, which is answered first."""
        if self.websocket is None and (self.http is None or self.http.stage is Stage.IDLE):
            self.close()
