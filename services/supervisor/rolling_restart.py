"""Replace workers one at a time without losing a request: the new one is ready before the old one drains.

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
    slot: ProcessSlot
    successor: Child
    reason: str
    old: Child | None = None  # set once the successor has taken over; we wait until it is gone


class RollingRestart:
    """A queue of slots that get a new process, one at a time: the capacity plan has room for one extra worker."""

    def __init__(
        self, process_table: ProcessTable, status_publisher: StatusPublisher, options: SupervisorOptions
    ) -> None:
        self._process_table = process_table
        self._status_publisher = status_publisher
        self._options = options
        self._waiting: deque[tuple[ProcessSlot, str]] = deque()
        self._active: _Replacement | None = None

    @property
    def is_idle(self) -> bool:
        return self._active is None and not self._waiting

    def ask(self, slot: ProcessSlot, reason: str) -> None:
        """Put a worker into the queue, once."""
        if self._active is not None and self._active.slot is slot and reason != "reload":
            return
        if all(waiting is not slot for waiting, _ in self._waiting):
            self._waiting.append((slot, reason))

    def reload(self, why: str) -> str:
        """Replace every worker, one by one, and start what waits for its back-off. Returns the line to answer with."""
        for slot in self._process_table.slots:
            if slot.child is None:
                slot.try_at_once()
        for slot in self._process_table.workers():
            self.ask(slot, "reload")
        line = f"replacing {len(self._process_table.workers())} workers, one by one"
        self._status_publisher.note("reload", "", reason=why)
        logger.info("Reload: %s.", line, extra={"action": "reload.started", "reason": why})
        return line

    def step(self) -> None:
        """Advance the replacement under way, or begin the next one. Never blocks."""
        self._status_publisher.reloading = not self.is_idle
        if self._active is not None:
            self._go_on(self._active)
        while self._active is None and self._waiting:
            self._begin(*self._waiting.popleft())

    def drop(self, slot: ProcessSlot) -> None:
        """Forget this slot: fewer workers are wanted."""
        self._waiting = deque((waiting, reason) for waiting, reason in self._waiting if waiting is not slot)
        if self._active is not None and self._active.slot is slot and self._active.old is None:
            self._process_table.retire(self._active.successor, limit_s=self._options.drain_s)
            self._active = None

    def abandon(self) -> Child | None:
        """Forget the queue. Returns the successor that is still starting beside an old worker, if there is one."""
        self._waiting.clear()
        active, self._active = self._active, None
        return active.successor if active is not None and active.old is None else None

    def _begin(self, slot: ProcessSlot, reason: str) -> None:
        if slot.child is None or slot.child.ready_at is None:
            return  # dead or just starting: it gets the new code anyway
        try:
            successor = self._process_table.spawn(slot)
        except OSError as error:
            self._give_up(slot, reason, f"no process could be started: {error}")
            return
        self._active = _Replacement(slot, successor, reason)
        logger.info(
            "A new %s starts beside the old one (%s).",
            slot.name,
            reason,
            extra={
                "action": "worker.replacing",
                "worker": slot.name,
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
            self._give_up(active.slot, active.reason, f"the new one ended with {successor.last_exit}")
        elif self._is_ready(successor):
            self._take_over(active)
        elif time.monotonic() - successor.started_at > self._options.start_timeout_s:
            self._process_table.kill(successor, "not ready in time")

    def _is_ready(self, child: Child) -> bool:
        found = self._process_table.vitals(child)
        return found is not None and found[0].state == "ready"

    def _take_over(self, active: _Replacement) -> None:
        slot, old = active.slot, active.slot.child
        active.successor.ready_at = time.monotonic()
        self._process_table.fill(slot, active.successor)
        slot.restarts += 1
        slot.last_exit = active.reason
        self._status_publisher.count_restart(active.reason)
        self._status_publisher.note("replaced", slot.name, pid=active.successor.pid, reason=active.reason)
        logger.info(
            "%s was replaced; the old one finishes its requests.",
            slot.name,
            extra={
                "action": "worker.replaced",
                "worker": slot.name,
                "reason": active.reason,
                "new_pid": active.successor.pid,
            },
        )
        if old is None:  # it died while its successor started
            self._active = None
            return
        active.old = old
        self._process_table.retire(old, limit_s=self._options.drain_s)

    def _give_up(self, slot: ProcessSlot, reason: str, why: str) -> None:
        """Keep the old worker. A failed reload also drops the workers still to reload: the new code does not start."""
        if reason == "reload":
            self._waiting = deque(item for item in self._waiting if item[1] != "reload")
        self._status_publisher.note("replace_failed", slot.name, reason=why)
        logger.error(
            "%s could not be replaced (%s): %s. The old one goes on. Look at the log of the new one, above.",
            slot.name,
            reason,
            why,
            extra={"action": "worker.replace_failed", "worker": slot.name, "reason": reason},
        )
