"""Keep every slot filled: start what is missing, notice what has died, decide when it starts again.

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
    """Call `look` once a tick. `refusal` is set, with the reason, once the whole start is hopeless."""

    def __init__(
        self, process_table: ProcessTable, status_publisher: StatusPublisher, options: SupervisorOptions
    ) -> None:
        self.refusal = ""
        self._process_table = process_table
        self._status_publisher = status_publisher
        self._options = options
        self._began_at = time.monotonic()
        self._was_ready = False

    def look(self, now: float, *, is_stopping: bool) -> None:
        for slot in self._process_table.slots:
            child = slot.child
            if child is None:
                if not is_stopping and now >= slot.retry_at:
                    self.start(slot)
            elif not child.is_alive():
                self._handle_death(slot, child, now, is_stopping=is_stopping)
            elif child.ready_at is None:
                self._look_at_start(slot, child, now)
            elif slot.history.lived(now - child.ready_at):
                self._status_publisher.note("breaker_closed", slot.name, pid=child.pid)
                logger.info(
                    "%s is stable again.",
                    slot.name,
                    extra={"action": "breaker.closed", "worker": slot.name},
                )

    def start(self, slot: ProcessSlot) -> None:
        """Start a process for this slot now."""
        is_trial = slot.history.breaker == "open"
        slot.history.starts()
        try:
            child = self._process_table.spawn(slot)
        except OSError as error:
            self._wait(slot, time.monotonic())
            logger.error("%s could not be started: %s.", slot.name, error, extra={"action": "process.start_failed"})
            return
        self._process_table.fill(slot, child)
        if slot.last_exit:
            slot.restarts += 1
            self._status_publisher.note("restarted", slot.name, pid=child.pid, reason=slot.last_exit)
            logger.warning(
                "%s was started again (PID %d)%s.",
                slot.name,
                child.pid,
                ", the one try of its breaker" if is_trial else "",
                extra={"action": "process.restarted", "worker": slot.name, "new_pid": child.pid},
            )

    def _look_at_start(self, slot: ProcessSlot, child: Child, now: float) -> None:
        found = self._process_table.vitals(child)
        age_s = now - child.started_at
        if found is not None and found[0].state != "starting":
            child.ready_at = now
        elif slot.is_worker and age_s > self._options.start_timeout_s:
            self._process_table.kill(child, "not ready in time")
        elif not slot.is_worker and found is None and age_s > SILENT_READY_S:
            child.ready_at = now  # it does not use the scoreboard: alive must count as ready
        if slot.is_worker and child.ready_at is not None:
            self._was_ready = True

    def _handle_death(self, slot: ProcessSlot, child: Child, now: float, *, is_stopping: bool) -> None:
        exitcode = child.process.exitcode
        if exitcode == DatabaseExit.HUNG:
            child.killed_for = child.killed_for or "hung"
        slot.child = None
        slot.last_exit = child.last_exit
        slot.since = time.time()
        self._process_table.reap(child)
        if is_stopping:
            return
        if slot.is_planned_stop:
            self._status_publisher.count_restart("asked")
            self.start(slot)
            return
        hopeless = exitcode in REFUSALS
        self._wait(slot, now, hopeless=hopeless)
        self._status_publisher.count_restart(child.killed_for.replace(" ", "_") or "death")
        self._status_publisher.note("death", slot.name, pid=child.pid, reason=slot.last_exit)
        logger.error(
            "%s (PID %d) is dead: %s.",
            slot.name,
            child.pid,
            slot.last_exit,
            extra={
                "action": "process.died",
                "worker": slot.name,
                "dead_pid": child.pid,
                "exit": slot.last_exit,
            },
        )
        self._check_breaker(slot, hopeless)
        if not self.refusal and now >= slot.retry_at:
            self.start(slot)

    def _wait(self, slot: ProcessSlot, now: float, *, hopeless: bool = False) -> None:
        slot.retry_at = slot.history.died(now, hopeless=hopeless)
        slot.retry_at_wall = time.time() + slot.retry_at - now

    def _check_breaker(self, slot: ProcessSlot, hopeless: bool) -> None:
        """Give the start up if nothing has worked yet and nothing will; report a breaker that opened."""
        attempts = slot.history.deaths_in_window
        is_young = time.monotonic() - self._began_at < self._options.start_timeout_s
        if (hopeless and is_young and not slot.restarts) or (
            not self._was_ready and attempts >= self._options.start_attempts
        ):
            self.refusal = (
                f"{slot.name} does not start ({slot.last_exit}, tries: {attempts}). "
                "The reason is in the lines above. Nothing was left running."
            )
        elif slot.history.breaker == "open":
            wait_s = slot.retry_at - time.monotonic()
            self._status_publisher.note("breaker_open", slot.name, reason=slot.last_exit)
            logger.critical(
                "%s died %d times within %.0f s; the next try is in %.0f s and the others go on. "
                "Look for its last lines above; after mending, `make reload` tries at once.",
                slot.name,
                attempts,
                self._options.restart.window_s,
                wait_s,
                extra={"action": "breaker.opened", "worker": slot.name, "retry_in_s": round(wait_s)},
            )
