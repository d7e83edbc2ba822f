"""A stop in stages: report not ready; stop workers and owner; last stop the sandbox and the database they need.

Process: main.
"""

import logging
import time

from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.supervisor.shutdown_responder import ShutdownResponder

logger = logging.getLogger(__name__)


class GracefulShutdown:
    """State machine that the supervisor steps once a tick. `is_over` once no child is left."""

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
        """Advance the stop. Never blocks. `beside`: a successor that was still starting; it has nothing to finish."""
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
        self._process_table.enforce_stop_limits(children)
        if children:
            return
        if not self._last_asked:
            self._last_asked = True
            self._process_table.ask_to_stop(self._alive(last=True), limit_s=self._options.last_stop_s)
        children = self._alive(last=True)
        self._process_table.enforce_stop_limits(children)
        if not children:
            self._shutdown_responder.end()
            self.is_over = True

    def _takes_connections(self) -> bool:
        """Is there a worker that still listens? One that drains does not."""
        return any(
            slot.is_ready and slot.child is not None and self._process_table.state_of(slot.child) == "ready"
            for slot in self._process_table.workers()
        )

    def _unready_s(self) -> float:
        """Seconds for load balancers to see the 503 of `/readyz`; 0 when no worker is ready anyway."""
        return self._options.unready_s if any(slot.is_ready for slot in self._process_table.workers()) else 0.0

    def _alive(self, *, last: bool) -> list[Child]:
        return [
            slot.child
            for slot in self._process_table.slots
            if slot.child is not None and slot.child.is_alive() and self._is_last(slot) == last
        ]

    def _is_last(self, slot: ProcessSlot) -> bool:
        return any(slot.name.startswith(f"Sanic-{name}-") for name in self._options.stop_last)
