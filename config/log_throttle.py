"""What would be said for every request is said once a second, with how often it was left out. Pure.

Process: all.
"""

import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 1.0


class LogThrottle:
    """One line a second for each subject. Subjects are few: codes, not what clients send."""

    def __init__(self, every_s: float = EVERY_S, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing was said yet."""
        self._every_s = every_s
        self._monotonic = monotonic
        self._said: dict[str, tuple[float, int]] = {}

    def allow(self, subject: str) -> int | None:
        """How many lines were left out since the last one, if this one may be said; None: leave it out."""
        now = self._monotonic()
        at, left_out = self._said.get(subject, (float("-inf"), 0))
        if now - at < self._every_s:
            self._said[subject] = at, left_out + 1
            return None
        self._said[subject] = now, 0
        return left_out
