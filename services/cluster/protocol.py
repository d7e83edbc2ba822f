"""Sanic's HTTP protocol with a door-keeper: limits on connections, absolute deadlines, a drain that loses nothing.

Process: worker. Sanic's protocol classes carry no types, hence the ignores.
"""

from asyncio import BaseTransport
from typing import Any, cast

from sanic import Sanic
from sanic.exceptions import RequestTimeout
from sanic.http import Http
from sanic.http.constants import Stage
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from services.cluster.door import Door, refusal_answer


def use_guarded_protocol(app: Sanic[Any, Any]) -> None:
    """In `main_process_start`: every worker will speak through `GuardedProtocol`. It needs `app.ctx.door` there."""
    for server in app.state.server_info:
        server.settings["protocol"] = GuardedProtocol


class GuardedHttp(Http):
    """Knows when the first byte of the request came: `began_at` on the loop's clock, 0 before it."""

    __slots__ = ("began_at",)

    def init_for_request(self) -> None:
        super().init_for_request()  # type: ignore[no-untyped-call]
        self.began_at = 0.0


class GuardedProtocol(WebSocketProtocol):
    """One connection. Without a door in `app.ctx` (a test client) it is Sanic's own."""

    HTTP_CLASS = GuardedHttp
    __slots__ = ("_address", "_door", "_is_refused", "is_expired")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
