"""A whole request of a known kind is answered at once; everything else goes Sanic's path, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from sanic import HTTPResponse, Request, Sanic
from sanic.http.constants import Stage

from config.errors import Unavailable
from services.http_server.fast_path import Answer, LeaveFastPath, PendingAnswer
from services.http_server.header_cache import HeaderCache
from services.http_server.protocol import CLIENT_CLOSED, PanalProtocol

HEAD = b"HTTP/1.1 202 Accepted\r\nby: short\r\n"


class Quiet(Sanic[Any, Any]):
    """Without signals: a server that starts compiles them away where nobody listens."""

    async def dispatch(self, *_: Any, **__: Any) -> None:  # type: ignore[override]
        return None


class Life:
    """What counts the requests of a worker."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, str | None, int]] = []
        self.release_surplus = False

    def answered(
        self,
        method: str,
        route: str,
        *,
        path: str,
        status: int,
        seconds: float,
        client: Callable[[], str],
        key_id: str | None = None,
        given_request_id: str | None = None,
    ) -> None:
        assert seconds >= 0
        assert isinstance(client(), str)
        assert (path, key_id) == ("/echo", "key_1")
        self.counted.append((method, route, status))

    def should_close(self) -> bool:
        return self.release_surplus


class EchoRoute:
    """Answers with the body, once the test says so."""

    method, pattern = "POST", "echo"

    def __init__(self) -> None:
        self.under_way: list[tuple[asyncio.Future[None], bytes]] = []
        self.declines = False
        self.breaks: Exception | None = None

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        if self.breaks is not None:
            raise self.breaks
        if self.declines:
            return None
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.under_way.append((done, body))

        def result() -> Answer:
            done.result()
            return Answer(202, HEAD, b"short:" + body)

        return PendingAnswer(done, result, "key_1")


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False
        self.is_paused = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def set_write_buffer_limits(self, **_: Any) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Line:
    """One connection of a client to an application with one route."""

    def __init__(self, app: Sanic[Any, Any]) -> None:
        self.app = app
        self.life: Life = app.ctx.life
        self.route: EchoRoute = app.ctx.route
        self.transport = Transport()
        self.protocol = PanalProtocol(loop=asyncio.get_running_loop(), app=app)

    async def say(self, data: bytes) -> list[bytes]:
        """What is answered by when nothing moves any more."""
        self.protocol.data_received(data)
        return await self.heard()

    async def heard(self) -> list[bytes]:
        for _ in range(20):
            await asyncio.sleep(0)
        said, self.transport.written = self.transport.written, []
        return said

    async def known(self) -> None:
        """The first request goes Sanic's route, and makes the header known."""
        (answer,) = await self.say(request(b"first"))
        assert answer.endswith(b"long:first")
        self.life.counted.clear()


def request(body: bytes, *, more: bytes = b"") -> bytes:
    return b"POST /echo HTTP/1.1\r\nhost: a\r\n%bcontent-length: %d\r\n\r\n%b" % (more, len(body), body)


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    Sanic.test_mode = True
    app = Quiet("ShortWay", configure_logging=False)

    @app.post("/echo")
    async def echo(request: Request) -> HTTPResponse:
        return HTTPResponse(b"long:" + request.body)

    @app.exception(Unavailable)
    async def away(_: Request, error: Unavailable) -> HTTPResponse:
        return HTTPResponse(f"away:{error}", status=503)

    app.config.ACCESS_LOG = False
    app.finalize()
    app.ctx.life, app.ctx.route = Life(), EchoRoute()
    app.ctx.find_fast_route = lambda first: app.ctx.route if first.startswith(b"POST /echo ") else None
    one = Line(app)
    one.protocol.connection_made(one.transport)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    yield one
    one.protocol.connection_lost(None)
    await one.heard()
    Sanic._app_registry.pop("ShortWay", None)


async def test_the_first_request_goes_long_and_the_next_ones_go_short(line: Line) -> None:
    await line.known()
    assert await line.say(request(b"second")) == []
    http = line.protocol.http
    assert http.stage is Stage.HANDLER, "for all who ask, this request is under route"
    line.route.under_way[0][0].set_result(None)
    (answer,) = await line.heard()
    assert answer == HEAD + b"content-length: 12\r\nconnection: keep-alive\r\n\r\nshort:second"
    assert http.stage is Stage.IDLE
    assert line.life.counted == [("POST", "echo", 202)]


