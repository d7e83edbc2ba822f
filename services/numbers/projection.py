"""From a numbered event to the guarded writes on numbers.

Process: whatsapp.
"""

from services.numbers.repository import NOTICES_KEPT, NUMBERS, notices_id, short_key
from services.store import META, Event, VersionedWrite

_HOLD = ("hold_reason", "hold_until")
_TOLD = ("verified_name", "quality", "messaging_limit", "throughput")
NOTICE = "content_key"
"""In an event that a notification of WhatsApp made: which one."""
_OF_NOTICES = ("number.", "account.", "notification.")
_OWN_SETTINGS = ("rate_per_s", "daily_recipients", "quiet_hours")


def project_number(event: Event) -> list[VersionedWrite]:
    """The writes on ``numbers`` that this event asks for, and the mark that its notice was told of."""
    return [*_changes(event), *_told_of(event)]


def _told_of(event: Event) -> list[VersionedWrite]:
    key = event.data.get(NOTICE)
    if not isinstance(key, str) or not event.type.startswith(_OF_NOTICES):
        return []
    before = {"$ifNull": ["$keys", []]}
    keys = {"$slice": [{"$concatArrays": [{"$literal": [short_key(key)]}, before]}, NOTICES_KEPT]}
    return [VersionedWrite(META, notices_id(event.number), event.seq, compute={"keys": keys}, upsert=True)]


def _changes(event: Event) -> list[VersionedWrite]:
    if event.type == "number.paused":
        return [VersionedWrite(NUMBERS, event.number, event.seq, set={"is_paused": True})]
    if event.type == "number.resumed":
        return [VersionedWrite(NUMBERS, event.number, event.seq, set={"is_paused": False}, drop=_HOLD)]
    if event.type == "number.held":
        values = {"hold_reason": event.data["reason"], "hold_until": event.data["held_until"]}
        return [VersionedWrite(NUMBERS, event.number, event.seq, set=values)]
    if event.type == "number.released":
        return [VersionedWrite(NUMBERS, event.number, event.seq, drop=_HOLD)]
    if event.type in ("number.quality_changed", "number.limit_changed", "number.name_changed"):
        values = {name: event.data[name] for name in _TOLD if name in event.data}
        return [VersionedWrite(NUMBERS, event.number, event.seq, set=values)] if values else []
    if event.type == "number.settings_changed":
        values = {name: event.data[name] for name in _OWN_SETTINGS if name in event.data}
        return [VersionedWrite(NUMBERS, event.number, event.seq, set=values)]
    return []
