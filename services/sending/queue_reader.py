"""Outbox: finds accepted messages in the database and brings them to their lanes, in order.

Process: whatsapp.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from config.clock import Clock
from config.ids import order_ahead, order_now
from services.messages import MessageRepository, MessageStatus, Priority
from services.sending.lane_loader import LaneLoader
from services.sending.lanes import Lanes

PAGE = 500
MAX_WAITING = {Priority.TRANSACTIONAL: 7_500, Priority.BULK: 2_500}
"""Messages in memory, in all lanes, past which no more of a priority are read: the rest waits in the database."""
AHEAD_S = {Priority.TRANSACTIONAL: 6.0, Priority.BULK: 2.0}
"""How much is read ahead of sending, in seconds of the number's rate; lanes that stand still do not count. Admitting
costs the database three writes a message: done sooner than needed, it only holds up those who accept."""
MIN_AHEAD = 200
MAX_HELD = 20_000

LOOK_BACK_S = 0.3
"""Read at every look. A message gets its order when its insert goes out, so it can be late by as long as that takes."""
SLOWER = 4.0
"""An insert may take so many times as long as the slowest look of late."""
AFTER_TROUBLE_S = 30.0
"""After trouble with the database: inserts of others may have hung for as long as their time limit allows, and have the
place that they had when they began."""
SWEEP_BACK_S = 30.0  # read every few seconds
SWEEP_EVERY_S = 2.0
# Everything below: a worker may have waited long for its database, and the clocks of hosts may differ.
SWEEP_ALL_EVERY_S = 30.0
AHEAD = 60_000 << 20  # a minute, beyond the highest order that was seen

BULK_EVERY = 4

COUNT_SHARE = 100.0
"""The embedded server looks at everything that it counts: so many times as long as that took it is left alone."""

WINDOW_CLOSED = "window_closed"


class QueueReader:
    """The reader of one number's queue of one priority. ``load`` brings what is new; call it at any time."""

    def __init__(
        self,
        phone_number_id: str,
        priority: Priority,
        *,
        repository: MessageRepository,
        lane_loader: LaneLoader,
        clock: Clock,
        rate_per_s: Callable[[], float],
        troubles: Callable[[], int],
    ) -> None:
        """Nothing is read yet. The first load starts at the oldest message that waits.

        ``rate_per_s`` is that of sending, ``troubles`` how often the database failed or went away so far.
        """
        self._number = phone_number_id
        self._priority = priority
        self._repository = repository
        self._lane_loader = lane_loader
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._troubles = troubles
        self._troubles_seen = troubles()
        self._troubled_until = float("-inf")
        self._slowest_look_s = 0.0
        self._reached = 0
        self._highest = 0
        self._looked = 0
        self._slice: int | None = None
        self._swept_at = float("-inf")
        self._swept_all_at = clock.monotonic()
        self.is_behind = False
        """Does more wait in the database than was read?"""

    async def load(self) -> int:
        """Read what is new; answer how many messages came. Reads on until nothing is left or the lanes are full."""
        count = await self._sweep_all() if self._clock.monotonic() - self._swept_all_at > SWEEP_ALL_EVERY_S else 0
        # Whatever is stored late was stamped a look back before the last look, or later: what was read of a backlog
        # that is older than that need not be read again. A host whose clock runs ahead raises `reached`, and a clock
        # that was put back leaves it high: the others' messages come below it.
        now = order_now()
        above = max(0, min(self._reached, min(self._looked, now) - _orders_in(self._look_back_s())))
        self._looked = now
        while not (is_behind := not self._has_place()):
            end = max(order_ahead(), self._highest + AHEAD)
            up_to = min(end, above + self._slice) if self._slice is not None and above else end
            began = self._clock.monotonic()
            page = await self._repository.queued(self._number, self._priority, above=above, up_to=up_to, limit=PAGE)
            self._slowest_look_s = max(0.9 * self._slowest_look_s, self._clock.monotonic() - began)
            count += await self._lane_loader.admit(page)
            self._highest = max(self._highest, page[-1].order if page else 0)
            if len(page) == PAGE:
                # A backlog: the embedded server reads a whole range before it sorts, so read narrow ranges.
                self._slice = max(1, (page[-1].order - page[0].order) * 2)
                above = page[-1].order
            elif up_to < end:
                above = up_to
                self._slice = (self._slice or 1) * 4
            else:
                self._slice = None
                if page:
                    above = page[-1].order
                self._reached = max(self._reached, above)
                break
            self._reached = max(self._reached, above)
        self.is_behind = is_behind
        return count

    def _look_back_s(self) -> float:
        """How far below what was read already a message may have been stored meanwhile."""
        now = self._clock.monotonic()
        if self._troubles() != self._troubles_seen:
            self._troubles_seen = self._troubles()
            self._troubled_until = now + AFTER_TROUBLE_S
        if now - self._swept_at > SWEEP_EVERY_S and self._reached:
            self._swept_at = now
            return SWEEP_BACK_S
        if now < self._troubled_until:
            return SWEEP_BACK_S
        return min(SWEEP_BACK_S, max(LOOK_BACK_S, SLOWER * self._slowest_look_s))

    def _has_place(self) -> bool:
        ahead = max(MIN_AHEAD, self._rate_per_s() * AHEAD_S[self._priority])
        is_crowded = self._lane_loader.waiting_count >= MAX_WAITING[self._priority]
        return not is_crowded and self._lane_loader.moving_count(self._number) < ahead

    async def _sweep_all(self) -> int:
        """Find what was written so late that no look back reaches it. Most of what waits is in a lane already."""
        self._swept_all_at = self._clock.monotonic()
        far = await self._repository.queued_beyond(
            self._number, self._priority, above=max(order_ahead(), self._highest + AHEAD)
        )
        self._highest = max(self._highest, far or 0)  # of a host whose clock was set far ahead
        most = MAX_WAITING[self._priority] + PAGE
        waiting = await self._repository.queued_keys(self._number, self._priority, up_to=self._reached, limit=most)
        left = self._lane_loader.left_addresses(self._number, self._priority)
        ids = [message_id for message_id, to in waiting if to not in left]
        unknown = self._lane_loader.unknown(ids)[:PAGE]
        if not unknown:
            return 0
        found = (await self._repository.by_ids(unknown)).values()
        return await self._lane_loader.admit(sorted(found, key=lambda message: message.order))


