"""The supervisor: starts every process, revives the dead, replaces the tired, and stops all of them in order.

Process: main. It sits in Sanic's own monitor loop, on the same thread that starts processes.
"""

import logging
import random
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from sanic import Sanic
from sanic.exceptions import ServerKilled

from services.cluster.board import Board, ProcessRow, Vitals
from services.cluster.database import DatabaseExit
from services.cluster.fleet import MAIN_SLOT, Cell, Child, Fleet
from services.cluster.heartbeat import rss_bytes
from services.cluster.ledger import Ledger
from services.cluster.options import SupervisorOptions
from services.cluster.restarts import RestartHistory
from services.cluster.rollout import Rollout
from services.cluster.seams import SanicSeat
from services.cluster.stopping import StagedStop
from services.cluster.terminal import Terminal
from services.cluster.watch import LOOK_EVERY_S, Watch

TICK_S = 0.1
REFUSALS = frozenset(int(code) for code in DatabaseExit if code is not DatabaseExit.DIED)

logger = logging.getLogger(__name__)

Watcher = Callable[[list[ProcessRow]], bool]
"""Sees every row at each look during the start; True when it has seen enough."""


def supervise(
    app: Sanic[Any, Any],
    *,
    board: Board,
    options: SupervisorOptions,
    watchers: Sequence[Watcher] = (),
    on_gone: Callable[[int], None] | None = None,
) -> "Supervisor":
    """Take the seat. Call it last in `main_process_ready`, when every managed process is declared.

    `on_gone(pid)` is called for each process that has ended (metrics of dead processes are folded there).
    """
    return Supervisor(SanicSeat(app.manager), board=board, options=options, watchers=watchers, on_gone=on_gone)


