"""A small shop on WhatsApp: customers, messages of every kind, a failure, notes, a campaign, an endpoint.

What the screenshots show, and what a newcomer may look at.
"""

from typing import Any

from tests.harness import Cluster
from tests.harness.cluster import until

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


def name_customers(cluster: Cluster) -> None:
    for wa_id, name in NAMES.items():
        cluster.sandbox.put(f"/_sandbox/phones/{wa_id}", json={"name": name})


def make_template(cluster: Cluster) -> None:
    """``order_ready`` is there and approved."""
    post(cluster, "/v1/templates", ORDER_READY)

    def is_approved() -> bool:
        found = cluster.client.get("/v1/templates", params={"name": "order_ready"}).json()["data"]
        return bool(found) and found[0]["status"] == "APPROVED"

    until(is_approved, "the template is approved")


def furnish(cluster: Cluster) -> None:
    """Everything at once."""
    name_customers(cluster)
    make_template(cluster)
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
    customer(cluster, TOM, text("STOP"))
    until(lambda: conversation_of(cluster, ANA)["last_message"]["type"] == "template", "the campaign reached Ana")
