"""Where a request ends is certain: no byte of a body is executed, whatever is answered before it was read.

Every route, every method and every way to split header and body, on raw sockets against a real worker.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.waiting import until
from tests.harness.wire import Wire, WireAnswer

pytestmark = pytest.mark.integration

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
OTHER_PATHS = ("/", "/nowhere", "/v1/nowhere", "/console", "/console/session", "/console/assets/none", "/docs", "*")
WAYS = ("together", "later", "pieces", "large", "expect", "chunked", "chunked together")
MARK = "msg_0smuggled"
EARLY_S = 0.02
AT_ONCE = 8
PATIENCE_S = 15.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environment = {"PANAL_ACCESS_LOG": "true"}
    with start_cluster(tmp_path_factory.mktemp("boundaries"), workers=1, environment=environment) as running:
        yield running
        for id_ in (MARK, readable(running)):
            assert f"path=/v1/messages/{id_}" not in running.log, "a body was executed as a request"
        assert "A handler failed." not in running.log
        assert "Traceback" not in running.log
        assert "body not consumed" not in running.log


def paths_of(cluster: Cluster) -> list[str]:
    """Every path of the reference, and some that are none."""
    documented = cluster.client.get("/openapi.json").json()["paths"]
    filled = [
        "/".join("v23.0" if part == "{version}" else "0" if part.startswith("{") else part for part in path.split("/"))
        for path in documented
    ]
    assert len(filled) > 60
    return [*filled, *OTHER_PATHS]


def shared(cluster: Cluster) -> bytes:
    """Header lines that every request here has: the second one on a connection may go the fast path."""
    return b"host: a\r\nauthorization: Bearer %b\r\n" % cluster.key.encode()


def lookup(cluster: Cluster, id_: str) -> bytes:
    return b"GET /v1/messages/%b HTTP/1.1\r\n%b\r\n" % (id_.encode(), shared(cluster))


def readable(cluster: Cluster) -> str:
    """A message that the fast path answers by itself: one that is not found goes Sanic's path."""
    sent = {"to": "12025550123", "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    answer = cluster.client.post("/v1/messages", json=sent, headers={"idempotency-key": MARK})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def parts_of(cluster: Cluster, method: str, path: str, way: str, *, mark: str) -> tuple[bytes, list[bytes]]:
    """Header and body of a request whose body is made of requests, in the same words as its own header."""
    evil = lookup(cluster, mark)[: -len(b"\r\n")] + b"content-length: 0\r\n\r\n"
    body = evil * {"large": 1_000, "later": 1}.get(way, 2)
    first = f"{method} {path} HTTP/1.1\r\n".encode() + shared(cluster)
    if way.startswith("chunked"):
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]))
        return first + b"transfer-encoding: chunked\r\n\r\n", [chunks + b"0\r\n\r\n"]
    more = b"expect: 100-continue\r\n" if way == "expect" else b""
    header = first + more + b"content-length: %d\r\n\r\n" % len(body)
    return header, [evil, evil[:9], evil[9:]] if way == "pieces" else [body]


def fault_of(cluster: Cluster, method: str, path: str, way: str, *, mark: str) -> str | None:
    """What went wrong in one exchange: a request, and a real one behind it on the same connection."""
    header, body = parts_of(cluster, method, path, way, mark=mark)
    behind = b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n"
    with Wire(cluster.port) as wire:
        wire.send(lookup(cluster, "msg_0"))
        first = wire.answer()
        if first is None or first.status != 404:
            return f"{first}"
        if way.endswith("together"):
            wire.send(header + b"".join(body) + behind)
        else:
            wire.send(header)
            wire.has_something(EARLY_S)  # an early answer, or a worker that waits for the body
            wire.send(*body, behind, pause_s=0.002)
        try:
            answer = wire.answer(is_head=method == "HEAD", within_s=PATIENCE_S)
            if answer is None:
                return "no answer"
            if answer.status >= 500:
                return f"{answer.status}: {answer.body[:200]!r}"
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return None
            return fault_behind(answer, wire)
        except (AssertionError, TimeoutError) as error:
            return repr(error)


