"""Starts that go wrong, and new processes by name.

What happens to a process that dies, stands still, leaks or cannot start is shown by tests/chaos on the real command.
"""

import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.harness.waiting import gone, until
from tests.integration.cluster.cluster import running

READY_S = 30.0  # a bound for a machine that is busy with something else; the chaos table has the true figures


def test_a_worker_killed_while_everything_starts_does_not_hang_the_start(tmp_path: Path) -> None:
    with running(tmp_path, workers=3, ready=False) as cluster:
        until(lambda: len(cluster.children()) >= 5, "children exist", within_s=20)
        os.kill(cluster.children()[-1], signal.SIGKILL)
        cluster.wait_until_up()


def test_a_start_that_cannot_succeed_ends_with_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for number in range(2):
        (tmp_path / "run" / f"refuse-Sanic-Server-{number}-0").touch()
    with running(tmp_path, ready=False) as cluster:
        until(lambda: len(cluster.children()) >= 3, "children exist", within_s=20)
        children = cluster.children()
        assert cluster.wait_for_exit(20) == 1
        assert "does not start" in cluster.log
        until(lambda: all(gone(pid) for pid in children), "nothing is left", within_s=2)


def test_a_busy_database_port_refuses_the_start(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with running(tmp_path, workers=1, ready=False, db_port=holder.getsockname()[1]) as cluster:
            assert cluster.wait_for_exit(20) == 1
            assert "PANAL_EMBEDDED_DB_PORT" in cluster.log


@pytest.mark.parametrize("name", ["Sanic-WhatsApp-0", "Sanic-Server-0-0"])
def test_any_worker_may_ask_for_a_new_process_by_name(tmp_path: Path, name: str) -> None:
    with running(tmp_path) as cluster:
        before = cluster.row(name)["pid"]
        httpx.get(f"{cluster.url}/restart/{name}")
        until(lambda: cluster.row(name)["pid"] not in (0, before), "it is another one", within_s=READY_S)
        cluster.wait_until_up(within_s=READY_S)
        assert cluster.scoreboard()["reasons"] == {"asked": 1}
