"""Reads the numbered log for a caller, and waits for more when asked to.

Process: worker.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from config.clock import Clock
from config.errors import Unavailable
from services.events.stream.streams import CHECK_AGAIN_S, CHECK_CALLER_S, Recheck
from services.events.stream.tail import Tail
from services.store import Database, Event, read_events


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order, and the ``seq`` to go on after."""

    events: list[Event]
    after: int


class EventReader:
    """The log of one number, from a given ``seq`` on. Long polls wait at the same tail as streams."""

    def __init__(self, database: Database, tail: Tail, clock: Clock) -> None:
        self._database = database
        self._tail = tail
        self._clock = clock
        self._is_draining = False
        self._waiting: set[asyncio.Event] = set()
        self._changes = 0

    def drain(self) -> None:
        """This worker stops: long polls end with an empty page, and their callers ask another worker."""
        self._is_draining = True
        for wake in self._waiting:
            wake.set()

    @property
    def is_used(self) -> bool:
        """Does anybody wait?"""
        return bool(self._waiting)

    def check_callers(self) -> None:
        """A key or a session has changed: look at everybody who waits again."""
        self._changes += 1
        for wake in self._waiting:
            wake.set()

    async def page(
        self,
        phone_number_id: str,
        *,
        after: int,
        limit: int,
        types: Sequence[str],
        wait_s: float,
        recheck: Recheck | None = None,
    ) -> EventPage:
        """Up to ``limit`` events after ``after``; when there is none, wait up to ``wait_s`` seconds for the first.

        A waiting caller is checked again by ``recheck`` when a key or a session has changed, or its time is over; what
        that raises is raised here.
        """
        until = self._clock.monotonic() + wait_s
        events, after = await read_events(self._database, phone_number_id, after=after, limit=limit, types=types)
        if events or wait_s <= 0:
            return EventPage(events, after)
        wake = asyncio.Event()
        self._waiting.add(wake)
        changes, check_at = -1, self._clock.monotonic()
        try:
            async with self._tail.follow(phone_number_id, wake.set) as ring:
                while not events and not self._is_draining and (left := until - self._clock.monotonic()) > 0:
                    wake.clear()
                    if recheck is not None and (changes != self._changes or self._clock.monotonic() >= check_at):
                        changes = self._changes
                        check_at = self._clock.monotonic() + await self._until_next_check(recheck)
                    if after >= ring.end:
                        pause_s = left if recheck is None else min(left, check_at - self._clock.monotonic())
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(pause_s):
                                await wake.wait()
                        continue
                    events, after = await read_events(
                        self._database, phone_number_id, after=after, limit=limit, types=types
                    )
        finally:
            self._waiting.discard(wake)
        return EventPage(events, after)

    async def _until_next_check(self, recheck: Recheck) -> float:
        """Seconds until a caller has to be looked at again. Raises what refuses it."""
        try:
            ends_at = await recheck()
        except Unavailable:
            return CHECK_AGAIN_S
        if ends_at is None:
            return CHECK_CALLER_S
        return min(CHECK_CALLER_S, max(0.0, (ends_at - self._clock.now()).total_seconds()))
