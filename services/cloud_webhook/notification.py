"""Raw bytes of Meta's POST → typed changes. JSON of any shape has a reading; only what is not JSON is refused.

Process: worker, whatsapp.
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

import orjson

from config.errors import RequestRefused
from services.cloud_webhook.account_changes import field_changes
from services.cloud_webhook.changes import MESSAGES_FIELD, AnyChange, Notification, UnknownChange
from services.cloud_webhook.lenient_json import digest, moment, text
from services.cloud_webhook.message_changes import message_changes
from services.cloud_webhook.storable import storable


def parse_notification(raw: bytes) -> Notification:
    """The changes of one notification, in order. RequestRefused when the bytes are not JSON.

    Source: Meta, "Webhooks: messages" (2026-09-11); entries × changes × messages may hold up to 1,000 updates.
    """
    return Notification(changes=tuple(_changes(_load(raw))))


def _changes(document: Any) -> Iterator[AnyChange]:
    entries = document.get("entry") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        yield _unknown(document)
        return
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            yield _unknown(entry)
            continue
        waba_id = text(entry.get("id"))
        for change in changes:
            yield from _of_change(change, waba_id, entry_at_raw=entry.get("time"))


def _of_change(change: Any, waba_id: str | None, *, entry_at_raw: Any) -> Iterator[AnyChange]:
    value = change.get("value") if isinstance(change, dict) else None
    field = (text(change.get("field")) or "") if isinstance(change, dict) else ""
    if not isinstance(value, dict):
        yield _unknown(change, waba_id=waba_id, field=field)
    elif field == MESSAGES_FIELD:
        yield from message_changes(waba_id, value)
    else:
        yield from field_changes(field, waba_id, value, entry_at=moment(entry_at_raw))


def _unknown(value: Any, *, waba_id: str | None = None, field: str = "") -> UnknownChange:
    return UnknownChange(f"uk:{digest(waba_id, field, value)}", field, waba_id, value)


def _load(raw: bytes) -> Any:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        document = _load_leniently(raw)
    return storable(document)


def _load_leniently(raw: bytes) -> Any:
    """Half an emoji (a lone surrogate) in a profile name is JSON that the fast parser refuses: refusing it would lose
    the whole notification. It is read the slow way.
    """
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestRefused("The notification is not valid JSON.", detail=str(error)[:200]) from error


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
