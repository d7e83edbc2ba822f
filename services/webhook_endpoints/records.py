"""What a subscriber's endpoint is, and what became of a try at it: frozen records, no clients.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class WebhookFormat(StrEnum):
    """``panal``: our event, signed by Standard Webhooks. ``meta``: Meta's envelope with ``X-Hub-Signature-256``."""

    PANAL = "panal"
    META = "meta"


class EndpointStatus(StrEnum):
    """``disabled`` is what we did after days of failure or a 410; ``paused`` is what a person did."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


class TryOutcome(StrEnum):
    """What became of one try. ``dead``: there will be no further one by itself."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a signing secret lies in the vault, and until when it still signs (None: until it is rotated)."""

    ref: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A subscriber. ``events`` are types, families (``message.*``) or ``*``; ``numbers`` empty means every number.

    ``home`` is the number in whose log the endpoint's own events stand; it never changes. ``target_ref`` names the
    URL and the custom headers in the vault: they may hold passwords, and events are read by many.
    """

    id: str
    home: str
    format: WebhookFormat
    shown_url: str
    target_ref: str
    secrets: tuple[SecretRef, ...]
    events: tuple[str, ...]
    numbers: tuple[str, ...]
    header_names: tuple[str, ...]
    description: str
    status: EndpointStatus
    created_at: datetime
    updated_at: datetime
    created_by: str
    reason: str | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Where deliveries go, with the custom headers they carry. Kept in the vault, never in an event or a log."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Say nothing: both parts may hold a password."""
        return "Target(***)"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an endpoint. ``status`` is the HTTP status, None when no answer came: then ``error`` says why."""

    id: str
    order: int
    endpoint_id: str
    event_id: str
    event_type: str
    number: str
    seq: int
    attempt: int
    at: datetime
    duration_ms: int
    outcome: TryOutcome
    status: int | None
    error: str | None
    answer: str
    stream: str
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that an endpoint did not take. It stays until it is redelivered or the endpoint is deleted."""

    endpoint_id: str
    event_id: str
    event_type: str
    number: str
    seq: int
    order: int
    at: datetime
    reason: str
    attempt_count: int
    last_status: int | None

    @property
    def id(self) -> str:
        """One letter an endpoint and event."""
        return f"{self.endpoint_id}:{self.event_id}"


class StreamKind(StrEnum):
    """``live`` follows the log for ever; ``range`` ends at a ``seq``; ``list`` is a few chosen events."""

    LIVE = "live"
    RANGE = "range"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What one endpoint gets from one number, and how far it has come (``cursor``: all up to it is settled)."""

    id: str
    endpoint_id: str
    number: str
    kind: StreamKind
    cursor: int
    until: int = 0
    seqs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ParkedLane:
    """A conversation that waits for its retry, kept in the database so that the cursor can go on past it."""

    stream_id: str
    endpoint_id: str
    key: str
    seqs: tuple[int, ...]
    attempt_count: int
    due_at: float

    @property
    def id(self) -> str:
        """One a stream and conversation."""
        return f"{self.stream_id}|{self.key}"


def stream_id(endpoint_id: str, number: str) -> str:
    """The id of the live stream of an endpoint and a number."""
    return f"{endpoint_id}:{number}"


def public_state(endpoint: Endpoint) -> dict[str, Any]:
    """The whole state as event data: enough to project the endpoint again, and nothing that is secret."""
    return {
        "endpoint_id": endpoint.id,
        "home_number": endpoint.home,
        "format": endpoint.format.value,
        "url": endpoint.shown_url,
        "target_ref": endpoint.target_ref,
        "secrets": [{"id": secret.ref, "expires_at": secret.expires_at} for secret in endpoint.secrets],
        "events": list(endpoint.events),
        "numbers": list(endpoint.numbers),
        "header_names": list(endpoint.header_names),
        "description": endpoint.description,
        "status": endpoint.status.value,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "created_by": endpoint.created_by,
        "reason": endpoint.reason,
        "failing_since": endpoint.failing_since,
    }


def endpoint_of(state: Mapping[str, Any]) -> Endpoint:
    """The reverse of ``public_state``, for event data and documents alike."""
    return Endpoint(
        id=state["endpoint_id"],
        home=state["home_number"],
        format=WebhookFormat(state["format"]),
        shown_url=state["url"],
        target_ref=state["target_ref"],
        secrets=tuple(SecretRef(secret["id"], secret.get("expires_at")) for secret in state["secrets"]),
        events=tuple(state["events"]),
        numbers=tuple(state["numbers"]),
        header_names=tuple(state["header_names"]),
        description=state["description"],
        status=EndpointStatus(state["status"]),
        created_at=state["created_at"],
        updated_at=state["updated_at"],
        created_by=state["created_by"],
        reason=state.get("reason"),
        failing_since=state.get("failing_since"),
    )
