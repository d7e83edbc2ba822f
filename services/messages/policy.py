"""May this message be sent now? Pure rules: no clock, no database, no network.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config import limits
from services.messages.records import OnWindowClosed

PLACEHOLDER_BODY = "{{body}}"


def window_closes_at(last_inbound_at: datetime | None) -> datetime | None:
    """End of the customer service window: 24 h after the customer's last message; None when he never wrote.

    Aware UTC in and out. A status does not reopen it.
    Source: Meta, "Send messages" (limits.CUSTOMER_SERVICE_WINDOW carries source and date).
    """
    return None if last_inbound_at is None else last_inbound_at + limits.CUSTOMER_SERVICE_WINDOW


def is_window_open(last_inbound_at: datetime | None, now: datetime) -> bool:
    """May free-form messages be sent to this contact now?"""
    closes_at = window_closes_at(last_inbound_at)
    return closes_at is not None and now < closes_at


def needs_window(kind: str) -> bool:
    """Only templates may be sent outside the window."""
    return kind != "template"


def fallback_payload(fallback: Mapping[str, Any], kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The template that goes instead: ``{{body}}`` in a parameter becomes the text of the message it stands for."""
    content = payload.get(kind)
    body = str(content.get("body") or content.get("caption") or "") if isinstance(content, Mapping) else ""
    # Meta refuses line breaks, tabs and runs of blanks inside a parameter.
    flat = " ".join(body.split())[: limits.TEMPLATE_BODY_MAX_CHARS]
    filled: dict[str, Any] = {"type": "template", "template": _filled(fallback, flat)}
    return filled


def _filled(value: Any, body: str) -> Any:
    if isinstance(value, str):
        return value.replace(PLACEHOLDER_BODY, body)
    if isinstance(value, Mapping):
        return {key: _filled(item, body) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, body) for item in value]
    return value


def may_be_replaced(policy: OnWindowClosed, fallback: Mapping[str, Any] | None) -> bool:
    """Is there a template to send instead?"""
    return policy is OnWindowClosed.TEMPLATE and fallback is not None
