"""Runs several processes of the load generator and adds up what they saw.

Process: a command.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from benchmarks.histogram import Histogram
from benchmarks.load import Order, order_bytes

ROOT = Path(__file__).resolve().parents[1]
START_S = 0.8
"""Until every process of the generator stands at its start."""
READY_S = 4.0
"""And where its requests are made before."""


@dataclass(slots=True)
class Seen:
    """One load, all processes of it together. Times in milliseconds, counted from when a request was due."""

    rate_per_s: float
    achieved_per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    count: int
    failures: dict[str, int]
    generator_cpu_s: float
    cpu_us: float = 0.0
    ids: list[str] = field(default_factory=list, repr=False)

    @property
    def failed_share(self) -> float:
        """Of all requests, those that got no good answer."""
        return sum(self.failures.values()) / max(1, self.count)

    def as_dict(self) -> dict[str, object]:
        """For the results file."""
        figures = (
            "rate_per_s",
            "achieved_per_s",
            "p50_ms",
            "p90_ms",
            "p99_ms",
            "max_ms",
            "count",
            "failures",
            "cpu_us",
        )
        return {name: round(value, 2) if isinstance(value := getattr(self, name), float) else value for name in figures}


def drive(order: Order, *, processes: int = 1) -> Seen:
    """Run the order, its rate and connections shared between the processes."""
    start_at = time.time() + (READY_S if order.kind == "webhook" else START_S)
    running = []
    for position in range(processes):
        share = replace(
            order,
            rate_per_s=order.rate_per_s / processes,
            connections=max(1, order.connections // processes),
            start_at=start_at + (position / order.rate_per_s if order.rate_per_s else 0.0),
            seed=order.seed * 100 + position,
        )
        folder = Path(tempfile.mkdtemp(prefix="panal-load-"))
        (folder / "order").write_bytes(order_bytes(share))
        command = [sys.executable, "-m", "benchmarks.load", str(folder / "order"), str(folder / "seen")]
        running.append((folder, subprocess.Popen(command, cwd=ROOT)))
    latencies, statuses = Histogram(), Counter[str]()
    answered, seconds, cpu_s = 0, order.seconds - order.warm_s, 0.0
    ids: list[str] = []
    for folder, process in running:
        process.wait()
        found = orjson.loads((folder / "seen").read_bytes())
        shutil.rmtree(folder)
        latencies.merge(Histogram.from_dict(found["latencies"]))
        statuses.update(found["statuses"])
        if found["unanswered"]:
            statuses["unanswered"] += found["unanswered"]
        answered += found["answered"]
        cpu_s += found["cpu_s"]
        ids += found["ids"]
    return Seen(
        rate_per_s=order.rate_per_s,
        achieved_per_s=answered / seconds,
        p50_ms=latencies.quantile_ms(0.5),
        p90_ms=latencies.quantile_ms(0.9),
        p99_ms=latencies.quantile_ms(0.99),
        max_ms=latencies.max_ms,
        count=latencies.count,
        failures={status: count for status, count in statuses.items() if not ("200" <= status < "300")},
        generator_cpu_s=cpu_s,
        ids=ids,
    )
