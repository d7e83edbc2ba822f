"""Messages as documents: the one place where a record becomes BSON and back.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from config.ids import new_order
from services.messages.records import Direction, Message, OnUncertain, OnWindowClosed, Priority, TimelineEntry
from services.messages.requests import SendRequest
from services.messages.states import MessageStatus

MESSAGES: Final = "messages"

# In the index of the queue: a number is shorter than a word.
_PRIORITIES: Final = (Priority.TRANSACTIONAL, Priority.BULK)

# Field of the record → field of the document, for those that are copied as they are and left out when None.
_PLAIN: Final = {
    "to": "to",
    "from_wa_id": "from",
    "from_user_id": "from_user",
    "conversation_id": "conversation",
    "context_wamid": "context",
    "callback_data": "callback",
    "wamid": "wamid",
    "dead_wamid": "dead_wamid",
    "content_key": "content_key",
    "held_reason": "held_reason",
    "held_until": "held_until",
    "send_at": "send_at",
    "due_at": "due_at",
    "expires_at": "expires_at",
    "fallback_template": "fallback_template",
    "metadata": "metadata",
    "campaign_id": "campaign",
    "error": "error",
    "pricing": "pricing",
    "updated_at": "updated_at",
    "idempotency": "idempotency",
    "body_digest": "digest",
    "key_id": "key",
}
_PLAIN_KEYS: Final = tuple(_PLAIN.values())
_plain_values = attrgetter(*_PLAIN)


def stamp_order(document: dict[str, Any]) -> None:
    """Give a message that is about to be stored its place: messages leave in the order in which they were stored."""
    document["order"] = new_order()


def order_document(
    request: SendRequest,
    *,
    message_id: str,
    phone_number_id: str,
    created_at: datetime,
    key_id: str,
    idempotency: str | None = None,
    digest: bytes | None = None,
) -> dict[str, Any]:
    """A message that was just ordered: what ``message_document`` makes of it, without the way through a record.

    ``idempotency`` and ``digest`` come together. Its place is missing: ``stamp_order`` gives it one when it is stored.
    """
    content, send_at = request.content, request.send_at
    is_later = send_at is not None and send_at > created_at
    document: dict[str, Any] = {
        "_id": message_id,
        "direction": Direction.OUT.value,
        "number": phone_number_id,
        "kind": content.kind,
        "payload": content.payload,
        "status": (MessageStatus.SCHEDULED if is_later else MessageStatus.QUEUED).value,
        "priority": priority_number(request.priority),
        "created_at": created_at,
        "seq": 0,
    }
    for key, value in (
        ("to", content.to),
        ("context", content.context_wamid),
        ("callback", content.callback_data),
        ("send_at", send_at),
        ("due_at", send_at if is_later else None),
        ("expires_at", request.expires_at),
        ("fallback_template", request.fallback_template),
        ("metadata", request.metadata),
        ("idempotency", idempotency),
        ("digest", digest),
        ("key", key_id),
    ):
        if value is not None:
            document[key] = value
    if content.recipient_kind != "wa_id":
        document["recipient_kind"] = content.recipient_kind
    if request.on_window_closed is not OnWindowClosed.REJECT:
        document["on_window_closed"] = request.on_window_closed.value
    if request.on_uncertain is not None:
        document["on_uncertain"] = request.on_uncertain.value
    return document


def message_document(message: Message) -> dict[str, Any]:
    """The stored form. Empty fields are left out: the free Atlas tier counts every byte."""
    document: dict[str, Any] = {
        "_id": message.id,
        "order": message.order,
        "direction": message.direction.value,
        "number": message.phone_number_id,
        "kind": message.kind,
        "payload": message.payload,
        "status": message.status.value,
        "priority": priority_number(message.priority),
        "created_at": message.created_at,
        "seq": message.seq,
    }
    for key, value in zip(_PLAIN_KEYS, _plain_values(message), strict=True):
        if value is not None:
            document[key] = value
    if message.recipient_kind != "wa_id":
        document["recipient_kind"] = message.recipient_kind
    if message.on_window_closed is not OnWindowClosed.REJECT:
        document["on_window_closed"] = message.on_window_closed.value
    if message.on_uncertain is not None:
        document["on_uncertain"] = message.on_uncertain.value
    if message.attempt_count:
        document["attempts"] = message.attempt_count
    if message.is_played:
        document["is_played"] = True
    if message.timeline:
        document["timeline"] = [timeline_document(entry) for entry in message.timeline]
    return document


def message_record(document: Mapping[str, Any]) -> Message:
    """The record of a stored message."""
    plain = {name: document.get(key) for name, key in _PLAIN.items()}
    on_uncertain = document.get("on_uncertain")
    return Message(
        id=document["_id"],
        order=int(document["order"]),
        direction=Direction(document["direction"]),
        phone_number_id=document["number"],
        kind=document["kind"],
        payload=document["payload"],
        status=MessageStatus(document["status"]),
        created_at=document["created_at"],
        recipient_kind=document.get("recipient_kind", "wa_id"),
        attempt_count=int(document.get("attempts", 0)),
        on_window_closed=OnWindowClosed(document.get("on_window_closed", "reject")),
        on_uncertain=OnUncertain(on_uncertain) if on_uncertain else None,
        priority=_PRIORITIES[document.get("priority", 0)],
        timeline=tuple(_timeline_entry(entry) for entry in document.get("timeline", ())),
        seq=int(document.get("seq", 0)),
        is_stuck=bool(document.get("is_stuck", False)),
        is_played=bool(document.get("is_played", False)),
        **plain,
    )


def priority_number(priority: Priority) -> int:
    """How a priority is stored: 0 goes first."""
    return _PRIORITIES.index(priority)


def timeline_document(entry: TimelineEntry) -> dict[str, Any]:
    """One step of the timeline: ``s`` status, ``at``, ``q`` sequence number, ``d`` detail."""
    document: dict[str, Any] = {"s": entry.status.value, "at": entry.at}
    if entry.seq is not None:
        document["q"] = entry.seq
    if entry.detail:
        document["d"] = dict(entry.detail)
    return document


def _timeline_entry(document: Mapping[str, Any]) -> TimelineEntry:
    return TimelineEntry(
        status=MessageStatus(document["s"]), at=document["at"], seq=document.get("q"), detail=document.get("d", {})
    )
