"""Replace workers without losing a request: the new one is ready before the old one drains, and one at a time.

Process: main.
"""

import logging
import time
from collections import deque
from dataclasses import dataclass

from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.supervisor.status_publisher import StatusPublisher

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Replacement:
    cell: ProcessSlot
    successor: Child
    reason: str
    old: Child | None = None  # set once the successor has taken over; we wait until it is gone


class RollingRestart:
    """A queue of cells to be given a new process. The connections of one extra worker are in the plan, not of two."""

    def __init__(self, fleet: ProcessTable, ledger: StatusPublisher, options: SupervisorOptions) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._options = options
        self._waiting: deque[tuple[ProcessSlot, str]] = deque()
        self._active: _Replacement | None = None

    @property
    def is_idle(self) -> bool:
        return self._active is None and not self._waiting

    def ask(self, cell: ProcessSlot, reason: str) -> None:
        """Put a worker into the queue, once."""
        if self._active is not None and self._active.cell is cell and reason != "reload":
            return
        if all(waiting is not cell for waiting, _ in self._waiting):
            self._waiting.append((cell, reason))

    def reload(self, why: str) -> str:
        """Every worker, one by one; what was given up for now is tried at once. A line for whoever asked."""
        for cell in self._fleet.cells:
            if cell.child is None:
                cell.try_at_once()
        for cell in self._fleet.workers():
            self.ask(cell, "reload")
        line = f"replacing {len(self._fleet.workers())} workers, one by one"
        self._ledger.note("reload", "", reason=why)
        logger.info("Reload: %s.", line, extra={"action": "reload.started", "reason": why})
        return line

    def step(self) -> None:
        """Go on with what is under way; never blocks."""
        self._ledger.reloading = not self.is_idle
        if self._active is not None:
            self._go_on(self._active)
        while self._active is None and self._waiting:
            self._begin(*self._waiting.popleft())

    def drop(self, cell: ProcessSlot) -> None:
        """The cell goes away (fewer workers are wanted)."""
        self._waiting = deque((waiting, reason) for waiting, reason in self._waiting if waiting is not cell)
        if self._active is not None and self._active.cell is cell and self._active.old is None:
            self._fleet.retire(self._active.successor, limit_s=self._options.drain_s)
            self._active = None

    def abandon(self) -> Child | None:
        """Everything stops: forget the queue. The successor that was starting beside an old one, if there is one."""
        self._waiting.clear()
        active, self._active = self._active, None
        return active.successor if active is not None and active.old is None else None

    def _begin(self, cell: ProcessSlot, reason: str) -> None:
        if cell.child is None or cell.child.ready_at is None:
            return  # dead or just starting: it gets new code anyway
        try:
            successor = self._fleet.spawn(cell)
        except OSError as error:
            self._give_up(cell, reason, f"no process could be started: {error}")
            return
        self._active = _Replacement(cell, successor, reason)
        logger.info(
            "A new %s starts beside the old one (%s).",
            cell.name,
            reason,
            extra={"action": "worker.replacing", "worker": cell.name, "reason": reason, "new_pid": successor.pid},
        )

    def _go_on(self, active: _Replacement) -> None:
        if active.old is not None:
            if active.old not in self._fleet.retiring:
                self._active = None
            return
        successor = active.successor
        if not successor.is_alive():
            self._active = None
            self._fleet.reap(successor)
            self._give_up(active.cell, active.reason, f"the new one ended with {successor.last_exit}")
        elif self._is_ready(successor):
            self._take_over(active)
        elif time.monotonic() - successor.started_at > self._options.start_timeout_s:
            self._fleet.kill(successor, "not ready in time")

    def _is_ready(self, child: Child) -> bool:
        found = self._fleet.vitals(child)
        return found is not None and found[0].state == "ready"

    def _take_over(self, active: _Replacement) -> None:
        cell, old = active.cell, active.cell.child
        active.successor.ready_at = time.monotonic()
        self._fleet.fill(cell, active.successor)
        cell.restarts += 1
        cell.last_exit = active.reason
        self._ledger.count_restart(active.reason)
        self._ledger.note("replaced", cell.name, pid=active.successor.pid, reason=active.reason)
        logger.info(
            "%s was replaced; the old one finishes its requests.",
            cell.name,
            extra={
                "action": "worker.replaced",
                "worker": cell.name,
                "reason": active.reason,
                "new_pid": active.successor.pid,
            },
        )
        if old is None:  # it died while its successor started
            self._active = None
            return
        active.old = old
        self._fleet.retire(old, limit_s=self._options.drain_s)

    def _give_up(self, cell: ProcessSlot, reason: str, why: str) -> None:
        """The old one goes on serving. After a failed reload the rest is left alone: the new code does not start."""
        if reason == "reload":
            self._waiting = deque(item for item in self._waiting if item[1] != "reload")
        self._ledger.note("replace_failed", cell.name, reason=why)
        logger.error(
            "%s could not be replaced (%s): %s. The old one goes on. Look at the log of the new one, above.",
            cell.name,
            reason,
            why,
            extra={"action": "worker.replace_failed", "worker": cell.name, "reason": reason},
        )
