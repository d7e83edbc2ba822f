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
    process_slot: ProcessSlot
    successor: Child
    reason: str
    old: Child | None = None  # set once the successor has taken over; we wait until it is gone


class RollingRestart:
    """A queue of process_slots to be given a new process.

    The connections of one extra worker are in the plan, not of two.
    """

    def __init__(self, process_table: ProcessTable, status: StatusPublisher, options: SupervisorOptions) -> None:
        self._process_table = process_table
        self._status = status
        self._options = options
        self._waiting: deque[tuple[ProcessSlot, str]] = deque()
        self._active: _Replacement | None = None

    @property
    def is_idle(self) -> bool:
        return self._active is None and not self._waiting

    def ask(self, process_slot: ProcessSlot, reason: str) -> None:
        """Put a worker into the queue, once."""
        if self._active is not None and self._active.process_slot is process_slot and reason != "reload":
            return
        if all(waiting is not process_slot for waiting, _ in self._waiting):
            self._waiting.append((process_slot, reason))

    def reload(self, why: str) -> str:
        """Every worker, one by one; what was given up for now is tried at once. A line for whoever asked."""
        for process_slot in self._process_table.process_slots:
            if process_slot.child is None:
                process_slot.try_at_once()
        for process_slot in self._process_table.workers():
            self.ask(process_slot, "reload")
        line = f"replacing {len(self._process_table.workers())} workers, one by one"
        self._status.note("reload", "", reason=why)
        logger.info("Reload: %s.", line, extra={"action": "reload.started", "reason": why})
        return line

    def step(self) -> None:
        """Go on with what is under way; never blocks."""
        self._status.reloading = not self.is_idle
        if self._active is not None:
            self._go_on(self._active)
        while self._active is None and self._waiting:
            self._begin(*self._waiting.popleft())

    def drop(self, process_slot: ProcessSlot) -> None:
        """The process_slot goes away (fewer workers are wanted)."""
        self._waiting = deque((waiting, reason) for waiting, reason in self._waiting if waiting is not process_slot)
        if self._active is not None and self._active.process_slot is process_slot and self._active.old is None:
            self._process_table.retire(self._active.successor, limit_s=self._options.drain_s)
            self._active = None

    def abandon(self) -> Child | None:
        """Everything stops: forget the queue. The successor that was starting beside an old one, if there is one."""
        self._waiting.clear()
        active, self._active = self._active, None
        return active.successor if active is not None and active.old is None else None

    def _begin(self, process_slot: ProcessSlot, reason: str) -> None:
        if process_slot.child is None or process_slot.child.ready_at is None:
            return  # dead or just starting: it gets new code anyway
        try:
            successor = self._process_table.spawn(process_slot)
        except OSError as error:
            self._give_up(process_slot, reason, f"no process could be started: {error}")
            return
        self._active = _Replacement(process_slot, successor, reason)
        logger.info(
            "A new %s starts beside the old one (%s).",
            process_slot.name,
            reason,
            extra={
                "action": "worker.replacing",
                "worker": process_slot.name,
                "reason": reason,
                "new_pid": successor.pid,
            },
        )

    def _go_on(self, active: _Replacement) -> None:
        if active.old is not None:
            if active.old not in self._process_table.retiring:
                self._active = None
            return
        successor = active.successor
        if not successor.is_alive():
            self._active = None
            self._process_table.reap(successor)
            self._give_up(active.process_slot, active.reason, f"the new one ended with {successor.last_exit}")
        elif self._is_ready(successor):
            self._take_over(active)
        elif time.monotonic() - successor.started_at > self._options.start_timeout_s:
            self._process_table.kill(successor, "not ready in time")

    def _is_ready(self, child: Child) -> bool:
        found = self._process_table.vitals(child)
        return found is not None and found[0].state == "ready"

    def _take_over(self, active: _Replacement) -> None:
        process_slot, old = active.process_slot, active.process_slot.child
        active.successor.ready_at = time.monotonic()
        self._process_table.fill(process_slot, active.successor)
        process_slot.restarts += 1
        process_slot.last_exit = active.reason
        self._status.count_restart(active.reason)
        self._status.note("replaced", process_slot.name, pid=active.successor.pid, reason=active.reason)
        logger.info(
            "%s was replaced; the old one finishes its requests.",
            process_slot.name,
            extra={
                "action": "worker.replaced",
                "worker": process_slot.name,
                "reason": active.reason,
                "new_pid": active.successor.pid,
            },
        )
        if old is None:  # it died while its successor started
            self._active = None
            return
        active.old = old
        self._process_table.retire(old, limit_s=self._options.drain_s)

    def _give_up(self, process_slot: ProcessSlot, reason: str, why: str) -> None:
        """The old one goes on serving. After a failed reload the rest is left alone: the new code does not start."""
        if reason == "reload":
            self._waiting = deque(item for item in self._waiting if item[1] != "reload")
        self._status.note("replace_failed", process_slot.name, reason=why)
        logger.error(
            "%s could not be replaced (%s): %s. The old one goes on. Look at the log of the new one, above.",
            process_slot.name,
            reason,
            why,
            extra={"action": "worker.replace_failed", "worker": process_slot.name, "reason": reason},
        )
