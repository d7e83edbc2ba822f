"""The page as such: signing in, languages, light and dark, accessibility, and what it may load."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.scenes import conversation_of, customer, text
from tests.harness import Cluster

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
PARTS = ("inbox", "contacts", "campaigns", "cluster", "templates", "numbers", "webhooks", "events", "keys")


def faults_of(page: Page) -> list[str]:
    """Serious and critical faults that axe-core finds."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("async () => await axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['help']} {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def test_a_wrong_key_is_refused_in_words(cluster: Cluster, browser: Any) -> None:
    page = browser.new_context(base_url=f"http://127.0.0.1:{cluster.port}", locale="es").new_page()
    page.goto("/console")
    page.get_by_label("Clave de API").fill("no-es-una-clave")
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_text("Esta clave no es válida.")).to_be_visible()
    page.context.close()


def test_signing_out_closes_the_door(open_page: Open) -> None:
    page = open_page(signs_out=True)
    page.get_by_role("button", name="Cuenta: bootstrap").click()
    page.get_by_role("button", name="Salir").click()
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()


def test_a_page_that_nobody_touches_shows_the_door(open_page: Open) -> None:
    page = open_page(signs_in=False)
    page.clock.install()
    page.reload()
    page.get_by_label("Clave de API").fill("test-key-of-the-integration-suite")
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", name="Bandeja")).to_be_visible()
    page.route("**/console/session", lambda route: route.fulfill(json={"signed_in": False, "whatsapp": "sandbox"}))
    page.clock.fast_forward(8 * 60 * 1000)
    expect(page.get_by_role("button", name="Entrar")).to_be_visible()
    expect(page.get_by_text("La sesión terminó")).to_be_visible()


def test_the_session_survives_a_reload_and_another_worker(open_page: Open) -> None:
    page = open_page()
    for _ in range(4):
        page.reload()
        expect(page.get_by_role("heading", name="Bandeja")).to_be_visible()


def test_the_language_can_be_switched_and_is_remembered(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="Cuenta: bootstrap").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    page.reload()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_of_many_tabs_one_listens_and_another_takes_over(cluster: Cluster, open_page: Open) -> None:
    first = open_page("/console/events")
    other = first.context.new_page()
    streams: list[str] = []
    other.on("request", lambda request: "/events/stream" in request.url and streams.append(request.url))
    other.goto("/console/events")
    other.locator(".event").first.wait_for()
    customer(cluster, "16505550405", text("para todas las pestañas"))
    for page in (first, other):
        expect(page.locator(".event", has_text="para todas las pestañas").first).to_be_visible()
    assert streams == []
    first.close()
    customer(cluster, "16505550405", text("para la que queda"))
    expect(other.locator(".event", has_text="para la que queda").first).to_be_visible()
    assert len(streams) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(cluster: Cluster, open_page: Open, scheme: str) -> None:
    wa_id = "16505550401"
    customer(cluster, wa_id, text("Hola"))
    conversation = conversation_of(cluster, wa_id)
    cluster.send(wa_id, "¿Qué tal?")
    page = open_page(color_scheme=scheme)
    faults: dict[str, list[str]] = {}
    for path in (*PARTS, f"inbox/{conversation['id']}"):
        page.goto(f"/console/{path}")
        page.locator(":is(main h1, .bubble-line):visible").first.wait_for()
        page.wait_for_timeout(400)
        if found := faults_of(page):
            faults[path] = found
    page.get_by_role("button", name="Plantilla", exact=True).click()
    page.get_by_role("button", name="order_ready").click()
    if found := faults_of(page):
        faults["picker"] = found
    assert not faults, "\n".join(f"{path}: {fault}" for path, found in faults.items() for fault in found)


def test_the_door_has_no_serious_fault_either(open_page: Open) -> None:
    page = open_page(signs_in=False)
    page.locator(".login-card").wait_for()
    assert faults_of(page) == []


def tab_to(page: Page, goal: Locator, *, key: str = "Tab", most: int = 60) -> None:
    """Press the key until the focus is there; it must be seen where it is."""
    for _ in range(most):
        page.keyboard.press(key)
        if goal.evaluate_all("(found) => found.includes(document.activeElement)"):
            style = goal.evaluate("(one) => getComputedStyle(one).outlineStyle")
            assert style != "none", "nobody sees where the focus is"
            return
    raise AssertionError(f"{most} times {key} do not lead to {goal}")


