"""What main writes on the board: the state of every name, and what happened lately.

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
    """Collects, and publishes once a tick at most, when something changed."""

    def __init__(self, board: Scoreboard, fleet: ProcessTable) -> None:
        self._board = board
        self._fleet = fleet
        self._events: deque[ClusterEvent] = deque(maxlen=EVENTS_KEPT)
        self._reasons: Counter[str] = Counter()
        self._published = ClusterFacts(main_pid=os.getpid(), started_at=time.time())
        self.stopping = False
        self.reloading = False
        self.workers_wanted = 0

    def note(self, kind: str, name: str, *, pid: int = 0, reason: str = "") -> None:
        """An event for `GET /v1/cluster`. Logging it in words is the caller's."""
        self._events.append(ClusterEvent(at=time.time(), kind=kind, name=name, pid=pid, reason=reason))

    def count_restart(self, reason: str) -> None:
        """For `restarts by reason`: death, stall, memory, requests, reload, asked."""
        self._reasons[reason] += 1

    def publish(self) -> None:
        facts = replace(
            self._published,
            stopping=self.stopping,
            reloading=self.reloading,
            workers_wanted=self.workers_wanted,
            processes=tuple(
                [_facts_of_cell(cell) for cell in self._fleet.cells]
                + [_facts_of_retired(child) for child in self._fleet.retiring]
            ),
            events=tuple(self._events),
            restarts_by_reason=dict(self._reasons),
        )
        if facts != self._published:
            self._published = facts
            self._board.publish(facts)


def _facts_of_cell(cell: ProcessSlot) -> ProcessFacts:
    child = cell.child
    if child is None:
        state = "broken" if cell.history.breaker == "open" else "dead"
    elif child.stack_due_at is not None:
        state = "stalled"
    elif child.stop_by is not None:
        state = "draining"
    else:
        state = "ready" if child.ready_at is not None else "starting"
    return ProcessFacts(
        name=cell.name,
        role=cell.role,
        pid=child.pid if child is not None else 0,
        slot=child.slot if child is not None else -1,
        state=state,
        since=cell.since,
        restarts=cell.restarts,
        last_exit=cell.last_exit,
        breaker=cell.history.breaker,
        retry_at=cell.retry_at_wall if child is None else 0.0,
    )


def _facts_of_retired(child: Child) -> ProcessFacts:
    return ProcessFacts(name=child.name, role="worker", pid=child.pid, slot=child.slot, state="draining")
