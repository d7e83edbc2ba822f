"""What is a request without doubt, and what two readers could take in two ways."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.http_server.framing import MalformedRequest, checked_header, chunk_size, has_bare_break

FIRST = b"POST /v1/messages?a=b HTTP/1.1\r\nhost: a.example:8000"


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"\r\ncontent-length: 0",
        b"\r\nContent-Length:\t12 \t",
        b"\r\nx-empty:",
        b"\r\nx_under.score~!#$%&'*+-^`|: \xc3\xb1 \xff \t(any) ;=,\"",
        b"\r\ntransfer-encoding: chunked",
    ],
)
def test_a_good_header_is_left_as_it_is(lines: bytes) -> None:
    assert checked_header(FIRST + lines) == FIRST + lines


@pytest.mark.parametrize("host", [b"", b"a", b"a.b:80", b"a_b", b"[::1]:8000", b"[2001:db8::1]", b"192.0.2.1", b"a:"])
def test_a_host_is_a_name_or_an_address(host: bytes) -> None:
    assert checked_header(b"GET / HTTP/1.1\r\nHost: " + host)


@pytest.mark.parametrize("host", [b"a b", b"a/b", b"a@b", b"\xc3\xb1", b"[::1", b"a:b", b"a:123456", b'"', b"a\tb"])
def test_no_other_host(host: bytes) -> None:
    with pytest.raises(MalformedRequest):
        checked_header(b"GET / HTTP/1.1\r\nHost: " + host)


def test_http_1_0_needs_no_host_and_has_no_chunks() -> None:
    assert checked_header(b"GET / HTTP/1.0")
    for head in (
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.0\r\nhost: a\r\nhost: a",
        b"GET / HTTP/1.0\r\ntransfer-encoding: chunked",
    ):
        with pytest.raises(MalformedRequest):
            checked_header(head)


def test_the_coding_is_written_as_sanic_reads_it() -> None:
    head = FIRST + b"\r\nTransfer-Encoding: \tCHUNKED \r\nx-a: transfer-encoding: CHUNKED"
    assert checked_header(head) == (FIRST + b"\r\nTransfer-Encoding: chunked\r\nx-a: transfer-encoding: CHUNKED")


@given(st.integers(0, len(FIRST)), st.sampled_from([b"\0", b"\n", b"\r", b"\x0b", b"\x1b", b"\x7f"]))
def test_a_control_character_is_refused_wherever_it_stands(at: int, character: bytes) -> None:
    with pytest.raises(MalformedRequest) as refused:
        checked_header(FIRST[:at] + character + FIRST[at:] + b"\r\nx-a: b")
    assert str(refused.value).isprintable()


@given(st.binary(max_size=60))
@example(b"\r\n x")
@example(b"\r\nx : y")
def test_anything_is_a_header_or_malformed(tail: bytes) -> None:
    try:
        checked = checked_header(FIRST + tail)
    except MalformedRequest:
        return
    for line in checked.split(b"\r\n")[1:]:
        name, colon, _ = line.partition(b":")
        assert colon
        assert name == name.strip()
        assert not set(line) & {0, 10, 13}


@pytest.mark.parametrize("start", [0, 5, 11])
def test_a_break_alone_is_found_while_the_header_comes_in(start: int) -> None:
    assert not has_bare_break(b"GET / x\r\na: b\r\nc: d\r", start)
    assert has_bare_break(b"GET / x\r\na: b\nc: d", start)
    assert has_bare_break(b"GET / x\r\na: b\rc: d", start)
    assert has_bare_break(b"GET / x\r\na: b\0", start)


def test_a_break_between_two_pieces_is_found() -> None:
    assert has_bare_break(b"a: b\rc", 5), "the CR had come before"
    assert not has_bare_break(b"a: b\r\nc", 5)


@pytest.mark.parametrize(
    ("line", "size"),
    [(b"0", 0), (b"000", 0), (b"fF", 255), (b"1;a", 1), (b'2 ;\ta = "x;\\"\\\\\xff" ; b=c', 2), (b"7 ", 7)],
)
def test_the_size_of_a_chunk(line: bytes, size: int) -> None:
    assert chunk_size(b"\r\n" + line + b"\r\n") == size


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"g", b"0x1", b"+1", b"-1", b"1_0", b" 1", b"1;", b"1;a\n", b"1;a\rb", b'1;a="\n"', b"1 2", b"1" * 16),
        *(b"1;=a", b"\xef\xbc\x91", b"1;;a"),
    ],
)  # fmt: skip
def test_what_is_no_size(line: bytes) -> None:
    with pytest.raises(MalformedRequest):
        chunk_size(b"\r\n" + line + b"\r\n")
    with pytest.raises(MalformedRequest):
        chunk_size(b"xx1\r\n")


@pytest.mark.parametrize("unit", [b"a", b"a: b\r\n", b":", b" ", b"\t", b"\r\n", b'"', b";a=b", b"; "])
def test_reading_takes_time_in_proportion_to_length(unit: bytes) -> None:
    def seconds(count: int) -> float:
        data, best = FIRST + b"\r\nx-a: " + unit * count + b"\0", 1e9
        for _ in range(5):
            began = time.perf_counter()
            with pytest.raises(MalformedRequest):
                checked_header(data)
            with pytest.raises(MalformedRequest):
                chunk_size(b"\r\n1;" + unit * count + b"\0\r\n")
            best = min(best, time.perf_counter() - began)
        return best

    assert seconds(16_000 // len(unit)) < 8 * seconds(4_000 // len(unit)) + 0.002
