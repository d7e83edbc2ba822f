"""Each client's own code checks the signature of, and reads, the sandbox's webhooks and Panal's `format: meta` ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.expectations import RECEIVED, UNREAD
from tests.clients.sides import CLIENTS, TEMPLATE, Side, run_client
from tests.clients.table import PATHS, TABLE
from tests.harness.cluster import NUMBER, until

pytestmark = pytest.mark.clients

PHONE, UNREACHABLE = "16505552001", "16505552002"


def label_of(value: dict[str, Any]) -> str:
    """What a notification is about, in one word."""
    if value.get("statuses"):
        return f"status_{value['statuses'][0]['status']}"
    if not value.get("messages"):
        return "other"
    message = value["messages"][0]
    if message["type"] == "interactive":
        return str(message["interactive"]["type"])
    return "reply" if message["type"] == "text" and message.get("context") else str(message["type"])


def id_of(value: dict[str, Any]) -> str:
    return str((value.get("statuses") or value.get("messages") or [{}])[0].get("id"))


def send(side: Side, message: dict[str, Any], to: str = PHONE) -> str:
    """The business sends; the wamid that the phone has."""
    body = {"messaging_product": "whatsapp", "to": to, **message}
    id_ = side.graph("POST", f"{NUMBER}/messages", json=body)["messages"][0]["id"]
    if to == PHONE:
        return str(until(lambda: side.phone(to).get(id_), f"{message['type']} is on the phone")["wamid"])
    return str(id_)


def converse(side: Side) -> None:
    """A customer and a business do everything that there is to notify."""
    side.open_window(PHONE)
    side.control.put(f"/_sandbox/phones/{UNREACHABLE}", json={"fails": 131026})
    text = send(side, {"type": "text", "text": {"body": "Hello, ñandú 🐝"}})
    replies = [{"type": "reply", "reply": {"id": word.lower(), "title": word}} for word in ("Yes", "No")]
    buttons = send(side, _interactive("button", {"buttons": replies}))
    rows = [{"id": "a", "title": "A", "description": "the first"}]
    menu = send(side, _interactive("list", {"button": "Choose", "sections": [{"title": "One", "rows": rows}]}))
    template = send(side, {"type": "template", "template": {**_template(side)}})
    hello = {"name": "hello_world", "language": {"code": "en_US"}}
    send(side, {"type": "template", "template": hello}, UNREACHABLE)
    own = side.write(PHONE, {"type": "text", "text": {"body": "An answer"}, "context": {"message_id": text}})
    for message in (
        *({"type": kind} for kind in ("image", "video", "audio", "document", "sticker")),
        {"type": "location", "location": {"latitude": 37.4421, "longitude": -122.1615, "name": "Philz"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Zoë", "first_name": "Zoë"}, "phones": []}]},
        {"type": "reaction", "reaction": {"message_id": text, "emoji": "👍"}},
        {"type": "press", "press": {"message_id": buttons, "title": "Yes"}},
        {"type": "press", "press": {"message_id": menu, "id": "a"}},
        {"type": "press", "press": {"message_id": template, "index": 0}},
        {
            "type": "interactive",
            "context": {"message_id": text},
            "interactive": {"nfm_reply": {"response_json": {"flow_token": "token", "x": 1}}},
        },
        {
            "type": "order",
            "order": {
                "catalog_id": "777",
                "product_items": [{"product_retailer_id": "SKU-1", "quantity": 1, "item_price": 30, "currency": "USD"}],
            },
        },
        {"type": "unsupported", "unsupported": {"type": "poll"}},
        {
            "type": "edit",
            "edit": {"original_message_id": own, "message": {"type": "text", "text": {"body": "Another answer"}}},
        },
        {"type": "revoke", "revoke": {"original_message_id": own}},
        {
            "type": "system",
            "system": {
                "body": "User A changed from 16505552001 to 16505552009",
                "wa_id": "16505552009",
                "type": "user_changed_number",
            },
        },
    ):
        side.write(PHONE, message)


def _interactive(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "What?"}, "action": action}}


def _template(side: Side) -> dict[str, Any]:
    picture = {"type": "image", "image": {"link": f"{side.control.base_url}/_sandbox/sample.jpg"}}
    parameters = [{"type": "text", "text": text} for text in ("Ana", "7")]
    components = [
        {"type": "header", "parameters": [picture]},
        {"type": "body", "parameters": parameters},
        {
            "type": "button",
            "sub_type": "quick_reply",
            "index": 0,
            "parameters": [{"type": "payload", "payload": "PAID"}],
        },
        {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "42"}]},
    ]
    return {"name": TEMPLATE["name"], "language": {"code": TEMPLATE["language"]}, "components": components}


def requests_of(side: Side) -> list[dict[str, Any]]:
    """The requests that this side posted about one conversation with everything in it."""
    begin = len(side.recorder.requests)
    converse(side)

    def missing() -> set[str]:
        return set(RECEIVED) - {label_of(value) for value in side.recorder.values()}

    until(lambda: not missing(), "everything was notified", context=lambda: str(sorted(missing())))
    return side.recorder.requests[begin:]


@pytest.fixture(scope="module")
def notified(sandbox_side: Side, panal_side: Side) -> dict[str, list[dict[str, Any]]]:
    """What each side posted."""
    return {side.name: requests_of(side) for side in (sandbox_side, panal_side)}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", PATHS)
def test_a_client_reads_every_notification(
    path: str, client: str, notified: dict[str, list[dict[str, Any]]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    side: Side = request.getfixturevalue(f"{path}_side")
    requests = [one for one in notified[path] if one["json"]["entry"][0]["changes"][0]["field"] == "messages"]
    assert all(len(one["json"]["entry"]) == len(one["json"]["entry"][0]["changes"]) == 1 for one in requests)
    read = run_client(client, side.orders(tmp_path, to=PHONE, requests=requests), parses=True)
    assert len(read) == len(requests)
    faults = []
    for posted, line in zip(requests, read, strict=True):
        value = posted["json"]["entry"][0]["changes"][0]["value"]
        label = label_of(value)
        if label not in RECEIVED:
            continue
        is_read = line["ok"] and any(one.get("id") == id_of(value) for one in line["seen"])
        if is_read:
            TABLE.note("in", label, path, client)
        if is_read == (label in UNREAD.get((client, path), {})):
            faults.append(f"{label}: {line} for {json.dumps(value)}")
    assert not faults, "\n".join(faults)


def test_a_forged_notification_is_refused_by_every_client_that_checks(
    notified: dict[str, list[dict[str, Any]]], panal_side: Side, tmp_path: Path
) -> None:
    posted = notified["panal"][0]
    forged = {**posted, "headers": {**posted["headers"], "x-hub-signature-256": "sha256=" + "0" * 64}}
    for client in ("pywa", "whatsapp-api-js", "kapso", "great-detail"):
        orders = panal_side.orders(tmp_path, to=PHONE, requests=[forged])
        assert [line["ok"] for line in run_client(client, orders, parses=True)] == [False], client


def test_ids_of_our_messages_are_those_that_the_drop_in_answered(panal_side: Side) -> None:
    to = "16505552003"
    panal_side.open_window(to)
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Which id?"}}
    id_ = panal_side.graph("POST", f"{NUMBER}/messages", json=body)["messages"][0]["id"]
    wamid = until(lambda: panal_side.phone(to).get(id_), "it is on the phone")["wamid"]
    panal_side.write(to, {"type": "reaction", "reaction": {"message_id": wamid, "emoji": "👍"}})
    panal_side.write(to, {"type": "text", "text": {"body": "This one"}, "context": {"message_id": wamid}})

    def told() -> set[str]:
        values = panal_side.recorder.values()
        statuses = {status["status"] for value in values for status in value.get("statuses", []) if status["id"] == id_}
        messages = [message for value in values for message in value.get("messages", []) if message["from"] == to]
        names = {message["reaction"]["message_id"]: "reaction" for message in messages if message["type"] == "reaction"}
        names |= {message["context"]["id"]: "reply" for message in messages if message.get("context")}
        return statuses | {"reply or reaction" for name in names if name == id_}

    until(
        lambda: {"sent", "delivered", "read", "reply or reaction"} <= told(),
        "all carry the id",
        context=lambda: str(told()),
    )
