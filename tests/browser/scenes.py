"""A small shop on WhatsApp: customers, messages of every kind, a failure, notes, a campaign, an endpoint.

What the screenshots show, and what a newcomer may look at.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.harness import Cluster
from tests.harness.waiting import until

ANA, LUIS, MIA, TOM, EVE = "16505550101", "16505550102", "16505550103", "16505550104", "16505550105"
NAMES = {ANA: "Ana Pérez", LUIS: "Luis Herrera", MIA: "Mía Castillo", TOM: "Tom Becker", EVE: "Eve Laurent"}

ORDER_READY: dict[str, Any] = {
    "name": "order_ready",
    "language": "es",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Tu pedido está listo"},
        {
            "type": "BODY",
            "text": "Hola {{1}}, tu pedido *{{2}}* ya se puede recoger.",
            "example": {"body_text": [["Ana", "#1042"]]},
        },
        {"type": "FOOTER", "text": "Miel del Valle"},
        {
            "type": "BUTTONS",
            "buttons": [{"type": "QUICK_REPLY", "text": "Voy hoy"}, {"type": "QUICK_REPLY", "text": "Mañana"}],
        },
    ],
}

SPRING: dict[str, Any] = {
    "name": "spring_harvest",
    "language": "es",
    "category": "MARKETING",
    "components": [
        {
            "type": "BODY",
            "text": "Hola {{1}}: llegó la cosecha de primavera. Esta semana, *2 tarros de 500 g por el precio de 1*.",
            "example": {"body_text": [["Ana"]]},
        },
        {"type": "FOOTER", "text": "Responde BAJA para no recibir más"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Quiero dos"}]},
    ],
}

CROWD = {
    "16505550110": (
        "María Fernanda de los Ángeles Echeverría y Gutiérrez",
        "¿Hacen envíos a Oaxaca? Somos una cafetería",
    ),
    "16505550111": ("Wolfeschlegelsteinhausenbergerdorff GmbH", "Bitte um ein Angebot für 40 Gläser"),
    "16505550112": ("李小龍", "你好,請問有沒有貨?"),
    "16505550113": ("Sofía 🐝", "Gracias!! Llegó todo perfecto 😍🍯"),
    "16505550114": ("Hotel Casa Azul · Recepción", "Necesitamos 24 tarros chicos para los desayunos"),
    "16505550115": ("Aarón Ñíguez", "¿Me mandan la factura, por favor?"),
    "16505550116": ("Dr. Iván Paredes", "Mi pedido #1033 llegó con un tarro roto"),
    "16505550117": ("Panadería La Espiga", "Buenos días, ¿precio por cubeta de 20 kg?"),
    "16505550118": ("Jo", "ok"),
    "16505550119": ("Renata Villaseñor", "¿Tienen miel de aguacate?"),
    "16505550120": ("Carlos M.", "Paso mañana por la tarde"),
    "16505550121": ("Nadia Haddad", "هل التوصيل مجاني؟"),
    "16505550122": ("Grupo Restaurantero del Bajío S.A. de C.V.", "Adjunto orden de compra 2026-118"),
    "16505550123": ("Valentina Ruiz", "¡Feliz día! ¿Abren el domingo?"),
}
"""People with long names, short names and other scripts, and what they wrote."""


def customer(cluster: Cluster, wa_id: str, message: dict[str, Any]) -> str:
    """A customer writes; the wamid."""
    answer = cluster.sandbox.post(f"/_sandbox/phones/{wa_id}/messages", json=message)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["wamid"])


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}}


def post(cluster: Cluster, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = cluster.client.post(path, json=body)
    assert answer.status_code < 300, answer.text
    return dict(answer.json())


def conversation_of(cluster: Cluster, wa_id: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        found = cluster.client.get("/v1/conversations", params={"wa_id": wa_id}).json()["data"]
        return found[0] if found else None

    return until(find, f"a conversation with {wa_id}")


def upload(cluster: Cluster, ending: str, kind: str) -> str:
    """A small real file of the sandbox, uploaded; its media id."""
    content = cluster.sandbox.get(f"/_sandbox/sample.{ending}").content
    answer = cluster.client.post("/v1/media", files={"file": (f"lista de precios.{ending}", content, kind)})
    assert answer.status_code < 300, answer.text
    return str(answer.json()["id"])


def crowd(cluster: Cluster) -> None:
    """Many conversations: unread ones, answered ones, one that waits for a template, one with files."""
    for wa_id, (name, words) in CROWD.items():
        cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"name": name})
        customer(cluster, wa_id, text(words))
    for n, wa_id in enumerate(CROWD):
        conversation = conversation_of(cluster, wa_id)
        if n % 3 == 0:
            post(cluster, f"/v1/conversations/{conversation['id']}/read", {})
            cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"reads": n % 2 == 0})
            cluster.send(wa_id, "¡Claro que sí! Te paso los detalles en un momento.")
        labels = [label for k, label in ((2, "mayoreo"), (5, "factura"), (7, "reclamo")) if n % k == 1]
        if labels:
            cluster.client.patch(f"/v1/conversations/{conversation['id']}", json={"labels": labels})
    cafe, hotel = "16505550110", "16505550114"
    document = {"id": upload(cluster, "pdf", "application/pdf"), "filename": "Lista de precios 2026.pdf"}
    post(
        cluster,
        "/v1/messages",
        {"to": cafe, "type": "document", "document": {**document, "caption": "Precios de mayoreo"}},
    )
    post(cluster, "/v1/messages", {"to": cafe, "type": "image", "image": {"id": upload(cluster, "png", "image/png")}})
    customer(cluster, cafe, {"type": "audio", "audio": {}})
    rows = [
        {"id": f"t{n}", "title": title, "description": "tarro de vidrio"} for n, title in enumerate(("250 g", "500 g"))
    ]
    listed = {
        "type": "list",
        "header": {"type": "text", "text": "Tamaños"},
        "body": {"text": "¿Qué tamaño prefieren para los desayunos?"},
        "footer": {"text": "Precios sin IVA"},
        "action": {"button": "Ver tamaños", "sections": [{"title": "Vidrio", "rows": rows}]},
    }
    post(cluster, "/v1/messages", {"to": hotel, "type": "interactive", "interactive": listed})


def replies(cluster: Cluster) -> None:
    """Quick replies that the whole team shares."""
    for shortcut, words in (
        ("gracias", "¡Gracias por escribirnos, {name}! Enseguida te atendemos."),
        ("pedido", "¿Me das tu número de pedido, por favor?"),
        ("horario", "Abrimos de lunes a sábado, de 9 a 18 h. Los domingos descansan las abejas."),
    ):
        post(cluster, "/v1/quick-replies", {"text": words, "shortcut": shortcut})


def more_campaigns(cluster: Cluster) -> None:
    """One with a failure, one that waits for its day, one that was stopped halfway."""
    template = {
        "name": "spring_harvest",
        "language": {"code": "es"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}]}],
    }
    people = [{"to": wa_id, "variables": {"name": name.split()[0]}} for wa_id, (name, _) in CROWD.items()]
    failing = [{"to": f"19990131026{n}"[:11], "variables": {"name": "Nadie"}} for n in range(1)]
    order = {"template": template, "category": "marketing"}
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    post(
        cluster,
        "/v1/campaigns",
        {**order, "name": "Cosecha de primavera", "audience": {"recipients": [*people, *failing]}, "start": True},
    )
    post(
        cluster,
        "/v1/campaigns",
        {**order, "name": "Día de las madres", "send_at": later, "audience": {"recipients": people}, "start": True},
    )
    slow = {**order, "name": "Clientes mayoristas, segundo semestre", "rate_per_minute": 2}
    made = post(cluster, "/v1/campaigns", {**slow, "audience": {"recipients": people}, "start": True})
    post(cluster, f"/v1/campaigns/{made['id']}/pause", {})


def name_customers(cluster: Cluster) -> None:
    for wa_id, name in NAMES.items():
        cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"name": name})


def make_template(cluster: Cluster, template: dict[str, Any] = ORDER_READY) -> None:
    """It is there and approved."""
    post(cluster, "/v1/templates", template)

    def is_approved() -> bool:
        found = cluster.client.get("/v1/templates", params={"name": template["name"]}).json()["data"]
        return bool(found) and found[0]["status"] == "APPROVED"

    until(is_approved, "the template is approved")


def furnish(cluster: Cluster, *, listener: str | None = None) -> None:
    """Everything at once. ``listener`` is a URL that takes webhooks."""
    name_customers(cluster)
    make_template(cluster)
    make_template(cluster, SPRING)
    replies(cluster)
    crowd(cluster)
    more_campaigns(cluster)
    customer(cluster, EVE, text("Bonjour! Livrez-vous à Lyon ?"))
    customer(
        cluster, TOM, {"type": "location", "location": {"latitude": 19.4326, "longitude": -99.1332, "name": "Zócalo"}}
    )
    customer(cluster, MIA, {"type": "image", "image": {"caption": "¿Tienen este tarro?"}})
    customer(cluster, LUIS, text("Quiero hacer un pedido grande para mi café"))
    first = customer(cluster, ANA, text("¡Hola! ¿Todavía tienen la miel de azahar?"))
    ana = conversation_of(cluster, ANA)
    until(lambda: conversation_of(cluster, ANA)["unread_count"] > 0, "Ana's message stands")
    send = {"to": ANA, "type": "text"}
    post(
        cluster,
        "/v1/messages",
        {
            **send,
            "text": {"body": "¡Hola Ana! Sí, queda *miel de azahar*. ¿Cuántos tarros quieres?"},
            "context": {"message_id": first},
        },
    )
    buttons = {
        "type": "button",
        "body": {"text": "Elige el tamaño del tarro:"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": f"s{n}", "title": title}}
                for n, title in enumerate(["250 g", "500 g", "1 kg"])
            ]
        },
    }
    asked = post(cluster, "/v1/messages", {"to": ANA, "type": "interactive", "interactive": buttons})
    until(lambda: cluster.message(str(asked["id"]))["status"] == "read", "the question is read")
    wamid = cluster.message(str(asked["id"]))["wamid"]
    customer(cluster, ANA, {"type": "press", "press": {"message_id": wamid, "title": "500 g"}})
    customer(cluster, ANA, {"type": "reaction", "reaction": {"message_id": wamid, "emoji": "❤️"}})
    cluster.sandbox.put(f"/_sandbox/phones/{LUIS}", json={"fails": 131026})
    post(
        cluster,
        "/v1/messages",
        {"to": LUIS, "type": "text", "text": {"body": "¡Claro! ¿Cuántos kilos necesitas al mes?"}},
    )
    post(cluster, f"/v1/conversations/{ana['id']}/notes", {"text": "Clienta desde 2023. Prefiere recoger en tienda."})
    cluster.client.patch(f"/v1/conversations/{ana['id']}", json={"labels": ["VIP", "pedido"], "assignee": "bootstrap"})
    cluster.client.patch(f"/v1/conversations/{conversation_of(cluster, MIA)['id']}", json={"labels": ["catálogo"]})
    campaign = {
        "name": "Pedidos listos de noviembre",
        "category": "utility",
        "template": {
            "name": "order_ready",
            "language": {"code": "es"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "{{name}}"}, {"type": "text", "text": "{{order}}"}],
                }
            ],
        },
        "audience": {
            "recipients": [
                {"to": wa_id, "variables": {"name": name.split()[0], "order": f"#{1040 + n}"}}
                for n, (wa_id, name) in enumerate(NAMES.items())
            ]
        },
        "start": True,
    }
    post(cluster, "/v1/campaigns", campaign)
    post(
        cluster,
        "/v1/keys",
        {
            "name": "Marta (atención)",
            "scopes": ["console", "conversations", "messages:send", "messages:read", "contacts"],
        },
    )
    post(
        cluster,
        "/v1/webhook-endpoints",
        {
            "url": f"http://127.0.0.1:{cluster.sandbox_port}/_sandbox",
            "events": ["message.*"],
            "description": "ERP de la tienda",
        },
    )
    if listener is not None:
        analysis = {"url": listener, "events": ["*"], "description": "Tablero de analítica"}
        post(cluster, "/v1/webhook-endpoints", analysis)
        paused = post(cluster, "/v1/webhook-endpoints", {"url": f"{listener}/crm", "events": ["contact.*"]})
        post(cluster, f"/v1/webhook-endpoints/{paused['id']}/pause", {})
    customer(cluster, TOM, text("STOP"))
    until(lambda: conversation_of(cluster, ANA)["last_message"]["type"] == "template", "the campaign reached Ana")
