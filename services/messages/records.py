"""What a message is inside Panal: frozen records, no clients, no documents.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.messages.states import MessageStatus


class Direction(StrEnum):
    """``out``: from the business to the customer. ``in``: the other way."""

    OUT = "out"
    IN = "in"


class OnUncertain(StrEnum):
    """What to do when nobody can tell whether a message went out, and no evidence came in time."""

    HOLD = "hold"
    RESEND = "resend"


class OnWindowClosed(StrEnum):
    """What to do when the customer service window is closed and the message is not a template."""

    REJECT = "reject"
    HOLD = "hold"
    TEMPLATE = "template"


class Priority(StrEnum):
    """``transactional`` goes before ``bulk``; order to one recipient holds inside a priority."""

    TRANSACTIONAL = "transactional"
    BULK = "bulk"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One step in the life of a message. ``seq`` is the event that told it; None for the acceptance itself."""

    status: MessageStatus
    at: datetime
    seq: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A message in either direction.

    ``payload`` is the Cloud API object without ``to`` and ``messaging_product``. ``order`` sorts by acceptance.
    ``seq`` is the last event that changed it (0: none yet).
    """

    id: str
    order: int
    direction: Direction
    phone_number_id: str
    kind: str
    payload: Mapping[str, Any]
    status: MessageStatus
    created_at: datetime
    to: str | None = None
    recipient_kind: str = "wa_id"
    from_wa_id: str | None = None
    from_user_id: str | None = None
    conversation_id: str | None = None
    context_wamid: str | None = None
    callback_data: str | None = None
    wamid: str | None = None
    dead_wamid: str | None = None
    content_key: str | None = None
    attempt_count: int = 0
    held_reason: str | None = None
    held_until: datetime | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    on_window_closed: OnWindowClosed = OnWindowClosed.REJECT
    fallback_template: Mapping[str, Any] | None = None
    on_uncertain: OnUncertain | None = None
    priority: Priority = Priority.TRANSACTIONAL
    due_at: datetime | None = None
    metadata: Mapping[str, Any] | None = None
    campaign_id: str | None = None
    error: Mapping[str, Any] | None = None
    pricing: Mapping[str, Any] | None = None
    updated_at: datetime | None = None
    timeline: tuple[TimelineEntry, ...] = ()
    seq: int = 0
    is_stuck: bool = False
    is_played: bool = False
    idempotency: str | None = None
    body_digest: bytes | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why something waits, and until when (UTC; None: until somebody lifts it)."""

    reason: str
    until: datetime | None
