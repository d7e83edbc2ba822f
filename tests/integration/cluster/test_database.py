"""The embedded database as a process: it starts at once after any death, and says in one line why it cannot."""

import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil
import pymongo
import pytest

from services.supervisor.embedded_database import DatabaseExit, run_database
from services.telemetry.scoreboard import Scoreboard
from tests.harness.ports import free_port
from tests.harness.slack import slack
from tests.harness.waiting import gone, until

spawn = multiprocessing.get_context("spawn")


def target(log: str, port: int, data_dir: str, scoreboard: Scoreboard | None) -> None:
    logging.basicConfig(filename=log, level=logging.INFO, format="%(action)s %(message)s")
    run_database(port=port, data_dir=data_dir, cache="64M", scoreboard=scoreboard)


@contextmanager
def database(tmp_path: Path, port: int, scoreboard: Scoreboard | None = None) -> Iterator[BaseProcess]:
    process = spawn.Process(target=target, args=(str(tmp_path / "log"), port, str(tmp_path), scoreboard), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def client(port: int) -> pymongo.MongoClient[dict[str, object]]:
    return pymongo.MongoClient(
        f"mongodb://127.0.0.1:{port}/?directConnection=true&retryWrites=false",
        serverSelectionTimeoutMS=int(20_000 * slack()),
    )


def servers_of(process: BaseProcess) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_acknowledged_data_survives_kill_9_of_everything_and_the_next_start_works_at_once(tmp_path: Path) -> None:
    port = free_port()
    for round_ in range(3):
        with database(tmp_path, port) as process:
            with client(port) as mongo:
                assert mongo.t.c.count_documents({}) == round_
                mongo.t.c.insert_one({"round": round_})
            (server,) = servers_of(process)
            os.kill(process.pid or 0, signal.SIGKILL)
            until(lambda pid=server.pid: gone(pid), "the server dies with its process", within_s=2)


def test_a_stop_closes_the_server_and_exits_with_zero(tmp_path: Path) -> None:
    port = free_port()
    with database(tmp_path, port) as process:
        with client(port) as mongo:
            mongo.admin.command("ping")
        (server,) = servers_of(process)
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(15 * slack())
        assert process.exitcode == 0
        assert gone(server.pid)


def test_it_waits_for_the_siblings_that_use_it(tmp_path: Path) -> None:
    port = free_port()
    worker = tmp_path / "Server-0-0"  # the kernel names a process after its file, as ours name themselves
    worker.symlink_to("/bin/sleep")
    with database(tmp_path, port) as process:
        with client(port) as mongo:
            mongo.admin.command("ping")
            with subprocess.Popen([worker, "60"]) as sibling:
                try:
                    for _ in range(2):
                        os.kill(process.pid or 0, signal.SIGINT)
                    process.join(1)
                    mongo.admin.command("ping")
                finally:
                    sibling.kill()
        process.join(15 * slack())
        assert process.exitcode == 0


def test_a_busy_port_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with database(tmp_path, holder.getsockname()[1]) as process:
            process.join(15 * slack())
            assert process.exitcode == DatabaseExit.PORT_BUSY
    refusals = [line for line in (tmp_path / "log").read_text().splitlines() if "database.refused" in line]
    assert len(refusals) == 1
    assert "PANAL_EMBEDDED_DB_PORT" in refusals[0]


def test_a_locked_folder_is_one_clear_line(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    with database(tmp_path, first):
        with client(first) as mongo:
            mongo.admin.command("ping")
        with database(tmp_path, second) as process:
            process.join(15 * slack())
            assert process.exitcode == DatabaseExit.FOLDER_LOCKED
    assert "PANAL_DATA_DIR" in (tmp_path / "log").read_text()


def test_a_damaged_store_is_one_clear_line(tmp_path: Path) -> None:
    port = free_port()
    with database(tmp_path, port) as process:
        with client(port) as mongo:
            mongo.t.c.insert_one({"a": 1})
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(15 * slack())
    for path in (tmp_path / "db").glob("WiredTiger*"):
        if path.is_file() and path.suffix in (".wt", ".turtle"):
            path.write_bytes(b"\x00garbage" * 100)
    with database(tmp_path, port) as process:
        process.join(15 * slack())
        assert process.exitcode == DatabaseExit.STORE_CORRUPT


def test_a_dead_server_ends_the_process_so_that_it_is_started_again(tmp_path: Path) -> None:
    port = free_port()
    with database(tmp_path, port) as process:
        with client(port) as mongo:
            mongo.admin.command("ping")
        (server,) = servers_of(process)
        server.kill()
        process.join(15 * slack())
        assert process.exitcode == DatabaseExit.DIED


def test_it_shows_itself_on_the_scoreboard(tmp_path: Path) -> None:
    port = free_port()
    scoreboard = Scoreboard.create(slots=4)
    with database(tmp_path, port, scoreboard) as process:
        until(lambda: bool(scoreboard.rows()), "a row appears", within_s=10)
        (row,) = scoreboard.rows()
        assert (row.role, row.pid, row.state) == ("database", process.pid, "ready")
        assert row.vitals.rss_bytes > 10_000_000


def test_a_server_that_hangs_is_killed_so_that_it_is_started_again_with_all_its_data(tmp_path: Path) -> None:
    """SIGSTOP: it holds its port and its connections, and nothing tells that it will never answer."""
    port = free_port()
    scoreboard = Scoreboard.create(slots=4)
    with database(tmp_path, port, scoreboard) as process:
        with client(port) as mongo:
            mongo.t.c.insert_many([{"_id": number} for number in range(500)])
            (server,) = servers_of(process)
            until(lambda: bool(scoreboard.rows()), "a row appears", within_s=10)
            server.suspend()
            until(
                lambda: scoreboard.rows()[0].state == "stalled",
                "the scoreboard knows hung from alive",
                within_s=5,
            )
            assert process.is_alive()
        process.join(10 * slack())
        assert process.exitcode == DatabaseExit.HUNG
        assert gone(server.pid)
    assert "has not answered for" in (tmp_path / "log").read_text()
    with database(tmp_path, port), client(port) as mongo:
        assert mongo.t.c.count_documents({}) == 500


def test_a_server_that_goes_on_in_time_is_left_alone(tmp_path: Path) -> None:
    port = free_port()
    scoreboard = Scoreboard.create(slots=4)
    with database(tmp_path, port, scoreboard) as process:
        until(lambda: bool(scoreboard.rows()), "a row appears", within_s=10)
        (server,) = servers_of(process)
        server.suspend()
        until(lambda: scoreboard.rows()[0].state == "stalled", "it is noticed", within_s=5)
        server.resume()
        until(lambda: scoreboard.rows()[0].state == "ready", "it is ready again", within_s=5)
        assert process.is_alive()
        assert servers_of(process) == [server]


def test_a_server_under_full_load_is_not_taken_for_one_that_hangs(tmp_path: Path) -> None:
    """Large batches from all sides, and indexes over them, which hold up everything else."""
    port = free_port()
    scoreboard = Scoreboard.create(slots=4)
    with database(tmp_path, port, scoreboard) as process, ThreadPoolExecutor(6) as pool:
        until(lambda: bool(scoreboard.rows()), "a row appears", within_s=10)
        ends_at = time.monotonic() + 12

        def fill(part: int) -> None:
            with client(port) as mongo:
                while time.monotonic() < ends_at:
                    rows = [{"part": part, "text": "x" * 400, "n": number} for number in range(2000)]
                    mongo.t.c.insert_many(rows, ordered=False)
                    mongo.t.c.create_index([("n", 1), ("part", part % 2 or -1)], name=f"index_{part}")

        list(pool.map(fill, range(6)))
        assert process.is_alive()
        assert len(servers_of(process)) == 1
    assert "database.refused" not in (tmp_path / "log").read_text()
