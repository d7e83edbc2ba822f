"""Clients of the live streams: plain sockets, many of them in one thread, each remembering what it got and when."""

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson


@dataclass
class StreamClient:
    """One reader of `/v1/events/stream`. `seqs` are the events in order of arrival, `lags_s` how old each was."""

    port: int
    key: str
    after: int | None = None
    query: str = ""
    receive_buffer: int | None = None
    status: int = 0
    seqs: list[int] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    goodbye: dict[str, Any] | None = None
    is_ended: bool = False
    beats: int = 0
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Connect and read the header of the answer."""
        connection = socket.socket()
        connection.setblocking(False)
        if self.receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        self.reader, self.writer = await asyncio.open_connection(sock=connection, limit=4 << 20)
        last = f"last-event-id: {self.after}\r\n" if self.after is not None else ""
        self.writer.write(
            f"GET /v1/events/stream{self.query} HTTP/1.1\r\nhost: test\r\n{last}"
            f"authorization: Bearer {self.key}\r\naccept: text/event-stream\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.status = int(head.split(b" ", 2)[1])

    async def read(self, *, until_count: int | None = None) -> None:
        """Read events until there are so many, or the stream ends."""
        assert self.reader is not None
        text = b""
        try:
            while until_count is None or len(self.seqs) < until_count:
                size = int(await self.reader.readuntil(b"\r\n"), 16)
                if size == 0:
                    break
                text += (await self.reader.readexactly(size + 2))[:-2]
                *whole, text = text.split(b"\n\n")
                for event in whole:
                    self._take(event)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        else:
            if until_count is not None and len(self.seqs) >= until_count:
                return
        self.is_ended = True

    def _take(self, text: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in text.split(b"\n") if b": " in line and not line.startswith(b":"))
        if text.startswith(b":"):
            self.beats += 1
        elif fields.get(b"event") == b"goodbye":
            self.goodbye = orjson.loads(fields[b"data"])
        elif b"data" in fields:
            event = orjson.loads(fields[b"data"])
            self.seqs.append(event["seq"])
            self.types.append(event["type"])
            self.lags_s.append(time.time() - datetime.fromisoformat(event["at"]).timestamp())
            assert fields[b"id"] == str(event["seq"]).encode()
            assert fields[b"event"] == event["type"].encode()

    async def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()
