"""When may a dead process start again? Pure arithmetic: back-off with jitter, and a circuit breaker.

Process: main.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Breaker = Literal["closed", "open", "half-open"]
LONGEST_COOL_FACTOR = 5
HISTORY_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """`breaker_deaths` within `window_s` open the breaker; after `cool_s` it lets one try through. Times in seconds."""

    first_s: float = 0.2
    max_s: float = 10.0
    jitter: float = 0.2
    breaker_deaths: int = 5
    window_s: float = 60.0
    cool_s: float = 60.0
    stable_s: float = 20.0


@dataclass(slots=True)
class RestartHistory:
    """Deaths of one process name. `chance()` returns [0, 1) and spreads restarts; it need not be secure."""

    policy: RestartPolicy
    chance: Callable[[], float]
    breaker: Breaker = "closed"
    _deaths: list[float] = field(default_factory=list)
    _trips: int = 0

    def died(self, now: float, *, hopeless: bool = False) -> float:
        """Note a death; return the moment from which the process may start again.

        After the first death that is at once, after the second `first_s` later, then twice as long each time.
        `hopeless`: by its exit code another try cannot help, so the breaker opens at once.
        """
        recent = [at for at in self._deaths if now - at < self.policy.window_s]
        self._deaths = [*recent[-HISTORY_LIMIT:], now]
        deaths = len(self._deaths)
        if hopeless or self.breaker == "half-open" or deaths >= self.policy.breaker_deaths:
            self.breaker = "open"
            self._trips += 1
            return now + self.policy.cool_s * min(LONGEST_COOL_FACTOR, self._trips)
        if deaths == 1:
            return now
        pause = min(self.policy.max_s, self.policy.first_s * 2.0 ** (deaths - 2))
        return now + pause * (1 + self.policy.jitter * (2 * self.chance() - 1))

    def starts(self) -> None:
        """Note a start. With an open breaker it is the one try."""
        if self.breaker == "open":
            self.breaker = "half-open"

    def lived(self, seconds: float) -> bool:
        """Note that it has been ready for so many seconds. Returns True when that closed the breaker."""
        if self.breaker == "half-open" and seconds >= self.policy.stable_s:
            self.forget()
            return True
        return False

    def forget(self) -> None:
        """Forget every death: the process proved stable, or the operator asked for a new try."""
        self.breaker = "closed"
        self._deaths.clear()
        self._trips = 0

    @property
    def deaths_in_window(self) -> int:
        return len(self._deaths)
