"""What a conversation is: frozen records, no documents.

Process: worker, whatsapp.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """The last message in a few words."""

    message_id: str
    direction: str
    kind: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """One of our numbers with one contact. ``activity`` sorts by the last message (same unit as a message's order)."""

    id: str
    phone_number_id: str
    wa_id: str | None
    user_id: str | None
    name: str | None
    is_open: bool
    unread_count: int
    activity: int
    created_at: datetime
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    preview: Preview | None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent wrote for colleagues; the customer never sees it. ``by`` is the id of a key."""

    id: str
    order: int
    conversation_id: str
    text: str
    by: str
    by_name: str
    at: datetime