class Supervisor:
    """One per instance. Everything happens in `_tick`, ten times a second or at once when a child dies."""

    def __init__(
        self,
        seat: SanicSeat,
        *,
        board: Board,
        options: SupervisorOptions,
        watchers: Sequence[Watcher] = (),
        on_gone: Callable[[int], None] | None = None,
    ) -> None:
        self._seat = seat
        self._board = board
        self._options = options
        self._watchers = list(watchers)
        self._fleet = Fleet(board, run_dir=options.run_dir, on_gone=on_gone)
        self._ledger = Ledger(board, self._fleet)
        self._rollout = Rollout(self._fleet, self._ledger, options)
        self._watch = Watch(self._fleet, self._ledger, self._rollout, options)
        self._stop: StagedStop | None = None
        self._was_ready = False
        self._refusal = ""
        self._asked: list[str] = []
        self._looked_at = 0.0
        self._began_at = time.monotonic()
        self._terminal = Terminal()
        self._own_slot = board.writer_at(MAIN_SLOT, "Sanic-Main", "main")
        for process in [*seat.services(), *seat.workers()]:
            self._fleet.cells.append(self._new_cell(process))
        self._ledger.workers_wanted = len(self._fleet.workers())
        seat.take(start=self.start, monitor=self.monitor)
        self._listen_to_signals()

    # What Sanic calls

    def start(self) -> None:
        """Start everything: those that others need come first, but nobody is waited for."""
        for cell in self._fleet.cells:
            self._start(cell)

    def monitor(self) -> None:
        """Until everything has stopped. ServerKilled (exit code 1) when the start was given up."""
        while self._stop is None or not self._stop.is_over:
            self._sleep()
            self._tick()
        self._fleet.reap_retired()
        self._seat.all_ended()
        if self._refusal:
            logger.critical(self._refusal, extra={"action": "cluster.refused"})
            raise ServerKilled
        logger.info("Everything has stopped.", extra={"action": "cluster.stopped"})

    # Signals and messages: only noted when they come, acted upon in the tick

    def _listen_to_signals(self) -> None:
        wishes = {
            signal.SIGTERM: "stop",
            signal.SIGINT: "stop",
            signal.SIGHUP: "hangup",
            signal.SIGTTIN: "scale+1",
            signal.SIGTTOU: "scale-1",
            signal.SIGQUIT: "abort",
        }

        def on_signal(signum: int, _frame: FrameType | None) -> None:
            self._asked.append(wishes[signal.Signals(signum)])

        for signum in wishes:
            signal.signal(signum, on_signal)

    def _sleep(self) -> None:
        """Until a child dies, a worker writes, or the next look is due."""
        inbox = self._seat.inbox
        if inbox in wait([inbox, *self._fleet.sentinels()], TICK_S):
            self._take_message(inbox.recv())

    def _take_message(self, message: Any) -> None:
        if not message or message == "__TERMINATE__":
            self._asked.append("stop")
        elif message == "__TERMINATE_EARLY__":
            logger.error("A worker could not start; its traceback is above.", extra={"action": "worker.start_failed"})
        elif isinstance(message, str):
            head, _, tail = message.partition(":")
            self._asked.append(f"scale={tail}" if head == "__SCALE__" else f"restart {head}")
        else:
            logger.error("A process cannot be declared while we run.", extra={"action": "cluster.message_refused"})

    def _act(self, wish: str) -> None:
        if wish == "abort":
            for child in [cell.child for cell in self._fleet.cells if cell.child is not None] + self._fleet.retiring:
                self._fleet.kill(child, "abort")
            self._begin_stop("SIGQUIT")
        elif wish == "stop" or (wish == "hangup" and self._terminal.is_lost()):
            self._begin_stop(wish)
        elif self._stop is not None:
            return
        elif wish in ("hangup", "restart __ALL_PROCESSES__"):
            self._rollout.reload()
        elif wish.startswith("scale"):
            self._scale(wish.removeprefix("scale"))
        elif wish.startswith("restart "):
            for name in wish.removeprefix("restart ").split(","):
                self._restart_by_name(name.strip())

    # One look

    def _tick(self) -> None:
        now = time.monotonic()
        wishes, self._asked = self._asked, []
        for wish in wishes:
            self._act(wish)
        for child in self._fleet.reap_retired():
            logger.info("The old %s has left.", child.name, extra={"action": "worker.left", "exit": child.last_exit})
        for cell in self._fleet.cells:
            self._look_after(cell, now)
        self._watch.look(now)
        if self._stop is None:
            self._rollout.step()
            self._fleet.press(self._fleet.retiring)
            self._fleet.press([cell.child for cell in self._fleet.cells if cell.child is not None])
        else:
            self._stop.step(self._rollout.abandon())
        self._ledger.publish()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            if self._stop is None:
                self._watch.weigh()
            self._own_slot.beat(Vitals(rss_bytes=rss_bytes(), cpu_s=round(time.process_time(), 3)))
        if self._watchers:
            rows = self._board.rows()
            self._watchers = [watcher for watcher in self._watchers if not watcher(rows)]

    def _look_after(self, cell: Cell, now: float) -> None:
        child = cell.child
        if child is None:
            if self._stop is None and now >= cell.retry_at:
                self._start(cell)
        elif not child.is_alive():
            self._bury(cell, child, now)
        elif child.ready_at is None:
            self._look_at_start(cell, child, now)
        elif cell.history.lived(now - child.ready_at):
            self._ledger.note("breaker_closed", cell.name, pid=child.pid)
            logger.info("%s is well again.", cell.name, extra={"action": "breaker.closed", "worker": cell.name})

    def _look_at_start(self, cell: Cell, child: Child, now: float) -> None:
        found = self._fleet.vitals(child)
        if found is not None and found[0].state != "starting":
            child.ready_at = now
        elif cell.is_worker and now - child.started_at > self._options.start_timeout_s:
            self._fleet.kill(child, "not ready in time")
        elif not cell.is_worker and found is None and now - child.started_at > 1.0:
            child.ready_at = now  # it does not use the board: alive is all we can know
        if cell.is_worker and child.ready_at is not None:
            self._was_ready = True

    def _start(self, cell: Cell) -> None:
        was_broken = cell.history.breaker == "open"
        cell.history.starts()
        try:
            child = self._fleet.spawn(cell)
        except OSError as error:
            cell.retry_at = cell.history.died(time.monotonic())
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
                ", the one try of its breaker" if was_broken else "",
                extra={"action": "process.restarted", "worker": cell.name, "new_pid": child.pid},
            )

    def _bury(self, cell: Cell, child: Child, now: float) -> None:
        exitcode = child.process.exitcode
        cell.child = None
        cell.last_exit = child.last_exit
        cell.since = time.time()
        self._fleet.reap(child)
        if self._stop is not None:
            return
        if cell.is_planned_stop:
            cell.retry_at = 0.0
            self._ledger.count_restart("asked")
            self._start(cell)
            return
        hopeless = exitcode in REFUSALS
        cell.retry_at = cell.history.died(now, hopeless=hopeless)
        cell.retry_at_wall = time.time() + cell.retry_at - now
        self._ledger.count_restart(child.killed_for.split(" ")[0] if child.killed_for else "death")
        self._ledger.note("death", cell.name, pid=child.pid, reason=cell.last_exit)
        logger.error(
            "%s (PID %d) is dead: %s.",
            cell.name,
            child.pid,
            cell.last_exit,
            extra={"action": "process.died", "worker": cell.name, "dead_pid": child.pid, "exit": cell.last_exit},
        )
        self._judge(cell, hopeless)
        if self._stop is None and now >= cell.retry_at:
            self._start(cell)

    def _judge(self, cell: Cell, hopeless: bool) -> None:
        """Is it worth going on with this process, and, while nothing has worked yet, with the start at all?"""
        attempts = cell.history.deaths_in_window
        is_young = time.monotonic() - self._began_at < self._options.start_timeout_s
        if (hopeless and is_young and not cell.restarts) or (
            not self._was_ready and attempts >= self._options.start_attempts
        ):
            self._refusal = (
                f"{cell.name} does not start ({cell.last_exit}, {attempts} of {self._options.start_attempts} tries). "
                "The reason is in the lines above. Nothing was left running."
            )
            self._begin_stop("start refused")
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

    # Wishes

    def _begin_stop(self, why: str) -> None:
        if self._stop is not None:
            logger.info("Already stopping; SIGQUIT ends it by force.", extra={"action": "cluster.stopping"})
            return
        self._stop = StagedStop(self._fleet, self._options, stop_listening=self._seat.stop_listening)
        self._ledger.stopping = True
        self._ledger.note("stopping", "", reason=why)
        logger.info("Stopping (%s).", why, extra={"action": "cluster.stopping", "reason": why})

    def _restart_by_name(self, name: str) -> None:
        cell = self._fleet.find(name)
        if cell is None:
            logger.error("There is no process %s.", name, extra={"action": "cluster.message_refused"})
        elif cell.is_worker:
            self._rollout.ask(cell, "asked")
        elif cell.child is not None and not cell.is_planned_stop:
            cell.is_planned_stop = True
            self._fleet.ask_to_stop([cell.child], limit_s=self._options.drain_s)
        elif cell.child is None:
            cell.history.forget()
            cell.retry_at = 0.0

    def _scale(self, wish: str) -> None:
        """`=4`, `+1` or `-1` workers, within the plan."""
        have = len(self._fleet.workers())
        try:
            wanted = int(wish[1:]) if wish.startswith("=") else have + int(wish)
        except ValueError:
            wanted = 0
        limit = self._options.max_workers
        if wanted < 1 or (limit and wanted > limit):
            reason = f"{wanted} workers are not possible; the plan allows 1 to {limit or 'any number'} (`make plan`)"
            self._ledger.note("scale_refused", "", reason=reason)
            logger.error("%s.", reason, extra={"action": "cluster.scale_refused", "wanted": wanted})
            return
        self._ledger.workers_wanted = wanted
        self._ledger.note("scaled", "", reason=f"{have} to {wanted} workers")
        logger.info("From %d to %d workers.", have, wanted, extra={"action": "cluster.scaled", "wanted": wanted})
        for _ in range(wanted - have):
            cell = self._new_cell(self._seat.add_worker())
            self._fleet.cells.append(cell)
            self._start(cell)
        for cell in self._fleet.workers()[wanted:]:
            self._rollout.drop(cell)
            self._fleet.cells.remove(cell)
            self._seat.remove_worker(cell.seat)
            if cell.child is not None:
                self._fleet.retire(cell.child, limit_s=self._options.drain_s)

    def _new_cell(self, process: Any) -> Cell:
        return Cell(process, RestartHistory(self._options.restart, random.random))
