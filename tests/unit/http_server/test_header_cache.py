"""What is read of a header by the one before it is what would be read of it alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sanic.compat import Header

from services.http_server.header_cache import MAX_BYTES, HeaderCache, cache_header, read_with

FIRST = b"POST /v1/messages HTTP/1.1"
LINES = [
    b"host: a",
    b"Authorization: Bearer k",
    b"content-length: 12",
    b"x-hub-signature-256: sha256=aa",
    b"accept: */*",
]


def whole(first: bytes = FIRST, lines: list[bytes] = LINES) -> bytes:
    return b"\r\n".join([first, *lines]) + b"\r\n\r\n"


def pairs(lines: list[bytes]) -> list[tuple[str, str]]:
    """As Sanic reads header lines."""
    split = [line.decode(errors="surrogateescape").split(":", 1) for line in lines]
    return [(name.lower(), value.lstrip()) for name, value in split]


def known(first: bytes = FIRST, lines: list[bytes] = LINES, *, body_size: int | None = 12) -> HeaderCache:
    found = cache_header(whole(first, lines), Header(pairs(lines)), body_size=body_size)
    assert found is not None
    return found


def with_line(position: int, line: bytes) -> list[bytes]:
    return [*LINES[:position], line, *LINES[position + 1 :]]


def test_the_same_bytes_are_the_same_header() -> None:
    before = known()
    assert read_with(before, whole() + b"a body") is before
    assert before.value("authorization") == "Bearer k"
    assert before.value("cookie") is None


def test_lines_that_differ_are_read_anew() -> None:
    lines = with_line(2, b"content-length:  7")
    lines[3] = b"x-hub-signature-256: sha256=bb"
    found = read_with(known(), bytearray(whole(b"GET /livez?a=b HTTP/1.1", lines) + b"more"))
    assert found is not None
    assert (found.method, found.url, found.body_size) == ("GET", b"/livez?a=b", 7)
    assert found.pairs == pairs(lines)
    assert found.whole == whole(b"GET /livez?a=b HTTP/1.1", lines)
    again = read_with(found, whole())
    assert again == known()


@pytest.mark.parametrize(
    ("first", "lines"),
    [
        (FIRST, LINES[:-1]),
        (FIRST, [*LINES, b"via: x"]),
        (FIRST, with_line(0, b"transfer-encoding: chunked")),
        (FIRST, with_line(2, b"content-length: -1")),
        (FIRST, with_line(2, b"content-length: +1")),
        (FIRST, with_line(2, b"content-length: 1_0")),
        (FIRST, with_line(2, b"content-length: 12 ")),
        (FIRST, with_line(2, b"content-length:")),
        (FIRST, with_line(2, b"content-length: " + b"9" * 13)),
        (FIRST, with_line(2, "content-length: ١٢".encode())),
        (FIRST, with_line(2, b"Content-Length: 12")),
        (FIRST, with_line(2, b"content-length : 12")),
        (FIRST, with_line(0, b"hosts: a")),
        (FIRST, with_line(0, b"host")),
        (FIRST, with_line(0, "host: ñ".encode())),
        (b"POST /v1/messages HTTP/1.0", LINES),
        (b"POST  /v1/messages HTTP/1.1", LINES),
        (b"POST /v1/messages", LINES),
        ("POST /ñ HTTP/1.1".encode(), LINES),
        (b"", LINES),
    ],
    ids=repr,
)
def test_in_doubt_it_is_sanics_to_read(first: bytes, lines: list[bytes]) -> None:
    assert read_with(known(), whole(first, lines)) is None


@pytest.mark.parametrize("line", [b"connection: close", b"expect: x", b"upgrade: h2c", b"transfer-encoding: gzip"])
def test_how_a_request_is_to_be_read_is_never_read_anew(line: bytes) -> None:
    before = known(lines=with_line(4, line))
    assert read_with(before, whole(lines=with_line(4, line + b", x"))) is None
    assert read_with(before, whole(lines=with_line(4, line))) is before


def test_what_has_not_all_come_is_waited_for() -> None:
    changed = whole(lines=with_line(0, b"host: b"))
    for end in range(len(changed)):
        assert read_with(known(), changed[:end]) is None


def test_a_long_header_is_not_cache_headered() -> None:
    lines = with_line(4, b"accept: " + b"x" * MAX_BYTES)
    assert cache_header(whole(lines=lines), Header(pairs(lines)), body_size=None) is None
    assert read_with(known(), whole(lines=lines)) is None


VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12)


@given(st.lists(VALUES, min_size=len(LINES), max_size=len(LINES)), VALUES)
def test_what_is_read_is_what_sanic_would_read(values: list[str], path: str) -> None:
    names = [line.partition(b":")[0] for line in LINES]
    lines = [name + b":" + value.encode("latin-1") for name, value in zip(names, values, strict=True)]
    first = b"GET /" + path.encode("latin-1") + b" HTTP/1.1"
    found = read_with(known(), whole(first, lines))
    if found is not None:
        assert found.pairs == pairs(lines)
        method, url, version = first.decode().split(" ")
        assert (found.method, found.url.decode(), version) == (method, url, "HTTP/1.1")
        assert found.body_size == int(found.value("content-length") or "")
