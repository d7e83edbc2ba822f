"""Reads that fill a memory go on side by side; who deletes what they might find waits for them, and they for it.

Process: whatsapp.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ReadGate:
    """``reading`` for those who read, ``closed`` for the one who deletes."""

    def __init__(self) -> None:
        """Open."""
        self._readers = 0
        self._is_closed = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read while nobody deletes. Not to be nested."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_closed)
            self._readers += 1
        try:
            yield
        finally:
            async with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Nobody reads meanwhile."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_closed)
            self._is_closed = True
            try:
                await self._changed.wait_for(lambda: not self._readers)
            except BaseException:
                self._is_closed = False
                self._changed.notify_all()
                raise
        try:
            yield
        finally:
            async with self._changed:
                self._is_closed = False
                self._changed.notify_all()
