"""Meta's two rates for sends, for tests that want to meet them. Pure: the caller says what time it is.

Process: sandbox.

Source: Meta, "Throughput" and "Pair rate limits" (2025-12): 80 messages/s a number; one in 6 s to the same person, with
a burst of 45 that borrows from the future. Modelled as GCRA, which is an inference from that description.
"""

PAIR_PERIOD_S = 6.0
PAIR_BURST = 45
CARED_FOR = 100_000


class RateLimits:
    """Theoretical arrival times by key; forgets those in the past when there are many."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def admits(self, key: str, now_s: float, *, period_s: float, burst: int) -> bool:
        """Whether one more fits now; counts it if so."""
        due = max(self._due.get(key, 0.0), now_s)
        if due - now_s > period_s * (burst - 1) + 1e-9:
            return False
        self._due[key] = due + period_s
        if len(self._due) > CARED_FOR:
            self._due = {name: at for name, at in self._due.items() if at > now_s}
        return True

    def forget(self) -> None:
        self._due.clear()
