"""The processes of main: one slot per name, the child that fills it, and old children that still drain.

Process: main.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from sanic.worker.process import WorkerProcess

from services.supervisor.backoff import RestartHistory
from services.supervisor.child_process import stacks_file
from services.supervisor.sanic_internals import describe_exit, install_current, spawn
from services.telemetry.scoreboard import Scoreboard, Vitals

WORKER_PREFIX = "Sanic-Server-"
MAIN_ROW = 0
RESIGNAL_S = 2.0


@dataclass(slots=True, eq=False)
class Child:
    """One process: a PID. ``row`` is its row of the scoreboard; at `stop_by` it is killed if it still runs."""

    name: str
    process: BaseProcess
    pid: int
    row: int
    started_at: float
    ready_at: float | None = None
    request_limit: int = 0
    over_memory_count: int = 0
    stack_due_at: float | None = None
    killed_for: str = ""
    signalled_at: float = 0.0
    stop_by: float | None = None

    def is_alive(self) -> bool:
        return self.process.is_alive()

    @property
    def last_exit(self) -> str:
        exit_ = describe_exit(self.process.exitcode)
        return f"{self.killed_for} ({exit_})" if self.killed_for else exit_


@dataclass(slots=True, eq=False)
class ProcessSlot:
    """A process name, `Sanic-Server-0-0` or `Sanic-WhatsApp-0`, with the child that runs under it now."""

    sanic_process: WorkerProcess
    history: RestartHistory
    child: Child | None = None
    retry_at: float = 0.0
    retry_at_wall: float = 0.0
    restarts: int = 0
    last_exit: str = ""
    since: float = field(default_factory=time.time)
    is_planned_stop: bool = False

    @property
    def name(self) -> str:
        return str(self.sanic_process.name)

    @property
    def role(self) -> str:
        return "worker" if self.is_worker else self.name.split("-")[1].lower()

    @property
    def is_worker(self) -> bool:
        return self.name.startswith(WORKER_PREFIX)

    def try_at_once(self) -> None:
        """The operator has fixed the cause: start without back-off or breaker."""
        self.history.forget()
        self.retry_at = 0.0

    @property
    def is_ready(self) -> bool:
        return self.child is not None and self.child.ready_at is not None and self.child.is_alive()


class ProcessTable:
    """Starts, signals and reaps processes. Decides nothing."""

    def __init__(self, scoreboard: Scoreboard, *, run_dir: str, on_gone: Callable[[int], None] | None = None) -> None:
        self.scoreboard = scoreboard
        self.slots: list[ProcessSlot] = []
        self.retiring: list[Child] = []
        self._run_dir = run_dir
        self._on_gone = on_gone
        self._free_rows = set(range(scoreboard.slots)) - {MAIN_ROW}

    def workers(self) -> list[ProcessSlot]:
        return [slot for slot in self.slots if slot.is_worker]

    def all_children(self) -> list[Child]:
        """Every child that may be alive, draining ones included."""
        return [slot.child for slot in self.slots if slot.child is not None] + self.retiring

    def find(self, name: str) -> ProcessSlot | None:
        return next((slot for slot in self.slots if slot.name == name), None)

    def spawn(self, slot: ProcessSlot) -> Child:
        """Start a process for this slot; ``fill`` makes it the current one. Raises ``OSError``."""
        row = min(self._free_rows)
        self._free_rows.remove(row)
        self.scoreboard.release(row)
        try:
            process = spawn(slot.sanic_process, row)
        except OSError:  # no memory, no PID: the caller tries again later
            self._free_rows.add(row)
            raise
        return Child(slot.name, process, process.pid or 0, row, time.monotonic())

    def fill(self, slot: ProcessSlot, child: Child) -> None:
        """Make `child` the process of this slot."""
        slot.child = child
        slot.since = time.time()
        slot.is_planned_stop = False
        install_current(slot.sanic_process, child.process)

    def retire(self, child: Child, *, limit_s: float) -> None:
        """Let a child that no slot holds any more drain; kill it after `limit_s`."""
        self.retiring.append(child)
        self.ask_to_stop([child], limit_s=limit_s)

    def ask_to_stop(self, children: Iterable[Child], *, limit_s: float) -> None:
        """SIGTERM now, SIGKILL after `limit_s`. Repeated asking is harmless: our stop handlers are idempotent."""
        now = time.monotonic()
        for child in children:
            child.stop_by = min(child.stop_by, now + limit_s) if child.stop_by is not None else now + limit_s
            self._signal(child, signal.SIGTERM)
            child.signalled_at = now

    def enforce_stop_limits(self, children: Iterable[Child]) -> None:
        """Kill children past their limit to stop; signal again those that may have missed it while starting."""
        now = time.monotonic()
        for child in children:
            if child.stop_by is None:
                continue
            if now >= child.stop_by:
                self.kill(child, "did not stop in time")
            elif now - child.signalled_at > RESIGNAL_S and self.state_of(child) not in ("draining", "stopping"):
                self._signal(child, signal.SIGTERM)
                child.signalled_at = now

    def kill(self, child: Child, reason: str) -> None:
        child.killed_for = child.killed_for or reason
        self._signal(child, signal.SIGKILL)

    def vitals(self, child: Child) -> tuple[Vitals, float] | None:
        """The last heartbeat of a child and its age in seconds; None before the first."""
        return self.scoreboard.record_of(child.row, child.pid)

    def state_of(self, child: Child) -> str:
        found = self.vitals(child)
        return found[0].state if found is not None else "starting"

    def reap(self, child: Child) -> None:
        """Free what a dead child held. Only now may its row be reused: no process can write to it any more."""
        child.process.join(0)
        self.scoreboard.release(child.row)
        self._free_rows.add(child.row)
        with contextlib.suppress(OSError):
            stacks_file(self._run_dir, child.pid).unlink(missing_ok=True)
        if self._on_gone is not None:
            self._on_gone(child.pid)

    def reap_retired(self) -> list[Child]:
        """Reap the draining children that have ended, and return them."""
        left = [child for child in self.retiring if not child.is_alive()]
        for child in left:
            self.retiring.remove(child)
            self.reap(child)
        return left

    def sentinels(self) -> list[int]:
        """Descriptors that become readable when a child dies: the supervisor sleeps on them."""
        return [child.process.sentinel for child in self.all_children() if child.is_alive()]

    def _signal(self, child: Child, signum: int) -> None:
        """Safe against reuse of a PID: a child that is not reaped yet keeps its own."""
        if child.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signum)

    def ask_for_stacks(self, child: Child) -> bool:
        """Send SIGUSR1 if the process handles it; otherwise the signal would kill it. True when sent."""
        if not stacks_file(self._run_dir, child.pid).exists():
            return False
        self._signal(child, signal.SIGUSR1)
        return True

    def stacks_of(self, child: Child) -> str:
        with contextlib.suppress(OSError):
            return stacks_file(self._run_dir, child.pid).read_text(encoding="utf-8", errors="replace").strip()
        return ""
