"""The fast path answers what Sanic's own reading would: status, body and state of the connection, over any requests."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sanic import HTTPResponse, Request, Sanic
from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from services.http_server.fast_path import Answer, LeaveFastPath, PendingAnswer
from services.http_server.header_cache import HeaderCache
from services.http_server.http1 import PanalHttp
from services.http_server.protocol import PanalProtocol
from tests.doubles.http_line import Heard, QuietApp, UncountedLife, converse

NAME = "FastPathAgrees"
LIMIT = 400
MARK = b"smuggled"


class EchoRoute:
    """Answers as the handler does; what begins with `!` it leaves to the handler after all."""

    method, pattern = "POST", "echo"

    def __init__(self) -> None:
        self.count = 0

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        if body.startswith(b"?"):
            return None
        self.count += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(done.set_result, None)

        def result() -> Answer:
            if body.startswith(b"!"):
                raise LeaveFastPath
            return Answer(
                200, b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n", told(header.method, header.url, body)
            )

        return PendingAnswer(done, result)


class ForgetfulHttp(PanalHttp):
    """Reads every header anew, as Sanic does."""

    async def http1_request_header(self) -> None:
        self.cached_header = None
        await super().http1_request_header()


class LongWayProtocol(PanalProtocol):
    """Without the fast path."""

    HTTP_CLASS = ForgetfulHttp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._find_fast_route = None


def told(method: str, url: bytes, body: bytes) -> bytes:
    return b"%b %b %b" % (method.encode(), url, body)


@pytest.fixture(scope="module")
def app() -> Iterator[Sanic[Any, Any]]:
    Sanic.test_mode = True
    app = QuietApp(NAME, configure_logging=False)

    async def echo(request: Request) -> HTTPResponse:
        return HTTPResponse(told(request.method, request.raw_url, request.body), content_type="text/plain")

    async def refuse(_: Request) -> HTTPResponse:
        return HTTPResponse(b"no", status=415)

    async def take(request: Request) -> HTTPResponse:
        body = b""
        while (piece := await request.stream.read()) is not None:  # type: ignore[union-attr]
            body += piece
        return HTTPResponse(b"took:" + body)

    @app.exception(Exception)
    async def failed(_: Request, error: Exception) -> HTTPResponse:
        return HTTPResponse(type(error).__name__, status=getattr(error, "status_code", None) or 500)

    app.add_route(echo, "/echo", methods=["POST", "GET"])
    app.add_route(refuse, "/refuse", methods=["POST"], stream=True)
    app.add_route(take, "/take", methods=["POST"], stream=True)
    app.config.ACCESS_LOG = False
    app.config.REQUEST_MAX_SIZE = LIMIT
    app.finalize()
    app.ctx.life, app.ctx.route = UncountedLife(), EchoRoute()
    app.ctx.find_fast_route = lambda first: app.ctx.route if first.startswith(b"POST /echo ") else None
    logging.getLogger("sanic.error").setLevel(logging.CRITICAL)
    yield app
    logging.getLogger("sanic.error").setLevel(logging.NOTSET)
    Sanic._app_registry.pop(NAME, None)


def hear(app: Sanic[Any, Any], kind: type, pieces: list[bytes], *, ends: bool = False) -> Heard:
    async def run() -> Heard:
        return await converse(kind(loop=asyncio.get_running_loop(), app=app), pieces, ends=ends)

    return asyncio.run(run())


BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=20),
    st.sampled_from([b"!later", b"?declined", b"x" * (LIMIT + 1)]),
    st.just(b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n" + MARK),
)
LINES = st.lists(
    st.sampled_from(
        [
            *(b"x-a: 1", b"x-a: 2", b"x-b:", b"x-b: \xc3\xb1", b"x-request-id: a", b"x-request-id: b"),
            *(b"connection: keep-alive", b"connection: close", b"connection: close, x", b"expect: 100-continue"),
        ]
    ),
    max_size=2,
)
BROKEN_LINES = st.sampled_from(
    [
        *(b"x-a : 1", b" x-a: 1", b"x-a: \0", b"x-a: 1\n", b"x-a: \r1", b"x-a", b": 1", b"content-length: +1"),
        *(b"content-length: 1, 1", b"content-length: 1\r\ncontent-length: 1", b"transfer-encoding: gzip"),
        *(b"transfer-encoding: chunked\r\ncontent-length: 1", b"host: b", b"expect: \xff"),
    ]
)


@st.composite
def requests(draw: st.DrawFn, *, is_plain: bool = False) -> bytes:
    """A request, seldom a broken one. ``is_plain``: with nothing that Sanic reads otherwise."""
    method = draw(st.sampled_from([b"POST", b"POST", b"POST", b"GET", b"PUT"]))
    path = draw(st.sampled_from([b"/echo", b"/echo", b"/echo?a=1", b"/refuse", b"/take", b"/nowhere"]))
    body = draw(BODIES)
    lines = [b"host: a", *draw(LINES)]
    if is_plain:
        lines = [line for line in lines if not line.startswith((b"expect", b"connection: close,"))]
        if len([line for line in lines if line.startswith(b"connection")]) > 1:  # close wins; for Sanic the last one
            lines = lines[:1]
        if len(body) > LIMIT:  # where nobody reads it Sanic says keep-alive, and closes
            method, path = b"POST", b"/echo"
    elif draw(st.integers(0, 9)) == 0:
        lines.append(draw(BROKEN_LINES))
    version = b"1.1" if is_plain or draw(st.integers(0, 9)) else b"1.0"
    if not is_plain and version == b"1.1" and draw(st.integers(0, 4)) == 0:
        lines.append(b"transfer-encoding: chunked")
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        if draw(st.integers(0, 4)) == 0:
            body = b" " + body
    elif body or draw(st.booleans()):
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([b"%b %b HTTP/%b" % (method, path, version), *lines]) + b"\r\n\r\n" + body


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes]:
    """Requests on one connection, in pieces that need not be theirs."""
    asked = draw(st.lists(requests(), min_size=1, max_size=5))
    if draw(st.integers(0, 3)):  # a client that says much the same again, which is what the fast path is for
        lines = draw(st.sampled_from([b"", b"x-a: 1\r\n", b"x-request-id: a\r\n"]))
        asked = [_echo(lines, draw(st.binary(max_size=9))) for _ in range(draw(st.integers(2, 4)))] + asked
        asked += [_echo(lines, draw(BODIES)) for _ in range(draw(st.integers(0, 3)))]
    how = draw(st.sampled_from(["one by one", "one by one", "one by one", "in one piece", "cut", "header first"]))
    if how == "in one piece":
        return [b"".join(asked)]
    if how == "header first":
        return [part for one in asked for part in _behind_header(one)]
    if how == "cut":
        whole = b"".join(asked)
        cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
        return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True) if start < end]
    return asked


def _echo(lines: bytes, body: bytes) -> bytes:
    return b"POST /echo HTTP/1.1\r\nhost: a\r\n%bcontent-length: %d\r\n\r\n%b" % (lines, len(body), body)


def _behind_header(one: bytes) -> list[bytes]:
    head, end, body = one.partition(b"\r\n\r\n")
    return [part for part in (head + end, body) if part]


SETTINGS = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@SETTINGS
@given(pieces=conversations(), ends=st.booleans())
def test_the_fast_path_agrees_with_the_long_one(app: Sanic[Any, Any], pieces: list[bytes], ends: bool) -> None:
    before = app.ctx.route.count
    fast = hear(app, PanalProtocol, pieces, ends=ends)
    event(f"on the fast path: {app.ctx.route.count > before}")
    assert fast == hear(app, LongWayProtocol, pieces, ends=ends)
    assert all(answer.connection == "keep-alive" for answer in fast.answers[:-1]), "nothing is said after a close"
    if fast.answers and fast.answers[-1].connection == "close":
        assert fast.is_over
    assert not any(answer.status >= 500 for answer in fast.answers)


@SETTINGS
@given(asked=st.lists(requests(is_plain=True), min_size=1, max_size=5))
def test_the_fast_path_agrees_with_sanic_itself(app: Sanic[Any, Any], asked: list[bytes]) -> None:
    """Each whole request after the answer to the one before: where Sanic and RFC 9112 do not differ."""
    fast, sanic = hear(app, PanalProtocol, asked), hear(app, WebSocketProtocol, asked)
    assert fast == sanic


@SETTINGS
@given(asked=st.lists(requests(), min_size=1, max_size=4), data=st.data())
def test_no_body_is_ever_a_request(app: Sanic[Any, Any], asked: list[bytes], data: st.DataObject) -> None:
    """Bodies hold requests with a mark for their own body; executed, one would be answered with the mark alone."""
    pieces = data.draw(st.sampled_from([asked, [part for one in asked for part in _behind_header(one)]]))
    for answer in hear(app, PanalProtocol, pieces).answers:
        assert answer.body != told("POST", b"/echo", MARK)


def test_the_fast_path_was_taken(app: Sanic[Any, Any]) -> None:
    """The tests above compare something: the second request of a kind goes fast."""
    one = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi"
    before = app.ctx.route.count
    assert [answer.body for answer in hear(app, PanalProtocol, [one] * 3).answers] == [b"POST /echo hi"] * 3
    assert app.ctx.route.count == before + 2


@pytest.mark.parametrize("path", ["nowhere", "refuse", "echo"])
def test_a_body_that_comes_after_its_answer_is_dropped(app: Sanic[Any, Any], path: str) -> None:
    """The fault that this page began with: the rest of a body was taken for the next request."""
    first = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"
    evil = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n" + MARK
    method = b"GET" if path == "echo" else b"POST"
    early = b"%b /%b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (method, path.encode(), len(evil))
    for pieces in ([first, early, evil, first], [first, early, evil[:5], evil[5:] + first]):
        heard = hear(app, PanalProtocol, pieces)
        assert len(heard.answers) == 3
        assert heard.answers[0] == heard.answers[2] == (200, "keep-alive", b"POST /echo ")
        assert not heard.is_over
