"""The header of a kept connection: what was read of the last request holds for the next one, line by line.

Process: worker.

A client that keeps its connection sends nearly the same header again and again. What differs is the first line, how
long the body is, a signature, an Idempotency-Key: only such lines are read anew. What could change how the request is
to be read (its framing, an upgrade, an expectation) is never read here.
"""

import re
from typing import Final, NamedTuple

from sanic.compat import Header

from services.http_server.framing import END

MAX_BYTES: Final = 4096
"""A longer header is read by Sanic each time: what a connection remembers stays small."""
MAX_LENGTH_DIGITS: Final = 12
_LINE: Final = b"\r\n"
_LENGTH: Final = "content-length"
_NEVER_ANEW: Final = frozenset({"transfer-encoding", "connection", "upgrade", "expect", "content-encoding", "host"})
_FIRST_LINE: Final = re.compile(rb"([A-Z]++) ([!-~]++) HTTP/1\.1")
_PLAIN_VALUE: Final = re.compile(rb":[\t -~]*+")


class HeaderCache(NamedTuple):
    """A plain request's header: its bytes, and what Sanic made of them.

    ``whole`` is all of it with the blank line; ``lines`` are its lines, the first one included; ``pairs`` are names and
    values of the others. ``body_size`` in bytes; None: there is no body.
    """

    whole: bytes
    lines: list[bytes]
    pairs: list[tuple[str, str]]
    method: str
    url: bytes
    body_size: int | None

    def value(self, name: str) -> str | None:
        """The value of a header, its first one; ``name`` in lower case."""
        for own, value in self.pairs:
            if own == name:
                return value
        return None


def remember(whole: bytes, headers: Header, *, body_size: int | None) -> HeaderCache | None:
    """What Sanic has read just now, if it is worth remembering. ``whole`` ends with the blank line."""
    if not whole.endswith(END) or len(whole) > MAX_BYTES:
        return None
    lines = whole[: -len(END)].split(_LINE)
    pairs = list(headers.items())
    if len(pairs) != len(lines) - 1:
        return None
    known = HeaderCache(whole, lines, pairs, "", b"", body_size)
    return _with_first_line(known, whole, lines)


def read_by(known: HeaderCache, buffer: bytes | bytearray) -> HeaderCache | None:
    """The header at the beginning of the buffer, by the one before it. None: it is Sanic's to read, or to wait for."""
    if buffer.startswith(known.whole):
        return known
    end = buffer.find(END, 0, MAX_BYTES)
    if end < 0:
        return None
    whole = bytes(buffer[: end + len(END)])
    lines = whole[:end].split(_LINE)
    if len(lines) != len(known.lines):
        return None
    if lines[1:] != known.lines[1:]:
        changed = _with_changed_lines(known, lines)
        if changed is None:
            return None
        known = changed
    return _with_first_line(known, whole, lines)


def _with_changed_lines(known: HeaderCache, lines: list[bytes]) -> HeaderCache | None:
    pairs, body_size = list(known.pairs), known.body_size
    for position, (name, _) in enumerate(pairs):
        line, before = lines[position + 1], known.lines[position + 1]
        if line == before:
            continue
        colon = len(name)
        # The same name in the same letters: what Sanic thinks of it is known.
        if line[:colon] != before[:colon] or _PLAIN_VALUE.fullmatch(line, colon) is None:
            return None
        if name in _NEVER_ANEW:
            return None
        value = line[colon + 1 :].decode().lstrip()
        if name == _LENGTH:
            if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
                return None
            body_size = int(value)
        pairs[position] = (name, value)
    return HeaderCache(known.whole, known.lines, pairs, known.method, known.url, body_size)


def _with_first_line(known: HeaderCache, whole: bytes, lines: list[bytes]) -> HeaderCache | None:
    """None: the first line is Sanic's to judge."""
    first = lines[0]
    if first == known.lines[0] and known.method:
        return HeaderCache(whole, lines, known.pairs, known.method, known.url, known.body_size)
    words = _FIRST_LINE.fullmatch(first)
    if words is None:
        return None
    return HeaderCache(whole, lines, known.pairs, words[1].decode(), words[2], known.body_size)