def fault_behind(answer: WireAnswer, wire: Wire) -> str | None:
    """The next request has its own answer, unless the one before said that it is the last."""
    behind = wire.answer(within_s=PATIENCE_S)
    if answer.says_close:
        return None if behind is None else f"an answer after the last one: {behind}"
    if behind is None:
        return f"closed without a word after {answer.status}"
    return None if (behind.status, behind.body) == (200, b'{"status":"ok"}') else f"after {answer}: {behind}"


@pytest.mark.parametrize("method", METHODS)
def test_a_body_that_nobody_read_is_never_a_request(cluster: Cluster, method: str) -> None:
    mark = readable(cluster)
    exchanges = [(path, way) for path in paths_of(cluster) for way in WAYS]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        faults = list(pool.map(lambda exchange: fault_of(cluster, method, *exchange, mark=mark), exchanges))
    found = [(path, way, fault) for (path, way), fault in zip(exchanges, faults, strict=True) if fault is not None]
    assert not found, found[:10]
    print(f"{method}: {len(exchanges)} exchanges")  # noqa: T201 - the count belongs to the proof


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"POST /v1/nowhere", 404),
        (b"PUT /v1/messages", 405),
        (b"POST /v1/contacts/import", 415),
        (b"GET /livez", 200),
        (b"POST /v1/messages", None),
    ],
)
def test_a_body_that_never_comes_holds_no_connection_for_long(
    cluster: Cluster, first: bytes, status: int | None
) -> None:
    with Wire(cluster.port) as wire:
        wire.send(first + b" HTTP/1.1\r\n" + shared(cluster) + b"content-length: 500\r\n\r\n")
        if status is not None:
            answer = wire.answer()
            assert answer is not None
            assert answer.status == status
        else:
            answer = wire.answer(within_s=20)
            assert answer is not None
            assert answer.status == 408
            assert answer.says_close
        assert wire.is_ended(within_s=20)


@pytest.mark.parametrize("size", [2_000_000, 20_000_000], ids=["past the limit of JSON", "far past it"])
def test_a_client_that_sends_on_reads_why_it_was_refused(cluster: Cluster, size: int) -> None:
    """A socket that is closed with something unread sends a reset, which overtakes the answer."""
    with Wire(cluster.port) as wire:
        header = b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + b"content-length: %d\r\n\r\n" % size
        assert wire.send(header, *[b"x" * 100_000] * (size // 100_000)), "it was cut off before it had sent all"
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.says_close) == (413, True)
        assert wire.is_ended()


def test_nobody_is_told_to_send_a_body_that_will_be_refused(cluster: Cluster) -> None:
    with Wire(cluster.port) as wire:
        wire.send(
            b"POST /v1/messages HTTP/1.1\r\n"
            + shared(cluster)
            + b"expect: 100-continue\r\ncontent-length: 2000000\r\n\r\n"
        )
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.interim, answer.says_close) == (413, (), True)
        assert wire.is_ended()


def test_somebody_who_waits_for_100_is_told_to_go_on(cluster: Cluster) -> None:
    body = b'{"to": 1}'
    with Wire(cluster.port) as wire:
        wire.send(
            b"POST /v1/messages HTTP/1.1\r\n"
            + shared(cluster)
            + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        assert wire.has_something(5)
        wire.send(body)
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.interim) == (422, (100,))


# --- what is no request, or might be two


REFUSED_LINES = {
    "a space before the colon": b"x-a : b",
    "a folded line": b"x-a: b\r\n c",
    "a line that begins with a space": b" x-a: b",
    "a line that begins with a tab": b"\tx-a: b",
    "no colon": b"x-a",
    "no name": b": b",
    "a bare LF": b"x-a: b\nc: d",
    "a bare CR": b"x-a: b\rc: d",
    "a NUL": b"x-a: b\0",
    "an escape": b"x-a: \x1b[31m",
    "a name that is no token": b"x(a): b",
    "a name beyond ASCII": b"x\xff: b",
    "a signed length": b"content-length: +5",
    "a negative length": b"content-length: -5",
    "a list of lengths": b"content-length: 5, 5",
    "two lengths that agree": b"content-length: 5\r\ncontent-length: 5",
    "two lengths that differ": b"content-length: 5\r\ncontent-length: 6",
    "an empty length": b"content-length:",
    "a length in hex": b"content-length: 0x5",
    "a length with an underscore": b"content-length: 5_0",
    "a length with wide digits": "content-length: \uff15".encode(),
    "a length behind a wide space": b"content-length:\xc2\xa05",
    "a length and chunks": b"content-length: 5\r\ntransfer-encoding: chunked",
    "chunks and a length": b"transfer-encoding: chunked\r\ncontent-length: 5",
    "an unknown coding": b"transfer-encoding: gzip",
    "an unknown coding, then chunks": b"transfer-encoding: gzip, chunked",
    "chunks twice": b"transfer-encoding: chunked, chunked",
    "chunks in two lines": b"transfer-encoding: chunked\r\ntransfer-encoding: chunked",
    "a coding that looks like chunks": b"transfer-encoding: xchunked",
    "chunks behind a wide space": b"transfer-encoding:\xc2\xa0chunked",
    "another Host": b"host: b",
}


