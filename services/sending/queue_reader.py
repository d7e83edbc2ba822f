"""Queue readers: find accepted messages in the database and bring them to their lanes, in order of acceptance.

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
"""With so many messages in all lanes no more of this priority are read: the rest waits in the database."""
AHEAD_S = {Priority.TRANSACTIONAL: 6.0, Priority.BULK: 2.0}
"""How far reading runs ahead of sending, in seconds of the number's rate; blocked lanes do not count. Admitting costs
the database three writes a message: done too early, it only slows down acceptance."""
MIN_AHEAD = 200
MAX_HELD = 20_000

LOOK_BACK_S = 0.3
"""Read again at every load: a message gets its order when its insert starts, so it is late by as long as that takes."""
SLOWER = 4.0
"""An insert may take so many times as long as the slowest recent read."""
AFTER_TROUBLE_S = 30.0
"""After database errors: inserts may have hung up to their time limit, with an order from when they began."""
SWEEP_BACK_S = 30.0  # read every few seconds
SWEEP_EVERY_S = 2.0
# The sweep of everything: a worker may have waited long for its database, and the clocks of hosts may differ.
SWEEP_ALL_EVERY_S = 30.0
AHEAD = 60_000 << 20  # a minute, beyond the highest order that was seen

BULK_EVERY = 4

COUNT_SHARE = 100.0
"""The embedded server reads everything that it counts: pause between counts, as a multiple of the time of the last."""

WINDOW_CLOSED = "window_closed"


class QueueReader:
    """Reads the queue of one number and priority. ``load`` brings what is new; call it at any time."""

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
        """The first load starts at the oldest waiting message.

        ``rate_per_s`` returns the rate of sending, ``troubles`` how often the database has failed so far.
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
        """Do more messages wait in the database than were read?"""

    async def load(self) -> int:
        """Read until the queue is empty or the lanes are full; return how many came. Raises ``Unavailable``."""
        count = await self._sweep_all() if self._clock.monotonic() - self._swept_all_at > SWEEP_ALL_EVERY_S else 0
        # A message that is stored late has an order no older than one look-back before the last load. So an older
        # backlog need not be read again. A host whose clock runs ahead raises `reached`, and a clock that was set
        # back leaves it high: messages of other hosts come below it.
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
                # A backlog. The embedded server reads a whole range before it sorts, so read narrow ranges.
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
        """Seconds below the last load in which a message may have been stored since."""
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
        """Find messages stored so late that no look-back reaches them. Most waiting messages are in a lane already."""
        self._swept_all_at = self._clock.monotonic()
        far = await self._repository.queued_beyond(
            self._number, self._priority, above=max(order_ahead(), self._highest + AHEAD)
        )
        self._highest = max(self._highest, far or 0)  # from a host whose clock is far ahead
        most = MAX_WAITING[self._priority] + PAGE
        waiting = await self._repository.queued_keys(self._number, self._priority, up_to=self._reached, limit=most)
        left = self._lane_loader.unloaded_addresses(self._number, self._priority)
        ids = [message_id for message_id, to in waiting if to not in left]
        unknown = self._lane_loader.unknown(ids)[:PAGE]
        if not unknown:
            return 0
        found = (await self._repository.by_ids(unknown)).values()
        return await self._lane_loader.admit(sorted(found, key=lambda message: message.order))


class Queue:
    """The readers of all numbers. An empty bulk queue is read only every ``bulk_every`` loads, to save operations."""

    def __init__(self, readers: Mapping[Priority, Sequence[QueueReader]], *, bulk_every: int = 1) -> None:
        self._readers = readers
        self._bulk_every = bulk_every
        self._since_bulk = bulk_every

    @property
    def is_behind(self) -> bool:
        """Do more messages wait in the database than were read?"""
        return any(reader.is_behind for readers in self._readers.values() for reader in readers)

    async def load(self) -> int:
        """Read what is new for every number; return how many messages came. Raises ``Unavailable``."""
        count = sum([await reader.load() for reader in self._readers.get(Priority.TRANSACTIONAL, ())])
        self._since_bulk += 1
        if self._since_bulk >= self._bulk_every:
            found = sum([await reader.load() for reader in self._readers.get(Priority.BULK, ())])
            self._since_bulk = self._bulk_every if found else 0
            count += found
        return count


class Depth:
    """Counts the messages that wait in the database beside the lanes, for metrics and the status report."""

    def __init__(
        self,
        numbers: Sequence[str],
        *,
        queue: Queue,
        lanes: Lanes,
        repository: MessageRepository,
        lane_loader: LaneLoader,
    ) -> None:
        self._numbers = numbers
        self._queue = queue
        self._lanes = lanes
        self._repository = repository
        self._lane_loader = lane_loader
        self._next_at = float("-inf")

    async def step(self) -> int:
        """Count if any message is left in the database: one operation a number. Returns 0. Raises ``Unavailable``."""
        if not self._queue.is_behind and not self._lane_loader.unloaded_count:
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
    """Brings back messages whose time has come, and at the start of a term those that the last owner left."""

    def __init__(
        self, phone_number_id: str, *, repository: MessageRepository, lane_loader: LaneLoader, clock: Clock
    ) -> None:
        self._number = phone_number_id
        self._repository = repository
        self._lane_loader = lane_loader
        self._clock = clock
        self._limit = PAGE

    async def recover(self) -> int:
        """Load messages in doubt first, then held ones; return how many are in doubt. Raises ``Unavailable``."""
        doubtful = await self._repository.in_state(self._number, [MessageStatus.SENDING], limit=MAX_HELD)
        await self._lane_loader.admit(doubtful)
        held = await self._repository.in_state(self._number, [MessageStatus.HELD], limit=MAX_HELD)
        waiting = await self._lane_loader.park([message for message in held if message.held_reason == WINDOW_CLOSED])
        waiting += [message for message in held if message.held_reason != WINDOW_CLOSED and message.due_at is None]
        await self._lane_loader.admit(sorted(waiting, key=lambda message: message.order))
        return len(doubtful)

    async def load(self) -> int:
        """Load scheduled and held messages whose time has come; return how many were new. Raises ``Unavailable``."""
        page = await self._repository.due(self._number, self._clock.now(), limit=self._limit)
        count = await self._lane_loader.admit(page)
        # A message in its lane stays due until it leaves: a page full of such messages must not hide those behind it.
        is_full = len(page) == self._limit
        self._limit = min(MAX_HELD, self._limit * 2) if is_full and not count else self._limit if is_full else PAGE
        return count


class Released:
    """Brings back messages that were parked until a customer wrote."""

    def __init__(self, *, repository: MessageRepository, lane_loader: LaneLoader) -> None:
        self._repository = repository
        self._lane_loader = lane_loader

    async def load(self, message_ids: list[str]) -> int:
        """Load those that are still held, in order of acceptance; return how many. Raises ``Unavailable``."""
        found = (await self._repository.by_ids(message_ids)).values()
        return await self._lane_loader.admit(sorted(found, key=lambda message: message.order))


def _orders_in(seconds: float) -> int:
    return int(seconds * 1000) << 20
