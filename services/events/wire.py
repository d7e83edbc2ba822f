"""An event as everybody outside sees it: the same object in the log, in streams and in webhooks.

Process: worker, whatsapp.
"""

from datetime import datetime
from typing import Any, Final

import orjson

from config.clock import rfc3339
from services.store import Event

# What the owner needs to repeat an event, and nobody else: a 63-bit sort key would not survive JavaScript either.
INTERNAL: Final = frozenset({"order", "due_at", "pair_tat", "initiated_at", "dead_wamid", "content_key"}) | frozenset(
    {"target_ref", "home_number", "stream_starts", "activity", "text_tokens", "consent_order"}
    # What other numbers know of a contact: keys that are limited to a number read its log.
    | {"contact_write", "contact_writes", "contact_merge", "consent_at", "opted_out_stored"}
)


def event_json(event: Event) -> dict[str, Any]:
    """The public object; moments are still moments."""
    return {
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "phone_number_id": event.number,
        "data": {name: value for name, value in event.data.items() if name not in INTERNAL},
    }


def audience_of(event: Event) -> frozenset[str] | None:
    """The numbers that a limited reader must have for this event, beside that of the log. None: no further ones.

    What happens to a webhook endpoint stands in the log of one number, whichever others the endpoint hears. Empty: it
    hears every number, so no limited reader may know of it.
    """
    if not event.type.startswith("webhook_endpoint."):
        return None
    return frozenset(event.data.get("numbers") or ())


def may_read(event: Event, numbers: frozenset[str]) -> bool:
    """May a reader limited to these numbers see this event of one of them? Empty: a reader without a limit."""
    return not numbers or covers(numbers, audience_of(event))


def covers(numbers: frozenset[str], audience: frozenset[str] | None) -> bool:
    """Does a limited reader have all the numbers of an audience?"""
    return audience is None or (bool(audience) and audience <= numbers)


def event_bytes(event: Event) -> bytes:
    """The public object as JSON. The same event gives the same bytes, whether it comes from memory or the database."""
    return orjson.dumps(
        event_json(event), default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    )


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
