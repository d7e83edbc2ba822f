"""Watch running processes: stalled event loops, too much memory, workers that have served enough requests.

Process: main.
"""

import logging
import random
import time

from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.supervisor.rolling_restart import RollingRestart
from services.supervisor.status_publisher import StatusPublisher

STACKS_WAIT_S = 0.4
MEMORY_LOOKS = 3  # three looks in a row, so that one large upload does not cost a worker
LOOK_EVERY_S = 1.0
BLIND_GAP_S = 2.0

logger = logging.getLogger(__name__)


class HealthMonitor:
    """Kills a stalled process; replaces a worker that needs too much memory or has served enough."""

    def __init__(
        self,
        process_table: ProcessTable,
        status_publisher: StatusPublisher,
        rolling_restart: RollingRestart,
        options: SupervisorOptions,
    ) -> None:
        self._process_table = process_table
        self._status_publisher = status_publisher
        self._rolling_restart = rolling_restart
        self._options = options
        self._last_look_at = time.monotonic()
        self._blind_until = 0.0

    def look(self, now: float) -> None:
        """Find processes that were ready and now stall. A start has its own limit.

        If main itself did not run for a while (a paused machine), the others get time to report first.
        """
        if now - self._last_look_at > BLIND_GAP_S:
            self._blind_until = now + self._options.stall_s
        self._last_look_at = now
        for child in self._process_table.all_children():
            if child.stack_due_at is not None:
                if now >= child.stack_due_at:
                    self._end_stalled(child)
            elif child.ready_at is not None and now >= self._blind_until and child.is_alive():
                found = self._process_table.vitals(child)
                if found is not None and found[1] > self._options.stall_s:
                    self._report_stalled(child, found[1])

    def _report_stalled(self, child: Child, age_s: float) -> None:
        asked = self._process_table.ask_for_stacks(child)
        child.stack_due_at = time.monotonic() + (STACKS_WAIT_S if asked else 0.0)
        self._status_publisher.note("stall", child.name, pid=child.pid, reason=f"silent for {age_s:.1f} s")
        logger.error(
            "%s (PID %d) has not run its event loop for %.1f s. Its stacks follow; it is killed and replaced.",
            child.name,
            child.pid,
            age_s,
            extra={"action": "process.stalled", "worker": child.name, "stalled_pid": child.pid},
        )

    def _end_stalled(self, child: Child) -> None:
        stacks = (
            self._process_table.stacks_of(child)
            or "no stacks: the process does not run at all (stopped, or swapped out?)"
        )
        logger.error(
            "Stacks of %s (PID %d):\n%s",
            child.name,
            child.pid,
            stacks,
            extra={"action": "process.stacks", "worker": child.name, "stalled_pid": child.pid},
        )
        self._process_table.kill(child, "stall")

    def weigh(self) -> None:
        """Check memory and requests of each worker. Call it about once a second."""
        for slot in self._process_table.workers():
            child = slot.child
            if child is None or child.ready_at is None or child.stop_by is not None:
                continue
            found = self._process_table.vitals(child)
            if found is None:
                continue
            self._weigh_memory(slot, child, found[0].rss_bytes)
            self._weigh_requests(slot, child, found[0].requests)

    def _weigh_memory(self, slot: ProcessSlot, child: Child, rss_bytes: int) -> None:
        limit = self._options.worker_memory_bytes
        if time.monotonic() - child.started_at < self._options.memory_min_age_s and rss_bytes < 2 * limit:
            return  # a limit below what a fresh worker needs must not become an endless replacement
        child.over_memory_count = child.over_memory_count + 1 if limit and rss_bytes > limit else 0
        if child.over_memory_count == MEMORY_LOOKS:
            logger.warning(
                "%s uses %d MB, more than PANAL_WORKER_MEMORY_MB; it is replaced.",
                slot.name,
                rss_bytes // 2**20,
                extra={"action": "worker.too_large", "worker": slot.name, "rss_bytes": rss_bytes},
            )
            self._rolling_restart.ask(slot, "memory")
        elif child.over_memory_count > 30 * MEMORY_LOOKS:  # the replacement failed, or it grew right back
            child.over_memory_count = 0

    def _weigh_requests(self, slot: ProcessSlot, child: Child, requests: int) -> None:
        if not self._options.max_requests:
            return
        if not child.request_limit:
            spread = self._options.max_requests_jitter * (2 * random.random() - 1)  # noqa: S311 - it spreads the load
            child.request_limit = max(1, round(self._options.max_requests * (1 + spread)))
        if requests >= child.request_limit:
            child.request_limit = requests + self._options.max_requests  # asked once, even if the replacement fails
            self._rolling_restart.ask(slot, "requests")
