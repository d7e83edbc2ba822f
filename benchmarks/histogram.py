"""Latencies in fixed memory: buckets that grow by 3 %, which several processes can add up.

Process: a command.
"""

import math
from collections import Counter
from collections.abc import Mapping

GROWTH = 1.03
_LOG_GROWTH = math.log(GROWTH)
FIRST_MS = 0.01


class Histogram:
    """Milliseconds. A quantile is at most 1.5 % off; the largest value is exact."""

    def __init__(self, counts: Mapping[int, int] | None = None, *, max_ms: float = 0.0) -> None:
        self.counts: Counter[int] = Counter(counts or {})
        self.max_ms = max_ms

    def add(self, ms: float) -> None:
        """One more latency."""
        self.counts[0 if ms <= FIRST_MS else 1 + int(math.log(ms / FIRST_MS) / _LOG_GROWTH)] += 1
        self.max_ms = max(self.max_ms, ms)

    def merge(self, other: "Histogram") -> None:
        """Add what another process saw."""
        self.counts.update(other.counts)
        self.max_ms = max(self.max_ms, other.max_ms)

    @property
    def count(self) -> int:
        """How many latencies there are."""
        return sum(self.counts.values())

    def quantile_ms(self, share: float) -> float:
        """The latency that so many of them did not exceed; 0 when there is none."""
        rank = math.ceil(share * self.count)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                middle = FIRST_MS * GROWTH ** (bucket - 0.5) if bucket else FIRST_MS
                return min(middle, self.max_ms)
        return 0.0

    def as_dict(self) -> dict[str, object]:
        """For JSON, between processes."""
        return {"counts": {str(bucket): count for bucket, count in self.counts.items()}, "max_ms": self.max_ms}

    @classmethod
    def from_dict(cls, found: Mapping[str, object]) -> "Histogram":
        """The other way."""
        counts = found["counts"]
        assert isinstance(counts, dict)
        return cls({int(bucket): int(count) for bucket, count in counts.items()}, max_ms=float(str(found["max_ms"])))
