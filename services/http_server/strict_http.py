"""HTTP/1.1 with one rule more than Sanic's: if the end of a request is not certain, the connection closes.

Process: worker. Sanic's classes carry no types, hence the ignores.

An answer may leave before the whole body of its request is here: 404, 405, 415, a GET with a body. The rest of the body
is then **owed**. A small rest of known length is dropped as it comes; in any other case the answer closes the
connection, and says so.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from time import perf_counter
from typing import Any, Final, cast

from sanic.exceptions import BadRequest, PayloadTooLarge, SanicException
from sanic.http import Http
from sanic.http.constants import Stage

from services.http_server.framing import (
    CHUNK_LINE_BYTES,
    END,
    MalformedRequest,
    checked_header,
    chunk_size,
    has_bare_break,
)

OWED_BYTES: Final = 64 * 1024
"""The largest rest of a body for which a connection is kept."""
LINGER_S: Final = 10.0
LINGER_BYTES: Final = 128 * 1024 * 1024
"""How long, and how many bytes, we read from a client that goes on sending after its last answer.

Closing a socket with unread data sends a reset, which can overtake the answer.
"""
_CHUNKED: Final = "chunked"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class StrictHttp(Http):
    """``owed_bytes``: bytes still to come of the request answered last; ``without_owed`` drops them."""

    __slots__ = ("_lingers", "owed_bytes", "owed_since")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)  # type: ignore[no-untyped-call]
        self.owed_bytes = 0
        self.owed_since = 0.0
        self._lingers = False

    async def http1(self) -> None:
        """Run Sanic's loop over the requests of a connection, then give the client time to read its last answer."""
        await super().http1()  # type: ignore[no-untyped-call]
        if self._lingers:
            await self._linger()

    async def http1_request_header(self) -> None:
        """Check the header, then parse it as Sanic does. Raises ``BadRequest`` and ``PayloadTooLarge``."""
        buffer = cast(bytearray, self.recv_buffer)
        end = await self._header_end()
        head = bytes(buffer[:end])
        try:
            checked = checked_header(head)
        except MalformedRequest as error:
            raise BadRequest(str(error)) from error
        if checked is not head:
            buffer[: len(head)] = checked
        await super().http1_request_header()  # type: ignore[no-untyped-call]
        if self._body is True and not self.request_bytes:
            self._body, self.expecting_continue = None, False
        if any(word.strip().lower() == "close" for word in self._connection_words()):
            self.keep_alive = False

    async def read(self) -> bytes | None:
        """Return the next piece of the body; None after the last. Raises ``BadRequest`` and ``PayloadTooLarge``."""
        if not self._body:
            return None
        self._check_size()
        if self.expecting_continue:
            self.expecting_continue = False
            await self._send(_CONTINUE)
        if self._body == _CHUNKED and not self.request_bytes_left:
            await self._begin_chunk()
            self._check_size()
        if not self.request_bytes_left:
            self._body = None
            return None
        buffer = cast(bytearray, self.recv_buffer)
        if not buffer:
            await self._receive_more()
        data = bytes(buffer[: self.request_bytes_left])
        del buffer[: len(data)]
        self.request_bytes_left -= len(data)
        return data

    def http1_response_header(self, data: bytes, end_stream: bool) -> Coroutine[Any, Any, None]:
        """Decide what becomes of an unread body, then return Sanic's coroutine, which sends the header."""
        self.settle_body()
        if cast(Any, self.protocol).is_half_closed and not self.recv_buffer:
            self.keep_alive = False
        return super().http1_response_header(data, end_stream)

    async def head_response_ignored(self, data: bytes, end_stream: bool) -> None:  # type: ignore[override]
        """Sanic's plain function as a coroutine: Sanic awaits it, and a streamed answer to HEAD would fail."""
        super().head_response_ignored(data, end_stream)

    def settle_body(self) -> None:
        """Before an answer leaves: drop the rest of the request's body, or make this answer the last one.

        The handler can read no more after it.
        """
        if not self._body:
            return
        is_certain = self._body is True and not self.expecting_continue
        self._body, self.expecting_continue = None, False
        if is_certain:
            buffer = cast(bytearray, self.recv_buffer)
            here = min(len(buffer), self.request_bytes_left or 0)
            left = (self.request_bytes_left or 0) - here
            if self.keep_alive and left <= OWED_BYTES:
                del buffer[:here]
                self.owed_bytes, self.owed_since = left, self.protocol.loop.time()
                return
            is_certain = not left
        self.keep_alive = False
        self._lingers = not is_certain

    def without_owed(self, data: bytes) -> bytes:
        """Return ``data`` without the bytes that belong to the request already answered."""
        taken = min(len(data), self.owed_bytes)
        self.owed_bytes -= taken
        return data[taken:]

    async def error_response(self, exception: Exception) -> None:
        """Send an error as Sanic does. A refused header counts as a request in metrics and access log."""
        if self.stage is Stage.REQUEST:
            self._lingers = True
            self.perft0 = self.perft0 or perf_counter()
        await super().error_response(exception)

    def create_empty_request(self) -> None:
        """Sanic's, without a URL that cannot be parsed: it would raise again, and no answer would leave."""
        try:
            super().create_empty_request()
        except SanicException:
            self.url = None
            super().create_empty_request()

    @property
    def _body(self) -> Any:
        """``True``, "chunked" or None; Sanic's own type is narrower than its values."""
        return self.request_body

    @_body.setter
    def _body(self, value: Any) -> None:
        self.request_body = value

    def _connection_words(self) -> list[str]:
        return ",".join(self.request.headers.getall("connection", ())).split(",")

    def _check_size(self) -> None:
        if (self.request_bytes or 0) > self.request_max_size:
            self.keep_alive = False
            raise PayloadTooLarge("Request body exceeds the size limit")

    async def _header_end(self) -> int:
        """Wait for the blank line and return its position. Bytes that cannot become a header are refused at once."""
        buffer, seen = cast(bytearray, self.recv_buffer), 0
        while (end := buffer.find(END, max(0, seen - 3))) < 0:
            if has_bare_break(buffer, seen):
                raise BadRequest("A header holds a NUL, or a line break that is not CR LF.")
            seen = len(buffer)
            if seen >= self.HEADER_MAX_SIZE:
                break
            await self._receive_more()
        if end >= self.HEADER_MAX_SIZE or end < 0:
            raise PayloadTooLarge("Request header exceeds the size limit")
        return end

    async def _begin_chunk(self) -> None:
        """Read the line before the next chunk, and the blank line after the last one. Trailers are refused."""
        buffer = cast(bytearray, self.recv_buffer)
        while (end := buffer.find(b"\n", 2)) < 0 and len(buffer) <= CHUNK_LINE_BYTES:
            await self._receive_more()
        try:
            size = chunk_size(bytes(buffer[: end + 1]))
            del buffer[: end + 1]
            while not size and len(buffer) < len(END) // 2:
                await self._receive_more()
            if not size and not buffer.startswith(b"\r\n"):
                raise MalformedRequest("A chunked body ends with an empty line; trailers are not taken.")
        except MalformedRequest as error:
            self.keep_alive = False
            raise BadRequest(str(error)) from error
        if not size:
            del buffer[:2]
        self.request_bytes_left = size
        self.request_bytes = (self.request_bytes or 0) + size

    async def _linger(self) -> None:
        """Send no more; read and drop what still comes until the client has gone."""
        transport, buffer = self.protocol.transport, cast(bytearray, self.recv_buffer)
        if transport is None or transport.is_closing():
            return
        if transport.can_write_eof():
            transport.write_eof()
        left = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while left > 0 and not transport.is_closing():
                    left -= len(buffer)
                    buffer.clear()
                    await self._receive_more()
