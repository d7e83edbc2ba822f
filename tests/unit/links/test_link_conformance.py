"""What any link must do, run on the scripted double and on the cloud link in front of a small Graph server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.graph import ErrorClass, GraphClient, HoldScope, classify
from services.links import (
    CloudLink,
    Link,
    LinkKind,
    LinkState,
    NotSubmitted,
    OutcomeUnknown,
    OutgoingMessage,
    SendRefused,
)
from tests.doubles.link import ScriptedLink

NUMBER = "106540352242922"
TEXT = {"type": "text", "text": {"body": "hola"}}


@dataclass
class Bench:
    """A link under test, and how to arrange what its platform does next."""

    link: Link
    refuse: Callable[[int, int], None]
    """Graph code, HTTP status."""
    lose_the_answer: Callable[[], None]
    be_unreachable: Callable[[], Awaitable[None]]
    arrived: Callable[[], list[str]]
    """Recipients of what reached the platform and was accepted, in order."""
    marks: Callable[[], list[tuple[str, bool]]]


@asynccontextmanager
async def scripted_bench() -> AsyncIterator[Bench]:
    link = ScriptedLink()

    def lose_the_answer() -> None:
        unknown = OutcomeUnknown()
        link.arrives.append(unknown)
        link.then([unknown])

    async def be_unreachable() -> None:
        link.then([NotSubmitted()])

    yield Bench(
        link=link,
        refuse=lambda code, status: link.then([SendRefused(classify(code, None, status), title="refused")]),
        lose_the_answer=lose_the_answer,
        be_unreachable=be_unreachable,
        arrived=lambda: [order.to for order in link.sent],
        marks=lambda: [(mark.wamid, mark.shows_typing) for mark in link.marks],
    )


@dataclass
class TinyGraph:
    """Accepts messages, or fails once as it was told."""

    accepted: list[dict[str, Any]] = field(default_factory=list)
    marks: list[tuple[str, bool]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    next_refusal: tuple[int, int] | None = None
    loses_next_answer: bool = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.tokens.append(request.headers.get("Authorization"))
        if self.next_refusal is not None:
            code, status = self.next_refusal
            self.next_refusal = None
            return web.json_response({"error": {"code": code, "message": f"(#{code}) refused"}}, status=status)
        if body.get("status") == "read":
            self.marks.append((body["message_id"], "typing_indicator" in body))
            return web.json_response({"success": True})
        self.accepted.append(body)
        if self.loses_next_answer:
            self.loses_next_answer = False
            assert request.transport is not None
            request.transport.abort()
        who = {"user_id": body["recipient"]} if "recipient" in body else {"wa_id": body["to"]}
        return web.json_response(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": "x", **who}],
                "messages": [{"id": f"wamid.{len(self.accepted)}"}],
            }
        )


@asynccontextmanager
async def tiny_graph(graph: TinyGraph) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """The server's address, and a way to stop it."""
    app = web.Application()
    app.router.add_post("/v23.0/{number}/messages", graph.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}", site.stop
    finally:
        await runner.cleanup()


@asynccontextmanager
async def cloud_bench() -> AsyncIterator[Bench]:
    graph = TinyGraph()
    # No keep-alive: an unreachable platform would otherwise still be reached over the connection that is open.
    connector = aiohttp.TCPConnector(force_close=True)
    async with tiny_graph(graph) as (url, stop), aiohttp.ClientSession(connector=connector) as session:
        client = GraphClient(session, base_url=url, version="v23.0", timeout_s=5)
        link = CloudLink(client, lambda _: "token")

        def refuse(code: int, status: int) -> None:
            graph.next_refusal = (code, status)

        def lose_the_answer() -> None:
            graph.loses_next_answer = True

        yield Bench(
            link=link,
            refuse=refuse,
            lose_the_answer=lose_the_answer,
            be_unreachable=stop,
            arrived=lambda: [body.get("to") or body["recipient"] for body in graph.accepted],
            marks=lambda: graph.marks,
        )


