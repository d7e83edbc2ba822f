"""From a numbered event to the guarded writes on messages. Deterministic, so that a new owner can repeat it.

Process: whatsapp.
"""

from typing import Any, Final

from services.messages.documents import MESSAGES, message_document, timeline_document
from services.messages.records import Direction, Message, TimelineEntry
from services.messages.states import MessageStatus
from services.store import Event, VersionedWrite

_STATUS_OF: Final = {
    "message.scheduled": MessageStatus.SCHEDULED,
    "message.queued": MessageStatus.QUEUED,
    "message.retried": MessageStatus.QUEUED,
    "message.sending": MessageStatus.SENDING,
    "message.sent": MessageStatus.SENT,
    "message.delivered": MessageStatus.DELIVERED,
    "message.read": MessageStatus.READ,
    "message.held": MessageStatus.HELD,
    "message.uncertain": MessageStatus.UNCERTAIN,
    "message.failed": MessageStatus.FAILED,
    "message.expired": MessageStatus.EXPIRED,
    "message.canceled": MessageStatus.CANCELED,
}

_OF_A_STATE: Final = ("held_reason", "held_until", "due_at", "is_stuck")
"""Fields that belong to a state, and go with it."""

# WhatsApp has it after all: what an earlier try met stays in the timeline alone.
_ARRIVED: Final = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ})

# What a timeline entry keeps of the event's data.
_DETAIL: Final = ("attempt", "reason", "error", "retry_at", "held_until", "evidence")


def project_message(event: Event) -> list[VersionedWrite]:
    """The writes on ``messages`` that this event asks for; none for events of other nouns."""
    if event.type == "message.received":
        return [_received(event)]
    if event.type == "conversation.merged":
        moved = {"conversation": event.data["merged_id"]}
        return [VersionedWrite(MESSAGES, "", None, set={"conversation": event.data["conversation_id"]}, where=moved)]
    if event.type == "message.played":
        return [VersionedWrite(MESSAGES, event.data["message_id"], event.seq, set={"is_played": True})]
    if event.type == "message.stuck":
        return [VersionedWrite(MESSAGES, event.data["message_id"], event.seq, set={"is_stuck": True})]
    status = _STATUS_OF.get(event.type)
    if status is None:
        return []
    data = event.data
    values: dict[str, Any] = {"status": status.value, "updated_at": event.at}
    for source, target in (
        ("wamid", "wamid"),
        ("error", "error"),
        ("pricing", "pricing"),
        ("attempt", "attempts"),
        ("conversation_id", "conversation"),
        ("dead_wamid", "dead_wamid"),
        ("send_at", "send_at"),
        ("due_at", "due_at"),
    ):
        if data.get(source) is not None:
            values[target] = data[source]
    if status is MessageStatus.HELD:
        values["held_reason"] = data["reason"]
        if data.get("held_until") is not None:
            values["held_until"] = data["held_until"]
    past = (*_OF_A_STATE, "error") if status in _ARRIVED else _OF_A_STATE
    drop = tuple(name for name in past if name not in values)
    if data.get("dead_wamid") is not None:
        drop = (*drop, "wamid")
    detail = {name: data[name] for name in _DETAIL if data.get(name) is not None}
    entry = timeline_document(TimelineEntry(status=status, at=event.at, seq=event.seq, detail=detail))
    is_first = event.type == "message.queued"
    return [
        VersionedWrite(
            MESSAGES,
            data["message_id"],
            event.seq,
            set=values,
            # The acceptance itself is the first step of the timeline; "queued" would say it twice.
            push={} if is_first else {"timeline": entry},
            drop=drop,
        )
    ]


def _received(event: Event) -> VersionedWrite:
    data = event.data
    message = Message(
        id=data["message_id"],
        order=data["order"],
        direction=Direction.IN,
        phone_number_id=event.number,
        kind=data["type"],
        payload=data["content"],
        status=MessageStatus.RECEIVED,
        created_at=event.at,
        from_wa_id=data.get("from"),
        from_user_id=data.get("from_user_id"),
        conversation_id=data["conversation_id"],
        context_wamid=data.get("context_wamid"),
        wamid=data["wamid"],
        content_key=data.get("content_key"),
        seq=event.seq,
    )
    document = message_document(message)
    id_ = document.pop("_id")
    document.pop("seq")
    return VersionedWrite(MESSAGES, id_, event.seq, set=document, upsert=True)
