"""Steady load from outside: a process of its own that sends on a clock, whatever the answers do, and writes down all.

`offer(cluster, …)` is for tests; `python -m tests.harness.load` is that process. Open loop (`rate`): a request is due
when the clock says so, and its time runs from then. Closed loop (`clients`): each client goes on as fast as it is
answered. One request in `ORDER_EVERY` accepts a message, the others read. Nothing is ever repeated: a client library
that repeats a GET on a broken connection would hide the loss.
"""

import argparse
import asyncio
import contextlib
import itertools
import random
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from pathlib import Path

import orjson
import uvloop

from tests.harness.cluster import Cluster
from tests.harness.sanic_command import ROOT
from tests.harness.waiting import until

TIMEOUT_S = 10.0
KEPT_OPEN = 16  # connections, used in turn, so that every worker has some of them
PHONES = 200
ORDER_EVERY = 10
SUBMIT, READ, PING = "POST /v1/messages", "GET /v1/messages/<id>", "GET /livez"


@dataclass(frozen=True, slots=True)
class Shot:
    """One request. `at` is when it was due (time.monotonic, the same clock in every process); `outcome` the status
    or the name of what went wrong; `id` that of an accepted message; `is_new`: on a connection opened for it."""

    what: str
    at: float
    took_s: float
    outcome: str
    id: str = ""
    is_new: bool = False

    @property
    def failed(self) -> bool:
        return not self.outcome.startswith("2")


@dataclass
class Report:
    """What the clients saw."""

    shots: list[Shot] = field(default_factory=list)

    @property
    def failures(self) -> list[Shot]:
        return [shot for shot in self.shots if shot.failed]

    @property
    def accepted(self) -> list[str]:
        """Message ids that were answered with 202."""
        return [shot.id for shot in self.shots if shot.id]

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(shot.outcome for shot in self.failures))

    def answered(self, what: str, outcome: str) -> int:
        return sum(shot.what == what and shot.outcome == outcome for shot in self.shots)

    def recovery_s(self, at: float, until_at: float = float("inf")) -> float:
        """Seconds from `at` to the moment the last request that failed was due: 0 when none did."""
        late = [shot.at for shot in self.failures if at <= shot.at < until_at]
        return max(late, default=at) - at

    def gap_s(self, at: float, until_at: float = float("inf")) -> float:
        """The longest time after `at` without a single good answer."""
        good = sorted(shot.at + shot.took_s for shot in self.shots if not shot.failed)
        good = [at, *(moment for moment in good if at <= moment < until_at)]
        return max((later - earlier for earlier, later in itertools.pairwise(good)), default=0.0)

    def latency_s(self, share: float, *, what: str = "") -> float:
        """This quantile of the good answers' times."""
        times = sorted(shot.took_s for shot in self.shots if not shot.failed and what in shot.what)
        return times[min(len(times) - 1, int(share * len(times)))] if times else float("nan")


@dataclass
class Load:
    """A load under way; `report` is filled in when it has ended."""

    process: "subprocess.Popen[bytes]"
    path: Path
    report: Report = field(default_factory=Report)

    def wait(self, within_s: float = 600.0) -> Report:
        """Until a load of a fixed size is through."""
        self.process.wait(within_s)
        return self._read()

    def stop(self) -> Report:
        """No new requests; those under way are waited for."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait(TIMEOUT_S + 20)

    def _read(self) -> Report:
        assert self.process.returncode == 0, f"the load generator ended with {self.process.returncode}"
        lines = self.path.read_bytes().splitlines()
        self.report.shots[:] = [Shot(*orjson.loads(line)) for line in lines]
        return self.report


@contextlib.contextmanager
def offer(
    cluster: Cluster,
    *,
    rate: float = 100.0,
    clients: int = 0,
    requests: int = 0,
    keep_alive: bool = True,
    reads: str = READ,
    order_every: int = ORDER_EVERY,
) -> Iterator[Load]:
    """Load on this cluster, running when the block begins and stopped at its end. `clients` > 0: closed loop."""
    path = cluster.folder / f"load-{time.monotonic_ns()}.jsonl"
    command = [sys.executable, "-m", "tests.harness.load", str(cluster.port), str(path), f"--rate={rate}"]
    command += [f"--clients={clients}", f"--requests={requests}", f"--reads={reads}", f"--order-every={order_every}"]
    command += [] if keep_alive else ["--close"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(cluster.key.encode())
    process.stdin.close()
    load = Load(process, path)
    try:
        until(path.exists, "the load has begun", within_s=60)
        yield load
        load.stop()
    finally:
        process.kill()
        process.wait()


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    may_stay: bool = True
    is_new: bool = True
    says_when: bool = True  # the last answer told when to come again

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """One request and its whole answer."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await self.reader.readexactly(size)
        self.may_stay = b"connection: close" not in head
        self.says_when = b"\r\nretry-after:" in head
        return int(head.split(b" ", 2)[1]), body


