"""What main writes on the scoreboard: the state of every process, and the latest events.

Process: main.
"""

import logging
import os
import time
from collections import Counter, deque
from dataclasses import replace

from services.supervisor.process_table import Child, ProcessSlot, ProcessTable
from services.telemetry.scoreboard import ClusterEvent, ClusterFacts, ProcessFacts, Scoreboard

EVENTS_KEPT = 100
logger = logging.getLogger(__name__)


class StatusPublisher:
    """Collects events and publishes once a tick, if something changed."""

    def __init__(self, scoreboard: Scoreboard, process_table: ProcessTable) -> None:
        self._scoreboard = scoreboard
        self._process_table = process_table
        self._events: deque[ClusterEvent] = deque(maxlen=EVENTS_KEPT)
        self._reasons: Counter[str] = Counter()
        self._published = ClusterFacts(main_pid=os.getpid(), started_at=time.time())
        self.stopping = False
        self.reloading = False
        self.workers_wanted = 0

    def note(self, kind: str, name: str, *, pid: int = 0, reason: str = "") -> None:
        """Add an event for `GET /v1/cluster`. The caller writes the log line."""
        self._events.append(ClusterEvent(at=time.time(), kind=kind, name=name, pid=pid, reason=reason))

    def count_restart(self, reason: str) -> None:
        """Count a restart for `restarts by reason`: death, stall, memory, requests, reload, asked."""
        self._reasons[reason] += 1

    def publish(self) -> None:
        facts = replace(
            self._published,
            stopping=self.stopping,
            reloading=self.reloading,
            workers_wanted=self.workers_wanted,
            processes=tuple(
                [_facts_of_slot(slot) for slot in self._process_table.slots]
                + [_facts_of_retired(child) for child in self._process_table.retiring]
            ),
            events=tuple(self._events),
            restarts_by_reason=dict(self._reasons),
        )
        if facts != self._published:
            self._published = facts
            self._scoreboard.publish(facts)


def _facts_of_slot(slot: ProcessSlot) -> ProcessFacts:
    child = slot.child
    if child is None:
        state = "broken" if slot.history.breaker == "open" else "dead"
    elif child.stack_due_at is not None:
        state = "stalled"
    elif child.stop_by is not None:
        state = "draining"
    else:
        state = "ready" if child.ready_at is not None else "starting"
    return ProcessFacts(
        name=slot.name,
        role=slot.role,
        pid=child.pid if child is not None else 0,
        slot=child.row if child is not None else -1,
        state=state,
        since=slot.since,
        restarts=slot.restarts,
        last_exit=slot.last_exit,
        breaker=slot.history.breaker,
        retry_at=slot.retry_at_wall if child is None else 0.0,
    )


def _facts_of_retired(child: Child) -> ProcessFacts:
    return ProcessFacts(name=child.name, role="worker", pid=child.pid, slot=child.row, state="draining")
