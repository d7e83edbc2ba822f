"""Counts what the lower packages report: for `/metrics` (all processes) and for the scoreboard (the last minute).

Process: worker, whatsapp.
"""

import time
from collections import deque
from collections.abc import Callable

from config.metering import DuplicateKind
from services.telemetry.metrics.definitions import (
    DB_DOCUMENTS,
    DB_ERRORS,
    DB_OPERATIONS,
    DB_POOL_WAITS,
    DUPLICATES_SUPPRESSED,
    MESSAGES_ACCEPTED,
)
from services.telemetry.metrics.preallocated import adder

WINDOW_S = 60.0


class RateWindow:
    """How fast a counter grows: ``per_s`` is the mean of the last minute, updated with every beat."""

    def __init__(self, now: float, *, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])
        self.per_s = 0.0

    def turn(self, now: float, total: int) -> None:
        """The counter stands at `total` now."""
        self._samples.append((now, total))
        while len(self._samples) > 2 and self._samples[1][0] <= now - self._window_s:
            self._samples.popleft()
        began_at, before = self._samples[0]
        self.per_s = (total - before) / (now - began_at) if now > began_at else 0.0


class ProcessMeter:
    """The meter of one process. `role` is its role on the scoreboard: worker, whatsapp."""

    def __init__(self, role: str, *, now: float | None = None) -> None:
        self._operations = DB_OPERATIONS.labels(role)
        self._documents = DB_DOCUMENTS.labels(role)
        self._waits = DB_POOL_WAITS.labels(role)
        self._errors = DB_ERRORS.labels(role)
        self._accepted: dict[str, Callable[[float], None]] = {}
        self.operations = 0
        self.messages_accepted = 0
        moment = time.monotonic() if now is None else now
        self._operation_rate = RateWindow(moment)
        self._accepted_rate = RateWindow(moment)

    def database_ran(self, *, documents: int) -> None:
        self.operations += 1
        self._operations.inc()
        self._documents.inc(documents)

    def database_waited(self) -> None:
        self._waits.inc()

    def database_failed(self) -> None:
        self._errors.inc()

    def accepted(self, phone_number_id: str) -> None:
        self.messages_accepted += 1
        add = self._accepted.get(phone_number_id)
        if add is None:  # looking it up by its label each time costs more than counting
            add = self._accepted[phone_number_id] = adder(MESSAGES_ACCEPTED.labels(phone_number_id)._value)
        add(1)

    def suppressed(self, kind: DuplicateKind) -> None:
        DUPLICATES_SUPPRESSED.labels(kind).inc()

    def turn(self, now: float) -> None:
        """Update the rates. ``now`` is in seconds of the monotonic clock; called with every beat."""
        self._operation_rate.turn(now, self.operations)
        self._accepted_rate.turn(now, self.messages_accepted)

    @property
    def operations_per_s(self) -> float:
        """Database operations, mean of the last minute."""
        return self._operation_rate.per_s

    @property
    def accepted_per_s(self) -> float:
        """Messages accepted, mean of the last minute."""
        return self._accepted_rate.per_s