@pytest.fixture(params=[scripted_bench, cloud_bench], ids=["double", "cloud"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with request.param() as made:
        yield made


def order(number: int = 1, *, to: str = "16505551234", kind: str = "wa_id") -> OutgoingMessage:
    return OutgoingMessage(
        id=f"msg_{number:026}",
        phone_number_id=NUMBER,
        to=to,
        recipient_kind=kind,  # type: ignore[arg-type]
        payload=TEXT,
    )


async def test_a_message_that_is_taken_has_a_wamid_and_the_link_is_ready(bench: Bench) -> None:
    assert bench.link.state is LinkState.STARTING
    submitted = await bench.link.send(order())
    assert submitted.wamid.startswith("wamid.")
    assert (submitted.wa_id, submitted.user_id) == ("16505551234", None)
    assert bench.link.state is LinkState.READY
    assert bench.arrived() == ["16505551234"]


async def test_two_messages_have_two_wamids(bench: Bench) -> None:
    first, second = await bench.link.send(order(1)), await bench.link.send(order(2))
    assert first.wamid != second.wamid


async def test_a_business_scoped_user_is_reached(bench: Bench) -> None:
    submitted = await bench.link.send(order(to="US.13491208655302741918", kind="user_id"))
    assert (submitted.wa_id, submitted.user_id) == (None, "US.13491208655302741918")


async def test_a_refusal_carries_its_rule_and_nothing_arrived(bench: Bench) -> None:
    bench.refuse(131056, 400)
    with pytest.raises(SendRefused) as caught:
        await bench.link.send(order())
    assert caught.value.rule.code == 131056
    assert caught.value.rule.scope is HoldScope.PAIR
    assert caught.value.may_retry
    assert bench.arrived() == []
    assert bench.link.state is LinkState.READY


async def test_a_final_refusal_may_not_be_retried(bench: Bench) -> None:
    bench.refuse(131009, 400)
    with pytest.raises(SendRefused) as caught:
        await bench.link.send(order())
    assert caught.value.rule.klass is ErrorClass.FAIL
    assert not caught.value.may_retry


async def test_a_refused_token_shows_in_the_state_until_a_call_succeeds(bench: Bench) -> None:
    bench.refuse(190, 401)
    with pytest.raises(SendRefused):
        await bench.link.send(order())
    assert bench.link.state is LinkState.REFUSED
    await bench.link.send(order())
    assert bench.link.state is LinkState.READY


async def test_a_lost_answer_is_unknown_and_the_message_did_arrive(bench: Bench) -> None:
    bench.lose_the_answer()
    with pytest.raises(OutcomeUnknown) as caught:
        await bench.link.send(order())
    assert not caught.value.may_retry
    assert bench.arrived() == ["16505551234"]
    assert bench.link.state is LinkState.UNREACHABLE


async def test_an_unreachable_platform_got_nothing_and_a_resend_is_safe(bench: Bench) -> None:
    await bench.be_unreachable()
    with pytest.raises(NotSubmitted) as caught:
        await bench.link.send(order())
    assert caught.value.may_retry
    assert bench.arrived() == []
    assert bench.link.state is LinkState.UNREACHABLE


async def test_read_marks_arrive_and_fail_like_messages(bench: Bench) -> None:
    await bench.link.mark_read(NUMBER, "wamid.IN")
    await bench.link.mark_read(NUMBER, "wamid.IN", shows_typing=True)
    assert bench.marks() == [("wamid.IN", False), ("wamid.IN", True)]
    bench.refuse(131009, 400)
    with pytest.raises(SendRefused):
        await bench.link.mark_read(NUMBER, "wamid.IN")


async def test_a_link_says_what_it_is(bench: Bench) -> None:
    assert bench.link.kind is LinkKind.CLOUD
