"""What may leave from a number: our own pace, and what WhatsApp allows it right now.

Process: worker.

WhatsApp is asked at the most once a minute for each number and worker: such a call costs of the hourly budget.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from config.clock import Clock
from config.errors import PanalError
from services.graph import NumberInfo
from services.numbers.records import Number, allowed_rates

FRESH_S: Final = 60.0
FAILURE_FRESH_S: Final = 10.0

Ask = Callable[[str], Awaitable[NumberInfo]]
"""Asks WhatsApp about a phone_number_id."""


@dataclass(frozen=True, slots=True)
class OwnPace:
    """What the settings allow each number. ``daily_recipients`` 0 is no limit; ``quiet_hours`` empty: none."""

    per_s: float
    pair_period_s: float
    pair_burst: int
    daily_recipients: int = 0
    quiet_hours: str = ""


def own_pace(number: Number, default: OwnPace) -> OwnPace:
    """What holds for this number: its own settings before those of the installation."""
    per_s, daily = allowed_rates(number, per_s=default.per_s, daily_recipients=default.daily_recipients)
    quiet = default.quiet_hours if number.quiet_hours is None else number.quiet_hours
    return replace(default, per_s=per_s, daily_recipients=daily, quiet_hours=quiet)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What WhatsApp said of a number, and when; or why it said nothing."""

    asked_at: datetime
    info: NumberInfo | None = None
    fault: PanalError | None = None


@dataclass(slots=True)
class NumberLimits:
    """Limits of the numbers of this installation, with a small memory for what WhatsApp says."""

    pace: OwnPace
    ask: Ask
    clock: Clock
    _known: dict[str, tuple[float, Allowance]] = field(default_factory=dict)

    async def allowance(self, phone_number_id: str) -> Allowance:
        """What WhatsApp allows this number. Never raises: a number of which it says nothing has its fault told."""
        now_s = self.clock.monotonic()
        fresh_until, known = self._known.get(phone_number_id, (0.0, None))
        if known is not None and now_s < fresh_until:
            return known
        fresh_s = FRESH_S
        try:
            found = Allowance(self.clock.now(), info=await self.ask(phone_number_id))
        except PanalError as error:
            found, fresh_s = Allowance(self.clock.now(), fault=error), FAILURE_FRESH_S
        self._known[phone_number_id] = (now_s + fresh_s, found)
        return found
