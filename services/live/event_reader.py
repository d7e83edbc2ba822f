"""Reads the numbered log for a caller, and waits for more when asked to.

Process: worker.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from config.clock import Clock
from services.live.tail import Tail
from services.store import Database, Event, read_events


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the ``seq`` to go on after."""

    events: list[Event]
    after: int


class EventReader:
    """The log of one number, from a given ``seq`` on. Whoever waits does so at the tail that streams use as well."""

    def __init__(self, database: Database, tail: Tail, clock: Clock) -> None:
        """No input or output."""
        self._database = database
        self._tail = tail
        self._clock = clock
        self._is_draining = False
        self._waiting: set[asyncio.Event] = set()

    def drain(self) -> None:
        """This worker leaves: whoever waits gets what there is now, which is nothing, and asks another worker."""
        self._is_draining = True
        for wake in self._waiting:
            wake.set()

    async def page(
        self, phone_number_id: str, *, after: int, limit: int, types: Sequence[str], wait_s: float
    ) -> EventPage:
        """Up to ``limit`` events after ``after``; when there is none, wait up to ``wait_s`` seconds for the first."""
        until = self._clock.monotonic() + wait_s
        events, after = await read_events(self._database, phone_number_id, after=after, limit=limit, types=types)
        if events or wait_s <= 0:
            return EventPage(events, after)
        wake = asyncio.Event()
        self._waiting.add(wake)
        try:
            async with self._tail.follow(phone_number_id, wake.set) as ring:
                while not events and not self._is_draining and (left := until - self._clock.monotonic()) > 0:
                    wake.clear()
                    if after >= ring.end:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(left):
                                await wake.wait()
                        continue
                    events, after = await read_events(
                        self._database, phone_number_id, after=after, limit=limit, types=types
                    )
        finally:
            self._waiting.discard(wake)
        return EventPage(events, after)