@pytest.mark.parametrize("line", REFUSED_LINES.values(), ids=REFUSED_LINES.keys())
@pytest.mark.parametrize("is_kept", [False, True], ids=["first", "kept"])
def test_a_header_that_may_be_read_in_two_ways_is_refused(cluster: Cluster, line: bytes, is_kept: bool) -> None:
    with Wire(cluster.port) as wire:
        if is_kept:
            wire.send(lookup(cluster, "msg_0"))
            assert wire.answer() is not None
        wire.send(b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + line + b"\r\n\r\n" + lookup(cluster, MARK))
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.says_close) == (400, True)
        assert wire.is_ended()


def test_a_line_that_was_fine_is_looked_at_again_when_its_value_changes(cluster: Cluster) -> None:
    def asked(value: bytes) -> bytes:
        return b"GET /livez HTTP/1.1\r\nhost: a\r\nx-a: %b\r\n\r\n" % value

    for value in (b"b\nc: d", b"b\rc", b"b\0", b"\x1b[2J", b"b\r\n c"):
        with Wire(cluster.port) as wire:
            wire.send(asked(b"fine"))
            first = wire.answer()
            assert first is not None
            assert first.status == 200
            wire.send(asked(value))
            answer = wire.answer()
            assert answer is not None
            assert (answer.status, answer.says_close) == (400, True), value
            assert wire.is_ended()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\nhost: a\n\n",
        b"GET /livez HTTP/1.1\r\nhost: a\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: a b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nhost: \xff\r\n\r\n",
        b"GET  /livez HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /livez  HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET\t/livez HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /li vez HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /livez HTTP/1.2\r\nhost: a\r\n\r\n",
        b"GET /livez http/1.1\r\nhost: a\r\n\r\n",
        b"G(T /livez HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /livez\x0b HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /livez HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http://a:99999/ HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET nothing HTTP/1.1\r\nhost: a\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET ? HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /\xc3\xb1 HTTP/1.1\r\nhost: a\r\n\r\n",
    ],
    ids=lambda head: repr(head[:40]),
)
def test_a_first_request_that_cannot_be_read_is_answered_in_one_line(cluster: Cluster, head: bytes) -> None:
    with Wire(cluster.port) as wire:
        before = len(cluster.log)
        wire.send(head)
        answer = wire.answer(within_s=5)
        assert answer is not None
        assert (answer.status, answer.says_close) == (400, True)
        assert b'"code":"http_400"' in answer.body
        assert wire.is_ended()
    until(lambda: "status=400" in cluster.log[before:], "it has its line in the log")
    assert len(cluster.log[before:].splitlines()) == 1


