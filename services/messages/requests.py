"""What a client asks for: the Cloud API message object plus our own fields, from bytes to a typed order.

Process: worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from config.clock import moment_of
from config.errors import Fault, RequestRefused
from services.messages.content.parse import Content, parse_content
from services.messages.records import OnUncertain, OnWindowClosed, Priority

MAX_SCHEDULE: Final = timedelta(days=366)
MAX_METADATA_BYTES: Final = 4096
MAX_METADATA_DEPTH: Final = 10

Choice = TypeVar("Choice", OnUncertain, OnWindowClosed, Priority)

_OWN: Final = frozenset(
    {"from", "send_at", "expires_at", "on_window_closed", "fallback_template", "on_uncertain", "metadata", "priority"}
)


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One message that a client wants to send. ``phone_number_id`` None is the default number."""

    content: Content
    phone_number_id: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    on_window_closed: OnWindowClosed = OnWindowClosed.REJECT
    fallback_template: Mapping[str, Any] | None = None
    on_uncertain: OnUncertain | None = None
    priority: Priority = Priority.TRANSACTIONAL
    metadata: Mapping[str, Any] | None = None

    @property
    def is_plain(self) -> bool:
        """Text, to be sent at once, with no wish that needs a second look."""
        return (
            self.content.kind == "text"
            and self.send_at is None
            and self.on_window_closed is OnWindowClosed.REJECT
            and self.fallback_template is None
            and self.priority is Priority.TRANSACTIONAL
        )


def parse_send_request(raw: Mapping[str, Any], *, now: datetime, path: str = "") -> SendRequest:
    """A decoded JSON object → an order. Raises ``RequestRefused`` with the path and reason of every fault.

    ``path`` is put before every faulty path: ``messages[3].`` for a batch.
    """
    if raw.keys().isdisjoint(_OWN):
        return SendRequest(_content(raw, path))  # the common case
    faults: list[Fault] = []
    own = _OwnFields(raw, path, faults)
    number = own.text("from", longest=20)
    send_at = own.moment("send_at")
    expires_at = own.moment("expires_at")
    on_window_closed = own.choice("on_window_closed", OnWindowClosed)
    on_uncertain = own.choice("on_uncertain", OnUncertain)
    priority = own.choice("priority", Priority)
    fallback = _fallback(own.mapping("fallback_template"), path, faults)
    metadata = own.mapping("metadata")
    if send_at is not None and send_at > now + MAX_SCHEDULE:
        faults.append(Fault(f"{path}send_at", "must be within a year from now"))
    if expires_at is not None and expires_at <= max(now, send_at or now):
        faults.append(Fault(f"{path}expires_at", "must be later than now and than send_at"))
    if on_window_closed is OnWindowClosed.TEMPLATE and raw.get("fallback_template") is None:
        faults.append(Fault(f"{path}fallback_template", "is required when on_window_closed is template"))
    if metadata is not None and len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        faults.append(Fault(f"{path}metadata", f"must be at most {MAX_METADATA_BYTES} bytes of JSON"))
    try:
        content = _content({key: value for key, value in raw.items() if key not in _OWN}, path)
    except RequestRefused as refusal:
        raise RequestRefused(
            refusal.text,
            code=refusal.code,
            detail=refusal.detail,
            faults=[*faults, *refusal.faults],
            extra=refusal.extra,
        ) from refusal
    if faults:
        raise RequestRefused("The message is not valid.", faults=faults)
    return SendRequest(
        content=content,
        phone_number_id=number,
        send_at=send_at,
        expires_at=expires_at,
        on_window_closed=on_window_closed or OnWindowClosed.REJECT,
        fallback_template=fallback,
        on_uncertain=on_uncertain,
        priority=priority or Priority.TRANSACTIONAL,
        metadata=metadata,
    )


def parse_send_at(raw: Mapping[str, Any], *, now: datetime) -> datetime:
    """The new time of a scheduled message. Raises ``RequestRefused``."""
    send_at = moment_of(raw.get("send_at"))
    if send_at is None or not now <= send_at <= now + MAX_SCHEDULE:
        raise RequestRefused(
            "The time is not valid.",
            faults=[Fault("send_at", "must be a time with a zone, from now to a year from now")],
        )
    return send_at


def _fallback(template: Mapping[str, Any] | None, path: str, faults: list[Fault]) -> Mapping[str, Any] | None:
    """The template that goes when the window is closed, normalised and checked as one that is sent by itself."""
    if template is None:
        return None
    try:
        # Any recipient will do: the template is what is looked at.
        content = parse_content({"to": "16505550000", "type": "template", "template": dict(template)})
    except RequestRefused as refusal:
        faults += [Fault(f"{path}fallback_{fault.path}", fault.reason) for fault in refusal.faults]
        return None
    found: Mapping[str, Any] = content.payload["template"]
    return found


def _content(raw: Mapping[str, Any], path: str) -> Content:
    try:
        return parse_content(dict(raw))
    except RequestRefused as refusal:
        if not path:
            raise
        raise RequestRefused(
            refusal.text,
            code=refusal.code,
            detail=refusal.detail,
            faults=[Fault(f"{path}{fault.path}", fault.reason) for fault in refusal.faults],
            extra=refusal.extra,
        ) from refusal


@dataclass(frozen=True, slots=True)
class _OwnFields:
    raw: Mapping[str, Any]
    path: str
    faults: list[Fault]

    def text(self, name: str, *, longest: int) -> str | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, str) and 0 < len(value) <= longest:
            return value
        self.faults.append(Fault(f"{self.path}{name}", f"must be a string of 1 to {longest} characters"))
        return None

    def moment(self, name: str) -> datetime | None:
        value = self.raw.get(name)
        if value is None:
            return None
        utc = moment_of(value)
        if utc is None:
            self.faults.append(
                Fault(f"{self.path}{name}", "must be a time with a zone, for example 2026-01-31T09:30:00Z")
            )
            return None
        return utc

    def choice(self, name: str, kinds: type[Choice]) -> Choice | None:
        value = self.raw.get(name)
        if value is None:
            return None
        words = [kind.value for kind in kinds]
        if value in words:
            return kinds(value)
        self.faults.append(Fault(f"{self.path}{name}", f"must be one of {', '.join(words)}"))
        return None

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.faults.append(Fault(f"{self.path}{name}", "must be an object"))
            return None
        fault = _unstorable(value, depth=0)
        if fault is not None:
            self.faults.append(Fault(f"{self.path}{name}", fault))
            return None
        return value


def _unstorable(value: Any, *, depth: int) -> str | None:
    """Why the database could not keep this value, or None: operators are no keys, and depth has an end."""
    if depth > MAX_METADATA_DEPTH:
        return f"must be at most {MAX_METADATA_DEPTH} levels deep"
    if isinstance(value, list):
        return next((fault for item in value if (fault := _unstorable(item, depth=depth + 1))), None)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must not hold integers of more than 64 bits"
    if not isinstance(value, dict):
        return None
    for key, item in value.items():
        if key.startswith("$") or "\0" in key or not key:
            return "must not have keys that are empty, begin with $ or hold a NUL"
        fault = _unstorable(item, depth=depth + 1)
        if fault is not None:
            return fault
    return None
