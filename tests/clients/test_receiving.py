"""Each client's own code checks the signature of, and reads, the sandbox's webhooks and Panal's `format: meta` ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.expectations import RECEIVED, UNREAD
from tests.clients.sides import CLIENTS, TEMPLATE, Side, run_client
from tests.clients.table import PATHS, TABLE
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.clients

PHONE, UNREACHABLE = "16505552001", "16505552002"

REFERRAL = {
    "source_url": "https://fb.me/3cr4Wqqkv",
    "source_id": "120226305854810726",
    "source_type": "ad",
    "headline": "Chat with us",
    "body": "Summer succulents are here!",
    "media_type": "image",
    "image_url": "https://scontent.example/t45.1",
    "ctwa_clid": "ARAkLkA8rmlFeiCktEJQ",
}
_TEMPLATE = {"message_template_id": 806312974732579, "message_template_name": TEMPLATE["name"]}
_TEMPLATE |= {"message_template_language": TEMPLATE["language"]}
META_NEWS: dict[str, dict[str, Any]] = {
    "message_template_status_update": {**_TEMPLATE, "event": "APPROVED", "reason": "NONE"},
    "message_template_quality_update": {
        **_TEMPLATE,
        "previous_quality_score": "GREEN",
        "new_quality_score": "YELLOW",
    },
    "template_category_update": {**_TEMPLATE, "previous_category": "UTILITY", "new_category": "MARKETING"},
    "message_template_components_update": {**_TEMPLATE, "message_template_element": "Hola {{1}}"},
    "phone_number_quality_update": {
        "display_phone_number": "15550783881",
        "event": "THROUGHPUT_UPGRADE",
        "current_limit": "TIER_10K",
    },
    "account_update": {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "ADULT"}},
    "account_alerts": {"entity_type": "BUSINESS", "alert_severity": "INFORMATIONAL", "alert_type": "OBA_APPROVED"},
    "user_preferences": {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": "16505552005", "user_id": "US.13491208655302741918"}],
        "user_preferences": [
            {
                "wa_id": "16505552005",
                "detail": "User requested to stop marketing messages",
                "category": "marketing_messages",
                "value": "stop",
                "timestamp": 1731705721,
            }
        ],
    },
    "field_of_tomorrow": {"what": "nobody knows yet", "depth": {"of": ["it", 3]}},
}
"""What Meta tells beside messages, by field. Source: Meta's samples, as pywa's repository has them."""


def label_of(change: dict[str, Any]) -> str:
    """What a notification is about, in one word."""
    value = change["value"]
    if change["field"] != "messages":
        return str(change["field"])
    if value.get("statuses"):
        return f"status_{value['statuses'][0]['status']}"
    if not value.get("messages"):
        return "errors" if value.get("errors") else "other"
    message = value["messages"][0]
    if message["type"] in ("interactive", "system"):
        return str(message[message["type"]]["type"])
    if message.get("referral"):
        return "referral"
    if message["type"] == "hologram":
        return "unknown_kind"
    return "reply" if message["type"] == "text" and message.get("context") else str(message["type"])


def id_of(value: dict[str, Any]) -> str:
    if value.get("errors"):
        return str(value["errors"][0]["code"])
    return str((value.get("statuses") or value.get("messages") or [{}])[0].get("id"))


def is_seen(change: dict[str, Any], seen: list[dict[str, Any]]) -> bool:
    """Did the client hand it to its user: by its id, or, where it has none, by its field?"""
    if change["field"] != "messages":
        return any(one.get("field") == change["field"] for one in seen)
    return any(one.get("id") == id_of(change["value"]) for one in seen)


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
    side.control.put(f"/_sandbox/phones/{PHONE}", json={"plays": True})
    note = {"link": f"{side.control.base_url}/_sandbox/sample.ogg", "voice": True}
    send(side, {"type": "audio", "audio": note})
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
        {"type": "text", "text": {"body": "I saw your ad"}, "referral": REFERRAL},
        {"type": "unsupported", "unsupported": {"type": "poll"}},
        {"type": "hologram", "hologram": {"depth": 3}},
        {
            "type": "edit",
            "edit": {"original_message_id": own, "message": {"type": "text", "text": {"body": "Another answer"}}},
        },
        {"type": "revoke", "revoke": {"original_message_id": own}},
        {
            "type": "system",
            "system": {"body": "User A has another id", "user_id": "US.2", "type": "user_changed_user_id"},
        },
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
    for news in ({"errors": [130429]}, *({"field": field, "value": value} for field, value in META_NEWS.items())):
        answer = side.control.post("/_sandbox/notifications", json=news)
        assert answer.status_code == 200, answer.text


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
        return set(RECEIVED) - {label_of(change) for change in side.recorder.changes()}

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
    requests = notified[path]
    assert all(len(one["json"]["entry"]) == len(one["json"]["entry"][0]["changes"]) == 1 for one in requests)
    read = run_client(client, side.orders(tmp_path, to=PHONE, requests=requests), parses=True)
    assert len(read) == len(requests)
    faults = []
    for posted, line in zip(requests, read, strict=True):
        change = posted["json"]["entry"][0]["changes"][0]
        label = label_of(change)
        if label not in RECEIVED:
            continue
        is_read = line["ok"] and is_seen(change, line["seen"])
        if is_read:
            TABLE.note("in", label, path, client)
        if is_read == (label in UNREAD.get((client, path), {})):
            faults.append(f"{label}: {line} for {json.dumps(change)}")
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
