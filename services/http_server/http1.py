"""Sanic's HTTP/1.1 for one connection, with the header cache and bodies and answers in one piece.

Process: worker. Sanic's protocol classes carry no types, hence the ignores.
"""

import uuid
from typing import Any, cast

from sanic import Request
from sanic.compat import Header
from sanic.http.constants import Stage

from services.http_server.framing import END
from services.http_server.header_cache import MAX_BYTES, HeaderCache, cache_header, read_with
from services.http_server.request_id import REQUEST_ID_HEADER, request_id_of
from services.http_server.strict_http import StrictHttp


class PanalHttp(StrictHttp):
    """`began_at`: when the first byte of the request came, in seconds of the loop's clock; 0 before it.

    `cached_header`: the last header, if the next one may be parsed with it. Sanic parses everything else.
    """

    __slots__ = ("began_at", "cached_header")

    def __init__(self, protocol: Any) -> None:
        super().__init__(protocol)
        self.cached_header: HeaderCache | None = None

    def init_for_request(self) -> None:
        super().init_for_request()  # type: ignore[no-untyped-call]
        self.began_at = 0.0

    async def http1_request_header(self) -> None:
        """Parse the header with the cached one if only single lines changed, otherwise as `StrictHttp` does."""
        buffer: bytearray = self.recv_buffer
        # Without KEEP_ALIVE the worker drains: this answer is the last one.
        if self.cached_header is not None and self.protocol.app.config.KEEP_ALIVE:
            header = read_with(self.cached_header, buffer)
            if header is not None:
                self.cached_header = header
                self._begin_cached(header)
                return
        end = buffer.find(END, 0, MAX_BYTES)
        whole = bytes(buffer[: end + len(END)]) if end > 0 else b""
        self.cached_header = None
        await super().http1_request_header()
        if whole and self._is_plain():
            self.cached_header = cache_header(
                whole, self.request.headers, body_size=self.request_bytes if self.request_body else None
            )

    def _is_plain(self) -> bool:
        """May the next header be parsed with this one? Not with chunks, an upgrade or `Expect`."""
        return (
            self.request.version == "1.1"
            and self.keep_alive
            and not self.upgrade_websocket
            and not self.expecting_continue
            and cast(Any, self.request_body) != "chunked"
        )

    def _begin_cached(self, header: HeaderCache) -> None:
        """Set up the request as Sanic does after it has parsed a header."""
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
        """Return the body if all of it has come and it is not too large. None: read it in pieces."""
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
        """May ``answer_whole`` be called? Nothing is sent yet, the request's body is read, the answer has a body."""
        return self.stage is Stage.HANDLER and not (
            self.head_only
            or self.request_body
            or self.expecting_continue
            or self.protocol.access_log
            or cast(Any, self.protocol).is_half_closed
        )

    async def answer_whole(self, answer: bytes, *, size: int) -> None:
        """Send an answer, head and body in one write; the connection is ready for the next request.

        `size`: bytes of the body.
        """
        cast(Any, self).response_func = None
        self.response_size = size
        await self._send(answer)
        self.stage = Stage.IDLE


class PanalRequest(Request):
    """A request whose body usually came together with its header. Streaming handlers read the body themselves."""

    __slots__ = ()

    @property
    def id(self) -> uuid.UUID | str:
        """The client's `X-Request-ID` if it is safe in logs and answers, otherwise a new UUID."""
        if self._id is None:
            self._id = request_id_of(self.headers.getone(REQUEST_ID_HEADER, None))
        return cast(uuid.UUID | str, self._id)

    @property
    def path(self) -> str:
        """The path; for `http://host` without one it is `/` (RFC 9112, 3.2.2), where Sanic has None."""
        path: bytes | None = self._parsed_url.path
        return "/" if path is None else path.decode()

    async def receive_body(self) -> None:
        """Take the body in one piece if it is all here; otherwise read it as Sanic does."""
        stream = self.stream
        body = stream.whole_body() if isinstance(stream, PanalHttp) else None
        if body is None:
            await super().receive_body()  # type: ignore[no-untyped-call]
        else:
            self.body = body
