"""What blocked an event loop, told apart from a machine that was busy with something else.

asyncio's debug mode logs every callback that took too long on the clock. Part of that time the thread may have stood in
the kernel's run queue, because others had the CPU: that is the machine's fault. The kernel counts it
(`/proc/…/schedstat`), and here it is taken off.
"""

import re
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

SLOW_S = 0.1
SAMPLE_S = 0.02

_LINE = re.compile(
    r"^(?P<at>\d\d:\d\d:\d\d\.\d{3}) +WARNING +(?P<process>\S+) (?P<pid>\d+) \S+ +"
    r"Executing (?P<what>.*) took (?P<seconds>\d+\.\d+) seconds"
)


@dataclass(frozen=True)
class Slow:
    """A callback that took long: where, until when (Unix time), how long on the clock."""

    process: str
    pid: int
    what: str
    ended_at: float
    seconds: float


@dataclass(frozen=True)
class Sample:
    """Seconds since the process began: how long its threads waited for a CPU, and its main thread had one."""

    at: float
    waited_s: float
    loop_cpu_s: float


@dataclass
class Samples:
    """What the kernel said of one process, in order."""

    samples: list[Sample] = field(default_factory=list)

    def own_s(self, began_at: float, ended_at: float) -> float:
        """How much of this time was the program's own doing, at least.

        Either what is left without the wait for a CPU, or what its main thread did on one, whichever is more. The
        samples lie around the time, so both err in favour of the program: the more so, the busier the machine.
        """
        clock_s = ended_at - began_at
        if not self.samples:
            return clock_s
        moments = [sample.at for sample in self.samples]
        first = self.samples[max(0, bisect_right(moments, began_at) - 1)]
        last = self.samples[min(len(moments) - 1, bisect_left(moments, ended_at))]
        outside_s = max(0.0, (last.at - first.at) - clock_s)
        return max(
            clock_s - (last.waited_s - first.waited_s),
            min(clock_s, last.loop_cpu_s - first.loop_cpu_s - outside_s),
        )


class Watch(threading.Thread):
    """Samples each process until `stop()`."""

    def __init__(self, pids: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self.processes = {pid: Samples() for pid in pids}
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_S):
            for pid, found in self.processes.items():
                sample = sample_of(pid)
                if sample is not None:
                    found.samples.append(sample)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def sample_of(pid: int) -> Sample | None:
    """None where the kernel does not say.

    The wait is that of all threads: one that waits for a CPU may hold the interpreter's lock, which the loop needs.
    """
    waited_ns = 0
    at = time.time()
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            waited_ns += int((thread / "schedstat").read_text().split()[1])
        cpu_ns = int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return Sample(at, waited_ns / 1e9, cpu_ns / 1e9)


def slow_callbacks(log: str, *, day: datetime) -> list[Slow]:
    """Every complaint of asyncio's debug mode in a log for people, whose times are of this local `day`."""
    found = []
    for line in log.splitlines():
        if match := _LINE.match(line):
            clock = datetime.strptime(match["at"], "%H:%M:%S.%f")  # noqa: DTZ007 - it gets the day's zone below
            at = day.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)
            found.append(
                Slow(match["process"], int(match["pid"]), match["what"], at.timestamp(), float(match["seconds"]))
            )
    return found


def faults(slow: Sequence[Slow], processes: Mapping[int, Samples]) -> list[str]:
    """Those that are too slow also without the machine's part, one line each."""
    found = []
    for one in slow:
        own_s = processes.get(one.pid, Samples()).own_s(one.ended_at - one.seconds, one.ended_at)
        if own_s > SLOW_S:
            clock = f"{own_s:.3f} s of its own ({one.seconds:.3f} s on the clock)"
            found.append(f"{one.process}: {clock}: {one.what[:400]}")
    return found
