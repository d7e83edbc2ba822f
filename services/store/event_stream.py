"""New events as they are stored: a change stream on the log, read by one thread.

Process: worker.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

from services.store.database import Database
from services.store.driver import Document, PyMongoError, has_more
from services.store.event_log import EVENTS, Event, event_record

log = logging.getLogger(__name__)

AWAIT_MS = 1000
BATCH = 200
AGAIN_S = 2.0
STRETCH = 4
"""With an operation budget an idle stream asks so many times less often."""


class EventStream:
    """Hands new events to a listener, on the event loop, in the database's order. It may miss some: look at ``seq``.

    Where the server has no change streams, or one breaks, ``is_streaming`` is False, and every ``AGAIN_S`` seconds it
    tries again.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopped = threading.Event()
        self._opened = asyncio.Event()
        self.is_streaming = False

    def start(self, listener: Callable[[list[Event]], None]) -> None:
        """Open the stream. Call it on the event loop."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop, listener), name="event-stream", daemon=True).start()

    async def wait_open(self, limit_s: float) -> bool:
        """Wait until the stream is open; False when that takes longer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), limit_s)
        return self._opened.is_set()

    def stop(self) -> None:
        """Let the thread end; it leaves within about a second and hands over nothing more."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, listener: Callable[[list[Event]], None]) -> None:
        pipeline: list[Document] = [{"$match": {"operationType": "insert"}}]
        collection = self._database.collection_of_threads(EVENTS)
        await_ms = AWAIT_MS * (STRETCH if self._database.operation_budget.is_paced else 1)
        while not self._stopped.is_set():
            try:
                with collection.watch(pipeline, max_await_time_ms=await_ms, batch_size=BATCH) as stream:
                    # Opened means that the server has a cursor for us, not only that we asked.
                    self.is_streaming = True
                    self._tell(loop, self._opened.set)
                    gathered: list[Event] = []
                    while not self._stopped.is_set():
                        if not has_more(stream):
                            self._database.went_out()
                        change = stream.try_next()
                        if change is not None:
                            gathered.append(event_record(change["fullDocument"]))
                        # Past the end of a batch the next look goes to the server and may wait: hand over first.
                        if gathered and (change is None or len(gathered) >= BATCH or not has_more(stream)):
                            events, gathered = gathered, []
                            self._tell(loop, lambda events=events: self._hand_over(listener, events))  # type: ignore[misc]
                            self._stopped.wait(self._database.operation_budget.rest_s)
            except PyMongoError as error:
                self.is_streaming = False
                if self._stopped.is_set():
                    return
                log.warning(
                    "The stream of events ended; the log is asked instead.",
                    extra={"action": "stream.ended", "detail": str(error)},
                )
                self._stopped.wait(AGAIN_S)
        self.is_streaming = False

    def _hand_over(self, listener: Callable[[list[Event]], None], events: list[Event]) -> None:
        if not self._stopped.is_set():
            listener(events)

    def _tell(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: no listener is left
            loop.call_soon_threadsafe(callback)
