"""The process table in shared memory: each process writes its own slot, main writes its decisions, anyone reads it all.

Process: all of them. No lock and no database: a reader never waits, and a process killed in the middle of a write
leaves its previous record readable.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import RawArray
from typing import Any, cast

import orjson

from services.telemetry.rss import rss_bytes_of
from services.telemetry.shared_memory import MAIN_BYTES, SLOT_BYTES, Region

SLOT_VARIABLE = "PANAL_BOARD_SLOT"  # main gives each child its slot by environment, so no two compete for one
DEFAULT_SLOTS = 96
EXTRA_BYTES = 2048
SILENT_BEATS = 5
"""A process that missed so many beats is shown as stalled."""


class ScoreboardRefused(ValueError):
    """A record does not fit, or there is no slot left."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a process reports about itself. `state` is its own word for it."""

    state: str = "ready"
    rss_bytes: int = 0
    cpu_s: float = 0.0
    cpu_percent: float = 0.0
    requests: int = 0
    in_flight: int = 0
    connections: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    loop_lag_ms: float = 0.0
    pool_checked_out: int = 0
    pool_waiting: int = 0
    pool_max: int = 0
    pool_open: int = 0
    db_operations: int = 0
    db_operations_per_s: float = 0.0
    messages_accepted: int = 0
    messages_accepted_per_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What main knows about a process by its name: it outlives every PID that carried the name."""

    name: str
    role: str
    pid: int = 0
    slot: int = -1
    state: str = "starting"
    since: float = 0.0
    restarts: int = 0
    last_exit: str = ""
    breaker: str = "closed"
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """Something main did or saw. `at` is Unix time in seconds."""

    at: float
    kind: str
    name: str
    pid: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """Everything main publishes. `stopping`: the whole host stops; `/readyz` answers 503 from then on."""

    main_pid: int = 0
    started_at: float = 0.0
    stopping: bool = False
    reloading: bool = False
    workers_wanted: int = 0
    processes: tuple[ProcessFacts, ...] = ()
    events: tuple[ClusterEvent, ...] = ()
    restarts_by_reason: Mapping[str, int] = field(default_factory=dict)

    @property
    def open_breakers(self) -> tuple[str, ...]:
        """Names of the processes that main has given up on for now."""
        return tuple(facts.name for facts in self.processes if facts.breaker == "open")


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process as `GET /v1/cluster` shows it: its own report joined with main's."""

    name: str
    role: str
    pid: int
    state: str
    started_at: float
    heartbeat_age_s: float
    vitals: Vitals
    extra: Mapping[str, Any]
    since: float = 0.0
    restarts: int = 0
    last_exit: str = ""
    breaker: str = "closed"


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    role: str
    pid: int
    started_at: float
    beat_at: float  # time.monotonic(), the same clock in every process of the machine
    vitals: Vitals
    extra: Mapping[str, Any]
    every_s: float

    def state(self, now: float) -> str:
        """Its own word, unless it has said nothing for too long: then it does not run, whatever it said last."""
        return "stalled" if now - self.beat_at > SILENT_BEATS * self.every_s else self.vitals.state


