"""One read at a time for each key: callers that ask meanwhile share its answer.

Process: worker, whatsapp.

For caches: when an entry has grown too old, a hundred requests may notice at the same moment, and one reads.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

from config.clock import Clock

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

AHEAD_S: Final = 0.5
"""An entry is read again so long before it is too old: no caller waits for it."""
_LONG_AGO: Final = float("-inf")


class SingleFlight(Generic[K, T]):
    """Reads by key, one at a time for each key. An answer may be as old as the read that is under way."""

    def __init__(self, read: Callable[[K], Awaitable[T]]) -> None:
        """``read`` fetches the value of a key; what it raises, every caller that waits gets."""
        self._read = read
        self._under_way: dict[K, asyncio.Task[T]] = {}

    async def get(self, key: K) -> T:
        """The value of this key. Raises what ``read`` raises."""
        # A caller that goes away must not take the answer from the others.
        return await asyncio.shield(self.begin(key))

    def begin(self, key: K) -> "asyncio.Task[T]":
        """Start the read unless it is under way; return its task. No caller has to wait for it."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key))
            task.add_done_callback(_told)
        return task

    async def _fetch(self, key: K) -> T:
        try:
            return await self._read(key)
        finally:
            if self.is_current(key):
                del self._under_way[key]

    def is_current(self, key: K) -> bool:
        """Called from inside a read of this key: do new callers still get its answer? False after ``forget``."""
        return self._under_way.get(key) is asyncio.current_task()

    def forget(self, key: K) -> None:
        """New callers start a read of their own: the one under way may be from before a change."""
        self._under_way.pop(key, None)


class RefreshAheadCache(Generic[K, T]):
    """Values by key, kept for a while. A value that will soon be too old is read again before a caller waits for it.

    At most ``most`` are held; the one that was read longest ago goes first.
    """

    def __init__(
        self,
        read: Callable[[K], Awaitable[T]],
        clock: Clock,
        *,
        fresh_s: float,
        most: int,
        ahead_s: float = AHEAD_S,
    ) -> None:
        """``read`` fetches a value; what it raises, every caller that waits for it gets. Times are in seconds."""
        self._read = read
        self._clock = clock
        self._fresh_s = fresh_s
        self._ahead_s = ahead_s
        self._most = most
        self._entries: OrderedDict[K, tuple[float, T]] = OrderedDict()
        self._begun: dict[K, float] = {}
        self._reads: SingleFlight[K, T] = SingleFlight(self._fetch)

    async def get(self, key: K, *, newer_than: float = _LONG_AGO) -> T:
        """The value, at most ``fresh_s`` old, and read after ``newer_than`` (seconds of the monotonic clock)."""
        read_at, value = self._entries.get(key, (_LONG_AGO, None))
        left_s = read_at + self._fresh_s - self._clock.monotonic()
        if read_at > newer_than and left_s > 0:
            if left_s < self._ahead_s:
                self._reads.begin(key)
            return value  # type: ignore[return-value]  # read once: it is a T
        if self._begun.get(key, newer_than) < newer_than:
            self._reads.forget(key)  # what is being read may be from before
            del self._begun[key]
        return await self._reads.get(key)

    def peek(self, key: K, *, newer_than: float = _LONG_AGO) -> T | None:
        """The value, when it is remembered, not too old, and read after ``newer_than``; None: ``get`` knows."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= newer_than:
            return None
        left_s = entry[0] + self._fresh_s - self._clock.monotonic()
        if left_s <= 0:
            return None
        if left_s < self._ahead_s:
            self._reads.begin(key)
        return entry[1]

    def __len__(self) -> int:
        """How many are held."""
        return len(self._entries)

    async def _fetch(self, key: K) -> T:
        began = self._begun[key] = self._clock.monotonic()
        try:
            value = await self._read(key)
        finally:
            is_current = self._reads.is_current(key)
            if is_current:
                self._begun.pop(key, None)
        if is_current:
            self._entries[key] = began, value
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)
        return value


def _told(task: "asyncio.Task[T]") -> None:
    """Mark its exception as seen: asyncio must not warn when no caller is left."""
    if not task.cancelled():
        task.exception()