async def test_what_a_way_declines_or_stumbles_over_goes_long(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    await line.known()
    line.route.declines = True
    assert [answer.endswith(b"long:declined") for answer in await line.say(request(b"declined"))] == [True]
    line.route.declines, line.route.breaks = False, Unavailable("full")
    assert [answer.endswith(b"long:full") for answer in await line.say(request(b"full"))] == [True]
    assert not caplog.records
    line.route.breaks = RuntimeError("a fault of ours")
    assert [answer.endswith(b"long:broken") for answer in await line.say(request(b"broken"))] == [True]
    assert [getattr(record, "action", None) for record in caplog.records] == ["request.bug"], "and it is told"
    assert line.route.under_way == []


async def test_a_failure_is_rendered_on_sanics_path(line: Line) -> None:
    await line.known()
    await line.say(request(b"lost"))
    line.route.under_way[0][0].set_exception(Unavailable("no database"))
    (answer,) = await line.heard()
    assert answer.startswith(b"HTTP/1.1 503")
    assert answer.endswith(b"away:unavailable: no database")
    # And the connection goes on.
    await line.say(request(b"next"))
    line.route.under_way[1][0].set_result(None)
    assert [answer.endswith(b"short:next") for answer in await line.heard()] == [True]


async def test_what_came_of_nothing_is_handled_from_its_beginning(line: Line) -> None:
    await line.known()
    await line.say(request(b"again"))
    line.route.under_way[0][0].set_exception(LeaveFastPath())
    assert [answer.endswith(b"long:again") for answer in await line.heard()] == [True]


async def test_what_comes_meanwhile_waits_and_is_answered_in_order(line: Line) -> None:
    await line.known()
    await line.say(request(b"one"))
    two, three = request(b"two"), request(b"three")
    assert await line.say(two[:10]) == []
    assert await line.say(two[10:] + three) == []
    line.route.under_way[0][0].set_result(None)
    answers = b"".join(await line.heard())
    assert [part in answers for part in (b"short:one", b"long:two", b"long:three")] == [True] * 3
    assert answers.index(b"short:one") < answers.index(b"long:two") < answers.index(b"long:three")


async def test_a_client_that_sends_on_and_on_is_not_read_any_more(line: Line) -> None:
    await line.known()
    await line.say(request(b"one"))
    await line.say(b"x" * line.app.config.REQUEST_BUFFER_SIZE)
    assert line.transport.is_paused


async def test_parts_and_several_at_once_go_long(line: Line) -> None:
    await line.known()
    whole = request(b"parts")
    for cut in (5, whole.index(b"\r\n\r\n") + 4, len(whole) - 1):
        assert await line.say(whole[:cut]) == []
        assert [answer.endswith(b"long:parts") for answer in await line.say(whole[cut:])] == [True]
    assert len(await line.say(whole * 2)) == 2
    assert line.route.under_way == []


async def test_an_answer_to_nobody_is_counted_as_hung_up(line: Line) -> None:
    await line.known()
    await line.say(request(b"gone"))
    line.transport.close()
    line.protocol.connection_lost(None)
    line.route.under_way[0][0].set_result(None)
    assert await line.heard() == []
    assert line.life.counted == [("POST", "echo", CLIENT_CLOSED)]


async def test_a_worker_that_drains_answers_and_closes(line: Line) -> None:
    await line.known()
    await line.say(request(b"last"))
    line.protocol.close_if_still_idle()
    assert not line.transport.is_closed, "it is not idle: a request is under route"
    line.protocol.answer_and_close()
    line.route.under_way[0][0].set_result(None)
    (answer,) = await line.heard()
    assert b"connection: close\r\n" in answer
    assert line.transport.is_closed


async def test_a_connection_that_is_one_too_many_is_let_go_with_its_answer(line: Line) -> None:
    await line.known()
    line.life.release_surplus = True
    await line.say(request(b"elsewhere"))
    line.route.under_way[0][0].set_result(None)
    (answer,) = await line.heard()
    assert b"connection: close\r\n" in answer
    assert line.transport.is_closed
