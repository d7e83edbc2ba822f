"""HTTP/1.1 connections that cost the load generator little: requests are ready bytes, answers are hardly looked at.

Process: a command.

A general client takes about 0.2 ms of a core for a request; on two cores shared with the server one would measure the
client. This one takes a tenth of that.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

OnAnswer = Callable[[int, bytes], None]
"""Status and body; status 0: the connection was lost before an answer."""


class Connection(asyncio.Protocol):
    """One request at a time. It tells ``pool`` when it is free, and when it is gone."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._on_answer: OnAnswer | None = None
        self._data = b""
        self._needed = 0
        self._body_at = 0
        self._closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of no class of asyncio's
        self._pool.is_free(self)

    def ask(self, request: bytes, on_answer: OnAnswer) -> None:
        """Send; the answer goes to ``on_answer``."""
        assert self._transport is not None
        self._on_answer = on_answer
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._data = self._data + data if self._data else data
        if not self._needed and not self._read_head():
            return
        if len(self._data) < self._needed:
            return
        status, body = int(self._data[9:12]), self._data[self._body_at : self._needed]
        self._data, self._needed = b"", 0
        on_answer, self._on_answer = self._on_answer, None
        if self._closes and self._transport is not None:
            self._transport.close()
        else:
            self._pool.is_free(self)
        if on_answer is not None:
            on_answer(status, body)

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self._data[:end].lower()
        at = head.find(b"content-length:")
        length = 0
        if at >= 0:
            length = int(head[at + 15 : (head.find(b"\r\n", at) + 1 or end + 1) - 1])
        elif b"transfer-encoding:" in head:
            raise RuntimeError("an answer in chunks: the load generator does not read these")
        self._closes = b"connection: close" in head
        self._body_at = end + 4
        self._needed = end + 4 + length
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._pool.is_gone(self)
        if self._on_answer is not None:
            on_answer, self._on_answer = self._on_answer, None
            on_answer(0, b"")

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Pool:
    """Up to ``size`` connections to one server. A request that finds none free waits; its time runs on."""

    def __init__(self, host: str, port: int, *, size: int) -> None:
        self._host = host
        self._port = port
        self._size = size
        self._free: deque[Connection] = deque()
        self._all: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[tuple[bytes, OnAnswer]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def open(self) -> None:
        """Connect all of them."""
        await asyncio.gather(*(self._connect() for _ in range(self._size)))

    def ask(self, request: bytes, on_answer: OnAnswer) -> None:
        """Send on a free connection, or as soon as there is one."""
        if self._free:
            self._free.popleft().ask(request, on_answer)
        else:
            self._waiting.append((request, on_answer))

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
                await asyncio.get_running_loop().create_connection(lambda: Connection(self), self._host, self._port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return

    def close(self) -> None:
        """Hang up everywhere."""
        self._is_closed = True
        for connection in list(self._all):
            connection.close()
