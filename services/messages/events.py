"""Facts about an outbound message: what every event of it says.

Process: whatsapp.
"""

from collections.abc import Mapping
from typing import Any

from config.clock import Clock
from services.messages.state import Tracked
from services.store import Fact


def message_fact(tracked: Tracked, event: str, data: Mapping[str, Any], clock: Clock) -> Fact:
    """A fact about an outbound message, with what every subscriber wants to know of it."""
    full: dict[str, Any] = {
        "message_id": tracked.id,
        "conversation_id": tracked.conversation_id,
        "to": tracked.to,
        "status": tracked.status.value,
        **data,
    }
    if tracked.wamid and "wamid" not in full:
        full["wamid"] = tracked.wamid
    if tracked.callback_data is not None:
        full["biz_opaque_callback_data"] = tracked.callback_data
    if tracked.metadata is not None:
        full["metadata"] = dict(tracked.metadata)
    return Fact(event, tracked.phone_number_id, clock.now(), full, tracked.conversation_id)


def error_data(code: int | None, title: str, details: str | None, next_step: str) -> dict[str, Any]:
    """What an event and a message say of an error: code, title, details, and what to do next."""
    data: dict[str, Any] = {"code": code, "title": title}
    if details:
        data["details"] = details
    if next_step:
        data["next_step"] = next_step
    return data
