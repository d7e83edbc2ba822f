"""Shared read: who asks while the same thing is being read waits for that answer, and costs nothing.

Process: worker, whatsapp.

For caches: when something remembered has grown old, a hundred requests find out at the same moment, and one reads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SharedRead(Generic[K, T]):
    """Reads by key, one at a time for each key. An answer may be as old as the read that is under way."""

    def __init__(self, read: Callable[[K], Awaitable[T]]) -> None:
        """``read`` fetches the value of a key; what it raises, everybody who waits is told."""
        self._read = read
        self._under_way: dict[K, asyncio.Task[T]] = {}

    async def get(self, key: K) -> T:
        """The value of this key."""
        # A caller that goes away must not take the answer from the others.
        return await asyncio.shield(self.begin(key))

    def begin(self, key: K) -> "asyncio.Task[T]":
        """Read it, unless that is under way; nobody has to wait. For what is remembered and will soon be too old."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key))
            task.add_done_callback(_told)
        return task

    async def _fetch(self, key: K) -> T:
        try:
            return await self._read(key)
        finally:
            del self._under_way[key]


def _told(task: "asyncio.Task[T]") -> None:
    """Its exception was raised where somebody waited; nobody may be left."""
    if not task.cancelled():
        task.exception()
