"""Had the request left? The answer decides whether a resend is safe, so a server hangs up at each point in turn.

The only server here is a raw one on the loopback: no double of aiohttp would fail the way a socket does.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.graph import (
    ErrorClass,
    GraphClient,
    GraphRefused,
    GraphUnknown,
    GraphUnreachable,
    GraphUnsendable,
    graph_path,
)
from services.graph.transport import WitnessedBody
from tests.doubles.raw_server import RawServer, Visit

NUMBER = "106540352242922"
BODY = {"messaging_product": "whatsapp", "to": "16505551234", "type": "text", "text": {"body": "hola"}}
SENT = b'{"messaging_product":"whatsapp","contacts":[{"wa_id":"16505551234"}],"messages":[{"id":"wamid.A"}]}'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def client(session: aiohttp.ClientSession, url: str, *, timeout_s: float = 5.0) -> GraphClient:
    return GraphClient(session, base_url=url, version="v23.0", timeout_s=timeout_s)


async def send(session: aiohttp.ClientSession, url: str, *, timeout_s: float = 5.0) -> str:
    return (await client(session, url, timeout_s=timeout_s).send_message(NUMBER, "token", BODY)).wamid


def answers(visit: Visit) -> None:
    while visit.read_request():
        visit.answer(SENT)


# --- it provably never left


async def test_a_refused_connection_is_safe_to_repeat(session: aiohttp.ClientSession) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(GraphUnreachable):
        await send(session, f"http://127.0.0.1:{port}")


class NoNames(AbstractResolver):
    """A DNS that is down."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError("no name server")

    async def close(self) -> None:
        return None


async def test_a_name_that_does_not_resolve_is_safe_to_repeat() -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=NoNames())) as session:
        with pytest.raises(GraphUnreachable):
            await send(session, "http://graph.invalid")


async def test_waiting_in_vain_for_a_free_connection_is_safe_to_repeat() -> None:
    def never_answers(visit: Visit) -> None:
        visit.read_request()
        server.released.wait(10)

    with RawServer(never_answers) as server:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
            first = asyncio.create_task(send(session, server.url, timeout_s=0.6))
            assert await asyncio.to_thread(server.arrived.wait, 5)
            with pytest.raises(GraphUnreachable):
                await send(session, server.url, timeout_s=0.2)
            with pytest.raises(GraphUnknown):
                await first
        assert len(server.requests) == 1


async def test_a_connection_closed_while_idle_is_replaced_and_the_message_goes_once(
    session: aiohttp.ClientSession,
) -> None:
    def answers_once(visit: Visit) -> None:
        visit.read_request()
        visit.answer(SENT)

    with RawServer(answers_once, answers) as server:
        assert await send(session, server.url) == "wamid.A"
        await asyncio.sleep(0.2)
        assert await send(session, server.url) == "wamid.A"
        assert (server.connection_count, len(server.requests)) == (2, 2)


async def test_a_connection_closed_while_the_event_loop_was_busy_is_replaced_too(
    session: aiohttp.ClientSession,
) -> None:
    """The other side's FIN lies in the socket, and aiohttp has not been told: it would write, and never know."""

    def answers_once(visit: Visit) -> None:
        visit.read_request()
        visit.answer(SENT)

    with RawServer(answers_once, answers) as server:
        assert await send(session, server.url) == "wamid.A"
        time.sleep(0.2)  # noqa: ASYNC251  # the event loop must not run while the connection is closed
        assert await send(session, server.url) == "wamid.A"
        assert (server.connection_count, len(server.requests)) == (2, 2)


async def test_a_server_that_always_hangs_up_before_reading_is_given_up_after_one_more_try(
    session: aiohttp.ClientSession,
) -> None:
    def hangs_up(visit: Visit) -> None:
        visit.reset()

    with RawServer(hangs_up) as server:
        with pytest.raises((GraphUnreachable, GraphUnknown)):
            await send(session, server.url)
        assert server.connection_count <= 2
        assert server.requests == []


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:99999",
        "http://[",
        "http://",
        "http://a..b",
        f"http://{'a' * 70}.invalid",
        "ftp://graph.invalid",
        "nonsense",
    ],
)
@pytest.mark.parametrize("body", [BODY, None])
async def test_an_address_that_is_none_is_safe_to_repeat(
    session: aiohttp.ClientSession, base_url: str, body: dict[str, object] | None
) -> None:
    with pytest.raises(GraphUnreachable) as caught:
        await client(session, base_url).call("POST", graph_path(NUMBER), token="token", json_body=body)
    assert caught.value.may_retry


