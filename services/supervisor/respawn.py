"""Fill the cells: start what is missing, notice what has died, and decide when it may try again.

Process: main.
"""

import logging
import time

from services.supervisor.embedded_database import REFUSALS, DatabaseExit
from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.supervisor.status_publisher import StatusPublisher

SILENT_READY_S = 1.0

logger = logging.getLogger(__name__)


class Respawner:
    """`look` once a tick. `refusal` is set when the start makes no sense: nothing worked yet, and will not."""

    def __init__(self, fleet: ProcessTable, ledger: StatusPublisher, options: SupervisorOptions) -> None:
        self.refusal = ""
        self._fleet = fleet
        self._ledger = ledger
        self._options = options
        self._began_at = time.monotonic()
        self._was_ready = False

    def look(self, now: float, *, is_stopping: bool) -> None:
        for cell in self._fleet.cells:
            child = cell.child
            if child is None:
                if not is_stopping and now >= cell.retry_at:
                    self.start(cell)
            elif not child.is_alive():
                self._bury(cell, child, now, is_stopping=is_stopping)
            elif child.ready_at is None:
                self._look_at_start(cell, child, now)
            elif cell.history.lived(now - child.ready_at):
                self._ledger.note("breaker_closed", cell.name, pid=child.pid)
                logger.info("%s is well again.", cell.name, extra={"action": "breaker.closed", "worker": cell.name})

    def start(self, cell: ProcessSlot) -> None:
        """A process for this cell, now."""
        is_trial = cell.history.breaker == "open"
        cell.history.starts()
        try:
            child = self._fleet.spawn(cell)
        except OSError as error:
            self._wait(cell, time.monotonic())
            logger.error("%s could not be started: %s.", cell.name, error, extra={"action": "process.start_failed"})
            return
        self._fleet.fill(cell, child)
        if cell.last_exit:
            cell.restarts += 1
            self._ledger.note("restarted", cell.name, pid=child.pid, reason=cell.last_exit)
            logger.warning(
                "%s was started again (PID %d)%s.",
                cell.name,
                child.pid,
                ", the one try of its breaker" if is_trial else "",
                extra={"action": "process.restarted", "worker": cell.name, "new_pid": child.pid},
            )

    def _look_at_start(self, cell: ProcessSlot, child: Child, now: float) -> None:
        found = self._fleet.vitals(child)
        age_s = now - child.started_at
        if found is not None and found[0].state != "starting":
            child.ready_at = now
        elif cell.is_worker and age_s > self._options.start_timeout_s:
            self._fleet.kill(child, "not ready in time")
        elif not cell.is_worker and found is None and age_s > SILENT_READY_S:
            child.ready_at = now  # it does not use the board: that it lives is all we can know
        if cell.is_worker and child.ready_at is not None:
            self._was_ready = True

    def _bury(self, cell: ProcessSlot, child: Child, now: float, *, is_stopping: bool) -> None:
        exitcode = child.process.exitcode
        if exitcode == DatabaseExit.HUNG:
            child.killed_for = child.killed_for or "hung"
        cell.child = None
        cell.last_exit = child.last_exit
        cell.since = time.time()
        self._fleet.reap(child)
        if is_stopping:
            return
        if cell.is_planned_stop:
            self._ledger.count_restart("asked")
            self.start(cell)
            return
        hopeless = exitcode in REFUSALS
        self._wait(cell, now, hopeless=hopeless)
        self._ledger.count_restart(child.killed_for.replace(" ", "_") or "death")
        self._ledger.note("death", cell.name, pid=child.pid, reason=cell.last_exit)
        logger.error(
            "%s (PID %d) is dead: %s.",
            cell.name,
            child.pid,
            cell.last_exit,
            extra={"action": "process.died", "worker": cell.name, "dead_pid": child.pid, "exit": cell.last_exit},
        )
        self._judge(cell, hopeless)
        if not self.refusal and now >= cell.retry_at:
            self.start(cell)

    def _wait(self, cell: ProcessSlot, now: float, *, hopeless: bool = False) -> None:
        cell.retry_at = cell.history.died(now, hopeless=hopeless)
        cell.retry_at_wall = time.time() + cell.retry_at - now

    def _judge(self, cell: ProcessSlot, hopeless: bool) -> None:
        """Is it worth going on with this process, and, while nothing has worked yet, with the start at all?"""
        attempts = cell.history.deaths_in_window
        is_young = time.monotonic() - self._began_at < self._options.start_timeout_s
        if (hopeless and is_young and not cell.restarts) or (
            not self._was_ready and attempts >= self._options.start_attempts
        ):
            self.refusal = (
                f"{cell.name} does not start ({cell.last_exit}, tries: {attempts}). "
                "The reason is in the lines above. Nothing was left running."
            )
        elif cell.history.breaker == "open":
            wait_s = cell.retry_at - time.monotonic()
            self._ledger.note("breaker_open", cell.name, reason=cell.last_exit)
            logger.critical(
                "%s died %d times within %.0f s; the next try is in %.0f s and the others go on. "
                "Look for its last lines above; after mending, `make reload` tries at once.",
                cell.name,
                attempts,
                self._options.restart.window_s,
                wait_s,
                extra={"action": "breaker.opened", "worker": cell.name, "retry_in_s": round(wait_s)},
            )
