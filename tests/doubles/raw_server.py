"""A TCP server that answers byte for byte what a test wants, or hangs up at the moment it wants.

It lives in a thread of its own, so that it acts even while the event loop of the test is busy or blocked.
"""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Behaviour = Callable[["Visit"], None]


class Visit:
    """One connection to the server."""

    def __init__(self, connection: socket.socket, server: "RawServer") -> None:
        self.connection = connection
        self._server = server
        self._buffer = b""

    def read_request(self) -> bytes:
        """One whole request (headers, and a body of Content-Length). Empty when the client hung up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return b""
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(rest) < length:
            if not self._receive():
                return b""
            rest = self._buffer.partition(b"\r\n\r\n")[2]
        self._buffer = rest[length:]
        request = head + b"\r\n\r\n" + rest[:length]
        self._server.requests.append(request)
        self._server.arrived.set()
        return request

    def read_some(self) -> None:
        self._receive()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, body: bytes, *, status: bytes = b"200 OK", extra: bytes = b"") -> None:
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
        self.send(head % (status, len(body), extra) + body)

    def reset(self) -> None:
        """Hang up with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    def _receive(self) -> bool:
        try:
            data = self.connection.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


class RawServer:
    """`behaviours[n]` serves the n-th connection, the last one all later ones. `requests`: what arrived whole."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = behaviours
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connection_count = 0
        self.arrived = threading.Event()
        """Set when the first whole request is in."""
        self.released = threading.Event()
        """Set when the test is over: behaviours that wait for ever wait for this."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        # Closing a listener does not wake a thread that accepts on it; shutting it down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connection_count, len(self._behaviours) - 1)]
            self.connection_count += 1
            self._connections.append(connection)
            self._start(self._serve, connection, behaviour)

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with connection:
            try:
                behaviour(Visit(connection, self))
            except OSError:
                return
