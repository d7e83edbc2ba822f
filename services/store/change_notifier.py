"""Tells the owner that an inbox has something new: by a change stream, and by polling where there is none.

Process: whatsapp.

One thread reads the stream with the synchronous client: a change costs no hop between threads, and several changes at
once cost one call to the event loop.

Under heavy insert load the stream would cost the server and this thread one change for each insert. So the thread
closes it, wakes the readers every 30 ms instead, and opens it again a second later from where the log is by then.
(A stream without the busy collections would cost the embedded server as much: it looks at every change.)
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from services.store.database import Database
from services.store.driver import Document, PyMongoError, has_more

log = logging.getLogger(__name__)

AWAIT_MS = 1000
STRETCH = 4
"""With an operation budget an idle stream asks so many times less often."""
BURST = 100
BURST_WINDOW_S = 0.1
"""More than ``BURST`` changes within such a window close the stream."""
BURST_S = 1.0
BURST_POLL_S = 0.03
"""For how long the readers of the busy collections are woken by time, and how often."""
QUIET_POLLS = 3
"""The other readers are woken every third time: each look in vain costs a query."""


class ChangeNotifier:
    """One ``asyncio.Event`` for each reader of a collection, set after an insert there.

    ``start()`` opens the stream in its own thread; without a stream (a server that has none) ``wait`` still returns
    after its time, so that a poll finds the work.
    """

    def __init__(self, database: Database, collections: Sequence[str]) -> None:
        self._database = database
        self._readers: Mapping[str, dict[str, asyncio.Event]] = {name: {} for name in collections}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.is_streaming = False
        self.bursts = 0

    def start(self) -> None:
        """Open the stream. Call it on the event loop."""
        loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._watch, args=(loop,), name="change-stream", daemon=True)
        self._thread.start()

    def wake(self, collection: str) -> None:
        """Wake the readers of this collection from inside the process."""
        self._set_all([collection])

    async def wait(self, collection: str, *, poll_s: float, reader: str = "") -> None:
        """Return when something may be new in this collection, at the latest after ``poll_s`` seconds.

        ``reader`` names the caller: each reader sees each change, so none takes another's.
        """
        event = self._readers[collection].setdefault(reader, asyncio.Event())
        # Not wait_for: on Python 3.11 it swallows a cancellation that comes together with the event, and the
        # background task would go on.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll_s):
                await event.wait()
        event.clear()

    def stop(self) -> None:
        """Let the thread end; it leaves within about a second."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        pipeline: list[Document] = [
            {"$match": {"operationType": "insert", "ns.coll": {"$in": list(self._readers)}}},
            {"$project": {"_id": 1, "ns": 1}},
        ]
        synchronous = self._database.client.delegate[self._database.options.name]
        operation_budget = self._database.operation_budget
        await_ms = AWAIT_MS * (STRETCH if operation_budget.is_paced else 1)
        while not self._stopped.is_set():
            try:
                with synchronous.watch(pipeline, max_await_time_ms=await_ms) as stream:
                    self.is_streaming = True
                    self._wake(loop, set(self._readers))
                    counts, since = Counter[str](), time.monotonic()
                    while not self._stopped.is_set() and (counts.total() <= BURST or operation_budget.is_paced):
                        if time.monotonic() - since > BURST_WINDOW_S:
                            counts, since = Counter[str](), time.monotonic()
                        self._database.went_out()
                        change = stream.try_next()
                        names: list[str] = []
                        while change is not None:
                            names.append(change["ns"]["coll"])
                            change = stream.try_next() if has_more(stream) else None
                        if names:
                            counts.update(names)
                            self._wake(loop, set(names))
                            # With an operation budget a look costs as much as a batch, so changes gather meanwhile.
                            self._stopped.wait(operation_budget.rest_s)
                self._poll_through_burst(
                    loop, {name for name, count in counts.items() if count > BURST / len(self._readers)}
                )
            except PyMongoError as error:
                if self._stopped.is_set():
                    return
                self.is_streaming = False
                log.warning(
                    "The change stream ended; polling goes on.", extra={"action": "stream.ended", "detail": str(error)}
                )
                self._stopped.wait(2.0)

    def _poll_through_burst(self, loop: asyncio.AbstractEventLoop, busy: set[str]) -> None:
        """Wake the readers by time for ``BURST_S``. The next stream wakes them once more when it opens."""
        self.bursts += 1
        until, polls = time.monotonic() + BURST_S, 0
        while time.monotonic() < until and not self._stopped.wait(BURST_POLL_S):
            polls += 1
            self._wake(loop, set(self._readers) if polls % QUIET_POLLS == 0 else busy)

    def _wake(self, loop: asyncio.AbstractEventLoop, names: set[str]) -> None:
        # A copy: the event loop may add a reader meanwhile.
        pending = [name for name in names if not all(event.is_set() for event in list(self._readers[name].values()))]
        if pending:
            with contextlib.suppress(RuntimeError):  # the loop is closed: no reader is left
                loop.call_soon_threadsafe(self._set_all, pending)

    def _set_all(self, names: list[str]) -> None:
        for name in names:
            for event in self._readers[name].values():
                event.set()
