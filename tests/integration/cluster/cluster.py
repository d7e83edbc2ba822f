"""A real cluster for a test: started by the `sanic` command, asked over HTTP, ended by its PIDs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.harness.slack import slack
from tests.integration.cluster.waiting import free_port, gone, until

Row = dict[str, Any]


class Cluster:
    """`rows()` is what any worker reads from the board."""

    def __init__(self, tmp_path: Path, *, workers: int, environ: Mapping[str, str]) -> None:
        self.run_dir = tmp_path / "run"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        self._log = tmp_path / "cluster.log"
        self._out = self._log.open("wb")
        self.run_dir.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("sanic")), "tests.integration.cluster.app:app"]
        self.main = subprocess.Popen(
            [*command, f"--workers={workers}", f"--port={self.port}", "--no-access-logs"],
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "TEST_RUN_DIR": str(self.run_dir), **environ},
        )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=2 * slack())

    def board(self) -> Row:
        found: Row = self.get("/board").json()
        return found

    def rows(self, role: str = "") -> list[Row]:
        return [row for row in self.board()["rows"] if not role or row["role"] == role]

    def row(self, name: str) -> Row:
        return next(row for row in self.rows() if row["name"] == name)

    def pids(self, role: str = "worker") -> list[int]:
        return [row["pid"] for row in self.rows(role)]

    def children(self) -> list[int]:
        """Everything below main, grandchildren included."""
        return [child.pid for child in psutil.Process(self.main.pid).children(recursive=True)]

    def is_up(self, workers: int | None = None) -> bool:
        try:
            rows = self.rows()
        except (httpx.HTTPError, ValueError):
            return False
        serving = [row for row in rows if row["role"] == "worker"]
        wanted = self.workers if workers is None else workers
        return len(serving) == wanted and all(row["state"] == "ready" for row in rows)

    def wait_until_up(self, workers: int | None = None, *, limit_s: float = 40) -> float:
        return until(lambda: self.is_up(workers), "every process is ready", limit_s=limit_s)

    def signal(self, signum: int) -> None:
        self.main.send_signal(signum)

    def wait_for_exit(self, limit_s: float = 12) -> int:
        return self.main.wait(limit_s * slack())

    def end(self) -> None:
        """By force, PID by PID, whatever the test left."""
        pids = self.children() if self.main.poll() is None else []
        self.main.kill()
        self.main.wait()
        for pid in pids:
            if not gone(pid):
                with_suppressed_kill(pid)
        self._out.close()


def with_suppressed_kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def running(tmp_path: Path, *, workers: int = 2, ready: bool = True, **environ: object) -> Iterator[Cluster]:
    """A cluster with `TEST_…` variables; its log is printed when the test fails."""
    cluster = Cluster(
        tmp_path, workers=workers, environ={f"TEST_{name.upper()}": str(value) for name, value in environ.items()}
    )
    try:
        if ready:
            cluster.wait_until_up()
        yield cluster
    except BaseException:
        sys.stdout.write(cluster.log()[-8000:])
        raise
    finally:
        cluster.end()
