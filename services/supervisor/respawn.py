"""Fill the process_slots: start what is missing, notice what has died, and decide when it may try again.

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

    def __init__(self, process_table: ProcessTable, status: StatusPublisher, options: SupervisorOptions) -> None:
        self.refusal = ""
        self._process_table = process_table
        self._status = status
        self._options = options
        self._began_at = time.monotonic()
        self._was_ready = False

    def look(self, now: float, *, is_stopping: bool) -> None:
        for process_slot in self._process_table.process_slots:
            child = process_slot.child
            if child is None:
                if not is_stopping and now >= process_slot.retry_at:
                    self.start(process_slot)
            elif not child.is_alive():
                self._bury(process_slot, child, now, is_stopping=is_stopping)
            elif child.ready_at is None:
                self._look_at_start(process_slot, child, now)
            elif process_slot.history.lived(now - child.ready_at):
                self._status.note("breaker_closed", process_slot.name, pid=child.pid)
                logger.info(
                    "%s is well again.",
                    process_slot.name,
                    extra={"action": "breaker.closed", "worker": process_slot.name},
                )

    def start(self, process_slot: ProcessSlot) -> None:
        """A process for this process_slot, now."""
        is_trial = process_slot.history.breaker == "open"
        process_slot.history.starts()
        try:
            child = self._process_table.spawn(process_slot)
        except OSError as error:
            self._wait(process_slot, time.monotonic())
            logger.error(
                "%s could not be started: %s.", process_slot.name, error, extra={"action": "process.start_failed"}
            )
            return
        self._process_table.fill(process_slot, child)
        if process_slot.last_exit:
            process_slot.restarts += 1
            self._status.note("restarted", process_slot.name, pid=child.pid, reason=process_slot.last_exit)
            logger.warning(
                "%s was started again (PID %d)%s.",
                process_slot.name,
                child.pid,
                ", the one try of its breaker" if is_trial else "",
                extra={"action": "process.restarted", "worker": process_slot.name, "new_pid": child.pid},
            )

    def _look_at_start(self, process_slot: ProcessSlot, child: Child, now: float) -> None:
        found = self._process_table.vitals(child)
        age_s = now - child.started_at
        if found is not None and found[0].state != "starting":
            child.ready_at = now
        elif process_slot.is_worker and age_s > self._options.start_timeout_s:
            self._process_table.kill(child, "not ready in time")
        elif not process_slot.is_worker and found is None and age_s > SILENT_READY_S:
            child.ready_at = now  # it does not use the scoreboard: that it lives is all we can know
        if process_slot.is_worker and child.ready_at is not None:
            self._was_ready = True

    def _bury(self, process_slot: ProcessSlot, child: Child, now: float, *, is_stopping: bool) -> None:
        exitcode = child.process.exitcode
        if exitcode == DatabaseExit.HUNG:
            child.killed_for = child.killed_for or "hung"
        process_slot.child = None
        process_slot.last_exit = child.last_exit
        process_slot.since = time.time()
        self._process_table.reap(child)
        if is_stopping:
            return
        if process_slot.is_planned_stop:
            self._status.count_restart("asked")
            self.start(process_slot)
            return
        hopeless = exitcode in REFUSALS
        self._wait(process_slot, now, hopeless=hopeless)
        self._status.count_restart(child.killed_for.replace(" ", "_") or "death")
        self._status.note("death", process_slot.name, pid=child.pid, reason=process_slot.last_exit)
        logger.error(
            "%s (PID %d) is dead: %s.",
            process_slot.name,
            child.pid,
            process_slot.last_exit,
            extra={
                "action": "process.died",
                "worker": process_slot.name,
                "dead_pid": child.pid,
                "exit": process_slot.last_exit,
            },
        )
        self._judge(process_slot, hopeless)
        if not self.refusal and now >= process_slot.retry_at:
            self.start(process_slot)

    def _wait(self, process_slot: ProcessSlot, now: float, *, hopeless: bool = False) -> None:
        process_slot.retry_at = process_slot.history.died(now, hopeless=hopeless)
        process_slot.retry_at_wall = time.time() + process_slot.retry_at - now

    def _judge(self, process_slot: ProcessSlot, hopeless: bool) -> None:
        """Is it worth going on with this process, and, while nothing has worked yet, with the start at all?"""
        attempts = process_slot.history.deaths_in_window
        is_young = time.monotonic() - self._began_at < self._options.start_timeout_s
        if (hopeless and is_young and not process_slot.restarts) or (
            not self._was_ready and attempts >= self._options.start_attempts
        ):
            self.refusal = (
                f"{process_slot.name} does not start ({process_slot.last_exit}, tries: {attempts}). "
                "The reason is in the lines above. Nothing was left running."
            )
        elif process_slot.history.breaker == "open":
            wait_s = process_slot.retry_at - time.monotonic()
            self._status.note("breaker_open", process_slot.name, reason=process_slot.last_exit)
            logger.critical(
                "%s died %d times within %.0f s; the next try is in %.0f s and the others go on. "
                "Look for its last lines above; after mending, `make reload` tries at once.",
                process_slot.name,
                attempts,
                self._options.restart.window_s,
                wait_s,
                extra={"action": "breaker.opened", "worker": process_slot.name, "retry_in_s": round(wait_s)},
            )
