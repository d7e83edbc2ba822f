"""One HTTP connection without a socket: bytes go in as a client sends them, answers come out."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from sanic import Sanic

SETTLED_TURNS = 40
"""Turns of the event loop after which nothing moves that does not wait for the client."""


class QuietApp(Sanic[Any, Any]):
    """Without signals: a server that starts compiles them away where nobody listens."""

    async def dispatch(self, *_: Any, **__: Any) -> None:  # type: ignore[override]
        return None


class UncountedLife:
    """What counts the requests of a worker, for a test that does not look at the counts."""

    def answered(self, *_: Any, **__: Any) -> None:
        """Counted on the fast path."""

    def should_close(self) -> bool:
        return False


class LineTransport:
    """Keeps what is written. ``is_over``: the client has seen the end of what is said to it."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.is_closed = False
        self.is_over = False

    def write(self, data: bytes) -> None:
        if not self.is_over:
            self.written += data

    def close(self) -> None:
        self.is_closed = self.is_over = True

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_write_buffer_limits(self, **_: Any) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class LineAnswer(NamedTuple):
    """One answer as the client reads it; ``connection`` is its Connection header."""

    status: int
    connection: str
    body: bytes


class Heard(NamedTuple):
    """All that a client heard, and whether the connection has ended."""

    answers: list[LineAnswer]
    interim_count: int
    is_over: bool


async def converse(protocol: Any, pieces: Sequence[bytes], *, ends: bool = False) -> Heard:
    """Send the pieces, each after everything has settled; ``ends``: then close the client's writing side."""
    transport = LineTransport()
    protocol.connection_made(transport)
    await _settle()
    for piece in pieces:
        if transport.is_closed or not piece:
            break
        protocol.data_received(piece)
        await _settle()
    if ends and not transport.is_closed and not protocol.eof_received():
        transport.close()
    await _settle()
    await asyncio.sleep(0.002)  # Sanic itself pauses for a millisecond before it closes
    await _settle()
    heard = heard_in(bytes(transport.written), is_over=transport.is_over)
    protocol.connection_lost(None)
    await _settle()
    return heard


def heard_in(written: bytes, *, is_over: bool) -> Heard:
    """The answers in these bytes; each has a Content-Length."""
    answers, interim_count = [], 0
    while written:
        head, _, written = written.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        status = int(first.split(" ")[1])
        if status < 200:
            interim_count += 1
            continue
        headers = dict(line.lower().split(": ", 1) for line in lines)
        size = int(headers.get("content-length", 0))
        answers.append(LineAnswer(status, headers["connection"], written[:size]))
        written = written[size:]
    return Heard(answers, interim_count, is_over)


async def _settle() -> None:
    for _ in range(SETTLED_TURNS):
        await asyncio.sleep(0)
