"""Holds that ended by themselves are told of: who waited for a number need not ask.

Process: whatsapp.
"""

from config.clock import Clock
from services.messages import Governor
from services.store import Fact
from services.whatsapp.journal import Journal


class Holds:
    """Looks at the governor now and then; memory alone."""

    def __init__(self, governor: Governor, journal: Journal, clock: Clock) -> None:
        """No input or output."""
        self._governor = governor
        self._journal = journal
        self._clock = clock

    async def step(self) -> int:
        """Tell of every hold that is over; answers 0, since there is nothing more to do before the next one ends."""
        now = self._clock.now()
        ended = self._governor.take_ended_holds(now)
        if ended:
            self._journal.record(
                [
                    Fact("number.released", number, now, {"reason": "hold_ended", "hold_reason": hold.reason})
                    for number, hold in ended
                ]
            )
        return 0
