"""Holds that end: by themselves they are told of; when an operator lifts them, messages that wait for them may go.

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
    """Looks at the rate_limiter now and then; memory alone."""

    def __init__(self, rate_limiter: RateLimiter, event_writer: EventWriter, clock: Clock) -> None:
        """No input or output."""
        self._rate_limiter = rate_limiter
        self._event_writer = event_writer
        self._clock = clock

    async def step(self) -> int:
        """Tell of every hold that is over; answers 0, since there is nothing more to do before the next one ends."""
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
    """Messages that failed late because of their number (131042, 131048 …) and wait, each with a time of its own.

    They are in no lane: lifting the hold of the number brings them back. A term begins with a look, too: the last
    owner may have died after the hold was lifted.
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
        """A number goes on: what waits for it is looked at from the beginning."""
        self._asked |= {event.number for event in events if event.type == "number.resumed"}

    async def step(self) -> int:
        """One page of each number that goes on; answer how many numbers have more. Raises ``Unavailable``."""
        self._above |= dict.fromkeys(self._asked, 0)
        self._asked.clear()
        for number, above in list(self._above.items()):
            if self._rate_limiter.number_hold(number, self._clock.now()) is not None:
                del self._above[number]  # held still, or again: it waits rightly, and that it goes on will be heard
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
    """In no lane (it has a time of its own), for a reason that concerns the whole number."""
    if message.due_at is None or not (message.held_reason or "").startswith(_PLATFORM):
        return False
    code = (message.held_reason or "").removeprefix(_PLATFORM)
    return code.isdigit() and classify(int(code)).is_wide
