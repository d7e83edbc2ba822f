"""From a numbered event to the guarded writes on conversations.

Process: whatsapp.
"""

from collections.abc import Mapping
from typing import Any

from services.conversations.search import MAX_TEXT_WORDS, name_words, text_words
from services.conversations.state import CONVERSATIONS, pair_of
from services.store import Event, VersionedWrite

NOTES = "notes"
PREVIEW_LENGTH = 120
MOST_LABELS = 20
MOST_TOKENS = 500
PACE = ("pair_tat", "initiated_at")
"""What the pace of a number must still know of a conversation after a restart."""


def project_conversation(event: Event) -> list[VersionedWrite]:
    """The writes on ``conversations`` that this event asks for."""
    if event.conversation_id is None:
        return []
    if event.type == "conversation.opened":
        return [_opened(event)]
    if event.type == "conversation.linked":
        return [_linked(event)]
    if event.type == "conversation.merged":
        return _merged(event)
    if event.type == "conversation.read":
        return [VersionedWrite(CONVERSATIONS, event.conversation_id, event.seq, set={"unread": 0})]
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
        return [VersionedWrite(CONVERSATIONS, event.conversation_id, event.seq, set=values)] if values else []
    return []


def _opened(event: Event) -> VersionedWrite:
    data = event.data
    values: dict[str, Any] = {
        "number": event.number,
        "contact_key": data["contact_key"],
        "pair": _pairs(event),
        "status": "open",
        "unread": 0,
        "activity": int(event.at.timestamp() * 1000) << 20,
        "created_at": event.at,
    }
    values |= {name: data[name] for name in ("wa_id", "user_id", "group_id", "name", "moved_at") if data.get(name)}
    values["tokens"] = values["name_tokens"] = name_words(data.get("name"), data.get("wa_id"))
    return VersionedWrite(CONVERSATIONS, str(event.conversation_id), event.seq, set=values, upsert=True)


def _pairs(event: Event) -> list[str]:
    return [pair_of(event.number, key) for key in event.data.get("contact_keys") or [event.data["contact_key"]]]


def _linked(event: Event) -> VersionedWrite:
    """Other addresses of the same contact. A search finds it by the new number at once."""
    data = event.data
    number = [data["wa_id"]] if data["wa_id"] else []
    return VersionedWrite(
        CONVERSATIONS,
        str(event.conversation_id),
        event.seq,
        set={
            "pair": _pairs(event),
            **{name: data[name] for name in ("wa_id", "user_id", "moved_at") if name in data},
        },
        compute={name: _union(name, number, most=MOST_TOKENS) for name in ("name_tokens", "tokens")},
    )


def _merged(event: Event) -> list[VersionedWrite]:
    """One conversation becomes part of another: it gives its addresses up first, since they are unique.

    Its document stays and says where it went, so that its id still leads to the conversation.
    """
    data, id_ = event.data, str(event.conversation_id)
    gone: dict[str, Any] = {"merged_into": id_, "pair": [f"merged:{data['merged_id']}"], "unread": 0, "labels": []}
    gone |= {"tokens": [], "name_tokens": [], "status": "closed"}
    drop = ("activity", "initiated_at", "assignee")
    compute: dict[str, Any] = {
        "unread": {"$add": [{"$ifNull": ["$unread", 0]}, data["unread_count"]]},
        "labels": _union("labels", data["labels"], most=MOST_LABELS),
        "activity": {"$max": ["$activity", data["activity"]]},
    }
    for name in ("last_inbound_at", "last_outbound_at", "initiated_at"):
        if data.get(name) is not None:
            compute[name] = {"$max": [f"${name}", {"$literal": data[name]}]}
    for name in ("name", "assignee"):
        if data.get(name) is not None:
            compute[name] = {"$ifNull": [f"${name}", {"$literal": data[name]}]}
    if data.get("preview") is not None:
        is_newer = {"$gt": [data["activity"], {"$ifNull": ["$activity", 0]}]}
        compute["preview"] = {"$cond": [is_newer, {"$literal": data["preview"]}, "$preview"]}
    compute |= _words_of_both(data)
    values = dict(_linked(event).set) | ({"status": "open"} if data.get("status") == "open" else {})
    return [
        VersionedWrite(CONVERSATIONS, str(data["merged_id"]), event.seq, set=gone, drop=drop),
        VersionedWrite(CONVERSATIONS, id_, event.seq, set=values, compute=compute),
        VersionedWrite(NOTES, "", None, set={"conversation": id_}, where={"conversation": data["merged_id"]}),
    ]


def _words_of_both(data: Mapping[str, Any]) -> dict[str, Any]:
    """A search finds the one by what was said in either, and by either name."""
    names, said = name_words(data.get("name"), data["wa_id"]), list(data.get("text_tokens", ()))
    kept = {"$concatArrays": [{"$ifNull": ["$text_tokens", []]}, {"$literal": said}]}
    return {
        "name_tokens": _union("name_tokens", names, most=MOST_TOKENS),
        "text_tokens": {"$slice": [kept, MAX_TEXT_WORDS]},
        "tokens": _union("tokens", [*names, *said], most=MOST_TOKENS),
    }


def _union(name: str, values: list[str], *, most: int) -> dict[str, Any]:
    """The stored list with these values, each once. It has an end: nothing in a document grows for ever."""
    return {"$slice": [{"$setUnion": [{"$ifNull": [f"${name}", []]}, {"$literal": values}]}, most]}


def _inbound(event: Event) -> VersionedWrite:
    data = event.data
    values: dict[str, Any] = {
        "activity": data["order"],
        "status": "open",
        "preview": _preview(event, "in"),
    }
    # Where the contact can be reached is an event of its own: what a message comes from may be an address of before.
    if data.get("name") and not data.get("group_id"):
        values["name"] = data["name"]
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
    if data["type"] != "system" and not data.get("group_id"):
        values["name_tokens"] = names
        compute["tokens"] = {"$concatArrays": [{"$literal": names}, compute["text_tokens"]]}
    return VersionedWrite(CONVERSATIONS, str(event.conversation_id), event.seq, set=values, compute=compute)


def _updated(event: Event) -> VersionedWrite:
    data = event.data
    values: dict[str, Any] = {name: data[name] for name in ("assignee", "labels", "status") if name in data}
    return VersionedWrite(CONVERSATIONS, str(event.conversation_id), event.seq, set=values)


def _noted(event: Event) -> VersionedWrite:
    data = event.data
    values = {name: data[name] for name in ("order", "text", "by", "by_name")}
    values |= {"conversation": event.conversation_id, "at": event.at}
    return VersionedWrite(NOTES, str(data["note_id"]), event.seq, set=values, upsert=True)


def _outbound(event: Event) -> VersionedWrite:
    values = {
        "activity": event.data["order"],
        "last_outbound_at": event.at,
        "preview": _preview(event, "out"),
    }
    return VersionedWrite(CONVERSATIONS, str(event.conversation_id), event.seq, set=values)


def _preview(event: Event, direction: str) -> dict[str, Any]:
    return {
        "message": event.data["message_id"],
        "direction": direction,
        "kind": event.data["type"],
        "text": str(event.data.get("preview") or "")[:PREVIEW_LENGTH],
        "at": event.at,
    }