class _Generator:
    """Sends, and remembers."""

    def __init__(self, options: argparse.Namespace, key: str) -> None:
        self._options = options
        self._head = (
            f"host: 127.0.0.1:{options.port}\r\nauthorization: Bearer {key}\r\n"
            f"connection: {'close' if options.close else 'keep-alive'}\r\n"
        )
        self._free: deque[_Connection] = deque()
        self._open = 0
        self._count = 0
        self._ids: list[str] = []
        self._chance = random.Random(1)
        self._shots: list[Shot] = []
        self.over = asyncio.Event()

    async def run(self) -> list[Shot]:
        if self._options.clients:
            await asyncio.gather(*[self._go_on() for _ in range(self._options.clients)])
        else:
            await self._keep_the_clock()
        return self._shots

    async def _keep_the_clock(self) -> None:
        began = time.monotonic()
        shots: set[asyncio.Task[None]] = set()
        for number in itertools.count():
            at = began + number / self._options.rate
            if self._is_over():
                break
            if (pause_s := at - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.over.wait(), pause_s)
                    break
            shots.add(task := asyncio.create_task(self._shoot(at)))
            task.add_done_callback(shots.discard)
            if pause_s <= 0:
                await asyncio.sleep(0)
        await asyncio.gather(*shots)

    async def _go_on(self) -> None:
        while not self._is_over():
            await self._shoot(time.monotonic())

    def _is_over(self) -> bool:
        return self.over.is_set() or 0 < self._options.requests <= self._count

    async def _shoot(self, at: float) -> None:
        what, request = self._next()
        found = ""
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = await self._connection()
                status, body = await self._ask(connection, request)
            is_silent = status in (429, 503) and not connection.says_when
            outcome = f"{status} without Retry-After" if is_silent else str(status)
            if what == SUBMIT and status == 202:
                found = orjson.loads(body)["id"]
                self._ids.append(found)
        except (OSError, EOFError, IndexError, ValueError, TimeoutError) as error:
            outcome = type(error).__name__
        is_new = connection is None or connection.is_new
        self._shots.append(Shot(what, at, time.monotonic() - at, outcome, found, is_new))
        if connection is not None:
            connection.is_new = False

    def _next(self) -> tuple[str, bytes]:
        number = self._count
        self._count += 1
        if number % self._options.order_every == 0:
            message = {
                "to": str(16505550000 + number // self._options.order_every % PHONES),
                "type": "template",
                "template": {"name": "hello_world", "language": {"code": "en_US"}},
                "on_uncertain": "resend",
            }
            body = orjson.dumps(message)
            head = f"POST /v1/messages HTTP/1.1\r\n{self._head}content-length: {len(body)}\r\n\r\n"
            return SUBMIT, head.encode() + body
        if self._options.reads == READ and self._ids:
            path = f"/v1/messages/{self._chance.choice(self._ids)}"
            return READ, f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()
        return PING, f"GET /livez HTTP/1.1\r\n{self._head}\r\n".encode()

    async def _ask(self, connection: _Connection, request: bytes) -> tuple[int, bytes]:
        try:
            answer = await connection.ask(request)
        except BaseException:
            connection.may_stay = False
            raise
        finally:
            if connection.may_stay:
                self._free.append(connection)
            else:
                self._open -= 1
                connection.writer.close()
        return answer

    async def _connection(self) -> _Connection:
        """The one that has rested longest; a new one while there are few, or all are busy."""
        while self._free and self._open >= KEPT_OPEN:
            connection = self._free.popleft()
            if not connection.reader.at_eof():
                return connection
            self._open -= 1
            connection.writer.close()
        self._open += 1
        try:
            return _Connection(*await asyncio.open_connection("127.0.0.1", self._options.port))
        except BaseException:
            self._open -= 1
            raise


async def _main(options: argparse.Namespace, key: str) -> None:
    generator = _Generator(options, key)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, generator.over.set)
    options.path.touch()  # the process that started us may begin
    shots = await generator.run()
    lines = [orjson.dumps(astuple(shot)) for shot in shots]
    options.path.write_bytes(b"\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--reads", default=READ)
    parser.add_argument("--order-every", type=int, default=ORDER_EVERY)
    parser.add_argument("--close", action="store_true")
    uvloop.run(_main(parser.parse_args(), sys.stdin.read()))
