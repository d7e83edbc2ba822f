"""The supervisor: drives starts, respawns, replacements and the stop of every process.

Process: main. It runs in place of Sanic's monitor loop, on the thread that starts processes.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from typing import Any

from sanic import Sanic
from sanic.exceptions import ServerKilled

from config.ids import order_floor
from config.logs import stop_logging
from services.supervisor.backoff import RestartHistory
from services.supervisor.control import answer, leave_pid
from services.supervisor.control_requests import ControlRequest, ControlRequests
from services.supervisor.graceful_shutdown import GracefulShutdown
from services.supervisor.health_monitor import LOOK_EVERY_S, HealthMonitor
from services.supervisor.options import SupervisorOptions
from services.supervisor.process_table import MAIN_ROW, ProcessSlot, ProcessTable
from services.supervisor.respawn import Respawner
from services.supervisor.rolling_restart import RollingRestart
from services.supervisor.sanic_internals import SanicManager
from services.supervisor.shutdown_responder import ShutdownResponder
from services.supervisor.status_publisher import StatusPublisher
from services.telemetry.rss import rss_bytes
from services.telemetry.scoreboard import ProcessRow, Scoreboard, Vitals

TICK_S = 0.1

logger = logging.getLogger(__name__)

Watcher = Callable[[list[ProcessRow]], bool]
"""Gets every row once a tick until it returns True."""


def supervise(
    app: Sanic[Any, Any],
    *,
    scoreboard: Scoreboard,
    options: SupervisorOptions,
    watchers: Sequence[Watcher] = (),
    on_gone: Callable[[int], None] | None = None,
) -> "Supervisor":
    """Take over Sanic's manager. Call it last in `main_process_ready`, when every managed process is declared.

    `on_gone(pid)` is called for each process that has ended (metrics of dead processes are folded there).
    """
    return Supervisor(
        SanicManager(app.manager), scoreboard=scoreboard, options=options, watchers=watchers, on_gone=on_gone
    )


class Supervisor:
    """One per instance. `_tick` does everything: ten times a second, and at once when a child dies."""

    def __init__(
        self,
        manager: SanicManager,
        *,
        scoreboard: Scoreboard,
        options: SupervisorOptions,
        watchers: Sequence[Watcher] = (),
        on_gone: Callable[[int], None] | None = None,
    ) -> None:
        self._manager = manager
        self._scoreboard = scoreboard
        self._options = options
        self._watchers = list(watchers)
        self._process_table = ProcessTable(scoreboard, run_dir=options.run_dir, on_gone=on_gone)
        self._status_publisher = StatusPublisher(scoreboard, self._process_table)
        self._respawner = Respawner(self._process_table, self._status_publisher, options)
        self._rolling_restart = RollingRestart(self._process_table, self._status_publisher, options)
        self._health_monitor = HealthMonitor(
            self._process_table, self._status_publisher, self._rolling_restart, options
        )
        self._control_requests = ControlRequests(run_dir=options.run_dir)
        self._stop: GracefulShutdown | None = None
        self._failure = ""
        self._looked_at = 0.0
        self._own_row = scoreboard.writer_at(MAIN_ROW, "Sanic-Main", "main")
        self._process_table.slots += [self._new_slot(process) for process in [*manager.services(), *manager.workers()]]
        self._status_publisher.workers_wanted = len(self._process_table.workers())
        manager.take(start=self.start, monitor=self.monitor)
        leave_pid(options.run_dir)
        self._control_requests.listen()

    def start(self) -> None:
        """Sanic calls it once: start everything, what others need first. It waits for none of them."""
        for slot in self._process_table.slots:
            self._respawner.start(slot)

    def monitor(self) -> None:
        """Sanic calls it next. Return once everything has stopped; raise ``ServerKilled`` (exit 1) after a failure."""
        while self._stop is None or not self._stop.is_over:
            self._sleep()
            self._tick()
        self._process_table.reap_retired()
        self._manager.all_ended()
        if self._failure:
            logger.critical(self._failure, extra={"action": "cluster.refused"})
            stop_logging()  # Sanic leaves by os._exit
            raise ServerKilled
        logger.info("Everything has stopped.", extra={"action": "cluster.stopped"})

    def _sleep(self) -> None:
        """Sleep until a child dies, a worker sends a message, or the next tick is due."""
        inbox = self._manager.inbox
        if inbox in wait([inbox, *self._process_table.sentinels()], TICK_S):
            self._control_requests.hear(inbox.recv())

    def _tick(self) -> None:
        now = time.monotonic()
        for request in self._control_requests.take():
            self._grant(request)
        for child in self._process_table.reap_retired():
            logger.info("The old %s has left.", child.name, extra={"action": "worker.left", "exit": child.last_exit})
        self._respawner.look(now, is_stopping=self._stop is not None)
        self._health_monitor.look(now)
        if self._respawner.refusal and self._stop is None:
            self._begin_stop("the start is given up", failure=self._respawner.refusal)
        if self._stop is None:
            self._rolling_restart.step()
            self._process_table.enforce_stop_limits(self._process_table.all_children())
        else:
            self._stop.step(self._rolling_restart.abandon())
        self._status_publisher.publish()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            order_floor()  # raises the floor of message order, as every heartbeat does
            if self._stop is None:
                self._health_monitor.weigh()
            self._own_row.beat(Vitals(rss_bytes=rss_bytes(), cpu_s=round(time.process_time(), 3)))
        if self._watchers:
            rows = self._scoreboard.rows()
            self._watchers = [watcher for watcher in self._watchers if not watcher(rows)]

    def _grant(self, request: ControlRequest) -> None:
        if request.kind == "abort":
            for child in self._process_table.all_children():
                self._process_table.kill(child, "abort")
            self._begin_stop(request.why, failure=f"Ended by force ({request.why}).")
        elif request.kind == "stop":
            self._begin_stop(request.why)
        elif self._stop is not None:
            return
        elif request.kind == "reload":
            answer(self._options.run_dir, self._rolling_restart.reload(request.why))
        elif request.kind in ("scale_to", "scale_by"):
            have = len(self._process_table.workers())
            answer(
                self._options.run_dir, self._scale(have, request.count + (have if request.kind == "scale_by" else 0))
            )
        else:
            for name in request.names:
                self._restart_by_name(name)

    def _begin_stop(self, why: str, *, failure: str = "") -> None:
        self._failure = failure or self._failure
        if self._stop is not None:
            logger.info("Already stopping; SIGQUIT ends it by force.", extra={"action": "cluster.stopping"})
            return
        shutdown_responder = ShutdownResponder(self._manager.listener, is_plain=self._manager.speaks_plain)
        self._stop = GracefulShutdown(self._process_table, self._options, shutdown_responder=shutdown_responder)
        self._status_publisher.stopping = True
        self._status_publisher.note("stopping", "", reason=why)
        logger.info("Stopping (%s).", why, extra={"action": "cluster.stopping", "reason": why})

    def _restart_by_name(self, name: str) -> None:
        slot = self._process_table.find(name)
        if slot is None:
            logger.error("There is no process %s.", name, extra={"action": "cluster.message_refused"})
        elif slot.child is None:
            slot.try_at_once()
        elif slot.is_worker:
            self._rolling_restart.ask(slot, "asked")
        elif not slot.is_planned_stop:  # a service is one of its kind: the old one leaves before the new one comes
            slot.is_planned_stop = True
            self._process_table.ask_to_stop([slot.child], limit_s=self._options.drain_s)

    def _scale(self, have: int, wanted: int) -> str:
        limit = self._options.max_workers
        if wanted < 1 or (limit and wanted > limit):
            reason = f"refused: {wanted} workers are not possible; the plan allows 1 to {limit or 'any number'}"
            self._status_publisher.note("scale_refused", "", reason=reason)
            logger.error("%s.", reason, extra={"action": "cluster.scale_refused", "wanted": wanted})
            return reason
        line = f"from {have} to {wanted} workers"
        self._status_publisher.workers_wanted = wanted
        self._status_publisher.note("scaled", "", reason=line)
        logger.info("Scaling %s.", line, extra={"action": "cluster.scaled", "wanted": wanted})
        for _ in range(wanted - have):
            slot = self._new_slot(self._manager.add_worker())
            self._process_table.slots.append(slot)
            self._respawner.start(slot)
        for slot in self._process_table.workers()[wanted:]:
            self._rolling_restart.drop(slot)
            self._process_table.slots.remove(slot)
            self._manager.remove_worker(slot.sanic_process)
            if slot.child is not None:
                self._process_table.retire(slot.child, limit_s=self._options.drain_s)
        return line

    def _new_slot(self, process: Any) -> ProcessSlot:
        return ProcessSlot(process, RestartHistory(self._options.restart, random.random))
