"""A stream at work: what one endpoint gets from one number, read as far as there is room.

Process: whatsapp.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from config.errors import Unavailable
from services.store import Event
from services.webhook_endpoints.backlog import Backlog, Lane
from services.webhook_endpoints.feed import Feed
from services.webhook_endpoints.records import StreamKind, StreamRecord

CHUNK = 100
LOAD_AHEAD = 20


@dataclass(slots=True)
class EventCursor:
    """A stream and its lanes. ``chosen`` are the events of a list that were not read yet."""

    record: StreamRecord
    backlog: Backlog
    chosen: deque[int]

    @property
    def is_live(self) -> bool:
        """Does it follow the log, or is it a redelivery?"""
        return self.record.kind is StreamKind.LIVE

    @property
    def is_done(self) -> bool:
        """Only a redelivery ends."""
        if self.is_live or not self.backlog.is_empty:
            return False
        if self.record.kind is StreamKind.LIST:
            return not self.chosen
        return self.backlog.read_to >= self.record.until

    async def read(self, feed: Feed, wants: Callable[[Event], bool]) -> bool:
        """Take the next chunk in; False when there is no room, or nothing to read. Raises ``Unavailable``."""
        if self.backlog.room == 0:
            self.backlog.relieve()
        limit = min(CHUNK, self.backlog.room)
        if limit == 0:
            return False
        if self.record.kind is StreamKind.LIST:
            return await self._read_chosen(feed, limit)
        return await self._read_log(feed, wants, limit)

    async def event_of(self, lane: Lane, feed: Feed) -> Event | None:
        """The head of a lane; None when retention took it. Raises ``Unavailable``."""
        event = self.backlog.event(lane.head)
        if event is None:
            ahead = list(lane.seqs)[:LOAD_AHEAD]
            self.backlog.load(await feed.chosen(self.record.number, ahead))
            event = self.backlog.event(lane.head)
        return event

    async def _read_log(self, feed: Feed, wants: Callable[[Event], bool], limit: int) -> bool:
        before, until = self.backlog.read_to, self.record.until
        events, reached = await feed.read(self.record.number, after=before, limit=limit)
        if not self.is_live:
            if before >= until:
                return False
            events = [event for event in events if event.seq <= until]
            # A log that ends, or goes on, behind the range: there is nothing more in it.
            reached = until if reached == before else min(reached, until)
        if reached == before:
            return False
        self.backlog.take(events, reached, wants)
        return True

    async def _read_chosen(self, feed: Feed, limit: int) -> bool:
        seqs = [self.chosen.popleft() for _ in range(min(limit, len(self.chosen)))]
        if not seqs:
            return False
        try:
            events = await feed.chosen(self.record.number, seqs)
        except Unavailable:
            self.chosen.extendleft(reversed(seqs))
            raise
        self.backlog.take(events, seqs[-1], lambda _: True)
        return True
