"""How a worker stops: it accepts no more connections, ends live streams, finishes its requests, then exits.

Process: worker.
"""

import asyncio
import logging
import signal
from types import FrameType
from typing import Any

from sanic import Sanic

from services.http_server.connection_limits import ConnectionTracker
from services.supervisor.child_process import STOP_SIGNALS
from services.telemetry.heartbeat import Heartbeat
from services.telemetry.scoreboard import ProcessRow, Scoreboard

MARGIN_S = 1.0  # the worker ends by itself before main would end it
logger = logging.getLogger(__name__)


class Drain:
    """`began` is set once this worker drains: live streams wait for it, send their last event and return."""

    def __init__(
        self, app: Sanic[Any, Any], connections: ConnectionTracker, heartbeat: Heartbeat, *, limit_s: float
    ) -> None:
        self.began = asyncio.Event()
        self._app = app
        self._connections = connections
        self._heartbeat = heartbeat
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = max(1.0, limit_s - MARGIN_S)

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over the stop signals. Call it in `after_server_start`.

        Sanic restores the default handlers when it begins to drain, so a second SIGTERM, or one to the whole group,
        would cut every request in flight. Our handlers stay, and only the first signal counts.
        """

        def on_stop(_signum: int, _frame: FrameType | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._stop, loop)

        for signum in STOP_SIGNALS:
            loop.remove_signal_handler(signum)
            signal.signal(signum, on_stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def begin(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Begin the drain; False if it had begun. From now on every answer closes its connection, on new ones too."""
        if self.began.is_set():
            return False
        self.began.set()
        self._app.config.KEEP_ALIVE = False
        self._connections.begin_drain(loop)
        self._heartbeat.say("draining")
        logger.info(
            "This worker drains: %d requests in flight, %d connections.",
            self._connections.in_flight(),
            self._connections.connection_count(),
            extra={"action": "worker.draining"},
        )
        return True

    def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """`loop.stop()`, not `app.stop()`, which would cancel the app's tasks before the requests have finished."""
        if self.begin(loop):
            loop.stop()


def why_not_ready(scoreboard: Scoreboard) -> list[str]:
    """Return the cluster's own reasons for `/readyz` to answer 503: a stop, an open breaker, a hung service.

    One worker that drains or hangs is no reason: the others serve, and a load balancer would drop the whole host.
    """
    facts = scoreboard.facts()
    reasons = ["the instance is stopping"] if facts.stopping else []
    reasons += [f"{name} does not start; its breaker is open" for name in facts.open_breakers]
    return reasons + [_hung(row) for row in scoreboard.rows() if row.state == "stalled" and row.role != "worker"]


def _hung(row: ProcessRow) -> str:
    age = f"; its last heartbeat is {row.heartbeat_age_s:.0f} s old" if row.heartbeat_age_s >= 2 else ""
    return f"{row.name} does not respond{age}"
