"""Numbers, templates and the rest of an account, as Meta answers them."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.graph import GraphClient, GraphManagement, GraphUnknown

WABA, NUMBER = "102290129340398", "106540352242922"


class Account:
    """Answers by path; keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: dict[str, Any] = {}

    async def handle(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.asked.append((request.method, request.path, dict(request.query), body))
        answer = self.answers.get(request.path, {"success": True})
        return web.json_response(answer(dict(request.query)) if callable(answer) else answer)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
async def graph(account: Account) -> AsyncIterator[GraphManagement]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", account.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield GraphManagement(GraphClient(session, base_url=url, version="v23.0", timeout_s=5))
    await runner.cleanup()


async def test_a_number_has_its_quality_throughput_and_limit(graph: GraphManagement, account: Account) -> None:
    account.answers[f"/v23.0/{NUMBER}"] = {
        "id": NUMBER,
        "display_phone_number": "+1 555-078-3881",
        "quality_rating": "GREEN",
        "throughput": {"level": "STANDARD"},
        "whatsapp_business_manager_messaging_limit": "TIER_250",
    }
    number = await graph.number(NUMBER, "token")
    assert (number.id, number.quality_rating, number.throughput_level) == (NUMBER, "GREEN", "STANDARD")
    assert (number.messaging_limit, number.verified_name) == ("TIER_250", None)
    assert "throughput" in account.asked[0][2]["fields"].split(",")


async def test_templates_are_read_page_after_page_by_their_cursor(graph: GraphManagement, account: Account) -> None:
    def page(query: dict[str, str]) -> dict[str, Any]:
        n = int(query.get("after", "0"))
        more = {"next": "https://elsewhere.example/steal?access_token=1"} if n < 2 else {}
        template = {"id": 572279198452421 + n, "name": f"t{n}", "language": "en_US", "status": "APPROVED"}
        return {"data": [template, 7], "paging": {"cursors": {"before": "x", "after": str(n + 1)}, **more}}

    account.answers[f"/v23.0/{WABA}/message_templates"] = page
    templates = await graph.templates(WABA, "token", filters={"status": "APPROVED"})
    assert [template.name for template in templates] == ["t0", "t1", "t2"]
    assert templates[0].id == "572279198452421"
    assert [query.get("after") for _, _, query, _ in account.asked] == [None, "1", "2"]
    assert {query["status"] for _, _, query, _ in account.asked} == {"APPROVED"}


async def test_a_cursor_that_stands_still_ends_the_list(graph: GraphManagement, account: Account) -> None:
    account.answers[f"/v23.0/{WABA}/phone_numbers"] = {
        "data": [{"id": NUMBER}],
        "paging": {"cursors": {"after": "same"}, "next": "x"},
    }
    assert len(await graph.numbers(WABA, "token")) == 2
    assert len(account.asked) == 2


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}, "paging": []}, {"paging": {"cursors": None}}])
async def test_a_list_without_its_parts_is_empty(graph: GraphManagement, account: Account, body: Any) -> None:
    account.answers[f"/v23.0/{WABA}/message_templates"] = body
    assert await graph.templates(WABA, "token") == []


async def test_a_template_is_created(graph: GraphManagement, account: Account) -> None:
    account.answers[f"/v23.0/{WABA}/message_templates"] = {"id": "5", "status": "PENDING", "category": "MARKETING"}
    created = await graph.create_template(WABA, "token", {"name": "t", "language": "en_US"})
    assert (created.id, created.status, created.category) == ("5", "PENDING", "MARKETING")
    account.answers[f"/v23.0/{WABA}/message_templates"] = {}
    with pytest.raises(GraphUnknown):
        await graph.create_template(WABA, "token", {"name": "t", "language": "en_US"})


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda graph: graph.edit_template("5", "t", {"category": "UTILITY"}),
         ("POST", "/v23.0/5", {}, {"category": "UTILITY"})),
        (lambda graph: graph.delete_template(WABA, "t", "x", template_id="5"),
         ("DELETE", f"/v23.0/{WABA}/message_templates", {"name": "x", "hsm_id": "5"}, None)),
        (lambda graph: graph.update_profile(NUMBER, "t", {"about": "a"}),
         ("POST", f"/v23.0/{NUMBER}/whatsapp_business_profile", {}, {"messaging_product": "whatsapp", "about": "a"})),
        (lambda graph: graph.block(NUMBER, "t", ["16505551234"], unblock=True),
         ("DELETE", f"/v23.0/{NUMBER}/block_users", {},
          {"messaging_product": "whatsapp", "block_users": [{"user": "16505551234"}]})),
        (lambda graph: graph.subscribe(WABA, "t", callback_url="https://example.com/hook", verify_token="v"),
         ("POST", f"/v23.0/{WABA}/subscribed_apps", {},
          {"override_callback_uri": "https://example.com/hook", "verify_token": "v"})),
    ],
)  # fmt: skip
async def test_a_call_has_its_method_path_query_and_body(
    graph: GraphManagement,
    account: Account,
    call: Callable[[GraphManagement], Awaitable[None]],
    asked: tuple[str, str, dict[str, str], Any],
) -> None:
    await call(graph)
    assert account.asked == [asked]


async def test_the_profile_is_taken_out_of_its_list(graph: GraphManagement, account: Account) -> None:
    path = f"/v23.0/{NUMBER}/whatsapp_business_profile"
    account.answers[path] = {"data": [{"about": "a", "vertical": "RETAIL"}]}
    assert await graph.profile(NUMBER, "token", fields=("about",)) == {"about": "a", "vertical": "RETAIL"}
    account.answers[path] = {"data": []}
    assert await graph.profile(NUMBER, "token") == {}
