"""HTTP/1.1 connections that cost the load generator little: requests are ready bytes, answers are hardly looked at.

Process: a command.

A general client takes about 0.2 ms of a core for a request; on two cores shared with the server one would measure the
client. This one takes a tenth of that.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

OnAnswer = Callable[[float, int, bytes, int], None]
"""When the request was due, the status, the answer, and where its body begins.

Status 0: the connection was lost before an answer.
"""


class Connection(asyncio.Protocol):
    """One request at a time. It tells ``pool`` when it is free, and when it is gone."""

    __slots__ = ("_body_at", "_closes", "_data", "_due", "_is_asked", "_needed", "_on_answer", "_pool", "_transport")

    def __init__(self, pool: "Pool", on_answer: OnAnswer) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._on_answer = on_answer
        self._is_asked = False
        self._due = 0.0
        self._data = b""
        self._needed = 0
        self._body_at = 0
        self._closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio's
        self._pool.is_free(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send."""
        assert self._transport is not None
        self._due, self._is_asked = due, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        if not self._needed and not self._read_head(data):
            self._data = data
            return
        if len(data) < self._needed:
            self._data = data
            return
        was_asked, due, body_at = self._is_asked, self._due, self._body_at
        self._data, self._needed, self._is_asked = b"", 0, False
        if self._closes and self._transport is not None:
            self._transport.close()
        else:
            self._pool.is_free(self)
        if was_asked:
            self._on_answer(due, int(data[9:12]), data, body_at)

    def _read_head(self, data: bytes) -> bool:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False
        at = data.find(b"content-length: ", 0, end)  # as it is nearly always written
        head = data[:end].lower() if at < 0 else data
        if at < 0:
            at = head.find(b"content-length:", 0, end)
        length = 0
        if at >= 0:
            length = int(head[at + 15 : head.find(b"\r\n", at)])
        elif b"transfer-encoding:" in head:
            raise RuntimeError("an answer in chunks: the load generator does not read these")
        self._closes = head.find(b"connection: close", 0, end) >= 0
        self._body_at = end + 4
        self._needed = end + 4 + length
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.is_gone(self)
        if self._is_asked:
            self._is_asked = False
            self._on_answer(self._due, 0, b"", 0)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Pool:
    """Up to ``size`` connections to one server. A request that finds none free waits; its time runs on."""

    def __init__(self, host: str, port: int, *, size: int, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._host = host
        self._port = port
        self._size = size
        self._free: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def open(self) -> None:
        """Connect all of them."""
        await asyncio.gather(*(self._connect() for _ in range(self._size)))

    def ask(self, request: bytes, due: float) -> None:
        """Send on a free connection, or as soon as there is one. ``due`` comes back with the answer."""
        if self._free:
            self._free.popleft().ask(request, due)
        else:
            self._waiting.append((request, due))

    @property
    def waiting_count(self) -> int:
        """Requests that are due and have no connection."""
        return len(self._waiting)

    def is_free(self, connection: Connection) -> None:
        """A connection is there, or has answered."""
        self._all.add(connection)
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._free.append(connection)

    def is_gone(self, connection: Connection) -> None:
        """The server closed one: open another."""
        self._all.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if not self._is_closed:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        while not self._is_closed:
            try:
                await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self, self._on_answer), self._host, self._port
                )
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return

    def close(self) -> None:
        """Hang up everywhere."""
        self._is_closed = True
        for connection in list(self._all):
            connection.close()
