"""One connection, byte for byte: what a test sends is what leaves, and what comes back is read as RFC 9112 says."""

import select
import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

PATIENCE_S = 10.0


class WireAnswer(NamedTuple):
    """One answer; ``interim`` are the statuses of the 1xx answers before it. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    interim: tuple[int, ...] = ()

    @property
    def says_close(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


@dataclass
class Wire:
    """A connection to 127.0.0.1. ``answer`` is None once the server has closed it."""

    port: int

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, *pieces: bytes, pause_s: float = 0.0) -> bool:
        """False: the server takes no more. ``pause_s`` between pieces, so that each arrives by itself."""
        try:
            for number, piece in enumerate(pieces):
                if number and pause_s:
                    time.sleep(pause_s)
                self.socket.sendall(piece)
        except OSError:
            return False
        return True

    def says_no_more(self) -> None:
        """Close the writing side alone."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, *, is_head: bool = False, within_s: float = PATIENCE_S) -> WireAnswer | None:
        """The next answer. Raises ``TimeoutError`` where none comes, ``AssertionError`` where it is cut short."""
        self.socket.settimeout(within_s)
        interim: list[int] = []
        while True:
            head = self._until(b"\r\n\r\n")
            if head is None:
                assert not self._buffer, f"cut short: {self._buffer[:200]!r}"
                return None
            first, *lines = head[:-4].decode("latin-1").split("\r\n")
            version, status = first.split(" ", 2)[:2]
            assert version == "HTTP/1.1", first
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            if int(status) >= 200 or int(status) == 101:
                break
            interim.append(int(status))
        has_no_body = is_head or int(status) in (101, 204, 304)
        has_no_body |= headers.get("content-type", "").startswith("text/event-stream")  # it never ends
        return WireAnswer(int(status), headers, b"" if has_no_body else self._body(headers), tuple(interim))

    def has_something(self, within_s: float) -> bool:
        """Has the server said, or closed, something that was not read yet?"""
        return bool(self._buffer) or bool(select.select([self.socket], [], [], within_s)[0])

    def is_ended(self, within_s: float = PATIENCE_S) -> bool:
        """Has the server closed the connection, without another byte?"""
        self.socket.settimeout(within_s)
        try:
            return not self._buffer and not self._receive()
        except TimeoutError:
            return False

    def reads_to_its_end(self, within_s: float = PATIENCE_S) -> bool:
        """Whatever still comes is dropped; does the server then close the connection?"""
        self.socket.settimeout(within_s)
        try:
            while self._receive():
                pass
        except TimeoutError:
            return False
        return True

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", ""):
            body = b""
            while size := int((self._until(b"\r\n") or b"0").split(b";")[0], 16):
                body += self._exactly(size + 2)[:-2]
            self._exactly(2)
            return body
        return self._exactly(int(headers["content-length"]))

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            assert self._receive(), f"cut short: {self._buffer[:200]!r}"
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _until(self, end: bytes) -> bytes | None:
        while end not in self._buffer:
            if not self._receive():
                return None
        size = self._buffer.index(end) + len(end)
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _receive(self) -> bool:
        if self._is_over:
            return False
        try:
            data = self.socket.recv(65_536)
        except ConnectionError:
            data = b""
        self._is_over = not data
        self._buffer += data
        return bool(data)
