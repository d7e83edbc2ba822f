"""Live streams of one worker: resume from the log, then live, without a seam; and an orderly end, whatever the reason.

Process: worker.

A stream has no queue of its own. It has a position, and everybody reads the same ring: a slow reader costs what its
own connection buffers, no more. When the ring has moved on without it, it is told where to come back to.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from config.clock import Clock
from config.errors import PanalError, Unavailable
from services.events.stream.frames import Frame, Ring, TypeFilter
from services.events.stream.tail import Tail

log = logging.getLogger(__name__)

HEARTBEAT_S = 15.0
STUCK_S = 20.0
"""A write that a client did not take for so long ends its stream."""

OVERTAKEN_S = 2.0
"""And one that the ring went on without, sooner. A burst alone, which overtakes everybody, ends nobody's."""

BEHIND_S = 10.0
"""A client that reads, but more slowly than things happen, for so long."""

PORTION = 100
TICK_S = 1.0
LIFE_JITTER = 0.1
FAR_AHEAD = 10_000
"""A position this far beyond the log's end comes from another log: the stream begins at the end."""


Recheck = Callable[[], Awaitable[datetime | None]]
"""May this caller still listen? Raises when it may not; else answers until when it need not be asked again."""

CHECK_CALLER_S: Final = 60.0
"""Longest time between two checks of a caller; a change of keys or sessions checks at once."""

CHECK_LIMIT_S: Final = 3.0
CHECK_AGAIN_S: Final = 2.0
"""How long a check may take, and when it is tried again after the database did not answer."""


class StreamsFull(Unavailable):
    """As many streams as one worker carries."""

    code = "too_many_streams"
    default_text = "This worker has as many live streams as it may. Try again in a moment, or use the long poll."


class Goodbye(StrEnum):
    """Why a stream ends. Every one of them may be resumed but ``key_revoked``."""

    SLOW_READER = "slow_reader"
    DRAINING = "draining"
    MAX_LIFE = "max_life"
    UNAVAILABLE = "unavailable"
    KEY_REVOKED = "key_revoked"


