"""Events in Meta's own envelope, for programs that were written for the Cloud API. Pure.

Process: whatsapp.

One event a POST, non-ASCII escaped, ``contacts`` beside every message and every status: what real clients read.
Source: Meta, "Webhooks: messages" and "Webhooks: statuses" (2026-09-11).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.messages import client_wamid
from services.store import Event

STATUS_WORDS: Final = {
    "message.sent": "sent",
    "message.delivered": "delivered",
    "message.read": "read",
    "message.played": "played",
    "message.failed": "failed",
}
INBOUND: Final = "message.received"
RAW_FIELDS: Final = ("template.", "number.", "account.", "notification.")
"""Families whose events keep what Meta said, whole, in ``data.meta``: ``{"field", "value"}``."""

MEDIA_KINDS: Final = ("image", "video", "audio", "document", "sticker")
ERRORS_PAGE: Final = "/documentation/business-messaging/whatsapp/support/error-codes"


@dataclass(frozen=True, slots=True)
class NumberNames:
    """How Meta names a number: its WABA and the digits that customers see."""

    waba_id: str
    display_phone_number: str


def has_meta_form(event: Event) -> bool:
    """Would Meta send this at all? Our own steps (queued, held, conversation opened …) have no form there."""
    if event.type in STATUS_WORDS:
        return True
    if event.type == INBOUND:
        return bool(event.data.get("wamid"))
    return event.type.startswith(RAW_FIELDS) and isinstance(event.data.get("meta"), dict)


def meta_body(event: Event, names: NumberNames) -> bytes:
    """The notification as Meta would post it; the same bytes for the same event, whenever it is asked for."""
    if event.type == INBOUND:
        field, value = "messages", _messages_value(event, names, "messages", _inbound(event))
    elif event.type in STATUS_WORDS:
        field, value = "messages", _messages_value(event, names, "statuses", _status(event))
    else:
        field, value = event.data["meta"]["field"], event.data["meta"]["value"]
    entry: dict[str, Any] = {"id": names.waba_id}
    if field != "messages":
        entry["time"] = int(event.at.timestamp())
    entry["changes"] = [{"value": value, "field": field}]
    document = {"object": "whatsapp_business_account", "entry": [entry]}
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), default=_seconds).encode("ascii")


def _messages_value(event: Event, names: NumberNames, key: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": names.display_phone_number, "phone_number_id": event.number},
        "contacts": [_contact(event)],
        key: [item],
    }


def _contact(event: Event) -> dict[str, Any]:
    data = event.data
    is_inbound = event.type == INBOUND
    contact: dict[str, Any] = {}
    if is_inbound:
        profile = {name: data[name] for name in ("name", "username") if data.get(name)}
        contact["profile"] = {"name": "", **profile}
    wa_id, user_id = (data.get("from"), data.get("from_user_id")) if is_inbound else _recipient(data)
    if wa_id:
        contact["wa_id"] = wa_id
    if user_id:
        contact["user_id"] = user_id
    return contact


def _inbound(event: Event) -> dict[str, Any]:
    """Meta's original message object: what the event keeps of it, and the three fields that it names itself."""
    data = event.data
    message: dict[str, Any] = {}
    if data.get("from"):
        message["from"] = data["from"]
    if data.get("from_user_id"):
        message["from_user_id"] = data["from_user_id"]
    message["id"] = data["wamid"]
    message["timestamp"] = _seconds(data["sent_at"])
    content = {name: value for name, value in data["content"].items() if name not in message}
    for name, key, ours in (
        ("context", "id", "context_message_id"),
        ("reaction", "message_id", "target_message_id"),
        ("edit", "original_message_id", "target_message_id"),
        ("revoke", "original_message_id", "target_message_id"),
    ):
        part = content.get(name)
        # A message of ours is known to the client by the id that the drop-in answered.
        if isinstance(part, dict) and part.get(key) and data.get(ours):
            content[name] = {**part, key: client_wamid(data[ours])}
    for name in MEDIA_KINDS:
        part = content.get(name)
        # The address is WhatsApp's and wants WhatsApp's token. The drop-in has one for the same id.
        if isinstance(part, dict) and "url" in part:
            content[name] = {key: value for key, value in part.items() if key != "url"}
    return message | content


def _status(event: Event) -> dict[str, Any]:
    data = event.data
    wa_id, user_id = _recipient(data)
    status: dict[str, Any] = {
        "id": client_wamid(data["message_id"]),
        "status": STATUS_WORDS[event.type],
        "timestamp": _seconds(data.get("platform_at") or event.at),
    }
    if wa_id:
        status["recipient_id"] = wa_id
    if user_id:
        status["recipient_user_id"] = user_id
    if data.get("biz_opaque_callback_data") is not None:
        status["biz_opaque_callback_data"] = data["biz_opaque_callback_data"]
    for name in ("conversation", "pricing"):
        if data.get(name):
            status[name] = data[name]
    if data.get("error"):
        status["errors"] = [_error(data["error"])]
    return status


def _recipient(data: dict[str, Any]) -> tuple[str | None, str | None]:
    """Phone and business-scoped id. ``to`` may be either: ids have a country and a dot in front (``US.…``)."""
    to = data.get("to") or ""
    is_user_id = "." in to
    return (
        data.get("recipient_id") or (None if is_user_id else to.removeprefix("+") or None),
        data.get("recipient_user_id") or (to if is_user_id else None),
    )


def _error(error: dict[str, Any]) -> dict[str, Any]:
    title = error.get("title") or ""
    return {
        "code": error.get("code") or 0,
        "title": title,
        "message": title,
        "error_data": {"details": error.get("details") or title},
        "href": ERRORS_PAGE,
    }


def _seconds(value: Any) -> str:
    """Meta's timestamps are Unix seconds, as text."""
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    raise TypeError(f"{type(value).__name__} has no place in a notification")
