"""A stop in stages: not ready any more; workers and queen; last those that the others need.

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

    def __init__(self, fleet: ProcessTable, options: SupervisorOptions, *, farewell: ShutdownResponder) -> None:
        self._fleet = fleet
        self._options = options
        self._farewell = farewell
        self._began_at = time.monotonic()
        self._first_asked = False
        self._last_asked = False
        self.is_over = False

    def step(self, beside: Child | None) -> None:
        """`beside`: a successor that was starting beside its predecessor; it has nothing to finish."""
        if beside is not None:
            self._fleet.retire(beside, limit_s=1.0)
        if not self._takes_connections():  # a signal to the whole group reaches the workers before we ask them
            self._farewell.begin()
        if not self._first_asked:
            if time.monotonic() - self._began_at < self._unready_s():
                return
            self._first_asked = True
            self._farewell.begin()
            self._fleet.ask_to_stop(self._alive(last=False), limit_s=self._options.drain_s)
        children = self._alive(last=False) + self._fleet.retiring
        self._fleet.press(children)
        if children:
            return
        if not self._last_asked:
            self._last_asked = True
            self._fleet.ask_to_stop(self._alive(last=True), limit_s=self._options.last_stop_s)
        children = self._alive(last=True)
        self._fleet.press(children)
        if not children:
            self._farewell.end()
            self.is_over = True

    def _takes_connections(self) -> bool:
        """Is there a worker that still listens? One that drains does not."""
        return any(
            cell.is_ready and cell.child is not None and self._fleet.state_of(cell.child) == "ready"
            for cell in self._fleet.workers()
        )

    def _unready_s(self) -> float:
        """Balancers get a moment to see the 503; without a ready worker there is nothing to announce."""
        return self._options.unready_s if any(cell.is_ready for cell in self._fleet.workers()) else 0.0

    def _alive(self, *, last: bool) -> list[Child]:
        return [
            cell.child
            for cell in self._fleet.cells
            if cell.child is not None and cell.child.is_alive() and self._is_last(cell) == last
        ]

    def _is_last(self, cell: ProcessSlot) -> bool:
        return any(cell.name.startswith(f"Sanic-{name}-") for name in self._options.stop_last)
