"""The end of holds: report those that run out; queue messages that waited for a number again.

Process: whatsapp.
"""

from collections.abc import Sequence
from typing import Final

from config.clock import Clock
from config.ids import order_ahead
from services.events import EventWriter
from services.graph import classify
from services.messages import Message, MessageRepository, MessageStatus
from services.sending.lane_loader import LaneLoader
from services.sending.rate_limiter import RateLimiter
from services.store import Event, Fact

PAGE: Final = 500
_PLATFORM: Final = "platform_"


class Holds:
    """Polls the rate limiter for holds that have run out. Memory only."""

    def __init__(self, rate_limiter: RateLimiter, event_writer: EventWriter, clock: Clock) -> None:
        self._rate_limiter = rate_limiter
        self._event_writer = event_writer
        self._clock = clock

    async def step(self) -> int:
        """Record ``number.released`` for every hold that has run out; returns 0: the next poll is early enough."""
        now = self._clock.now()
        ended = self._rate_limiter.take_ended_holds(now)
        if ended:
            self._event_writer.record(
                [
                    Fact("number.released", number, now, {"reason": "hold_ended", "hold_reason": hold.reason})
                    for number, hold in ended
                ]
            )
        return 0


class Freed:
    """Brings back messages that failed late because of their number (131042, 131048 …) once the number is released.

    These messages are in no lane and each has a time of its own. A term begins with a check, too: the last owner may
    have died just after the hold was lifted.
    """

    def __init__(
        self,
        numbers: Sequence[str],
        *,
        rate_limiter: RateLimiter,
        repository: MessageRepository,
        lane_loader: LaneLoader,
        event_writer: EventWriter,
        clock: Clock,
    ) -> None:
        """Nothing is read yet."""
        self._rate_limiter = rate_limiter
        self._repository = repository
        self._lane_loader = lane_loader
        self._event_writer = event_writer
        self._clock = clock
        self._asked = set(numbers)
        self._above: dict[str, int] = {}

    def hear(self, events: Sequence[Event]) -> None:
        """Listener of the event writer: note each resumed number, to check its messages from the beginning."""
        self._asked |= {event.number for event in events if event.type == "number.resumed"}

    async def step(self) -> int:
        """Load one page for each resumed number; return how many numbers have more. Raises ``Unavailable``."""
        self._above |= dict.fromkeys(self._asked, 0)
        self._asked.clear()
        for number, above in list(self._above.items()):
            if self._rate_limiter.number_hold(number, self._clock.now()) is not None:
                del self._above[number]  # still held, or again: it waits, and its next resume comes as an event
                continue
            await self._event_writer.record([]).applied  # a failure may have been recorded just before
            page = await self._repository.in_order(
                number, MessageStatus.HELD, above=above, up_to=order_ahead(), limit=PAGE
            )
            await self._lane_loader.admit([message for message in page if _waits_for_number(message)])
            if len(page) == PAGE:
                self._above[number] = page[-1].order
            else:
                del self._above[number]
        return len(self._above)


def _waits_for_number(message: Message) -> bool:
    """Is this message in no lane (it has a time of its own) for a reason of the whole number?"""
    if message.due_at is None or not (message.held_reason or "").startswith(_PLATFORM):
        return False
    code = (message.held_reason or "").removeprefix(_PLATFORM)
    return code.isdigit() and classify(int(code)).is_wide
