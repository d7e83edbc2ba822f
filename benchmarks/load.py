"""One process of the load generator: at a constant rate (open loop), or as fast as the answers come (saturation).

Process: a command: ``python -m benchmarks.load ORDER SEEN``, two files of JSON.

In the open loop a latency counts from the moment when the request was due, so that a stall of the server is not hidden
by a client that waits for it.
"""

import asyncio
import sys
import time
from array import array
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks import wire
from benchmarks.connection import Pool
from benchmarks.histogram import Histogram

KEPT_IDS = 4000
PATIENCE_S = 10.0


@dataclass
class Order:
    """What to do. ``rate_per_s`` 0: saturation. Latencies of the first ``warm_s`` seconds are not counted."""

    kind: str
    port: int
    key: str
    seconds: float
    rate_per_s: float = 0.0
    connections: int = 32
    warm_s: float = 1.0
    start_at: float = 0.0
    seed: int = 1
    phones: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    secret: str = ""
    number: str = ""
    waba: str = ""
    accept_share: float = 0.2


class Load:
    """Runs one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._pool = Pool("127.0.0.1", order.port, size=order.connections, on_answer=self._answered)
        self._next = next_request(order)
        # What it means is worked out when the clock has stopped: these two cores are the server's, too.
        self._latencies_ms = array("d")
        self._statuses = array("H")
        self.ids: list[str] = []
        self._counts_from = 0.0
        self._counts_until = 0.0
        self._under_way = 0
        self._sends_again = False
        self.answered = 0
        self.late_ms = 0.0

    async def run(self) -> dict[str, Any]:
        """Send for the time of the order, then wait for what is under way."""
        await self._pool.open()
        await asyncio.sleep(max(0.0, self._order.start_at - time.time()))
        began, cpu_at = time.perf_counter(), time.process_time()
        self._counts_from = began + self._order.warm_s
        self._counts_until = began + self._order.seconds
        if self._order.rate_per_s:
            await self._at_rate(began)
        else:
            await self._saturate()
        until = time.perf_counter() + PATIENCE_S
        while self._under_way and time.perf_counter() < until:  # noqa: ASYNC110 - a few looks at the very end
            await asyncio.sleep(0.01)
        unanswered, cpu_s = self._under_way, time.process_time() - cpu_at
        self._pool.close()
        latencies = Histogram()
        for ms in self._latencies_ms:
            latencies.add(ms)
        return {
            "latencies": latencies.as_dict(),
            "statuses": {str(status): count for status, count in Counter(self._statuses).items()},
            "answered": self.answered,
            "seconds": self._order.seconds - self._order.warm_s,
            "unanswered": unanswered,
            "late_ms": self.late_ms,
            "ids": self.ids,
            "cpu_s": cpu_s,
        }

    async def _at_rate(self, began: float) -> None:
        period = 1 / self._order.rate_per_s
        due, end = began, self._counts_until
        while due < end:
            now = time.perf_counter()
            while due <= now and due < end:
                self._send(due)
                due += period
            self.late_ms = max(self.late_ms, (time.perf_counter() - now) * 1000)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _saturate(self) -> None:
        self._sends_again = True
        for _ in range(self._order.connections):
            self._send(time.perf_counter())
        await asyncio.sleep(self._order.seconds)

    def _send(self, due: float) -> None:
        self._under_way += 1
        self._pool.ask(self._next(), due)

    def _answered(self, due: float, status: int, answer: bytes, body_at: int) -> None:
        now = time.perf_counter()
        self._under_way -= 1
        if self._counts_from <= due < self._counts_until:
            self._latencies_ms.append((now - due) * 1000)
            self._statuses.append(status)
        if self._counts_from <= now < self._counts_until and 0 < status < 400:
            self.answered += 1
        if status == 202 and len(self.ids) < KEPT_IDS:
            self.ids.append(orjson.loads(answer[body_at:])["id"])
        if self._sends_again and now < self._counts_until:
            self._send(now)


def next_request(order: Order) -> wire.Request:
    """The requests of a kind."""
    key = order.key
    if order.kind == "accept":
        return wire.accepts(key, order.phones)
    if order.kind == "read":
        return wire.reads(key, order.ids, seed=order.seed)
    if order.kind == "mixed":
        accepting, reading = wire.accepts(key, order.phones), wire.reads(key, order.ids, seed=order.seed)
        return wire.mixed(accepting, reading, share=order.accept_share, seed=order.seed)
    if order.kind == "webhook":
        return wire.webhooks(order.secret, number=order.number, waba=order.waba, phones=order.phones, seed=order.seed)
    if order.kind == "paths":
        ready = iter([wire.http("GET", path, key) for path in order.paths] * 100_000)
        return lambda: next(ready)
    raise ValueError(order.kind)


def main() -> None:
    """Read, run, write."""
    order_path, seen_path = map(Path, sys.argv[1:])
    order = Order(**orjson.loads(order_path.read_bytes()))
    seen_path.write_bytes(orjson.dumps(uvloop.run(Load(order).run())))


def order_bytes(order: Order) -> bytes:
    """What a process of the generator reads."""
    return orjson.dumps(asdict(order))


if __name__ == "__main__":
    main()