class Scoreboard:
    """Made by `create()` in main. Elsewhere it arrives pickled, or `attach(memory)` puts it on what shared_ctx has."""

    def __init__(self, memory: Any, slots: int) -> None:
        self.memory = memory
        self.slots = slots
        view = memoryview(memory).cast("B")
        self._main = Region(view[: 2 * MAIN_BYTES])
        self._slots = [
            Region(view[2 * MAIN_BYTES + n * 2 * SLOT_BYTES : 2 * MAIN_BYTES + (n + 1) * 2 * SLOT_BYTES])
            for n in range(slots)
        ]
        self._facts: tuple[int, ClusterFacts] = (0, ClusterFacts())

    @classmethod
    def create(cls, slots: int = DEFAULT_SLOTS) -> "Scoreboard":
        """Made once, in main. `slots`: processes at the same time, those that drain included."""
        return cls(RawArray("c", 2 * MAIN_BYTES + slots * 2 * SLOT_BYTES), slots)

    @classmethod
    def attach(cls, memory: Any) -> "Scoreboard":
        """The scoreboard on memory from Sanic's shared_ctx (`app.shared_ctx.scoreboard = scoreboard.memory`)."""
        return cls(memory, (len(memory) - 2 * MAIN_BYTES) // (2 * SLOT_BYTES))

    @classmethod
    def of(cls, shared_ctx: object) -> "Scoreboard":
        """The scoreboard that main put on `app.shared_ctx`; without one (`--single-process`) a new one."""
        memory = getattr(shared_ctx, "scoreboard", None)
        return cls.attach(memory) if memory is not None else cls.create(slots=1)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Scoreboard.attach, (self.memory,))

    def writer(self, name: str, role: str) -> "ScoreboardWriter":
        """The slot of this process: the one that main gave it, else the first that no living process holds."""
        given = os.environ.get(SLOT_VARIABLE, "")
        slot = int(given) if given.isdigit() else self._free_slot()
        return self.writer_at(slot, name, role)

    def writer_at(self, slot: int, name: str, role: str) -> "ScoreboardWriter":
        """A slot by its number. Only main, which gives the slots, knows which are free."""
        return ScoreboardWriter(self._slots[slot].write, name=name, role=role)

    def publish(self, facts: ClusterFacts) -> None:
        """Main only: replace what every process reads about the cluster. The oldest events go when it would not fit."""
        while True:
            payload = orjson.dumps(asdict(facts))
            if self._main.fits(payload):
                break
            if not facts.events:
                raise ScoreboardRefused(f"{len(facts.processes)} processes do not fit on the scoreboard")
            facts = replace(facts, events=facts.events[len(facts.events) // 4 + 1 :])
        self._main.write(payload)

    def facts(self) -> ClusterFacts:
        """What main published last. Cheap: it is parsed once a change."""
        if self._main.newest_number() != self._facts[0]:
            found = self._main.read()
            if found is not None and found.number != self._facts[0]:
                self._facts = (found.number, _facts_from(orjson.loads(found.payload)))
        return self._facts[1]

    def release(self, slot: int) -> None:
        """Main only: the process of this slot is dead and reaped."""
        self._slots[slot].clear()

    def rows(self) -> list[ProcessRow]:
        """Every process: those main knows first, in its order, then those that only speak for themselves."""
        now = time.monotonic()
        records = {number: record for number in range(self.slots) if (record := self._record(number)) is not None}
        rows = []
        for known in self.facts().processes:
            record = records.pop(known.slot, None)
            if record is not None and record.pid != known.pid:
                record = None
            rows.append(_row(now, record, known))
        rows += [_row(now, record, None) for record in records.values()]
        return rows

    def record_of(self, slot: int, pid: int) -> tuple[Vitals, float] | None:
        """What process `pid` last wrote into `slot`, and how many seconds ago. None before its first word."""
        record = self._record(slot)
        if record is None or record.pid != pid:
            return None
        return record.vitals, max(0.0, time.monotonic() - record.beat_at)

    def _record(self, slot: int) -> _Record | None:
        found = self._slots[slot].read()
        if found is None:
            return None
        name, role, pid, started_at, beat_at, vitals, extra, every_s = orjson.loads(found.payload)
        return _Record(name, role, pid, started_at, beat_at, Vitals(*vitals), extra, every_s)

    def _free_slot(self) -> int:
        for number in range(self.slots):
            record = self._record(number)
            if record is None or not _is_alive(record.pid):
                return number
        raise ScoreboardRefused(f"all {self.slots} slots of the scoreboard are taken")


class ScoreboardWriter:
    """Writes one process's slot. `extra` stays until it is replaced: a beat without news repeats it."""

    def __init__(self, write: Callable[[bytes], None], *, name: str, role: str) -> None:
        self._write = write
        self.name = name
        self.role = role
        self.pid = os.getpid()
        self.started_at = time.time()
        self.every_s = 1.0
        """Seconds between two beats; silence is measured in them."""
        self._extra: Mapping[str, Any] = {}

    def beat(self, vitals: Vitals, extra: Mapping[str, Any] | None = None) -> None:
        """Write now. Raises ScoreboardRefused when `extra` has more than 2 kB of JSON; the last good record stays."""
        if extra is not None:
            size = len(orjson.dumps(extra))
            if size > EXTRA_BYTES:
                raise ScoreboardRefused(f"extra has {size} bytes of JSON, the limit is {EXTRA_BYTES}")
            self._extra = extra
        record = (
            self.name,
            self.role,
            self.pid,
            self.started_at,
            time.monotonic(),
            [getattr(vitals, slot) for slot in _VITALS],
            self._extra,
            self.every_s,
        )
        self._write(orjson.dumps(record))


_VITALS = tuple(Vitals.__dataclass_fields__)


def _row(now: float, record: _Record | None, known: ProcessFacts | None) -> ProcessRow:
    """Main's word on the state wins unless it only says "ready": then the process says it more exactly."""
    if known is None:
        record = cast(_Record, record)
        return ProcessRow(
            name=record.name,
            role=record.role,
            pid=record.pid,
            state=record.state(now),
            started_at=record.started_at,
            heartbeat_age_s=max(0.0, now - record.beat_at),
            vitals=record.vitals,
            extra=record.extra,
        )
    # Of a process that does not write to the scoreboard (the sandbox) at least the memory is known.
    vitals = record.vitals if record is not None else Vitals(state=known.state, rss_bytes=rss_bytes_of(known.pid))
    return ProcessRow(
        name=known.name,
        role=known.role,
        pid=known.pid,
        state=known.state if known.state != "ready" or record is None else record.state(now),
        started_at=record.started_at if record is not None else known.since,
        heartbeat_age_s=max(0.0, now - record.beat_at) if record is not None else 0.0,
        vitals=vitals,
        extra=record.extra if record is not None else {},
        since=known.since,
        restarts=known.restarts,
        last_exit=known.last_exit,
        breaker=known.breaker,
    )


def _facts_from(found: dict[str, Any]) -> ClusterFacts:
    return ClusterFacts(
        **{
            **found,
            "processes": tuple(ProcessFacts(**item) for item in found["processes"]),
            "events": tuple(ClusterEvent(**item) for item in found["events"]),
        }
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