class Queue:
    """The readers of all numbers. ``bulk_every``: so seldom is an empty bulk queue looked at, to spare operations."""

    def __init__(self, readers: Mapping[Priority, Sequence[QueueReader]], *, bulk_every: int = 1) -> None:
        """Nothing is read yet."""
        self._readers = readers
        self._bulk_every = bulk_every
        self._since_bulk = bulk_every

    @property
    def is_behind(self) -> bool:
        """Does more wait in the database than was read?"""
        return any(reader.is_behind for readers in self._readers.values() for reader in readers)

    async def load(self) -> int:
        """Read what is new everywhere; answer how many messages came."""
        count = sum([await reader.load() for reader in self._readers.get(Priority.TRANSACTIONAL, ())])
        self._since_bulk += 1
        if self._since_bulk >= self._bulk_every:
            found = sum([await reader.load() for reader in self._readers.get(Priority.BULK, ())])
            self._since_bulk = self._bulk_every if found else 0
            count += found
        return count


class Depth:
    """Counts what waits in the database beside the lanes, for whoever looks at the queue."""

    def __init__(
        self,
        numbers: Sequence[str],
        *,
        queue: Queue,
        lanes: Lanes,
        repository: MessageRepository,
        lane_loader: LaneLoader,
    ) -> None:
        """Nothing is counted yet."""
        self._numbers = numbers
        self._queue = queue
        self._lanes = lanes
        self._repository = repository
        self._lane_loader = lane_loader
        self._next_at = float("-inf")

    async def step(self) -> int:
        """Count, if anything was left in the database: one operation a number."""
        if not self._queue.is_behind and not self._lane_loader.left_count:
            self._lanes.beside_count = 0
            return 0
        began = time.monotonic()
        if began < self._next_at:
            return 0
        waiting = sum([await self._repository.queued_count(number) for number in self._numbers])
        now = time.monotonic()
        self._next_at = now + COUNT_SHARE * (now - began)
        self._lanes.beside_count = max(0, waiting - len(self._lanes))
        return 0


class Due:
    """Brings back what waited for a time or for a customer, and at the start of a term what the last owner left."""

    def __init__(
        self, phone_number_id: str, *, repository: MessageRepository, lane_loader: LaneLoader, clock: Clock
    ) -> None:
        """Nothing is read yet."""
        self._number = phone_number_id
        self._repository = repository
        self._lane_loader = lane_loader
        self._clock = clock
        self._limit = PAGE

    async def recover(self) -> int:
        """Messages whose outcome nobody knows first, then held ones; answer how many are in doubt."""
        doubtful = await self._repository.in_state(self._number, [MessageStatus.SENDING], limit=MAX_HELD)
        await self._lane_loader.admit(doubtful)
        held = await self._repository.in_state(self._number, [MessageStatus.HELD], limit=MAX_HELD)
        waiting = await self._lane_loader.park([message for message in held if message.held_reason == WINDOW_CLOSED])
        waiting += [message for message in held if message.held_reason != WINDOW_CLOSED and message.due_at is None]
        await self._lane_loader.admit(sorted(waiting, key=lambda message: message.order))
        return len(doubtful)

    async def load(self) -> int:
        """Scheduled and held messages whose time has come."""
        page = await self._repository.due(self._number, self._clock.now(), limit=self._limit)
        count = await self._lane_loader.admit(page)
        # What is in its lane stays due until it leaves: a page full of such messages must not hide those behind it.
        is_full = len(page) == self._limit
        self._limit = min(MAX_HELD, self._limit * 2) if is_full and not count else self._limit if is_full else PAGE
        return count


class Released:
    """Brings back what was parked until a customer wrote."""

    def __init__(self, *, repository: MessageRepository, lane_loader: LaneLoader) -> None:
        """Nothing is read yet."""
        self._repository = repository
        self._lane_loader = lane_loader

    async def load(self, message_ids: list[str]) -> int:
        """Those of these messages that are still held, in the order of acceptance."""
        found = (await self._repository.by_ids(message_ids)).values()
        return await self._lane_loader.admit(sorted(found, key=lambda message: message.order))


def _orders_in(seconds: float) -> int:
    return int(seconds * 1000) << 20
