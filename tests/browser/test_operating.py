"""The operator's day: the cluster, campaigns, keys, and signing in."""

from playwright.sync_api import APIResponse, Route, expect

from tests.browser.conftest import Open
from tests.browser.scenes import conversation_of, customer, text
from tests.harness import Cluster
from tests.harness.waiting import until


def test_a_killed_worker_shows_its_restart(cluster: Cluster, open_page: Open) -> None:
    page = open_page("/console/cluster", may_lose_connection=True)
    name = "Sanic-Server-1-0"
    card = page.locator(f"[data-process={name}]")
    expect(card).to_be_visible()
    before = cluster.pid(name)
    cluster.kill(before)
    until(lambda: name in cluster.processes() and cluster.pid(name) != before, "the worker is back", within_s=40)
    expect(card).to_have_attribute("data-pid", str(cluster.pid(name)), timeout=30_000)
    expect(card).to_contain_text("1 reinicio")
    expect(page.locator(".timeline")).to_contain_text(name)
    cluster.wait_ready()


def test_the_charts_survive_a_reload(cluster: Cluster, open_page: Open) -> None:
    until(lambda: len(cluster.client.get("/console/history").json()["data"]) >= 3, "samples are kept", within_s=60)
    page = open_page("/console/cluster")
    expect(page.locator(".chart .line").first).to_be_visible()
    page.reload()
    expect(page.locator(".chart .line").first).to_be_visible()
    expect(page.locator(".plan-bar")).to_be_visible()


def test_a_campaign_is_made_of_a_csv_file_and_runs(cluster: Cluster, open_page: Open) -> None:
    people = {"16505550301": ("Ana", "#1"), "16505550302": ("Luis", "#2"), "16505550303": ("Mía", "#3")}
    lines = ["to;nombre;pedido", *(f"{wa_id};{name};{order}" for wa_id, (name, order) in people.items())]
    page = open_page("/console/campaigns")
    page.get_by_role("button", name="Nueva campaña").first.click()
    page.get_by_label("Nombre de la campaña").fill("Pedidos de noviembre")
    page.get_by_label("Plantilla", exact=True).select_option(label="order_ready · es")
    file = {"name": "gente.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".picker-preview")).to_contain_text("Hola Ana, tu pedido #1 ya se puede recoger.")
    page.get_by_role("button", name="Empezar ahora").click()
    expect(page.get_by_text("Terminada")).to_be_visible(timeout=30_000)
    expect(page.locator("tbody tr", has_text="Leído")).to_have_count(3)
    for wa_id, (name, _) in people.items():
        [message] = cluster.phone(wa_id)
        assert message["template"]["components"][0]["parameters"][0]["text"] == name


def test_a_key_is_shown_once_works_and_is_revoked(cluster: Cluster, open_page: Open) -> None:
    page = open_page("/console/keys")
    page.get_by_role("button", name="Nueva clave").click()
    page.get_by_label("Nombre").fill("Marta")
    page.get_by_role("button", name="Crear la clave").click()
    key = page.locator(".secret code").inner_text()
    assert key.startswith("panal_")
    page.get_by_role("button", name="Listo").click()
    row = page.locator("tr", has_text="Marta")
    expect(row).to_contain_text("Válida")
    assert key not in page.content()
    agent = open_page("/console", signs_in=False)
    agent.get_by_label("Clave de API").fill(key)
    agent.get_by_role("button", name="Entrar").click()
    expect(agent.get_by_role("heading", name="Bandeja")).to_be_visible()
    expect(agent.locator(".rail")).not_to_contain_text("Clúster")
    row.get_by_role("button", name="Revocar").click()
    page.get_by_role("dialog").get_by_role("button", name="Revocar").click()
    expect(row).to_contain_text("Revocada")


def test_a_number_is_paused_and_the_banner_says_what_to_do(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550304"
    customer(cluster, wa_id, text("Hola"))
    conversation_of(cluster, wa_id)
    page = open_page("/console/numbers")
    page.get_by_role("button", name="Pausar").click()
    expect(page.locator(".banners")).to_contain_text("está en pausa", timeout=20_000)
    message = cluster.send(wa_id, "espera")
    page.get_by_role("button", name="Reanudar").click()
    expect(page.locator(".banners")).to_be_empty(timeout=20_000)
    until(lambda: cluster.message(str(message["id"]))["status"] == "read", "it left when the number was resumed")


def test_events_are_shown_as_they_happen(cluster: Cluster, open_page: Open) -> None:
    page = open_page("/console/events")
    customer(cluster, "16505550305", text("un evento en vivo"))
    row = page.locator(".event", has_text="un evento en vivo").first
    expect(row).to_be_visible()
    row.get_by_role("button").click()
    expect(row.locator("pre")).to_contain_text('"type": "message.received"')


def test_an_event_that_comes_while_the_newest_are_read_is_not_lost(cluster: Cluster, open_page: Open) -> None:
    page = open_page("/console/inbox")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/console/latest-events*", lambda route: held.append((route, route.fetch())))
    page.goto(page.url.replace("/inbox", "/events"))
    until(lambda: page.wait_for_timeout(20) or held, "the newest events are read")  # the driver's loop turns meanwhile
    customer(cluster, "16505550306", text("mientras se leía"))
    row = page.locator(".event", has_text="mientras se leía").first
    expect(row).to_be_visible()
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.locator(".event").nth(20)).to_be_attached()
    expect(row).to_be_visible()
