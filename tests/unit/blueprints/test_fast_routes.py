"""Which request goes which fast path, and what makes a found decline."""

import asyncio
import hashlib
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from sanic import HTTPResponse, Sanic

from blueprints import fast_routes as ways
from config.errors import Unavailable
from services.http_server.fast_path import FindFastRoute, LeaveFastPath, PendingAnswer
from services.http_server.header_cache import HeaderCache
from services.keys import ALL_SCOPES, Caller
from services.messages import Accepted, Idempotency, SendRequest
from tests.doubles.clock import ManualClock

NODE = "106540352242922"
ACCEPT, HOOK = b"POST /v1/messages HTTP/1.1", b"POST /webhooks/whatsapp HTTP/1.1"
SEND, SEND_PLAIN = f"POST /v23.0/{NODE}/messages HTTP/1.1".encode(), f"POST /{NODE}/messages HTTP/1.1".encode()
READ = b"GET /v1/messages/msg_1 HTTP/1.1"
TEXT = orjson.dumps({"to": "16505551234", "type": "text", "text": {"body": "hello"}})


class Services:
    """Says yes to everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked: list[Any] = []
        self.callers = {"Bearer all": Caller("key_1", "all", ALL_SCOPES), "Bearer none": Caller("k", "n", frozenset())}
        self.key_cache = SimpleNamespace(known=self.callers.get)
        self.acceptance = SimpleNamespace(begin=self.accept)
        self.messages = SimpleNamespace(begin_get=self.read)
        self.webhook = SimpleNamespace(begin=self.receive)
        self.outcome: Any = None

    def _under_way(self, *asked: Any) -> Any:
        self.asked.append(asked)
        return SimpleNamespace(done=asyncio.get_running_loop().create_future(), result=self._result)

    def _result(self) -> Any:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def accept(self, order: SendRequest, caller: Caller, once: Idempotency | None, *, now: datetime) -> Any:
        return self._under_way(order, caller, once)

    def read(self, message_id: str) -> Any:
        return self._under_way(message_id)

    def receive(self, body: bytes, signature: str | None) -> Any:
        return self._under_way(body, signature) if signature == "good" else None


def ways_of(services: Services) -> FindFastRoute:
    app: Sanic[Any, Any] = Sanic("ShortWays", configure_logging=False)

    async def nothing(*_: Any, **__: Any) -> HTTPResponse:
        return HTTPResponse()

    for number, (path, methods) in enumerate(
        {
            "/v1/messages": ["POST"],
            "/v1/messages/<message_id:str>": ["GET"],
            "/webhooks/whatsapp": ["POST"],
            "/<node:[0-9]{1,32}>/messages": ["POST"],
            "/<version:v[0-9]+[.][0-9]+>/<node:[0-9]{1,32}>/messages": ["POST"],
        }.items()
    ):
        app.add_route(nothing, path, methods=methods, name=f"n{number}")
    app.finalize()
    Sanic._app_registry.pop("ShortWays", None)
    return ways.fast_routes(app, services)  # type: ignore[arg-type]


def header(first: bytes, **more: str) -> HeaderCache:
    pairs = [("authorization", "Bearer all"), *((name.replace("_", "-"), value) for name, value in more.items())]
    return HeaderCache(b"", [first], pairs, "", first.split(b" ")[1], None)


def begin(services: Services, first: bytes, body: bytes = TEXT, **more: str) -> PendingAnswer | None:
    found = ways_of(services)(first)
    return None if found is None else found.begin(header(first, **more), body)


@pytest.mark.parametrize(
    ("first", "kind", "route"),
    [
        (ACCEPT, ways.AcceptRoute, "v1/messages"),
        (HOOK, ways.NotificationRoute, "webhooks/whatsapp"),
        (READ, ways.ReadRoute, "v1/messages/<message_id:str>"),
        (SEND, ways.CloudApiRoute, "<version:v[0-9]+[.][0-9]+>/<node:[0-9]{1,32}>/messages"),
        (SEND_PLAIN, ways.CloudApiRoute, "<node:[0-9]{1,32}>/messages"),
    ],
)
def test_each_has_its_way_with_the_route_that_the_router_knows(first: bytes, kind: type, route: str) -> None:
    found = ways_of(Services())(first)
    assert type(found) is kind
    assert found is not None
    assert (found.pattern, found.method) == (route, first.split(b" ")[0].decode())


@pytest.mark.parametrize(
    "first",
    [
        b"POST /v1/messages?a=b HTTP/1.1",
        b"POST /v1/messages HTTP/1.0",
        b"POST /v1/messages/batch HTTP/1.1",
        b"GET /v1/messages HTTP/1.1",
        b"GET /v1/messages/a/b HTTP/1.1",
        b"GET /v1/messages/msg_1?x=1 HTTP/1.1",
        b"GET /v1/messages/%6dsg HTTP/1.1",
        b"GET /v1/messages/ HTTP/1.1",
        b"GET /webhooks/whatsapp HTTP/1.1",
        b"POST /v23.0/me/messages HTTP/1.1",
        b"POST /v1/1/messages HTTP/1.1",
        b"POST /v23.0/1/2/messages HTTP/1.1",
        b"POST /v23.0/1/messages HTTP/1.0",
        b"PUT /v23.0/1/messages HTTP/1.1",
    ],
)
async def test_everything_else_has_none(first: bytes) -> None:
    services = Services()
    assert begin(services, first) is None
    assert services.asked == []


async def test_a_message_is_accepted_with_its_key_and_answered_with_its_place() -> None:
    services = Services()
    begun = begin(services, ACCEPT, idempotency_key="k")
    assert begun is not None
    ((order, caller, once),) = services.asked
    assert (order.content.to, order.phone_number_id, caller.key_id) == ("16505551234", None, "key_1")
    assert once == Idempotency("k", hashlib.sha256(TEXT).digest())
    services.outcome = Accepted("msg_1", NODE, "text", "16505551234", "wa_id", datetime(2026, 1, 2, tzinfo=UTC), None)
    answer = begun.result()
    assert answer.status == 202
    assert answer.head.startswith(b"HTTP/1.1 202 Accepted\r\nlocation: /v1/messages/msg_1\r\n")
    assert orjson.loads(answer.body)["id"] == "msg_1"
    services.outcome = None
    with pytest.raises(LeaveFastPath):
        begun.result()
    services.outcome = Unavailable("away")
    with pytest.raises(Unavailable):
        begun.result()


@pytest.mark.parametrize("first", [SEND, SEND_PLAIN])
async def test_by_metas_words_the_number_is_in_the_path_and_the_path_in_the_key(first: bytes) -> None:
    services = Services()
    begun = begin(services, first, idempotency_key="k")
    assert begun is not None
    ((order, _, once),) = services.asked
    assert order.phone_number_id == NODE
    assert once == Idempotency("k", hashlib.sha256(first.split(b" ")[1] + TEXT).digest())
    services.outcome = Accepted("msg_1", NODE, "text", "16505551234", "wa_id", datetime(2026, 1, 2, tzinfo=UTC), None)
    contact = {"input": "16505551234", "wa_id": "16505551234"}
    assert orjson.loads(begun.result().body)["contacts"] == [contact]


@pytest.mark.parametrize("first", [ACCEPT, SEND])
@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b"", {}),
        (b"{", {}),
        (b"[]", {}),
        (b'{"to": "1", "text": {"body": "x"}}', {}),
        (TEXT, {"idempotency_key": ""}),
        (TEXT, {"idempotency_key": "x" * 256}),
        (TEXT, {"idempotency_key": "a\x7fb"}),
    ],
    ids=repr,
)
async def test_what_would_be_refused_is_declined(first: bytes, body: bytes, more: dict[str, str]) -> None:
    services = Services()
    assert begin(services, first, body, **more) is None
    assert services.asked == []


async def test_a_read_mark_is_no_message() -> None:
    services = Services()
    assert begin(services, SEND, b'{"status": "read", "message_id": "wamid.x"}') is None


@pytest.mark.parametrize("first", [ACCEPT, SEND, READ])
async def test_who_is_not_known_or_may_not_is_declined(first: bytes) -> None:
    services = Services()
    found = ways_of(services)(first)
    assert found is not None
    for pairs in ([], [("authorization", "Bearer none")], [("authorization", "Bearer nobody")], [("cookie", "a=b")]):
        assert found.begin(HeaderCache(b"", [first], pairs, "", b"", None), TEXT) is None
    assert services.asked == []


async def test_the_router_answers_for_a_message_that_is_not_there() -> None:
    services = Services()
    begun = begin(services, READ)
    assert begun is not None
    assert services.asked == [("msg_1",)]
    with pytest.raises(LeaveFastPath):
        begun.result()


async def test_a_notification_needs_its_signature() -> None:
    services = Services()
    assert begin(services, HOOK, x_hub_signature_256="bad") is None
    begun = begin(services, HOOK, x_hub_signature_256="good")
    assert begun is not None
    assert begun.result().body == b'{"success":true}'
