"""What time is it? A port, so that rules about time are tested without waiting.

Process: all of them.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

import orjson


class Clock(Protocol):
    """Wall time for what people and other machines read; monotonic time for how long something took."""

    def now(self) -> datetime:
        """Aware UTC. It may jump (NTP): never subtract two of them to measure a wait."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def rfc3339(moment: datetime) -> str:
    """`2026-01-02T03:04:05.678Z`: UTC with milliseconds, cut off and not rounded, so that it never lies in the future.

    Refuses a naive datetime (ValueError): what has no zone cannot be put on the wire.
    """
    # Every answer has several moments: orjson writes one in a fifth of the time that isoformat takes.
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z).decode()
    if not text.endswith('Z"'):
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be written as RFC 3339")
        return rfc3339(moment.astimezone(UTC))
    return f"{text[1:24]}Z" if moment.microsecond else f"{text[1:20]}.000Z"


def moment_of(value: object) -> datetime | None:
    """An RFC 3339 text with a zone → aware UTC; None for anything else, a moment outside the calendar included."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
