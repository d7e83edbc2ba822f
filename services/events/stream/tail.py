"""The end of the log as it grows: one watcher a worker, open only while somebody listens.

Process: worker.

A change stream brings new events, read by one plain thread with the client's own synchronous half. Where there is none
or it broke, the log is asked by number. Either way a gap is filled from the log before anybody sees what follows it.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from config.errors import Unavailable
from services.events.stream.frames import Frame, Ring, frame_of
from services.store import Database, Event, EventStream, last_seq, read_events, seq_floor

log = logging.getLogger(__name__)

POLL_S = 0.5
STREAM_POLL_S = 5.0
"""With a stream the log is asked as well, but less often: a stream that is silent by mistake must not go unseen."""

OPEN_WITHIN_S = 2.0
LISTENERS_PER_S = 6_000
"""Wake-ups a second that a worker is asked to bear; with more listeners they come in larger portions."""

PAGE = 200
PAGES_KEPT = 16


@dataclass(slots=True)
class _Followed:
    """One number that somebody listens to."""

    ring: Ring
    listeners: set[Callable[[], None]] = field(default_factory=set)
    told: int = 0


class Tail:
    """Follows numbers. ``kept`` newest events of each stay in memory, for all listeners together."""

    def __init__(
        self, database: Database, *, kept: int, open_stream: Callable[[Database], EventStream] = EventStream
    ) -> None:
        """Nothing is opened yet."""
        self._open_stream = open_stream
        self._database = database
        self._kept = kept
        self._followed: dict[str, _Followed] = {}
        self._opening: dict[str, asyncio.Task[int]] = {}
        self._arrived: deque[Event] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stream: EventStream | None = None
        self._pages: dict[tuple[str, int], asyncio.Task[tuple[list[Frame], bool]]] = {}
        self.opened_count = 0

    @property
    def is_open(self) -> bool:
        """Is anything watched right now?"""
        return self._task is not None

    @property
    def is_streaming(self) -> bool:
        """Do events come by themselves, or are they asked for?"""
        return self._stream is not None and self._stream.is_streaming

    @asynccontextmanager
    async def follow(self, number: str, listener: Callable[[], None]) -> AsyncIterator[Ring]:
        """The ring of a number; ``listener`` is called (on the loop) when it grew. Raises ``Unavailable``."""
        followed = await self._open(number)
        followed.listeners.add(listener)
        try:
            yield followed.ring
        finally:
            followed.listeners.discard(listener)
            if not followed.listeners and self._followed.get(number) is followed:
                del self._followed[number]
            if not self._followed and not self._opening:
                self._close()

    async def page(self, number: str, after: int, end: int) -> tuple[list[Frame], int]:
        """Older events from the log, and how far they were looked at; many who ask at once cost one look.

        ``end`` is a number known to be reached. Raises ``Unavailable``.
        """
        block = after // PAGE
        key = (number, block)
        task = self._pages.get(key)
        is_ours = task is None
        if task is None:
            task = asyncio.create_task(self._read(number, block * PAGE, end), name="event-page")
            self._pages[key] = task
            while len(self._pages) > PAGES_KEPT:
                self._pages.pop(next(iter(self._pages)))
        try:
            frames, is_whole = await asyncio.shield(task)
        except BaseException:
            self._pages.pop(key, None)
            raise
        if not is_whole and self._pages.get(key) is task:
            del self._pages[key]
        wanted = [frame for frame in frames if frame.seq > after]
        if wanted:
            return wanted, wanted[-1].seq
        # Nothing there: retention took it. Somebody else's earlier look may only have been too early.
        return [], min((block + 1) * PAGE, max(after, end)) if is_whole or is_ours else after

    async def close(self) -> None:
        """End everything."""
        self._close()
        for task in self._pages.values():
            task.cancel()

    # --- opening and closing

    async def _open(self, number: str) -> _Followed:
        followed = self._followed.get(number)
        if followed is not None:
            return followed
        opening = self._opening.get(number)
        if opening is None:
            opening = self._opening[number] = asyncio.create_task(self._begin(number), name="tail-open")
            opening.add_done_callback(lambda _: self._opening.pop(number, None))
        end = await asyncio.shield(opening)
        # The first caller after the read makes the ring; the others find it.
        return self._followed.setdefault(number, _Followed(Ring(end, kept=self._kept), told=end))

    async def _begin(self, number: str) -> int:
        """First the stream, then the look at the log's end: what comes between is in both, never in neither."""
        if self._task is None:
            self._stream = self._open_stream(self._database)
            self._stream.start(self._hear)
            self.opened_count += 1
            self._task = asyncio.create_task(self._run(self._stream), name="tail")
        if self._stream is not None:
            await self._stream.wait_open(OPEN_WITHIN_S)
        return await last_seq(self._database, number, floor=await seq_floor(self._database, number))

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._arrived.clear()

    # --- what comes in

    def _hear(self, events: list[Event]) -> None:
        self._arrived.extend(event for event in events if event.number in self._followed)
        self._news.set()

    async def _run(self, stream: EventStream) -> None:
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        while True:
            poll_s = STREAM_POLL_S if stream.is_streaming else POLL_S
            # Not wait_for: on Python 3.11 it swallows a cancellation that meets its wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, asked_at + poll_s - loop.time())):
                    await self._news.wait()
            self._news.clear()
            try:
                await self._take_arrived()
                if loop.time() >= asked_at + poll_s:
                    asked_at = loop.time()
                    for number in list(self._followed):
                        await self._ask(number)
            except Unavailable as error:
                log.warning("The log cannot be read.", extra={"action": "tail.waiting", "detail": str(error)})
                await asyncio.sleep(POLL_S)
            except Exception:
                log.exception("The tail stumbled; it goes on.", extra={"action": "tail.bug"})
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(self._announce())

    async def _take_arrived(self) -> None:
        while self._arrived:
            event = self._arrived[0]
            followed = self._followed.get(event.number)
            if followed is not None and event.seq > followed.ring.end + 1:
                await self._ask(event.number)  # something is missing before it
            self._arrived.popleft()
            if followed is not None and event.seq > followed.ring.end:
                followed.ring.put([frame_of(event)])

    async def _ask(self, number: str) -> None:
        """Read the log from where the ring ends. Raises ``Unavailable``."""
        while (followed := self._followed.get(number)) is not None:
            ring = followed.ring
            events, _ = await read_events(self._database, number, after=ring.end, limit=PAGE, seeks=False)
            if not ring.put(frame_of(event) for event in events) or len(events) < PAGE:
                return

    def _announce(self) -> float:
        """Tell listeners whose ring grew; answers how long to let the next ones gather."""
        told = 0
        for followed in self._followed.values():
            if followed.ring.end != followed.told:
                followed.told = followed.ring.end
                told += len(followed.listeners)
                for listener in list(followed.listeners):
                    listener()
        return told / LISTENERS_PER_S

    async def _read(self, number: str, after: int, end: int) -> tuple[list[Frame], bool]:
        events, _ = await read_events(self._database, number, after=after, limit=PAGE)
        return [frame_of(event) for event in events], after + PAGE <= end
