"""No descriptors, no disk, no reader of the log: the service goes on, and is well again when the want is over."""

import asyncio
import contextlib
import os
import select
import threading
import time
from pathlib import Path

import pytest

from tests.chaos.box import box_in, eventually, failed_of, load_of, sums
from tests.chaos.figures import assert_within, note
from tests.harness.load import PING, offer
from tests.harness.slack import slack

pytestmark = pytest.mark.chaos

FILES = 256
IDLERS = 1000


async def test_no_descriptors_left(tmp_path: Path) -> None:
    """1,000 idle connections where 256 files may be open: the rest is refused with a word, and leaves no trace."""
    prefix = ["prlimit", f"--nofile={FILES}:{FILES}"]
    with box_in(tmp_path, workers=2, prefix=prefix) as box:
        cluster = await asyncio.to_thread(box.cluster)
        writers: list[asyncio.StreamWriter] = []
        refused = 0
        for _ in range(IDLERS):
            reader, writer = await asyncio.open_connection("127.0.0.1", cluster.port)
            writers.append(writer)
            with contextlib.suppress(TimeoutError):
                answer = await asyncio.wait_for(reader.read(20), 0.002)
                refused += answer.startswith(b"HTTP/1.1 503")
        for writer in writers:
            writer.close()
        began = time.monotonic()
        await asyncio.to_thread(
            eventually,
            lambda: cluster.client.get("/readyz", timeout=2).status_code == 200,
            "it serves again",
            30 * slack(),
        )
        well_s = time.monotonic() - began
        with offer(cluster) as load:
            await asyncio.sleep(3)
            report = await asyncio.to_thread(load.stop)
        accounted = await asyncio.to_thread(sums, cluster, report)
        assert "Too many open files" not in cluster.log
        note(
            "F2",
            f"{IDLERS} connections, {FILES} descriptors a process",
            load=load_of(report),
            figure=f"at least {refused} refused with 503; serves {well_s:.2f} s after they left; {failed_of(report)}; "
            f"{accounted}",
        )
        assert report.failures == []
        assert_within(well_s, 2.0, "serving again")


@pytest.mark.parametrize("case", ["F1", "F3"])
def test_nowhere_to_write_the_log(tmp_path: Path, case: str) -> None:
    """A full disk (`/dev/full`: every write says so), and a pipe that nobody reads any more."""
    environment = {"PANAL_ACCESS_LOG": "true", "PANAL_NUMBER_RATE_PER_S": "1000"}
    reads = threading.Event()
    reads.set()
    with contextlib.ExitStack() as stack:
        if case == "F1":
            fault, output = "the disk of the log is full", os.open("/dev/full", os.O_WRONLY)
        else:
            fault = "the pipe of the log is full and nobody reads"
            unread, output = os.pipe()
            stack.callback(os.close, unread)
            stack.callback(reads.clear)
            threading.Thread(target=read_on, args=(unread, tmp_path / "server.log", reads), daemon=True).start()
        stack.callback(os.close, output)
        box = stack.enter_context(box_in(tmp_path, workers=2, environment=environment, output=output))
        cluster = box.cluster()
        with offer(cluster, reads=PING) as load:
            if case == "F3":
                reads.clear()
                fill(output)
            time.sleep(5)
        report = load.report
        accounted = sums(cluster, report)
        began = time.monotonic()
        code = cluster.stop(within_s=40 * slack())
        note(
            case,
            fault,
            load=load_of(report),
            figure=f"{failed_of(report)}; p99 {1000 * report.latency_s(0.99, what=PING):.0f} ms; {accounted}; "
            f"stops with code {code} in {time.monotonic() - began:.1f} s",
        )
        assert report.failures == []
        assert code == 0
        assert_within(report.latency_s(0.5, what=PING), 0.05, "an answer without a log")


def read_on(pipe: int, log: Path, reads: threading.Event) -> None:
    """What a service manager does with our output, until it stops."""
    while reads.is_set():
        if select.select([pipe], [], [], 0.05)[0]:
            with log.open("ab") as file:
                file.write(os.read(pipe, 65536))


def fill(pipe: int) -> None:
    """More than goes in: this thread stands there until the other end is closed, as every writer does."""

    def write() -> None:
        with contextlib.suppress(OSError):
            os.write(pipe, b"x" * 1_000_000)

    time.sleep(0.2)  # the reader has stopped by then
    threading.Thread(target=write, daemon=True).start()
    time.sleep(0.5)
