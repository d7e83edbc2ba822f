"""The other body of the messages endpoint: "I have read this", with or without "I am typing".

Process: worker.
"""

from dataclasses import dataclass
from typing import Any

from services.messages.content.faults import (
    INVALID_PARAMETER,
    MISSING_PARAMETER,
    ContentFault,
    ContentRefused,
    unstorable_text,
)


@dataclass(frozen=True, slots=True)
class ReadMark:
    """Mark this inbound message, and those before it, as read; `shows_typing`: for up to 25 s."""

    wamid: str
    shows_typing: bool


def is_read_mark(raw: dict[str, Any]) -> bool:
    """`status` tells it from a message, which has none. Source: Meta, "Mark messages as read"."""
    return "status" in raw and "to" not in raw and "recipient" not in raw


def parse_read_mark(raw: dict[str, Any]) -> ReadMark:
    """ContentRefused with every faulty path."""
    faults: list[ContentFault] = []
    if raw.get("status") != "read":
        faults.append(ContentFault("status", "must be read", INVALID_PARAMETER))
    wamid = raw.get("message_id")
    if wamid is None or wamid == "":
        faults.append(ContentFault("message_id", "is required", MISSING_PARAMETER))
    elif not isinstance(wamid, str):
        faults.append(ContentFault("message_id", "must be a string", INVALID_PARAMETER))
    elif (reason := unstorable_text(wamid)) is not None:
        faults.append(ContentFault("message_id", reason, INVALID_PARAMETER))
    typing = raw.get("typing_indicator")
    if typing is not None and not isinstance(typing, dict):
        faults.append(ContentFault("typing_indicator", "must be an object", INVALID_PARAMETER))
    if faults:
        raise ContentRefused(faults)
    return ReadMark(wamid=str(wamid), shows_typing=typing is not None)
