"""Strict syntax of a request's header and chunks: RFC 9112 to the letter. Pure.

Process: worker.

A proxy in front of us must agree with us where a request ends, otherwise part of one request is executed as another
(request smuggling). So anything that could be read in two ways is refused, and the connection is closed.
Source: RFC 9112, 2.2, 3, 5, 6 and 7; RFC 9110, 5.5, 5.6.2 and 7.2.
"""

import re
from typing import Final

END: Final = b"\r\n\r\n"
CHUNK_LINE_BYTES: Final = 256
"""Longest line before a chunk: its size and its extensions, which clients hardly use."""

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_REQUEST_LINE: Final = re.compile(_TOKEN + rb" [!-~]++ HTTP/1\.[01]")
_FIELD_LINE: Final = re.compile(_TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+")
_HEADER: Final = re.compile(_REQUEST_LINE.pattern + rb"(?:\r\n" + _FIELD_LINE.pattern + rb")*+")
_FRAMING_LINE: Final = re.compile(rb"(?i)\r\n(content-length|transfer-encoding|host):[ \t]*+([^\r]*+)")
_BARE_BREAK: Final = re.compile(rb"\0|(?<!\r)\n|\r(?=[^\n])")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*+|\[[0-9A-Fa-f:.]++\])(?::[0-9]{0,5})?")
_CHUNKED: Final = b"chunked"
_CHUNK_LINE: Final = re.compile(
    rb"\r\n([0-9A-Fa-f]{1,15})(?:[ \t]*+;[ \t]*+"
    + _TOKEN
    + rb"(?:[ \t]*+=[ \t]*+(?:"
    + _TOKEN
    + rb'|"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"))?)*+[ \t]*+\r\n'
)


class MalformedRequest(ValueError):
    """Not an HTTP/1.1 request, or one that could be read in two ways. Its text is for the client, without its input."""


def has_bare_break(buffer: bytes | bytearray, start: int) -> bool:
    """Does an incomplete header hold a NUL, or a CR or LF alone? Bytes before ``start`` were checked before."""
    return _BARE_BREAK.search(buffer, max(0, start - 1)) is not None


def checked_header(head: bytes) -> bytes:
    """Return the header (without its blank line) in the spelling that Sanic reads. Raises ``MalformedRequest``."""
    if _HEADER.fullmatch(head) is None:
        raise MalformedRequest(_fault_of(head))
    found: dict[bytes, list[bytes]] = {b"content-length": [], b"transfer-encoding": [], b"host": []}
    for name, value in _FRAMING_LINE.findall(head):
        found[name.lower()].append(value.rstrip(b" \t"))
    is_1_1 = head.partition(b"\r\n")[0].endswith(b"1")
    _check_host(found[b"host"], is_1_1=is_1_1)
    lengths, codings = found[b"content-length"], found[b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise MalformedRequest("Content-Length or Transfer-Encoding stands more than once in the header.")
    if lengths and _LENGTH.fullmatch(lengths[0]) is None:
        raise MalformedRequest("Content-Length must be one number, in digits alone.")
    if not codings:
        return head
    if codings[0].lower() != _CHUNKED:
        raise MalformedRequest("Transfer-Encoding must be chunked, and nothing else.")
    if not is_1_1:
        raise MalformedRequest("HTTP/1.0 has no Transfer-Encoding.")
    return _FRAMING_LINE.sub(_in_lower_case, head)


def chunk_size(line: bytes) -> int:
    """Return the size in bytes of the chunk after ``line``. The line includes the CR LF before it and its own.

    Raises ``MalformedRequest``.
    """
    found = _CHUNK_LINE.fullmatch(line)
    if found is None:
        raise MalformedRequest("The chunked body is malformed.")
    return int(found[1], 16)


def _check_host(hosts: list[bytes], *, is_1_1: bool) -> None:
    if len(hosts) > 1 or (is_1_1 and not hosts):
        raise MalformedRequest("A request has one Host header.")
    if hosts and _HOST.fullmatch(hosts[0]) is None:
        raise MalformedRequest("Host must be a name or an address, with or without a port.")


def _fault_of(head: bytes) -> str:
    """Say which line is wrong, for the developer of the client."""
    first, *fields = head.split(b"\r\n")
    if _REQUEST_LINE.fullmatch(first) is None:
        return "The request line must be a method, a path in ASCII and HTTP/1.1 or HTTP/1.0."
    number = next(number for number, line in enumerate(fields, 1) if _FIELD_LINE.fullmatch(line) is None)
    return f"Header line {number} must be a name, a colon and a value, without control characters."


def _in_lower_case(found: "re.Match[bytes]") -> bytes:
    """Write the coding in lower case: Sanic compares it letter by letter."""
    if found[1].lower() != b"transfer-encoding":
        return found[0]
    return b"\r\n%b: %b" % (found[1], _CHUNKED)
