"""A lock of readers and one deleter: reads into memory run side by side, a delete of what they read runs alone.

Process: whatsapp.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class ReadGate:
    """``reading`` around a read, ``closed`` around a delete. Both are asynchronous context managers."""

    def __init__(self) -> None:
        self._readers = 0
        self._is_closed = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Wait while a delete runs; reads run side by side. Do not nest it."""
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
        """Wait for the running reads; no read begins meanwhile."""
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
