"""What a caller may ask of an endpoint, checked to the last field; every fault is named.

Process: worker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from config.clock import moment_of
from config.errors import Fault, RequestRefused
from services.events import EVENT_FAMILIES, EVENT_TYPES
from services.webhook_endpoints.filters import EVERYTHING
from services.webhook_endpoints.records import WebhookFormat
from services.webhook_endpoints.signing import secret_fault

CREATE_FIELDS: Final = frozenset({"url", "events", "numbers", "format", "headers", "description", "secret"})
UPDATE_FIELDS: Final = frozenset({"url", "events", "numbers", "headers", "description"})
MOST_HEADERS: Final = 20
HEADER_BYTES: Final = 4096
LONGEST_DESCRIPTION: Final = 500
MOST_EVENT_IDS: Final = 1000
MOST_SEQ: Final = 2**53

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]{0,2048}")
_FORBIDDEN_HEADERS: Final = frozenset(
    # Hop by hop, or written by the HTTP client itself.
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "host", "content-length", "expect", "content-encoding", "accept-encoding"}
    # Ours.
    | {"content-type", "user-agent", "x-hub-signature", "x-hub-signature-256"}
)
_FORBIDDEN_PREFIXES: Final = ("webhook-", "x-forwarded-", "forwarded")


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A checked body. None: the caller did not say (allowed in an update only, but for ``secret``)."""

    url: str | None
    events: tuple[str, ...] | None
    numbers: tuple[str, ...] | None
    format: WebhookFormat
    headers: Mapping[str, str] | None
    description: str | None
    secret: str | None


def parse_endpoint(body: Mapping[str, Any], *, is_new: bool) -> EndpointRequest:
    """Raises ``RequestRefused`` with every fault. The URL's own rules are ``services.egress``'s."""
    faults: list[Fault] = []
    known = CREATE_FIELDS if is_new else UPDATE_FIELDS
    faults += [Fault(name, "is not a field of an endpoint") for name in body if name not in known]
    url = body.get("url")
    if url is None and is_new:
        faults.append(Fault("url", "is required"))
    elif url is not None and not isinstance(url, str):
        faults.append(Fault("url", "must be a text"))
    events = _events(body.get("events", [EVERYTHING] if is_new else None), faults)
    numbers = _numbers(body.get("numbers", [] if is_new else None), faults)
    headers = _headers(body.get("headers", {} if is_new else None), faults)
    description = body.get("description", "" if is_new else None)
    if description is not None and (not isinstance(description, str) or len(description) > LONGEST_DESCRIPTION):
        faults.append(Fault("description", f"must be a text of at most {LONGEST_DESCRIPTION} characters"))
    format_word = body.get("format", WebhookFormat.PANAL.value)
    if format_word not in [word.value for word in WebhookFormat]:
        faults.append(Fault("format", "must be panal or meta"))
        format_word = WebhookFormat.PANAL.value
    secret = _secret(body.get("secret"), WebhookFormat(format_word), faults)
    if faults:
        raise RequestRefused("The endpoint is not valid.", faults=faults)
    return EndpointRequest(url, events, numbers, WebhookFormat(format_word), headers, description, secret)


def parse_redelivery(body: Mapping[str, Any]) -> dict[str, Any]:
    """What to deliver again, in one of four ways, as data of the command. Raises ``RequestRefused``."""
    ways = [name for name in ("event_id", "event_ids", "from_seq", "since", "dead_letters") if name in body]
    if len(ways) != 1:
        reason = "say exactly one of event_id, event_ids, from_seq (with to_seq), since, dead_letters"
        raise RequestRefused("It is not clear what to deliver again.", faults=[Fault("", reason)])
    way = ways[0]
    if way in ("event_id", "event_ids"):
        ids = [body["event_id"]] if way == "event_id" else body["event_ids"]
        if not _is_texts(ids, most=MOST_EVENT_IDS) or not ids:
            raise RequestRefused(faults=[Fault(way, f"must be ids of events, at most {MOST_EVENT_IDS}")])
        return {"event_ids": ids}
    if way == "since":
        return {"since": _moment(body["since"])}
    if way == "dead_letters":
        if body["dead_letters"] is not True:
            raise RequestRefused(faults=[Fault("dead_letters", "must be true")])
        return {"dead_letters": True}
    first, last = body["from_seq"], body.get("to_seq", MOST_SEQ)
    number = body.get("phone_number_id")
    faults = [
        Fault(name, "must be a whole number from 1 on")
        for name, value in (("from_seq", first), ("to_seq", last))
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_SEQ
    ]
    if not isinstance(number, str):
        faults.append(Fault("phone_number_id", "is required with from_seq"))
    if not faults and last < first:
        faults.append(Fault("to_seq", "must not be smaller than from_seq"))
    if faults:
        raise RequestRefused(faults=faults)
    return {"from_seq": first, "to_seq": last, "phone_number_id": number}


def _events(value: Any, faults: list[Fault]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not _is_texts(value, most=200) or not value:
        faults.append(Fault("events", "must be a list of event types, families (message.*) or *"))
        return None
    for position, word in enumerate(value):
        is_known = word == EVERYTHING or word in EVENT_TYPES or (word.endswith(".*") and word[:-2] in EVENT_FAMILIES)
        if not is_known:
            faults.append(Fault(f"events[{position}]", "is neither a type nor a family of events; see docs/events.md"))
    return tuple(dict.fromkeys(value))


def _numbers(value: Any, faults: list[Fault]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not _is_texts(value, most=500):
        faults.append(Fault("numbers", "must be a list of phone_number_id; empty for all"))
        return None
    return tuple(dict.fromkeys(value))


def _headers(value: Any, faults: list[Fault]) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > MOST_HEADERS:
        faults.append(Fault("headers", f"must be an object of at most {MOST_HEADERS} names and texts"))
        return None
    headers: dict[str, str] = {}
    for name, text in value.items():
        path = f"headers.{name}"[:100]
        lower = name.lower()
        if not _HEADER_NAME.fullmatch(name):
            faults.append(Fault(path, "is not a name of a header"))
        elif lower in _FORBIDDEN_HEADERS or lower.startswith(_FORBIDDEN_PREFIXES):
            faults.append(Fault(path, "cannot be set"))
        elif lower in headers:
            faults.append(Fault(path, "is there twice"))
        elif not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            faults.append(Fault(path, "must be a text of at most 2048 printable characters"))
        else:
            headers[lower] = text
    if sum(len(name) + len(text) for name, text in headers.items()) > HEADER_BYTES:
        faults.append(Fault("headers", f"must not have more than {HEADER_BYTES} bytes together"))
    return headers


def _secret(value: Any, format_: WebhookFormat, faults: list[Fault]) -> str | None:
    if value is None:
        return None
    reason: str | None = None
    if not isinstance(value, str):
        reason = "must be a text"
    elif format_ is WebhookFormat.PANAL:
        reason = secret_fault(value)
    elif not 16 <= len(value) <= 256 or not value.isascii() or not value.isprintable():
        reason = "must have 16 to 256 printable ASCII characters"
    if reason:
        faults.append(Fault("secret", reason))
        return None
    return str(value)


def _moment(value: Any) -> datetime:
    moment = moment_of(value)
    if moment is None:
        raise RequestRefused(faults=[Fault("since", "must be an RFC 3339 moment with a time zone")])
    return moment


def _is_texts(value: Any, *, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(isinstance(item, str) and item for item in value)
