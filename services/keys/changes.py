"""Has a key or a session ended? One small document changes with each of them; one worker a host reads it for all.

Process: worker; whatsapp (changes it when it revokes a key).

A worker remembers keys for half a minute. What it read before the last change is not used any more. The read costs one
operation every ``POLL_S`` a host, and none while no worker remembers anything and no stream is open.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, MutableSequence
from multiprocessing import RawArray
from typing import Any, Final

from config.clock import Clock
from config.errors import Unavailable
from config.ids import new_id
from services.store import META, Database, VersionedWrite

log = logging.getLogger(__name__)

POLL_S: Final = 2.0
TICK_S: Final = 0.5
"""How often a worker looks at what the workers of its host share: a change is known everywhere after 2.5 s."""
NEEDED_S: Final = 40.0
"""So long after a read something may still be remembered of it."""
READ_LIMIT_S: Final = 2.0
CHANGES_ID: Final = "access"
_CLAIMED, _TOKEN = 0, 1

SharedChanges = MutableSequence[float] | None
"""Memory that the workers of one host share; None: one worker by itself."""


def change_of_keys(cause: str) -> VersionedWrite:
    """The owner's write that tells of a change; ``cause`` differs for every change. It follows what it tells of."""
    return VersionedWrite(META, CHANGES_ID, None, set={"keys": cause}, upsert=True)


def shared_changes() -> Any:
    """Memory that the workers of one host share: when somebody last went to read, and what was found."""
    return RawArray("d", 2)


class AccessChanges:
    """Follows the document. ``seen_at``: what was read before it (monotonic seconds) may be from before a change."""

    def __init__(self, database: Database, clock: Clock, *, shared: SharedChanges = None) -> None:
        """Nothing is read yet. ``shared``: what ``shared_changes`` made; None: this worker reads for itself."""
        self._database = database
        self._clock = clock
        self._shared: MutableSequence[float] = shared if shared is not None else [0.0, 0.0]
        self._token = self._shared[_TOKEN]
        self._needed_until = float("-inf")
        self._listeners: list[Callable[[], None]] = []
        self._needs: list[Callable[[], bool]] = []
        self.seen_at = float("-inf")

    def attach(self, on_change: Callable[[], None], *, is_needed: Callable[[], bool]) -> None:
        """Call ``on_change`` with every change that is seen; it is looked for while ``is_needed`` says so."""
        self._listeners.append(on_change)
        self._needs.append(is_needed)

    def remember(self) -> None:
        """Something was read, and is remembered for a while: changes have to be looked for."""
        self._needed_until = self._clock.monotonic() + NEEDED_S

    async def announce(self) -> None:
        """Tell every worker of every host that something ended. Raises ``Unavailable``."""
        self._see()
        await self._database.update(META, {"_id": CHANGES_ID}, {"$set": {"sessions": new_id("chg")}}, upsert=True)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self.step()
            except (Unavailable, TimeoutError) as error:
                # What is remembered is too old in half a minute; then nobody gets in.
                log.info("Changes of keys cannot be read.", extra={"action": "keys.unread", "detail": str(error)})
            except Exception:
                log.exception("Looking for changes of keys failed; it goes on.", extra={"action": "keys.bug"})

    async def step(self) -> None:
        """One look: at the shared memory, and at the database when nobody of this host was there for ``POLL_S``."""
        now = self._clock.monotonic()
        if now >= self._needed_until and not any(is_needed() for is_needed in self._needs):
            return
        if now - self._shared[_CLAIMED] >= POLL_S:
            self._shared[_CLAIMED] = now
            async with asyncio.timeout(READ_LIMIT_S):
                found = await self._database.find_one(META, {"_id": CHANGES_ID})
            self._shared[_TOKEN] = _token_of(found)
        if self._shared[_TOKEN] != self._token:
            self._token = self._shared[_TOKEN]
            self._see()

    def _see(self) -> None:
        self.seen_at = self._clock.monotonic()
        for listener in self._listeners:
            listener()


def _token_of(found: dict[str, Any] | None) -> float:
    """A number that differs with each change: 0 before the first one."""
    if found is None:
        return 0.0
    return 1.0 + zlib.crc32(f"{found.get('keys')} {found.get('sessions')}".encode())
