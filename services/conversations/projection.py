"""From a numbered event to the guarded writes on conversations.

Process: whatsapp.
"""

from typing import Any

from services.conversations.directory import CONVERSATIONS, pair_of
from services.conversations.words import MAX_TEXT_WORDS, name_words, text_words
from services.store import Event, Write

NOTES = "notes"
PREVIEW_LENGTH = 120
PACE = ("pair_tat", "initiated_at")
"""What the pace of a number must still know of a conversation after a restart."""


def project_conversation(event: Event) -> list[Write]:
    """The writes on ``conversations`` that this event asks for."""
    if event.conversation_id is None:
        return []
    if event.type == "conversation.opened":
        return [_opened(event)]
    if event.type == "conversation.read":
        return [Write(CONVERSATIONS, event.conversation_id, event.seq, set={"unread": 0})]
    if event.type == "conversation.updated":
        return [_updated(event)]
    if event.type == "conversation.noted":
        return [_noted(event)]
    if event.type == "message.received":
        return [_inbound(event)]
    if event.type == "message.queued":
        return [_outbound(event)]
    if event.type == "message.sending":
        values = {name: event.data[name] for name in PACE if event.data.get(name) is not None}
        return [Write(CONVERSATIONS, event.conversation_id, event.seq, set=values)] if values else []
    return []


def _opened(event: Event) -> Write:
    data = event.data
    values: dict[str, Any] = {
        "number": event.number,
        "contact_key": data["contact_key"],
        "pair": pair_of(event.number, data["contact_key"]),
        "status": "open",
        "unread": 0,
        "activity": int(event.at.timestamp() * 1000) << 20,
        "created_at": event.at,
    }
    values |= {name: data[name] for name in ("wa_id", "user_id", "name") if data.get(name)}
    values["tokens"] = values["name_tokens"] = name_words(data.get("name"), data.get("wa_id"))
    return Write(CONVERSATIONS, str(event.conversation_id), event.seq, set=values, upsert=True)


def _inbound(event: Event) -> Write:
    data = event.data
    values: dict[str, Any] = {
        "activity": data["order"],
        "status": "open",
        "preview": _preview(event, "in"),
    }
    values |= {
        target: data[source]
        for source, target in (("from", "wa_id"), ("from_user_id", "user_id"), ("name", "name"))
        if data.get(source)
    }
    names = name_words(data.get("name"), data.get("from"))
    said = text_words(str(data.get("preview") or ""))
    compute: dict[str, Any] = {
        "unread": {"$add": [{"$ifNull": ["$unread", 0]}, 1]},
        # What was written days ago may come last: the newest message decides whether the window is open.
        "last_inbound_at": {"$max": ["$last_inbound_at", {"$literal": data["sent_at"]}]},
    }
    if said:
        kept = {"$concatArrays": [{"$literal": said}, {"$ifNull": ["$text_tokens", []]}]}
        compute["text_tokens"] = {"$slice": [kept, MAX_TEXT_WORDS]}
    else:
        compute["text_tokens"] = {"$ifNull": ["$text_tokens", []]}
    values["name_tokens"] = names
    compute["tokens"] = {"$concatArrays": [{"$literal": names}, compute["text_tokens"]]}
    return Write(CONVERSATIONS, str(event.conversation_id), event.seq, set=values, compute=compute)


def _updated(event: Event) -> Write:
    data = event.data
    values: dict[str, Any] = {name: data[name] for name in ("assignee", "labels", "status") if name in data}
    return Write(CONVERSATIONS, str(event.conversation_id), event.seq, set=values)


def _noted(event: Event) -> Write:
    data = event.data
    values = {name: data[name] for name in ("order", "text", "by", "by_name")}
    values |= {"conversation": event.conversation_id, "at": event.at}
    return Write(NOTES, str(data["note_id"]), event.seq, set=values, upsert=True)


def _outbound(event: Event) -> Write:
    values = {
        "activity": event.data["order"],
        "last_outbound_at": event.at,
        "preview": _preview(event, "out"),
    }
    return Write(CONVERSATIONS, str(event.conversation_id), event.seq, set=values)


def _preview(event: Event, direction: str) -> dict[str, Any]:
    return {
        "message": event.data["message_id"],
        "direction": direction,
        "kind": event.data["type"],
        "text": str(event.data.get("preview") or "")[:PREVIEW_LENGTH],
        "at": event.at,
    }