class Outlet(Protocol):
    """How frames reach one client: server-sent events or WebSocket messages."""

    async def send(self, frames: list[Frame]) -> None:
        """Write events; waits while the client does not read."""
        ...

    async def beat(self, position: int) -> None:
        """Write something that keeps the connection open."""
        ...

    async def part(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """Tell the client where to come back to, and end."""
        ...

    def cut(self, reason: Goodbye, position: int, retry_ms: int) -> None:
        """The client does not read: leave a goodbye in its buffer and close without waiting."""
        ...


@dataclass(slots=True, eq=False)
class _Session:
    """One stream at work."""

    task: "asyncio.Task[None] | None"
    ring: Ring | None
    position: int
    wake: asyncio.Event
    ends_at: float
    beat_at: float
    check_at: float
    sending_since: float | None = None
    goodbye: Goodbye | None = None
    is_live: bool = False
    level_at: float = 0.0
    is_cut: bool = False

    def is_stuck(self, now: float) -> bool:
        """Does the client not read? It has not for a while, or the ring went on without it."""
        if self.sending_since is None:
            return False
        is_overtaken = self.is_live and self.ring is not None and self.ring.start > self.position + PORTION + 1
        return now - self.sending_since > (OVERTAKEN_S if is_overtaken else STUCK_S)


@dataclass(slots=True)
class StreamCounts:
    """Since this worker began."""

    opened: int = 0
    sent: int = 0
    cut: int = 0


class Streams:
    """All streams of this worker."""

    def __init__(self, tail: Tail, clock: Clock, *, limit: int, max_life_s: float) -> None:
        """``limit`` streams at once, each for ``max_life_s`` at most (and a little less for some of them)."""
        self._tail = tail
        self._clock = clock
        self._limit = limit
        self._max_life_s = max_life_s
        self._sessions: set[_Session] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._is_draining = False
        self.counts = StreamCounts()

    @property
    def count(self) -> int:
        """Open streams."""
        return len(self._sessions)

    def check_room(self) -> None:
        """Raise ``StreamsFull`` when there is none, or this worker is about to leave."""
        if len(self._sessions) >= self._limit or self._is_draining:
            raise StreamsFull()

    async def serve(
        self,
        number: str,
        outlet: Outlet,
        *,
        after: int | None,
        wanted: TypeFilter,
        recheck: Recheck | None = None,
    ) -> None:
        """Write events to an outlet until it ends. ``after`` None begins with what happens next.

        ``recheck`` is called soon, when the caller's time is over, and now and then; when it refuses, the stream ends.
        """
        self.check_room()
        now = self._clock.monotonic()
        session = _Session(
            task=asyncio.current_task(),
            ring=None,
            position=0,
            wake=asyncio.Event(),
            ends_at=now + self._max_life_s * (1 - LIFE_JITTER * random.random()),  # noqa: S311 - it spreads the load
            beat_at=now + HEARTBEAT_S,
            check_at=now,
        )
        self._sessions.add(session)
        self.counts.opened += 1
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._tick(), name="streams-tick")
        try:
            async with self._tail.follow(number, session.wake.set) as ring:
                session.ring = ring
                session.position = ring.end if after is None or after > ring.end + FAR_AHEAD else after
                await self._pump(session, outlet, ring, number, wanted, recheck)
        finally:
            self._sessions.discard(session)
            if not self._sessions and self._ticker is not None:
                self._ticker.cancel()
                self._ticker = None

    @property
    def is_used(self) -> bool:
        """Is any stream open?"""
        return bool(self._sessions)

    def check_callers(self) -> None:
        """A key or a session has changed: look at every caller again within a second."""
        for session in self._sessions:
            session.check_at = 0.0

    def drain(self) -> None:
        """This worker leaves: every stream says goodbye, no new one begins."""
        self._is_draining = True
        for session in self._sessions:
            session.goodbye = session.goodbye or Goodbye.DRAINING
            session.wake.set()

    async def close(self) -> None:
        """End what is left."""
        self.drain()
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        await self._tail.close()

    async def _pump(
        self,
        session: _Session,
        outlet: Outlet,
        ring: Ring,
        number: str,
        wanted: TypeFilter,
        recheck: Recheck | None,
    ) -> None:
        try:
            while session.goodbye is None:
                session.wake.clear()
                position = session.position
                frames = ring.after(position, limit=PORTION)
                if frames is None:
                    if session.is_live and self._clock.monotonic() - session.level_at > BEHIND_S:
                        session.goodbye = Goodbye.SLOW_READER
                        break
                    frames, reached = await self._tail.page(number, position, ring.end)
                else:
                    reached = frames[-1].seq if frames else position
                    if not frames:
                        session.is_live = True
                        session.level_at = self._clock.monotonic()
                if reached > position:
                    chosen = wanted.chosen(frames)
                    if chosen:
                        await self._send(session, outlet.send(chosen))
                        self.counts.sent += len(chosen)
                    session.position = reached
                    await self._keep(session, outlet, recheck)
                    continue
                await session.wake.wait()
                await self._keep(session, outlet, recheck)
            await self._send(session, outlet.part(session.goodbye, session.position, _retry_ms()))
        except asyncio.CancelledError:
            if session.is_cut:
                self.counts.cut += 1
                outlet.cut(Goodbye.SLOW_READER, session.position, _retry_ms())
            raise
        except Unavailable as error:
            log.warning(
                "A stream ends: the log cannot be read.", extra={"action": "stream.failed", "detail": str(error)}
            )
            await self._send(session, outlet.part(Goodbye.UNAVAILABLE, session.position, _retry_ms()))

    async def _keep(
        self,
        session: _Session,
        outlet: Outlet,
        recheck: Recheck | None,
    ) -> None:
        """What is due beside events: a heartbeat, a look at the caller's key."""
        now = self._clock.monotonic()
        if now >= session.beat_at and session.goodbye is None:
            await self._send(session, outlet.beat(session.position))
        if recheck is None or now < session.check_at:
            return
        session.check_at = now + CHECK_CALLER_S
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                ends_at = await recheck()
        except (Unavailable, TimeoutError):
            session.check_at = now + CHECK_AGAIN_S  # the database is away, and has no events either
        except PanalError:
            session.goodbye = Goodbye.KEY_REVOKED
        else:
            if ends_at is not None:
                left_s = (ends_at - self._clock.now()).total_seconds()
                session.check_at = min(session.check_at, now + max(0.0, left_s))

    async def _send(self, session: _Session, writing: Awaitable[None]) -> None:
        session.sending_since = self._clock.monotonic()
        try:
            await writing
        finally:
            session.sending_since = None
            session.beat_at = self._clock.monotonic() + HEARTBEAT_S

    async def _tick(self) -> None:
        """One clock for all streams."""
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock.monotonic()
            for session in list(self._sessions):
                if session.sending_since is not None:
                    if session.is_stuck(now) and not session.is_cut and session.task is not None:
                        session.is_cut = True
                        session.task.cancel()
                elif now >= session.ends_at:
                    session.goodbye = session.goodbye or Goodbye.MAX_LIFE
                    session.wake.set()
                elif now >= session.beat_at or now >= session.check_at:
                    session.wake.set()


def _retry_ms() -> int:
    """When to come back: not all at once."""
    return random.randint(500, 3000)  # noqa: S311 - it spreads the load
