"""The WebSocket only sends: what a client sends is checked and dropped.

Process: worker. Source: RFC 6455, 7.4.1 (close codes) and 8.1 (text is UTF-8, whatever frames it comes in).
"""

import codecs
from typing import Any, Final

from sanic import Request
from sanic.server.websockets.frame import WebsocketFrameAssembler
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as HandshakeRequest

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""A longer message closes the connection with 1009; Sanic would buffer 1 MiB of each."""
_NEEDED: Final = frozenset({"connection", "host", "origin", "upgrade"})
_DECODER: Final = codecs.getincrementaldecoder("utf-8")


def handshake_request(request: Request) -> HandshakeRequest:
    """Return the request for the handshake, with only the headers that it needs: others may hold any bytes.

    The library expects one byte a character (RFC 9110, 5.5); Sanic decodes headers as UTF-8.
    """
    needed = [
        (name, value.encode("utf-8", "surrogateescape").decode("latin-1"))
        for name, value in request.headers.items()
        if name in _NEEDED or name.startswith("sec-websocket-")
    ]
    return HandshakeRequest(path=request.path, headers=Headers(needed))


def stop_listening(websocket: WebsocketImplProtocol) -> None:
    """Check and drop every message from now on. Call it once the connection is open."""
    websocket.assembler = _Dropping(websocket)


class _Dropping(WebsocketFrameAssembler):
    """Takes every frame and keeps none; a frame against the protocol closes the connection at once."""

    __slots__ = ("_text",)

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self._text = _DECODER()

    async def put(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "Text only.")
            return
        if frame.opcode is Opcode.TEXT:
            self._text.reset()
        elif frame.opcode is not Opcode.CONT:
            return  # a ping: it has been answered
        try:
            self._text.decode(bytes(frame.data), frame.fin)
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "Text must be UTF-8.")

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.protocol.fail_connection(int(code), reason)
        if self.protocol.recv_cancel is not None:
            self.protocol.recv_cancel.cancel()  # the close need not wait for the client
