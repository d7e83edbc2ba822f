"""Is the endpoint there? Pure: counts tries, says when it is down, when to probe it, and when to give it up.

Process: whatsapp.
"""

from dataclasses import dataclass

DOWN_AFTER = 10
"""So many failures in a row, over ``DOWN_SPAN_S`` at least, with no success between: it is down."""

DOWN_SPAN_S = 10.0
SLOW_DOWN_AFTER = 3
SLOW_DOWN_SPAN_S = 900.0
"""Or so many over a quarter of an hour: little traffic should not hide it."""

FIRST_PROBE_S = 15.0
LONGEST_PROBE_S = 300.0
"""Pause before the first probe of an endpoint that is down; it doubles up to the longest."""


@dataclass(slots=True)
class Health:
    """Times are Unix seconds. A down endpoint gets one try at a time, seldom; the log waits for it."""

    failing_since: float | None = None
    is_down: bool = False
    failures: int = 0
    probe_at: float = 0.0
    not_before: float = 0.0
    probes: int = 0

    def succeed(self) -> bool:
        """A try was taken; True when the endpoint was down before it."""
        was_down = self.is_down
        self.failing_since = None
        self.is_down = False
        self.failures = 0
        self.probes = 0
        self.not_before = 0.0
        return was_down

    def fail(self, now: float, *, retry_after_s: float | None) -> bool:
        """A try failed; True when the endpoint is down from now on."""
        self.failures += 1
        if self.failing_since is None:
            self.failing_since = now
        if retry_after_s is not None:
            self.not_before = max(self.not_before, now + min(retry_after_s, LONGEST_PROBE_S))
        span = now - self.failing_since
        goes_down = not self.is_down and (
            (self.failures >= DOWN_AFTER and span >= DOWN_SPAN_S)
            or (self.failures >= SLOW_DOWN_AFTER and span >= SLOW_DOWN_SPAN_S)
        )
        self.is_down = self.is_down or goes_down
        if self.is_down:
            self.probe_at = now + min(FIRST_PROBE_S * 2 ** min(self.probes, 10), LONGEST_PROBE_S)
            self.probes += 1
        return goes_down

    def slots(self, now: float, *, flying: int, most: int) -> int:
        """How many tries may start now."""
        if now < self.not_before:
            return 0
        if self.is_down:
            return 1 if flying == 0 and now >= self.probe_at else 0
        return max(0, most - flying)

    def wakes_at(self, now: float) -> float | None:
        """When ``slots`` may answer otherwise without anything happening."""
        times = [at for at in (self.not_before, self.probe_at if self.is_down else 0.0) if at > now]
        return min(times) if times else None

    def is_given_up(self, now: float, *, after_s: float) -> bool:
        """Has it failed without a break for so long that it is disabled?"""
        return self.failing_since is not None and self.failures > 0 and now - self.failing_since >= after_s
