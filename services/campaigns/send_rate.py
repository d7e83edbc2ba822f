"""How many messages may a campaign hand over now? Its own rate plan, beside what the number may send. Pure.

Process: whatsapp.
"""

from typing import Final

BURST_S: Final = 2.0
"""Never more at once than the plan gives in so long: a plan is there to be even."""


class SendRate:
    """A bucket that fills with ``rate_per_minute``; None: there is no plan."""

    def __init__(self, rate_per_minute: int | None, *, now_s: float) -> None:
        """Empty: after a restart nothing is made up for. ``now_s`` is on the monotonic clock."""
        self._rate_per_minute = rate_per_minute
        self._tokens = 0.0
        self._at_s = now_s

    def allowance(self, now_s: float) -> int | None:
        """Messages that may be handed over now; None: as many as one likes."""
        if self._rate_per_minute is None:
            return None
        per_s = self._rate_per_minute / 60
        self._tokens = min(max(1.0, per_s * BURST_S), self._tokens + max(0.0, now_s - self._at_s) * per_s)
        self._at_s = now_s
        return int(self._tokens)

    def spend(self, count: int) -> None:
        """So many were handed over."""
        if self._rate_per_minute is not None:
            self._tokens -= count

    def outstanding(self, most: int) -> int:
        """How many may wait to be sent at once: with a plan no more than half a minute of it."""
        return most if self._rate_per_minute is None else min(most, max(1, self._rate_per_minute // 2))
