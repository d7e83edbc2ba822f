"""A worker's life in four steps, one for each listener of `server.py`.

Process: worker.
"""

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from sanic import Request, Sanic
from sanic.response import BaseHTTPResponse

from config.metering import PoolUse
from services.http_server.access_log import log_answer, log_request
from services.http_server.connection_limits import ConnectionLimits, ConnectionTracker
from services.http_server.drain import Drain
from services.http_server.forwarded import origin_of
from services.http_server.protocol import CLIENT_CLOSED
from services.http_server.rebalance import too_many
from services.supervisor.child_process import leave_with_parent
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.latency import RequestStats
from services.telemetry.meter import ProcessMeter
from services.telemetry.metrics.definitions import observe_request
from services.telemetry.scoreboard import Scoreboard


class WorkerLifecycle:
    """`open` comes before everything else, `serve` after it, `drain` first and `close` last at a stop.

    The constructor puts it in `app.ctx.life`, and its connection tracker in `app.ctx.connections` for the protocol.
    Live streams wait for the event `draining`.
    """

    def __init__(
        self,
        app: Sanic[Any, Any],
        scoreboard: Scoreboard,
        *,
        run_dir: str,
        drain_s: float,
        heartbeat_s: float = 1.0,
        limits: ConnectionLimits | None = None,
        pool: Callable[[], PoolUse] | None = None,
        meter: ProcessMeter | None = None,
        access_log: bool = False,
        extra: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        leave_with_parent()
        self.scoreboard = scoreboard
        self.stats = RequestStats()
        self.connections = ConnectionTracker(limits or ConnectionLimits())
        self.heartbeat = Heartbeat(
            scoreboard.writer(os.environ.get("SANIC_WORKER_NAME", "Sanic-Server-0-0"), "worker"),
            run_dir=run_dir,
            every_s=heartbeat_s,
            stats=self.stats,
            meter=meter,
            extra=extra,
            pool=pool,
            in_flight=self.connections.in_flight,
            connections=self._balanced_connections,
        )
        self._drain = Drain(app, self.connections, self.heartbeat, limit_s=drain_s)
        self._logs_requests = access_log
        self._beside: set[asyncio.Task[None]] = set()
        app.ctx.life = self
        app.ctx.connections = self.connections

    @property
    def draining(self) -> asyncio.Event:
        """Set once this worker drains."""
        return self._drain.began

    async def open(self) -> None:
        """In `before_server_start`, first: main sees the process, and every connection has its limits."""
        self.heartbeat.start("starting")
        self.connections.start()

    async def serve(self) -> None:
        """In `after_server_start`, last: stop signals are ours, and main may drain our predecessor."""
        self._drain.install(asyncio.get_running_loop())
        self.heartbeat.say("ready")

    def run_beside(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Run `work` until this worker drains.

        Not `app.add_task`: at a stop Sanic counts its limit down and compares it with exactly 0, which a fraction never
        equals, so it spins for ever while one of its tasks is left.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def drain(self) -> None:
        """In `before_server_stop`, first: drain connections, cancel the tasks of `run_beside`."""
        self._drain.begin(asyncio.get_running_loop())
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)

    async def close(self) -> None:
        """In `after_server_stop`, last: stop the sweep of connections and the heartbeat."""
        await self.connections.stop()
        await self.heartbeat.stop()

    def _balanced_connections(self) -> int:
        """Return this worker's connections for the heartbeat, and set how many of them are too many."""
        own = self.connections.connection_count()
        of_others = [
            row.vitals.connections
            for row in self.scoreboard.rows()
            if row.role == "worker" and row.state == "ready" and row.pid != os.getpid()
        ]
        self.connections.surplus = too_many(own, [own, *of_others])
        return own

    def observe(self, request: Request, response: BaseHTTPResponse) -> None:
        """In the `on_response` middleware: count and log the request. A stream counts when it starts."""
        began: float | None = getattr(request.stream, "perft0", None)  # HTTP/1: when the header was complete
        if began is None:
            return
        if self.should_close():
            setattr(request.stream, "keep_alive", False)  # noqa: B010 - an attribute of HTTP/1 streams alone
        seconds = time.perf_counter() - began
        # Sanic says 500 when the client hung up and its handler was cancelled; that is no error of ours.
        status = CLIENT_CLOSED if request.conn_info is not None and request.conn_info.lost else response.status
        route = request.route
        self.count(request.method, None if route is None else route.path, status, seconds)
        if self._logs_requests:
            log_request(request, status=status, seconds=seconds, client=origin_of(request).address)

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count an answered request; ``route`` is its pattern, None if no route matched."""
        self.stats.observe(seconds * 1000, is_error=status >= 500)
        observe_request(method, route, status, seconds)

    def answered(
        self,
        method: str,
        route: str,
        *,
        path: str,
        status: int,
        seconds: float,
        client: Callable[[], str],
        key_id: str | None = None,
        given_request_id: str | None = None,
    ) -> None:
        """Count and log a request of the fast path. ``client`` returns its address; called only if it is logged."""
        self.count(method, route, status, seconds)
        if self._logs_requests:
            log_answer(
                method,
                path,
                status=status,
                seconds=seconds,
                key_id=key_id,
                given_request_id=given_request_id,
                client=client(),
            )

    def should_close(self) -> bool:
        """Should this answer close its connection? Then its client reconnects, most likely to another worker."""
        return self.connections.surplus > 0 and self.connections.release_surplus()