def test_a_day_by_keyboard_alone(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550402"
    customer(cluster, wa_id, text("Solo teclado"))
    conversation = conversation_of(cluster, wa_id)
    page = open_page()
    keys, row = page.keyboard, page.locator(f"[data-conversation={conversation['id']}]")
    writing = page.get_by_label("Escribe un mensaje")
    row.wait_for()
    # From the search to the conversation, and an answer.
    keys.press("/")
    keys.type("teclado")
    expect(page.locator("a.row")).to_have_count(1)
    tab_to(page, row)
    keys.press("Enter")
    expect(writing).to_be_focused()
    keys.type("Con teclado también")
    keys.press("Enter")
    sent = page.locator(".bubble-line.out", has_text="Con teclado también")
    expect(sent.locator(".ticks.read")).to_be_visible()
    # A panel with arrows; what is chosen comes where it is written.
    tab_to(page, page.get_by_role("button", name="Emoji"), key="Shift+Tab")
    keys.press("Enter")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        keys.press(key)
    expect(writing).to_be_focused()
    expect(writing).to_have_value("😃")
    keys.press("Control+A")
    keys.press("Delete")
    # A dialog gives the focus back, whether it is left or used.
    picks = page.locator(".composer-tools").get_by_role("button", name="Plantilla")
    tab_to(page, picks, key="Shift+Tab")
    keys.press("Space")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(picks).to_be_focused()
    keys.press("Enter")
    tab_to(page, page.get_by_role("button", name=re.compile("^hello_world")))
    keys.press("Space")
    tab_to(page, page.get_by_role("button", name="Enviar plantilla"))
    keys.press("Enter")
    expect(page.locator(".bubble-line.out", has_text="Welcome and congratulations")).to_be_visible()
    expect(picks).to_be_focused()
    # Messages are one stop; arrows go through them.
    tools = page.get_by_role("button", name="Acciones del mensaje")
    expect(tools).to_have_count(3)
    tab_to(page, tools.nth(2), key="Shift+Tab")
    keys.press("ArrowUp")
    expect(tools.nth(1)).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".menu")).to_be_visible()
    keys.press("Escape")
    expect(page.locator(".menu")).to_have_count(0)
    expect(tools.nth(1)).to_be_focused()
    # A label, in a panel beside.
    details = page.get_by_role("button", name="Detalles", exact=True)
    tab_to(page, details, key="Shift+Tab")
    keys.press("Enter")
    tab_to(page, page.get_by_placeholder("Añadir etiqueta"))
    keys.type("urgente")
    keys.press("Enter")
    expect(row.locator(".row-tag.label")).to_have_text("urgente")
    keys.press("Escape")
    expect(details).to_be_focused()
    # Another page, and a number that rests for a moment.
    tab_to(page, page.get_by_role("link", name="Números"), key="Shift+Tab")
    keys.press("Enter")
    pause = page.locator(".card.number header .button")
    tab_to(page, pause)
    for key, words, then in (("Enter", "Número en pausa", "Reanudar"), ("Space", "Número reanudado", "Pausar")):
        keys.press(key)
        expect(page.locator(".toast", has_text=words)).to_be_visible()
        expect(pause).to_have_text(then)
        expect(pause).to_be_focused()


def test_a_list_of_conversations_is_one_stop_and_arrows_go_through_it(cluster: Cluster, open_page: Open) -> None:
    people = [f"1650555041{n}" for n in range(3)]
    for n, wa_id in enumerate(people):
        customer(cluster, wa_id, text(f"Fila {n}"))
        conversation_of(cluster, wa_id)
    page = open_page()
    page.get_by_label("Buscar nombre, número o texto").fill("Fila")
    rows = page.locator("a.row")
    expect(rows).to_have_count(3)
    tab_to(page, rows.first)
    ids = rows.evaluate_all("(all) => all.map((one) => one.dataset.conversation)")
    for key, position in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("Home", 0), ("End", 2)):
        page.keyboard.press(key)
        expect(page.locator(f"[data-conversation={ids[position]}]")).to_be_focused()
    # Rows change places, and the focus stays where it was.
    by_id = {conversation_of(cluster, wa_id)["id"]: wa_id for wa_id in people}
    page.keyboard.press("Home")
    for position, words in ((2, "Fila última"), (0, "Fila primera"), (1, "Fila media"), (0, "Fila otra vez")):
        customer(cluster, by_id[ids[position]], text(words))
        expect(rows.first).to_contain_text(words)
        expect(page.locator(f"[data-conversation={ids[0]}]")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('a.row')") is None


def test_nothing_is_wider_than_a_small_phone(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550403"
    customer(cluster, wa_id, text("palabra" * 30))
    conversation = conversation_of(cluster, wa_id)
    page = open_page(viewport={"width": 360, "height": 740})
    for path in (*PARTS, f"inbox/{conversation['id']}"):
        page.goto(f"/console/{path}")
        page.locator(":is(main h1, .bubble-line):visible").first.wait_for()
        page.wait_for_timeout(200)
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
        cut = page.evaluate(
            "() => { const main = document.querySelector('main'); return main.scrollWidth - main.clientWidth }"
        )
        assert cut <= 0, f"{path}: main is {cut} px too wide"


def test_the_page_is_served_with_a_strict_policy(cluster: Cluster) -> None:
    answer = cluster.client.get("/console", headers={"authorization": ""})
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


def test_a_session_is_only_for_the_console_itself(cluster: Cluster) -> None:
    root = f"http://127.0.0.1:{cluster.port}"
    own = {"x-panal-console": "1"}
    with httpx.Client(base_url=root, timeout=10) as client:
        opened = client.post("/console/session", json={"key": cluster.key}, headers=own)
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/v1/conversations").status_code == 200
        order = {
            "to": "16505550404",
            "type": "template",
            "template": {"name": "hello_world", "language": {"code": "en_US"}},
        }
        assert client.post("/v1/messages", json=order).status_code == 403
        assert (
            client.post("/v1/messages", json=order, headers={**own, "origin": "https://evil.example"}).status_code
            == 403
        )
        assert (
            client.post("/v1/messages", json=order, headers={**own, "sec-fetch-site": "cross-site"}).status_code == 403
        )
        assert client.post("/v1/messages", json=order, headers={**own, "origin": root}).status_code == 202
    forged = {"cookie": "panal_session=1.key_bootstrap.1.1.forged"}
    assert httpx.get(f"{root}/v1/conversations", headers=forged).status_code == 401


@pytest.mark.parametrize("path", ["/console/inbox/%E0%A4%A", "/console/%", "/console/no-such-page", "/console/a/%zz/b"])
def test_an_address_that_leads_nowhere_says_so_in_words(open_page: Open, path: str) -> None:
    page = open_page()
    page.goto(path)
    expect(page.get_by_role("heading", name="Esta página no existe")).to_be_visible()
    page.get_by_role("link", name="Ir a la primera página").click()
    expect(page.get_by_role("heading", name="Bandeja")).to_be_visible()