@pytest.mark.parametrize("body", [BODY, None])
async def test_a_server_without_tls_where_tls_is_spoken_has_had_nothing(
    session: aiohttp.ClientSession, body: dict[str, object] | None
) -> None:
    def talks_plainly(visit: Visit) -> None:
        visit.read_some()
        visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with RawServer(talks_plainly) as server:
        with pytest.raises(GraphUnreachable):
            await client(session, server.url.replace("http:", "https:")).call(
                "POST", graph_path(NUMBER), token="token", json_body=body
            )
        assert server.requests == []


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX: y", "a\0b"])
async def test_a_header_that_cannot_be_written_is_never_doubt(session: aiohttp.ClientSession, token: str) -> None:
    with RawServer(answers) as server:
        with pytest.raises(GraphUnreachable):
            await client(session, server.url).send_message(NUMBER, token, BODY)
        assert server.requests == []


def endless() -> dict[str, object]:
    """A dictionary inside itself."""
    found: dict[str, object] = {}
    found["again"] = found
    return found


@pytest.mark.parametrize("body", [{"a": "\ud800"}, {"a": 2**80}, {"a": object()}, {"a": {1: 2}}, endless()])
async def test_what_has_no_json_is_never_sent_and_never_doubt(
    session: aiohttp.ClientSession, body: dict[str, object]
) -> None:
    with RawServer(answers) as server:
        with pytest.raises(GraphUnsendable) as caught:
            await client(session, server.url).send_message(NUMBER, "token", body)
        assert (server.connection_count, caught.value.may_retry) == (0, False)


async def test_a_call_without_a_body_that_broke_on_the_way_is_unknown(session: aiohttp.ClientSession) -> None:
    with RawServer(reads_and_hangs_up) as server, pytest.raises(GraphUnknown):
        await client(session, server.url).call("POST", graph_path(NUMBER, "register"), token="token")


class WritingTo:
    """What a body writes itself to: the transport and the bytes that reached it."""

    def __init__(self, sock: socket.socket) -> None:
        self.transport = self
        self.written = b""
        self._socket = sock

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self._socket if name == "socket" else None

    async def write(self, chunk: bytes) -> None:
        self.written += chunk