@pytest.mark.parametrize("path", [b"http://a", b"http://a?b=c", b"http://a/nowhere"])
def test_a_url_with_a_host_and_no_path_is_the_root(cluster: Cluster, path: bytes) -> None:
    with Wire(cluster.port) as wire:
        wire.send(b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 404


REFUSED_CHUNKS = {
    "no line break behind a chunk": b"2\r\n{}XX0\r\n\r\n",
    "a prefix of hex": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a space before the size": b" 2\r\n{}\r\n0\r\n\r\n",
    "a signed size": b"+2\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "an empty line first": b"\r\n2\r\n{}\r\n0\r\n\r\n",
    "a bare LF": b"2\n{}\r\n0\r\n\r\n",
    "a bare LF in an extension": b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a bare CR in an extension": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "an extension without a name": b"2;\r\n{}\r\n0\r\n\r\n",
    "a size without end": b"0" * 5_000,
    "an extension without end": b"2;" + b"a" * 5_000,
    "a trailer": b"2\r\n{}\r\n0\r\nx-a: b\r\n\r\n",
    "a request for a trailer": b"2\r\n{}\r\n0\r\nGET /v1/messages/%b HTTP/1.1\r\n\r\n" % MARK.encode(),
    "wide digits": "\uff12\r\n{}\r\n0\r\n\r\n".encode(),
}


@pytest.mark.parametrize("chunks", REFUSED_CHUNKS.values(), ids=REFUSED_CHUNKS.keys())
def test_chunks_that_may_be_read_in_two_ways_are_refused(cluster: Cluster, chunks: bytes) -> None:
    with Wire(cluster.port) as wire:
        head = b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + b"transfer-encoding: chunked\r\n\r\n"
        wire.send(head + chunks + lookup(cluster, MARK))
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.says_close) == (400, True)
        assert wire.is_ended()


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b" CHUNKED\t"])
def test_good_chunks_are_read_and_the_connection_goes_on(cluster: Cluster, coding: bytes) -> None:
    whole = b'1\r\n{\r\n7;a="b\\"c";d=e\r\n"to": 1\r\n0001 ; f\r\n}\r\n000\r\n\r\n'
    head = b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + b"transfer-encoding:" + coding + b"\r\n\r\n"
    for cut in (0, 1, 3, 9, len(whole) - 3, len(whole) - 1):
        with Wire(cluster.port) as wire:
            wire.send(head, whole[:cut], whole[cut:], pause_s=0.01)
            answer = wire.answer()
            assert answer is not None
            assert answer.status == 422, "the body was read: it is an object without a text"
            assert not answer.says_close
            wire.send(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            behind = wire.answer()
            assert behind is not None
            assert behind.status == 200


# --- who falls silent, and who only listens


def test_a_get_that_declares_no_body_leaves_no_error_in_the_log(cluster: Cluster) -> None:
    before = len(cluster.log)
    with Wire(cluster.port) as wire:
        for length in (b"0", b"00", b"0"):
            wire.send(b"GET /livez HTTP/1.1\r\nhost: a\r\ncontent-length: %b\r\n\r\n" % length)
            answer = wire.answer()
            assert answer is not None
            assert (answer.status, answer.says_close) == (200, False)
        wire.send(b"GET /v1/nowhere HTTP/1.1\r\nhost: a\r\n\r\n")
        assert wire.answer() is not None
    until(lambda: "path=/v1/nowhere" in cluster.log[before:], "the log is written as far as here")
    assert "ERROR" not in cluster.log[before:]


def test_a_connection_that_says_nothing_is_closed_after_15_seconds(cluster: Cluster) -> None:
    began = time.monotonic()
    with Wire(cluster.port) as wire:
        assert wire.is_ended(within_s=25)
    assert 14 < time.monotonic() - began < 20


def test_a_client_that_only_listens_gets_every_answer(cluster: Cluster) -> None:
    for asked in (
        [lookup(cluster, "msg_0")],
        [lookup(cluster, "msg_0")] * 3,
        [b"GET /v1/events?wait_s=1&after=0 HTTP/1.1\r\n" + shared(cluster) + b"\r\n"],
        [b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n"],
        [b"GET /v1/contacts/export HTTP/1.1\r\n" + shared(cluster) + b"\r\n"],
    ):
        with Wire(cluster.port) as wire:
            wire.send(b"".join(asked))
            wire.says_no_more()
            for _ in asked:
                answer = wire.answer()
                assert answer is not None, asked[0]
                assert answer.status in (200, 404)
            assert wire.is_ended()


def test_a_client_that_only_listens_gets_its_answer_on_the_fast_path(cluster: Cluster) -> None:
    body = (
        b'{"to": "12025550123", "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}'
    )
    sent = b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + b"content-length: %d\r\n\r\n" % len(body) + body
    for _ in range(5):
        with Wire(cluster.port) as wire:
            wire.send(sent)
            first = wire.answer()
            assert first is not None
            assert first.status == 202
            wire.send(sent)
            wire.says_no_more()
            answer = wire.answer()
            assert answer is not None
            assert (answer.status, answer.says_close) == (202, True)
            assert wire.is_ended()


@pytest.mark.parametrize(
    "part",
    [b"GET /livez HTTP/1.1\r\nhost: a\r\n", b"POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{"],
    ids=["header", "body"],
)
def test_a_request_that_ends_too_early_is_refused_at_once(cluster: Cluster, part: bytes) -> None:
    with Wire(cluster.port) as wire:
        wire.send(part)
        wire.says_no_more()
        answer = wire.answer(within_s=5)
        assert answer is not None
        assert (answer.status, answer.says_close) == (400, True)
        assert wire.is_ended()


def test_nobody_keeps_a_connection_by_closing_one_side(cluster: Cluster) -> None:
    for said in (b"", lookup(cluster, "msg_0")):
        with Wire(cluster.port) as wire:
            wire.send(said)
            if said:
                assert wire.answer() is not None
            wire.says_no_more()
            assert wire.is_ended(within_s=2)
    with Wire(cluster.port) as wire:
        wire.send(b"GET /v1/events/stream HTTP/1.1\r\n" + shared(cluster) + b"\r\n")
        stream = wire.answer()
        assert stream is not None
        assert stream.status == 200
        wire.says_no_more()
        assert wire.reads_to_its_end(within_s=5), "a live stream ends with its reader"


# --- what is told


@pytest.mark.parametrize("is_kept", [False, True], ids=["first", "kept"])
@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        (b"abc-123_X.y", True),
        (b"a" * 128, True),
        (b"5F0C1D52-6D2B-4C2C-9D6E-6D0F6A1F3B7E", True),
        (b"0123", True),
        (b"a" * 129, False),
        (b"", False),
        (b"\xff\xfe", False),
        (b"a b", False),
        (b"a\tb", False),
        ("\u202eabc".encode(), False),
        (b"<b>", False),
        (b"a\xc2\x85b", False),
        (b"../../x", False),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_request_id_is_taken_or_made_and_never_harms(
    cluster: Cluster, given: bytes, is_taken: bool, is_kept: bool
) -> None:
    def asked(path: bytes, value: bytes) -> bytes:
        return b"GET %b HTTP/1.1\r\nhost: a\r\nx-request-id: %b\r\n\r\n" % (path, value)

    for path, status in ((b"/v1/messages", 401), (b"/v1/nowhere", 404), (b"/v23.0/0/messages", 401)):
        with Wire(cluster.port) as wire:
            if is_kept:
                wire.send(asked(path, b"before"))
                assert wire.answer() is not None
            wire.send(asked(path, given))
            answer = wire.answer()
            assert answer is not None
            assert answer.status in (status, 404, 405), answer
            if b"request_id" in answer.body:
                assert (b'"request_id":"%b"' % given in answer.body) == (is_taken and bool(given))
    assert cluster.log.isascii() or "\x1b" not in cluster.log


def test_the_fast_path_tells_the_same_request_id(cluster: Cluster) -> None:
    body = (
        b'{"to": "12025550123", "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}'
    )

    def sent(request_id: str) -> bytes:
        more = b"x-request-id: %b\r\ncontent-length: %d\r\n\r\n" % (request_id.encode(), len(body))
        return b"POST /v1/messages HTTP/1.1\r\n" + shared(cluster) + more + body

    with Wire(cluster.port) as wire:
        for number in range(3):
            wire.send(sent(f"fast-{number}"))
            answer = wire.answer()
            assert answer is not None
            assert answer.status == 202
    for number in range(3):
        until(lambda number=number: f"request_id=fast-{number}" in cluster.log, "the line has the client's id")


@pytest.mark.parametrize(
    "name", [b"expect", b"user-agent", b"referer", b"x-forwarded-for", b"authorization", b"cookie"]
)
def test_bytes_that_are_no_utf_8_make_no_500(cluster: Cluster, name: bytes) -> None:
    for value in (b"\xff\xfe", b"a\xed\xa0\x80", b"\xc3\xb1"):
        with Wire(cluster.port) as wire:
            wire.send(b"POST /v1/messages HTTP/1.1\r\nhost: a\r\n%b: %b\r\ncontent-length: 2\r\n\r\n{}" % (name, value))
            answer = wire.answer()
            assert answer is not None
            assert 400 <= answer.status < 500
