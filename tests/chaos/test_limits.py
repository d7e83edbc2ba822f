"""No descriptors, no disk, no reader of the log: the service goes on, and is well again when the want is over."""

import asyncio
import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import another, failed_of, host_in, load_of, sums, wait_until_recovered
from tests.chaos.test_rolling_restart import counted
from tests.harness import free_port
from tests.harness.externals import external_database, external_sandbox, host_environment
from tests.harness.load import PING, SUBMIT, offer
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

FILES = 256
IDLERS = 1000


async def test_no_descriptors_left(tmp_path: Path) -> None:
    """1,000 idle connections where 256 files may be open: the rest is refused with a word, and leaves no trace."""
    prefix = ["prlimit", f"--nofile={FILES}:{FILES}"]
    with host_in(tmp_path, workers=2, prefix=prefix) as host:
        cluster = await asyncio.to_thread(host.cluster)
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
            until,
            lambda: cluster.client.get("/readyz", timeout=2).status_code == 200,
            "it serves again",
            within_s=30 * slack(),
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
        host = stack.enter_context(host_in(tmp_path, workers=2, environment=environment, output=output))
        cluster = host.cluster()
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


SPACE_KB = 1024


def test_no_room_on_the_disk_of_the_data_folder(tmp_path: Path) -> None:
    """A disk of one megabyte, full under load: owner killed, all workers replaced; then it has space again."""
    if subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "true"], check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk of his own (user namespaces are off)")
    data = tmp_path / "host" / "data"
    data.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={SPACE_KB}k tmpfs "$0" && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(data)]
    with contextlib.ExitStack() as stack:
        uri = stack.enter_context(external_database(tmp_path / "database"))
        port = free_port()
        webhook_url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        sandbox_port = stack.enter_context(external_sandbox(tmp_path / "whatsapp", webhook_url=webhook_url))
        environment = {**host_environment(uri, sandbox_port), "TEST_PORT": str(port)}
        host = stack.enter_context(host_in(tmp_path / "host", workers=2, environment=environment, prefix=prefix))
        cluster = host.cluster()
        disk = Path(f"/proc/{cluster.process.pid}/root{data}")  # as the processes of the host see it
        victim = cluster.pid("Sanic-WhatsApp-0")
        with offer(cluster) as load:
            fill_disk(disk / "filler")
            time.sleep(1)
            cluster.kill(victim)
            another(cluster, "Sanic-WhatsApp-0", victim)
            old = set(cluster.worker_pids())
            cluster.process.send_signal(signal.SIGHUP)
            until(lambda: not old & set(cluster.worker_pids()), "all are replaced", within_s=40 * slack())
            time.sleep(1)
            full = cluster.client.get("/metrics").status_code
            room_kb = shutil.disk_usage(disk).free // 1024
            (disk / "filler").unlink()
            wait_until_recovered(cluster, calm_s=3.0)  # a worker looks for room again every other second
        report = load.report
        accounted = sums(cluster, report)
        deaths = cluster.log.count("process.died")
        told = counted(cluster.client.get("/metrics").text, SUBMIT)
        began = time.monotonic()
        code = cluster.stop(within_s=40 * slack())
        note(
            "F1",
            "the disk of the data folder is full; the WhatsApp process is killed, all workers are replaced",
            load=load_of(report),
            figure=f"{failed_of(report)}; nothing else died; {accounted}; /metrics answers {full} meanwhile, and with "
            f"with room again it has counted {told} of {len(report.accepted)} acceptances; stops with code {code} in "
            f"{time.monotonic() - began:.1f} s",
        )
        assert deaths == 1
        assert full == 200
        assert room_kb == 0
        assert told == len(report.accepted)
        assert code == 0
        assert report.failures == []


def fill_disk(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


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