async def test_a_body_asks_the_socket_itself_before_it_writes() -> None:
    """aiohttp on Python 3.12 writes at once, without a turn of the event loop that could tell it of a FIN."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        body, writer = WitnessedBody(b"{}"), WritingTo(ours)
        await body.write_with_length(writer, None)  # type: ignore[arg-type]
        assert (body.has_left, writer.written) == (True, b"{}")
        theirs.close()
        late_body, writer = WitnessedBody(b"{}"), WritingTo(ours)
        with pytest.raises(aiohttp.ClientConnectionResetError):
            await late_body.write_with_length(writer, None)  # type: ignore[arg-type]
        assert (late_body.has_left, writer.written) == (False, b"")


# --- it may have arrived


def reads_and_hangs_up(visit: Visit) -> None:
    visit.read_request()


def reads_and_resets(visit: Visit) -> None:
    visit.read_request()
    visit.reset()


def reads_a_part_and_hangs_up(visit: Visit) -> None:
    visit.read_some()


def begins_to_answer(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 20")


def promises_more_than_it_sends(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + SENT[:20])


def talks_nonsense(visit: Visit) -> None:
    visit.read_request()
    visit.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


def answers_what_is_not_json(visit: Visit) -> None:
    visit.read_request()
    visit.answer(b"<html>ok</html>")


def answers_a_json_array(visit: Visit) -> None:
    visit.read_request()
    visit.answer(b"[]")


def answers_without_a_message_id(visit: Visit) -> None:
    visit.read_request()
    visit.answer(b'{"messaging_product":"whatsapp","messages":[{}]}')


def is_a_gateway_that_lost_its_backend(visit: Visit) -> None:
    visit.read_request()
    visit.answer(b"<html>Bad Gateway</html>", status=b"502 Bad Gateway")


@pytest.mark.parametrize(
    "behaviour",
    [
        reads_and_hangs_up,
        reads_and_resets,
        reads_a_part_and_hangs_up,
        begins_to_answer,
        promises_more_than_it_sends,
        talks_nonsense,
        answers_what_is_not_json,
        answers_a_json_array,
        answers_without_a_message_id,
        is_a_gateway_that_lost_its_backend,
    ],
)
async def test_once_bytes_have_left_a_broken_answer_is_unknown_and_nothing_is_repeated(
    session: aiohttp.ClientSession, behaviour: object
) -> None:
    assert callable(behaviour)
    with RawServer(behaviour) as server:
        with pytest.raises(GraphUnknown):
            await send(session, server.url)
        assert server.connection_count == 1


async def test_a_connection_that_breaks_under_the_second_request_is_unknown_and_not_repeated(
    session: aiohttp.ClientSession,
) -> None:
    def breaks_under_the_second(visit: Visit) -> None:
        visit.read_request()
        visit.answer(SENT)
        visit.read_request()

    with RawServer(breaks_under_the_second, answers) as server:
        await send(session, server.url)
        with pytest.raises(GraphUnknown):
            await send(session, server.url)
        assert (server.connection_count, len(server.requests)) == (1, 2)


async def test_no_answer_in_time_is_unknown(session: aiohttp.ClientSession) -> None:
    def never_answers(visit: Visit) -> None:
        visit.read_request()
        server.released.wait(10)

    with RawServer(never_answers) as server:
        with pytest.raises(GraphUnknown):
            await send(session, server.url, timeout_s=0.3)
        assert len(server.requests) == 1


async def test_an_answer_past_the_size_limit_is_unknown(session: aiohttp.ClientSession) -> None:
    def never_stops(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(200):
            visit.send(b" " * 65536)

    with RawServer(never_stops) as server, pytest.raises(GraphUnknown):
        await send(session, server.url)


async def test_what_only_reads_is_never_unknown(session: aiohttp.ClientSession) -> None:
    with RawServer(reads_and_hangs_up) as server, pytest.raises(GraphUnreachable):
        await client(session, server.url).call("GET", graph_path(NUMBER), token="token")


# --- it was refused


def refuses(status: bytes, body: bytes, extra: bytes = b"") -> object:
    def behaviour(visit: Visit) -> None:
        visit.read_request()
        visit.answer(body, status=status, extra=extra)

    return behaviour


async def refusal_of(session: aiohttp.ClientSession, behaviour: object) -> GraphRefused:
    assert callable(behaviour)
    with RawServer(behaviour) as server, pytest.raises(GraphRefused) as caught:
        await send(session, server.url)
    return caught.value


async def test_an_error_of_the_graph_api_is_read_whole(session: aiohttp.ClientSession) -> None:
    refusal = await refusal_of(
        session,
        refuses(
            b"400 Bad Request",
            b'{"error":{"message":"(#131056) (Business Account, Consumer Account) pair rate limit hit",'
            b'"type":"OAuthException","code":131056,"error_subcode":2494071,'
            b'"error_data":{"messaging_product":"whatsapp","details":"too many messages"},"fbtrace_id":"AbC"}}',
            b"Retry-After: 17\r\n",
        ),
    )
    assert refusal.graph_code == 131056
    assert refusal.subcode == 2494071
    assert refusal.http_status == 400
    assert refusal.title == "(Business Account, Consumer Account) pair rate limit hit"
    assert refusal.details == "too many messages"
    assert refusal.fbtrace_id == "AbC"
    assert refusal.retry_after_s == 17.0
    assert refusal.klass is ErrorClass.RETRY
    assert refusal.may_retry


@pytest.mark.parametrize(
    ("status", "body", "klass"),
    [
        (b"500 Internal Server Error", b'{"error":{"code":131000,"message":"x"}}', ErrorClass.RETRY),
        (b"401 Unauthorized", b'{"error":{"code":190,"error_data":"text","message":"x"}}', ErrorClass.AUTH),
        (b"400 Bad Request", b'{"error":{"code":"131026","message":null}}', ErrorClass.FAIL),
        (b"200 OK", b'{"error":{"code":131009,"message":"x"}}', ErrorClass.FAIL),
        (b"400 Bad Request", b'{"error":{}}', ErrorClass.AUTH),
        (b"404 Not Found", b"<html>nginx</html>", ErrorClass.AUTH),
        (b"429 Too Many Requests", b"slow down", ErrorClass.RETRY),
        (b"413 Content Too Large", b"", ErrorClass.FAIL),
        (b"302 Found", b"", ErrorClass.AUTH),
    ],
)
async def test_a_refusal_is_classified_whatever_answered(
    session: aiohttp.ClientSession, status: bytes, body: bytes, klass: ErrorClass
) -> None:
    assert (await refusal_of(session, refuses(status, body))).klass is klass


async def test_a_refusal_never_repeats_our_credentials(session: aiohttp.ClientSession) -> None:
    """Graph does: "Malformed access token EAAG…". What it says is stored with the message and shown."""
    body = (
        b'{"error":{"code":190,"message":"Malformed access token the-permanent-token","error_data":{"details":'
        b'"https://graph.facebook.com/v1/1?access_token=the-permanent-token&appsecret_proof=0123abcd"},'
        b'"error_user_msg":"%74he-permanent-token","fbtrace_id":"the-permanent-token"}}'
    )
    behaviour = refuses(b"401 Unauthorized", body)
    assert callable(behaviour)
    with RawServer(behaviour) as server, pytest.raises(GraphRefused) as caught:
        await client(session, server.url).send_message(NUMBER, "the-permanent-token", BODY)
    refusal = caught.value
    told = f"{refusal} {refusal.title} {refusal.details} {refusal.fbtrace_id} {refusal.extra}"
    assert "permanent" not in told
    assert "0123abcd" not in told
    assert (refusal.graph_code, refusal.title) == (190, "Malformed access token ***")


async def test_what_is_read_never_repeats_our_credentials(session: aiohttp.ClientSession) -> None:
    body = (
        b'{"data":[{"name":"the-permanent-token","x":{"paging":{"next":"https://g/?access_token=the-permanent-token"}}}],'
        b'"access_token":"another","the-permanent-token":1}'
    )

    def tells(visit: Visit) -> None:
        visit.read_request()
        visit.answer(body)

    with RawServer(tells) as server:
        answer = await client(session, server.url).call("GET", graph_path(NUMBER), token="the-permanent-token")
    assert answer.body == {
        "data": [{"name": "***", "x": {"paging": {"next": "https://g/?access_token=***"}}}],
        "access_token": "***",
        "***": 1,
    }


async def test_a_redirect_is_not_followed(session: aiohttp.ClientSession) -> None:
    """A POST that is redirected becomes a GET elsewhere, with our token."""
    with RawServer(answers) as elsewhere:
        location = b"Location: %s/v23.0/x\r\n" % elsewhere.url.encode()
        await refusal_of(session, refuses(b"301 Moved Permanently", b"", location))
        assert elsewhere.requests == []


# --- what is on the wire


async def test_the_request_has_path_token_proof_and_body(session: aiohttp.ClientSession) -> None:
    with RawServer(answers) as server:
        graph = GraphClient(session, base_url=f"{server.url}/", version="v23.0", timeout_s=5, app_secret="secret")
        answer = await graph.send_message(NUMBER, "token", BODY)
    assert (answer.wamid, answer.wa_id, answer.user_id, answer.message_status) == ("wamid.A", "16505551234", None, None)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    proof = b"?appsecret_proof=e941110e3d2bfe82621f0e3e1434730d7305d106c5f68c87165d0b27a4611a4a"
    assert head.startswith(b"POST /v23.0/106540352242922/messages" + proof + b" HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer token\r\n" in head + b"\r\n"
    assert b"\r\nContent-Type: application/json" in head
    assert body.startswith(b'{"messaging_product":"whatsapp"')


async def test_an_id_cannot_walk_to_another_object(session: aiohttp.ClientSession) -> None:
    with RawServer(answers) as server:
        await client(session, server.url).call("GET", graph_path("1/../2?x=1#y"), token="token")
    assert server.requests[0].startswith(b"GET /v23.0/1%2F..%2F2%3Fx%3D1%23y HTTP/1.1\r\n")


async def test_read_marks_and_typing_have_their_bodies(session: aiohttp.ClientSession) -> None:
    with RawServer(answers) as server:
        await client(session, server.url).mark_read(NUMBER, "token", "wamid.IN")
        await client(session, server.url).mark_read(NUMBER, "token", "wamid.IN", shows_typing=True)
    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert bodies == [
        b'{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN"}',
        b'{"messaging_product":"whatsapp","status":"read","message_id":"wamid.IN","typing_indicator":{"type":"text"}}',
    ]
