"""The heartbeat: each process writes its slot of the scoreboard about once a second, from its event loop.

Process: all of them. If it stops, main takes the event loop for stuck: so it runs on the loop, not on a thread.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from config.ids import order_floor
from config.metering import PoolUse
from services.supervisor.child_process import dump_stacks_on_signal
from services.telemetry.latency import RequestStats
from services.telemetry.meter import ProcessMeter
from services.telemetry.rss import rss_bytes
from services.telemetry.scoreboard import ScoreboardRefused, ScoreboardWriter, Vitals

logger = logging.getLogger(__name__)


class Heartbeat:
    """`start()` on the loop, `state` whenever it changes, `await stop()` last of all.

    `extra()` gives what only this process knows (the owner: lease, epoch, queue depth and age), `pool()` the use of
    its database pool, `in_flight()` and `connections()` the HTTP side. All are called once a beat and must be cheap.
    `meter` is what counts its database operations.
    """

    def __init__(
        self,
        writer: ScoreboardWriter,
        *,
        run_dir: str,
        every_s: float = 1.0,
        stats: RequestStats | None = None,
        meter: ProcessMeter | None = None,
        extra: Callable[[], Mapping[str, Any]] | None = None,
        pool: Callable[[], PoolUse] | None = None,
        in_flight: Callable[[], int] | None = None,
        connections: Callable[[], int] | None = None,
    ) -> None:
        self.state = "starting"
        self._writer = writer
        self._run_dir = run_dir
        self._every_s = writer.every_s = every_s
        self._stats = stats
        self._meter = meter
        self._extra = extra
        self._pool = pool
        self._in_flight = in_flight
        self._connections = connections
        self._lag_ms = 0.0
        self._cpu = (time.monotonic(), time.process_time())
        self._cpu_percent = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self, state: str = "starting") -> None:
        """Write the first beat now, then one every ``every_s`` seconds. From here on main checks this loop."""
        dump_stacks_on_signal(self._run_dir)
        self.say(state)
        # A task of the loop, not of the app: Sanic cancels its own at the start of a drain.
        self._task = asyncio.get_running_loop().create_task(self._run(), name="heartbeat")

    def say(self, state: str) -> None:
        """Set the state and write it at once."""
        self.state = state
        self.beat()

    async def stop(self) -> None:
        """End the beats; the last record stays."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def beat(self) -> None:
        """One record. A part that cannot be measured is left out, with a line in the log; the beat goes on."""
        try:
            extra = self._extra() if self._extra is not None else None
            self._writer.beat(self._vitals(), extra)
        except ScoreboardRefused as error:
            logger.error("The scoreboard refused it: %s.", error, extra={"action": "heartbeat.refused"})
            self._writer.beat(self._vitals(), {})
        except Exception:
            logger.exception("Vitals could not be measured.", extra={"action": "heartbeat.failed"})
            self._writer.beat(Vitals(state=self.state, rss_bytes=rss_bytes()))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_at = loop.time() + self._every_s
            await asyncio.sleep(self._every_s)
            self._lag_ms = max(0.0, loop.time() - due_at) * 1000
            order_floor()  # every process sees a clock that is set ahead, those that draw no order too
            self.beat()

    def _vitals(self) -> Vitals:
        now, cpu_s = time.monotonic(), time.process_time()
        if now - self._cpu[0] >= self._every_s / 2:
            self._cpu_percent = 100 * (cpu_s - self._cpu[1]) / (now - self._cpu[0])
            self._cpu = (now, cpu_s)
        p50_ms = p95_ms = p99_ms = 0.0
        if self._stats is not None:
            self._stats.turn(now)
            p50_ms, p95_ms, p99_ms = self._stats.quantiles_ms(0.5, 0.95, 0.99)
        pool = self._pool() if self._pool is not None else PoolUse()
        meter = self._meter
        if meter is not None:
            meter.turn(now)
        return Vitals(
            state=self.state,
            rss_bytes=rss_bytes(),
            cpu_s=round(cpu_s, 3),
            cpu_percent=round(self._cpu_percent, 1),
            requests=self._stats.requests if self._stats is not None else 0,
            in_flight=self._in_flight() if self._in_flight is not None else 0,
            connections=self._connections() if self._connections is not None else 0,
            p50_ms=round(p50_ms, 2),
            p95_ms=round(p95_ms, 2),
            p99_ms=round(p99_ms, 2),
            loop_lag_ms=round(self._lag_ms, 2),
            pool_checked_out=pool.in_use,
            pool_waiting=pool.waiting,
            pool_max=pool.limit,
            pool_open=pool.open,
            db_operations=meter.operations if meter is not None else 0,
            db_operations_per_s=round(meter.operations_per_s, 2) if meter is not None else 0.0,
            messages_accepted=meter.messages_accepted if meter is not None else 0,
            messages_accepted_per_s=round(meter.accepted_per_s, 3) if meter is not None else 0.0,
        )
