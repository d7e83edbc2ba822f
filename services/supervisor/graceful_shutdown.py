"""A stop in stages: not ready any more; workers and owner; last those that the others need.

Process: main.
"""

import logging
import time

from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.supervisor.shutdown_responder import ShutdownResponder

logger = logging.getLogger(__name__)


class GracefulShutdown:
    """A small state machine that the monitor drives. `is_over` once no child is left."""

    def __init__(
        self, process_table: ProcessTable, options: SupervisorOptions, *, shutdown_responder: ShutdownResponder
    ) -> None:
        self._process_table = process_table
        self._options = options
        self._shutdown_responder = shutdown_responder
        self._began_at = time.monotonic()
        self._first_asked = False
        self._last_asked = False
        self.is_over = False

    def step(self, beside: Child | None) -> None:
        """`beside`: a successor that was starting beside its predecessor; it has nothing to finish."""
        if beside is not None:
            self._process_table.retire(beside, limit_s=1.0)
        if not self._takes_connections():  # a signal to the whole group reaches the workers before we ask them
            self._shutdown_responder.begin()
        if not self._first_asked:
            if time.monotonic() - self._began_at < self._unready_s():
                return
            self._first_asked = True
            self._shutdown_responder.begin()
            self._process_table.ask_to_stop(self._alive(last=False), limit_s=self._options.drain_s)
        children = self._alive(last=False) + self._process_table.retiring
        self._process_table.press(children)
        if children:
            return
        if not self._last_asked:
            self._last_asked = True
            self._process_table.ask_to_stop(self._alive(last=True), limit_s=self._options.last_stop_s)
        children = self._alive(last=True)
        self._process_table.press(children)
        if not children:
            self._shutdown_responder.end()
            self.is_over = True

    def _takes_connections(self) -> bool:
        """Is there a worker that still listens? One that drains does not."""
        return any(
            process_slot.is_ready
            and process_slot.child is not None
            and self._process_table.state_of(process_slot.child) == "ready"
            for process_slot in self._process_table.workers()
        )

    def _unready_s(self) -> float:
        """Balancers get a moment to see the 503; without a ready worker there is nothing to announce."""
        return (
            self._options.unready_s
            if any(process_slot.is_ready for process_slot in self._process_table.workers())
            else 0.0
        )

    def _alive(self, *, last: bool) -> list[Child]:
        return [
            process_slot.child
            for process_slot in self._process_table.process_slots
            if process_slot.child is not None and process_slot.child.is_alive() and self._is_last(process_slot) == last
        ]

    def _is_last(self, process_slot: ProcessSlot) -> bool:
        return any(process_slot.name.startswith(f"Sanic-{name}-") for name in self._options.stop_last)
