"""Half-closed connections: a client that closes its writing side still gets the answers to what it sent.

Process: worker.
"""

from asyncio import CancelledError
from typing import Any, Final, cast

from sanic.exceptions import BadRequest
from sanic.http.constants import Stage
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

LIVE_STREAM_TYPE: Final = "text/event-stream"


class HalfClosedProtocol(WebSocketProtocol):
    """Sanic's own protocol would close both sides at once and cancel the handler."""

    __slots__ = ("is_half_closed",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_half_closed = False

    def eof_received(self) -> bool | None:
        """The client sends no more. True: keep the connection until its answers have left.

        A client that hung up looks the same until we write, so a live stream is not kept.
        """
        if self.websocket is not None:
            return super().eof_received()
        self.is_half_closed = True
        if not self._owes_answer():
            return False
        self._data_received.set()
        return True

    async def receive_more(self) -> None:
        """Wait for more data. Once the client sends no more, an incomplete request is refused; an idle connection ends.

        Raises ``BadRequest``, and ``CancelledError``, which ends the task of the connection silently.
        """
        buffer, http = self.recv_buffer, cast(Any, self.http)
        had = len(buffer)
        if not self.is_half_closed:  # Sanic's own three lines: one coroutine less for every wait
            cast(Any, self.transport).resume_reading()
            self._data_received.clear()
            await self._data_received.wait()
        if self.is_half_closed and len(buffer) == had:
            if http.stage in (Stage.REQUEST, Stage.HANDLER):
                http.keep_alive = False
                raise BadRequest("The request ended before all of it was here.")
            raise CancelledError

    def _owes_answer(self) -> bool:
        transport, http = cast(Any, self.transport), cast(Any, self.http)
        if transport is None or transport.get_extra_info("sslcontext") is not None:
            return False  # TLS has no half-closed connections in asyncio
        if http is None or http.stage is Stage.IDLE:
            return self._task is not None and bool(self.recv_buffer)
        if http.stage is Stage.RESPONSE:
            return not http.response.headers.get("content-type", "").startswith(LIVE_STREAM_TYPE)
        return http.stage in (Stage.REQUEST, Stage.HANDLER)
