"""Messages as tests need them: valid, small, with what matters spelt out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.messages import Direction, Message, MessageStatus
from tests.doubles.clock import START
from tests.doubles.event_writer import NUMBER

PHONE = "16505551234"


def outgoing(
    position: int,
    *,
    to: str = PHONE,
    status: MessageStatus = MessageStatus.QUEUED,
    payload: Mapping[str, Any] | None = None,
    created_at: datetime = START,
    **more: Any,
) -> Message:
    """A text on its way out; `position` is its order and stands in its id."""
    return Message(
        id=f"msg_{position}",
        order=more.pop("order", position),
        direction=Direction.OUT,
        phone_number_id=more.pop("number", NUMBER),
        kind="text",
        payload=payload or {"type": "text", "text": {"body": f"text {position}"}},
        status=status,
        created_at=created_at,
        to=to,
        **more,
    )
