"""When may a process that died be started again? Pure arithmetic: back-off with jitter, and a breaker.

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
    """The figures. `breaker_deaths` within `window_s` trip the breaker; after `cool_s` it lets one try through."""

    first_s: float = 0.2
    max_s: float = 10.0
    jitter: float = 0.2
    breaker_deaths: int = 5
    window_s: float = 60.0
    cool_s: float = 60.0
    stable_s: float = 20.0


@dataclass(slots=True)
class RestartHistory:
    """Deaths of one process, by name. `chance()` gives [0, 1): it spreads restarts, it is not cryptography."""

    policy: RestartPolicy
    chance: Callable[[], float]
    breaker: Breaker = "closed"
    _deaths: list[float] = field(default_factory=list)
    _trips: int = 0

    def died(self, now: float, *, hopeless: bool = False) -> float:
        """Note a death; the moment from which it may be started again.

        The first comes back at once, the second after `first_s`, and each later one after twice as long.
        `hopeless`: the process said that another try will not mend it, so the breaker trips at once.
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
        """It is started now. After an open breaker this is the one try."""
        if self.breaker == "open":
            self.breaker = "half-open"

    def lived(self, seconds: float) -> bool:
        """It has been ready for so long. True when that closed the breaker."""
        if self.breaker == "half-open" and seconds >= self.policy.stable_s:
            self.forget()
            return True
        return False

    def forget(self) -> None:
        """A clean slate: it proved itself, or the operator asked for new ones."""
        self.breaker = "closed"
        self._deaths.clear()
        self._trips = 0

    @property
    def deaths_in_window(self) -> int:
        return len(self._deaths)
