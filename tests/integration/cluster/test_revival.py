"""What dies is replaced; what stands still is dumped, killed and replaced; what cannot start waits."""

import os
import re
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.harness.slack import slack
from tests.harness.waiting import gone, until
from tests.integration.cluster.cluster import running

READY_S = 30.0  # a bound for a machine that is busy with something else; the chaos table has the true figures


def test_a_killed_worker_has_a_successor_within_a_second(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        before = cluster.row("Sanic-Server-1-0")
        os.kill(before["pid"], signal.SIGKILL)
        until(
            lambda: cluster.row("Sanic-Server-1-0")["pid"] not in (0, before["pid"]),
            "another PID carries the name",
            within_s=5,
        )
        cluster.wait_until_up(within_s=READY_S)
        after = cluster.row("Sanic-Server-1-0")
        assert (after["restarts"], after["last_exit"]) == (1, "SIGKILL")
        board = cluster.board()
        death, restart = [event for event in board["events"] if event["name"] == "Sanic-Server-1-0"]
        assert (death["kind"], restart["kind"]) == ("death", "restarted")
        assert restart["at"] - death["at"] < slack()
        assert board["reasons"] == {"death": 1}


def test_all_workers_and_the_queen_killed_at_once_come_back(tmp_path: Path) -> None:
    with running(tmp_path, workers=4) as cluster:
        before = set(cluster.pids()) | set(cluster.pids("whatsapp"))
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        cluster.wait_until_up(within_s=READY_S)
        assert not before & (set(cluster.pids()) | set(cluster.pids("whatsapp")))
        assert len(cluster.pids("whatsapp")) == 1
        assert cluster.process.poll() is None


def test_a_stalled_event_loop_is_dumped_killed_and_replaced(tmp_path: Path) -> None:
    with running(tmp_path, stall_s=1.5) as cluster:
        threading.Thread(target=swallow, args=(f"{cluster.url}/block/30.0",), daemon=True).start()
        # Said by main: a question may have been taken on by the very worker that no longer answers.
        until(lambda: "has not run its event loop" in cluster.log, "main sees that a worker stands still", within_s=15)
        stalled = int(re.findall(r"PID (\d+)\) has not run its event loop", cluster.log)[0])
        until(lambda: gone(stalled), "the stalled worker is killed", within_s=20)
        cluster.wait_until_up(within_s=READY_S)
        assert stalled not in cluster.pids()
        assert "in block" in cluster.log  # the handler that stood still, by name
        assert cluster.board()["reasons"] == {"stall": 1}


def test_a_stopped_worker_is_killed_although_it_cannot_answer(tmp_path: Path) -> None:
    with running(tmp_path, stall_s=1) as cluster:
        pid = cluster.pids()[0]
        os.kill(pid, signal.SIGSTOP)
        until(lambda: gone(pid), "SIGKILL ended it", within_s=20)
        cluster.wait_until_up(within_s=READY_S)
        assert "no stacks" in cluster.log


def test_a_crash_loop_opens_the_breaker_and_the_others_go_on_until_it_is_mended(tmp_path: Path) -> None:
    with running(tmp_path, cool_s=2) as cluster:
        refusal = cluster.run_dir / "refuse-Sanic-Server-1-0"
        refusal.touch()
        os.kill(cluster.row("Sanic-Server-1-0")["pid"], signal.SIGKILL)
        until(lambda: cluster.row("Sanic-Server-1-0")["breaker"] == "open", "the breaker opens", within_s=20)
        assert cluster.row("Sanic-Server-0-0")["restarts"] == 0
        assert "Sanic-Server-1-0" in cluster.board()["not_ready"][0]
        assert "make reload" in cluster.log
        refusal.unlink()
        until(lambda: cluster.row("Sanic-Server-1-0")["breaker"] == "closed", "it closes by itself", within_s=20)
        assert cluster.board()["not_ready"] == []


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
        assert cluster.board()["reasons"] == {"asked": 1}


def swallow(url: str) -> None:
    try:
        httpx.get(url, timeout=30)
    except httpx.HTTPError:
        return
