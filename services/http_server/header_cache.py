"""The parsed header of a connection's last request, reused for the next request line by line.

Process: worker.

A client that keeps its connection sends nearly the same header with every request. Only the request line, the length
of the body, a signature or an Idempotency-Key change, and only such lines are parsed again. A changed line that decides
how the request is read (its framing, an upgrade, an expectation) leaves the header to Sanic.
"""

import re
from typing import Final, NamedTuple

from sanic.compat import Header

from services.http_server.framing import END

MAX_BYTES: Final = 4096
"""Sanic parses a longer header each time, so that a connection keeps little in memory."""
MAX_LENGTH_DIGITS: Final = 12
_LINE: Final = b"\r\n"
_LENGTH: Final = "content-length"
_LEFT_TO_SANIC: Final = frozenset({"transfer-encoding", "connection", "upgrade", "expect", "content-encoding", "host"})
_FIRST_LINE: Final = re.compile(rb"([A-Z]++) ([!-~]++) HTTP/1\.1")
_PLAIN_VALUE: Final = re.compile(rb":[\t -~]*+")


class HeaderCache(NamedTuple):
    """The header of a plain request: its bytes, and what Sanic parsed from them.

    ``whole``: all bytes with the blank line; ``lines``: request line and header lines; ``pairs``: names (lower case)
    and values of the header lines. ``body_size`` in bytes; None: no body.
    """

    whole: bytes
    lines: list[bytes]
    pairs: list[tuple[str, str]]
    method: str
    url: bytes
    body_size: int | None

    def value(self, name: str) -> str | None:
        """Return the first value of the header ``name`` (lower case), or None."""
        for own, value in self.pairs:
            if own == name:
                return value
        return None


def cache_header(whole: bytes, headers: Header, *, body_size: int | None) -> HeaderCache | None:
    """Return the cache for a header that Sanic has just parsed; None if it cannot be reused line by line.

    ``whole`` is the header with its blank line.
    """
    if not whole.endswith(END) or len(whole) > MAX_BYTES:
        return None
    lines = whole[: -len(END)].split(_LINE)
    pairs = list(headers.items())
    if len(pairs) != len(lines) - 1:
        return None
    cached = HeaderCache(whole, lines, pairs, "", b"", body_size)
    return _with_first_line(cached, whole, lines)


def read_with(cached: HeaderCache, buffer: bytes | bytearray) -> HeaderCache | None:
    """Parse the header at the start of ``buffer`` with the help of the last one.

    None: it is not complete, or Sanic has to parse it. Reads the buffer only.
    """
    if buffer.startswith(cached.whole):
        return cached
    end = buffer.find(END, 0, MAX_BYTES)
    if end < 0:
        return None
    whole = bytes(buffer[: end + len(END)])
    lines = whole[:end].split(_LINE)
    if len(lines) != len(cached.lines):
        return None
    if lines[1:] != cached.lines[1:]:
        changed = _with_changed_lines(cached, lines)
        if changed is None:
            return None
        cached = changed
    return _with_first_line(cached, whole, lines)


def _with_changed_lines(cached: HeaderCache, lines: list[bytes]) -> HeaderCache | None:
    pairs, body_size = list(cached.pairs), cached.body_size
    for position, (name, _) in enumerate(pairs):
        line, before = lines[position + 1], cached.lines[position + 1]
        if line == before:
            continue
        colon = len(name)
        # The same name in the same letters: Sanic parses it to the same name.
        if line[:colon] != before[:colon] or _PLAIN_VALUE.fullmatch(line, colon) is None:
            return None
        if name in _LEFT_TO_SANIC:
            return None
        value = line[colon + 1 :].decode().lstrip()
        if name == _LENGTH:
            if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
                return None
            body_size = int(value)
        pairs[position] = (name, value)
    return HeaderCache(cached.whole, cached.lines, pairs, cached.method, cached.url, body_size)


def _with_first_line(cached: HeaderCache, whole: bytes, lines: list[bytes]) -> HeaderCache | None:
    """None: Sanic has to judge the request line."""
    first = lines[0]
    if first == cached.lines[0] and cached.method:
        return HeaderCache(whole, lines, cached.pairs, cached.method, cached.url, cached.body_size)
    words = _FIRST_LINE.fullmatch(first)
    if words is None:
        return None
    return HeaderCache(whole, lines, cached.pairs, words[1].decode(), words[2], cached.body_size)
