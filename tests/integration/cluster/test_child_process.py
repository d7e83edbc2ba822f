"""A child goes with its parent, and a second stop signal cuts nothing."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from services.supervisor.child_process import guarded_command, install_stop_signals, leave_with_parent
from tests.harness.slack import slack
from tests.harness.waiting import gone, until

spawn = multiprocessing.get_context("spawn")


def grandchild(path: str, signum: int, deaf: bool) -> None:
    leave_with_parent(signum, grace_s=0.5)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else lambda *_: (Path(path).touch(), os._exit(0)))
    Path(path + ".pid").write_text(str(os.getpid()))
    time.sleep(60)


def child(path: str, signum: int, deaf: bool) -> None:
    process = spawn.Process(target=grandchild, args=(path, signum, deaf))
    process.start()
    process.join()


@pytest.mark.parametrize(
    ("signum", "deaf", "goodbye"),
    [(signal.SIGKILL, False, False), (signal.SIGTERM, False, True), (signal.SIGTERM, True, False)],
)
def test_an_orphan_is_gone_within_two_seconds(tmp_path: Path, signum: int, deaf: bool, goodbye: bool) -> None:
    path = tmp_path / "goodbye"
    parent = spawn.Process(target=child, args=(str(path), signum, deaf))
    parent.start()
    pid_file = tmp_path / "goodbye.pid"
    until(lambda: pid_file.exists() and bool(pid_file.read_text()), "the grandchild runs", within_s=10)
    pid = int(pid_file.read_text())
    os.kill(parent.pid or 0, signal.SIGKILL)
    until(lambda: gone(pid), "the orphan has left", within_s=2)
    assert path.exists() is goodbye
    parent.join()


def starter(pipe: "Connection[int, int]") -> None:
    program = subprocess.Popen(guarded_command(["/bin/sleep", "60"]), start_new_session=True)
    pipe.send(program.pid)
    time.sleep(60)


def test_a_program_that_knows_nothing_of_us_dies_with_its_starter() -> None:
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=starter, args=(theirs,))
    process.start()
    pid = ours.recv()
    time.sleep(0.3)
    process.kill()
    until(lambda: gone(pid), "the program is gone", within_s=2)
    process.join()
    ours.close()
    theirs.close()


def patient(path: str) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        install_stop_signals(asyncio.get_running_loop(), stop)
        install_stop_signals(asyncio.get_running_loop(), stop)
        asyncio.get_running_loop().call_soon(Path(path).touch)
        await stop.wait()
        await asyncio.sleep(0.6)

    asyncio.run(main())


def test_ten_stop_signals_are_as_good_as_one(tmp_path: Path) -> None:
    process = spawn.Process(target=patient, args=(str(tmp_path / "up"),))
    process.start()
    until((tmp_path / "up").exists, "it listens", within_s=10)
    for number in range(10):
        os.kill(process.pid or 0, signal.SIGTERM if number % 2 else signal.SIGINT)
        time.sleep(0.02)
    process.join(5 * slack())
    assert process.exitcode == 0
