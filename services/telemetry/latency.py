"""How long do requests take? A histogram over the last minute, in fixed memory, and its quantiles.

Process: worker.
"""

import time
from bisect import bisect_left
from itertools import accumulate

FIRST_MS = 0.1
GROWTH = 1.2  # each bound is 20 % above the last, so a quantile is at most a tenth off
BOUNDS_MS = tuple(FIRST_MS * GROWTH**n for n in range(76))  # up to about 87 s
SLICE_S = 10.0
SLICES = 6


class RequestStats:
    """Counts requests and their times. One thread (the event loop) writes; nothing is allocated per request."""

    __slots__ = ("_current", "_slice_ends_at", "_slices", "errors", "requests")

    def __init__(self, now: float | None = None) -> None:
        self.requests = 0
        self.errors = 0
        self._slices = [[0] * (len(BOUNDS_MS) + 1) for _ in range(SLICES)]
        self._current = 0
        self._slice_ends_at = (time.monotonic() if now is None else now) + SLICE_S

    def observe(self, ms: float, *, is_error: bool = False) -> None:
        """Count one answered request, which took ``ms``."""
        self.requests += 1
        if is_error:
            self.errors += 1
        self._slices[self._current][bisect_left(BOUNDS_MS, ms)] += 1

    def turn(self, now: float) -> None:
        """Forget what is older than a minute. Called with every beat."""
        while now >= self._slice_ends_at:
            self._current = (self._current + 1) % SLICES
            self._slices[self._current] = [0] * (len(BOUNDS_MS) + 1)
            self._slice_ends_at += SLICE_S
            if now - self._slice_ends_at > SLICE_S * SLICES:
                self._slice_ends_at = now + SLICE_S

    def quantiles_ms(self, *shares: float) -> tuple[float, ...]:
        """Quantiles of the last minute in ms, one for each share (0.5 is the median); 0 without a request."""
        counts = [sum(column) for column in zip(*self._slices, strict=True)]
        sums = list(accumulate(counts))
        total = sums[-1]
        if not total:
            return tuple(0.0 for _ in shares)
        return tuple(_quantile(sums, counts, share * total) for share in shares)


def _quantile(sums: list[int], counts: list[int], rank: float) -> float:
    """Inside its bucket a request is taken to lie where its rank says."""
    index = min(bisect_left(sums, rank), len(BOUNDS_MS) - 1)
    low = BOUNDS_MS[index - 1] if index else 0.0
    into = (rank - (sums[index] - counts[index])) / counts[index] if counts[index] else 1.0
    return low + (BOUNDS_MS[index] - low) * min(1.0, max(0.0, into))
