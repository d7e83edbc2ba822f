"""When is the next try? Pure: data and arithmetic.

Process: whatsapp.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

JITTER: Final = 0.2
MOST_RETRY_AFTER_S: Final = 43_200.0
"""We wait as an endpoint asks, but not for ever: 12 h, the longest step of the schedule."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds before the second try, before the third, and so on. After the last one the event is a dead letter."""

    steps_s: tuple[float, ...]

    def delay_s(
        self, attempts: int, *, retry_after_s: float | None = None, chance: Callable[[], float] = lambda: 0.0
    ) -> float | None:
        """Seconds to wait after ``attempts`` failed tries; None when there is no further one.

        ``chance`` answers 0 to 1 and makes the wait up to a fifth longer, so that what failed together does not come
        back together. An endpoint's own ``Retry-After`` is honoured when it is longer.
        """
        if attempts > len(self.steps_s):
            return None
        wait_s = self.steps_s[attempts - 1] * (1 + JITTER * chance())
        if retry_after_s is not None:
            wait_s = max(wait_s, min(retry_after_s, MOST_RETRY_AFTER_S))
        return wait_s

    @property
    def total_s(self) -> float:
        """From the first try to the last, without jitter."""
        return sum(self.steps_s)


def parse_schedule(text: str) -> Schedule:
    """``5,30,120`` → a schedule. Raises ``ValueError`` for anything but one or more positive numbers."""
    steps = tuple(float(part) for part in text.split(","))
    if not all(0 < step < 1_000_000 for step in steps) or len(steps) > 100:
        raise ValueError("each step must be more than 0 s and less than a million")
    return Schedule(steps)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds from a ``Retry-After`` header, in either of its two forms; None when it says nothing usable."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
