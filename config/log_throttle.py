"""A log line that every request would write is written once a second, with the count of those left out. Pure.

Process: all of them.
"""

import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 1.0


class LogThrottle:
    """One line a second for each subject. Subjects are few: codes, not what clients send."""

    def __init__(self, every_s: float = EVERY_S, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._monotonic = monotonic
        self._said: dict[str, tuple[float, int]] = {}

    def allow(self, subject: str) -> int | None:
        """May this line be written? Then how many were left out since the last one; None when it may not."""
        now = self._monotonic()
        at, left_out = self._said.get(subject, (float("-inf"), 0))
        if now - at < self._every_s:
            self._said[subject] = at, left_out + 1
            return None
        self._said[subject] = now, 0
        return left_out
