"""The agent's day: messages come and go, and everybody who looks sees the same."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.scenes import conversation_of, customer, text
from tests.harness import Cluster
from tests.harness.waiting import until


def thread_of(page: Page, cluster: Cluster, wa_id: str) -> None:
    """Open the thread with this customer, as a click on its row does."""
    conversation = conversation_of(cluster, wa_id)
    page.locator(f"[data-conversation={conversation['id']}]").click()
    page.locator(".composer").wait_for()


def write(page: Page, body: str) -> None:
    page.get_by_label("Escribe un mensaje").fill(body)
    page.keyboard.press("Enter")


def test_a_message_is_sent_and_its_ticks_turn(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550201"
    customer(cluster, wa_id, text("Hola"))
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"reads": False})
    page = open_page()
    thread_of(page, cluster, wa_id)
    write(page, "¿En qué te ayudo?")
    bubble = page.locator(".bubble-line.out", has_text="¿En qué te ayudo?").first
    expect(bubble.locator(".ticks")).to_have_attribute("data-status", "delivered")
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"reads": True})
    expect(bubble.locator(".ticks")).to_have_attribute("data-status", "read")
    expect(bubble.get_by_role("img", name="Leído")).to_be_visible()
    assert [one["text"]["body"] for one in cluster.phone(wa_id) if one["direction"] == "in"] == ["¿En qué te ayudo?"]


def test_the_phone_beside_the_inbox_answers_and_the_thread_shows_it_live(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550202"
    customer(cluster, wa_id, text("Hola"))
    page = open_page()
    thread_of(page, cluster, wa_id)
    phone = page.locator(".phone-panel")
    expect(phone).to_contain_text(f"+{wa_id}")
    phone.get_by_label("Escribe como cliente").fill("¿Abren el domingo?")
    phone.get_by_label("Enviar como cliente").click()
    expect(page.locator(".messages .bubble-line.in", has_text="¿Abren el domingo?")).to_be_visible()
    write(page, "Sí, de 10 a 14 h")
    expect(phone.locator(".bubble-line.in", has_text="Sí, de 10 a 14 h")).to_be_visible()


def test_a_button_is_pressed_on_the_phone_and_a_picture_arrives(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550203"
    customer(cluster, wa_id, text("Hola"))
    conversation_of(cluster, wa_id)
    interactive = {
        "type": "button",
        "body": {"text": "¿Qué tamaño?"},
        "action": {"buttons": [{"type": "reply", "reply": {"id": "s", "title": "Chico"}}]},
    }
    cluster.client.post("/v1/messages", json={"to": wa_id, "type": "interactive", "interactive": interactive})
    page = open_page()
    thread_of(page, cluster, wa_id)
    page.locator(".phone-panel").get_by_role("button", name="Chico").click()
    expect(page.locator(".messages .bubble-line.in", has_text="Chico")).to_be_visible()
    page.locator(".phone-panel").get_by_role("button", name="Foto").click()
    picture = page.locator(".messages .bubble-line.in img")
    expect(picture).to_be_visible()
    page.wait_for_timeout(300)
    assert picture.evaluate("image => image.naturalWidth") > 0


def test_two_browsers_see_the_same(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550204"
    customer(cluster, wa_id, text("Hola"))
    one, other = open_page(), open_page()
    thread_of(one, cluster, wa_id)
    thread_of(other, cluster, wa_id)
    write(one, "Te atiende Marta")
    expect(other.locator(".bubble-line.out", has_text="Te atiende Marta").locator(".ticks.read")).to_be_visible()
    other.get_by_role("button", name="Nota", exact=True).click()
    other.get_by_label("Escribe una nota para tu equipo").fill("Cliente frecuente")
    other.keyboard.press("Enter")
    expect(one.locator(".note-line", has_text="Cliente frecuente")).to_be_visible()
    other.get_by_role("button", name="Detalles", exact=True).click()
    other.get_by_placeholder("Añadir etiqueta").fill("VIP")
    other.keyboard.press("Enter")
    row = one.locator(f"[data-conversation={conversation_of(cluster, wa_id)['id']}]")
    expect(row.locator(".row-tag.label")).to_have_text("VIP")
    assert all("Cliente frecuente" not in str(message) for message in cluster.phone(wa_id))


def test_a_failure_is_explained_and_can_be_tried_again(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550205"
    customer(cluster, wa_id, text("Hola"))
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"fails": 131026})
    page = open_page()
    thread_of(page, cluster, wa_id)
    write(page, "No te llega")
    trouble = page.locator(".trouble.failed")
    expect(trouble).to_contain_text("131026")
    expect(trouble).to_contain_text("No se puede entregar el mensaje")
    expect(trouble).to_contain_text("Comprueba que el número tenga WhatsApp")
    expect(trouble).not_to_contain_text("Message")
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"fails": None})
    trouble.get_by_role("button", name="Reintentar").click()
    expect(page.locator(".bubble-line.out", has_text="No te llega").locator(".ticks.read")).to_be_visible()
    expect(trouble).to_have_count(0)


def test_with_a_closed_window_a_template_opens_the_conversation(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550206"
    page = open_page()
    page.get_by_role("button", name="Nuevo", exact=True).click()
    page.get_by_label("Número de teléfono").fill(f"+{wa_id}")
    page.get_by_role("button", name="Siguiente").click()
    page.get_by_role("button", name=re.compile("^order_ready")).click()
    page.get_by_label("Variable 1").fill("Ana")
    page.get_by_label("Variable 2").fill("#77")
    expect(page.locator(".picker-preview")).to_contain_text("Hola Ana, tu pedido #77 ya se puede recoger.")
    page.get_by_role("button", name=f"Enviar a +{wa_id}").click()
    expect(page.locator(".thread-head")).to_contain_text("Ventana cerrada")
    expect(page.get_by_label("Escribe un mensaje")).to_have_count(0)
    expect(page.locator(".bubble-line.out", has_text="#77").locator(".ticks.read")).to_be_visible()
    page.locator(".composer.closed").get_by_role("button", name="Plantilla").click()
    page.get_by_role("button", name=re.compile("^hello_world")).click()
    page.get_by_role("button", name="Enviar plantilla").click()
    expect(page.locator(".bubble-line.out", has_text="hello_world")).to_be_visible()


def test_a_file_is_sent_and_shown(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550207"
    customer(cluster, wa_id, text("Hola"))
    picture = cluster.sandbox.get("/_sandbox/sample.png").content
    page = open_page()
    thread_of(page, cluster, wa_id)
    page.locator("input[type=file]").set_input_files({"name": "tarro.png", "mimeType": "image/png", "buffer": picture})
    page.get_by_label("Escribe un mensaje").fill("Así es el tarro")
    page.get_by_label("Enviar", exact=True).click()
    expect(page.locator(".messages .bubble-line.out img")).to_be_visible()
    expect(page.locator(".phone-panel .bubble-line.in img")).to_be_visible()
    expect(
        page.locator(".messages .bubble-line.out", has_text="Así es el tarro").locator(".ticks.read")
    ).to_be_visible()


def test_a_search_finds_by_name_by_number_and_by_what_was_said(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550208"
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"name": "Íñigo Zárate"})
    customer(cluster, wa_id, text("¿Venden propóleo?"))
    conversation = conversation_of(cluster, wa_id)
    page = open_page()
    search = page.get_by_label("Buscar nombre, número o texto")
    for words in ("inigo zar", wa_id, "propoleo"):
        search.fill(words)
        expect(page.locator("a.row")).to_have_count(1)
        expect(page.locator("a.row")).to_have_attribute("data-conversation", conversation["id"])
    search.fill("nadie se llama así")
    expect(page.get_by_text("Sin resultados")).to_be_visible()


def test_ticks_in_the_list_are_right_from_the_first_look(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550209"
    customer(cluster, wa_id, text("Hola"))
    conversation = conversation_of(cluster, wa_id)
    message = cluster.send(wa_id, "¿Qué tal?")
    until(lambda: cluster.message(str(message["id"]))["status"] == "read", "it is read")
    page = open_page()
    row = page.locator(f"[data-conversation={conversation['id']}]")
    expect(row.locator(".ticks")).to_have_attribute("data-status", "read")


def test_quick_replies_belong_to_everybody(cluster: Cluster, open_page: Open) -> None:
    wa_id = "16505550210"
    cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"name": "Ana Pérez"})
    customer(cluster, wa_id, text("Hola"))
    one = open_page()
    thread_of(one, cluster, wa_id)
    one.get_by_role("button", name="Respuestas rápidas").click()
    one.get_by_role("button", name="Añadir", exact=True).click()
    one.get_by_label("Texto", exact=True).fill("Gracias, {name}.")
    one.get_by_label("Atajo").fill("gracias")
    one.get_by_role("button", name="Guardar", exact=True).click()
    expect(one.locator(".quick kbd")).to_have_text("/gracias")
    other = open_page()
    thread_of(other, cluster, wa_id)
    writing = other.get_by_label("Escribe un mensaje")
    writing.fill("/gra")
    expect(other.get_by_role("option")).to_have_count(1)
    other.keyboard.press("Enter")
    expect(writing).to_have_value("Gracias, Ana.")
    one.get_by_role("button", name="Quitar: Gracias, {name}.").click()
    one.locator(".quick-end").get_by_role("button", name="Eliminar").click()
    expect(one.locator(".quick .hint")).to_contain_text("Aún no hay respuestas")
    assert cluster.client.get("/v1/quick-replies").json()["data"] == []
