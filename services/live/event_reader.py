"""Reads the numbered log for a caller, and waits for more when asked to.

Process: worker.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from config.clock import Clock
from services.store import Database, Event, read_events

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the ``seq`` to go on after."""

    events: list[Event]
    after: int


class EventReader:
    """The log of one number, from a given ``seq`` on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """No input or output."""
        self._database = database
        self._clock = clock

    async def page(
        self, phone_number_id: str, *, after: int, limit: int, types: Sequence[str], wait_s: float
    ) -> EventPage:
        """Up to ``limit`` events after ``after``; when there is none, wait up to ``wait_s`` seconds for the first."""
        until = self._clock.monotonic() + wait_s
        is_first = True
        while True:
            events, after = await read_events(
                self._database, phone_number_id, after=after, limit=limit, types=types, seeks=is_first
            )
            is_first = False
            left = until - self._clock.monotonic()
            if events or left <= 0:
                return EventPage(events, after)
            await asyncio.sleep(min(POLL_S, left))
