"""The small application of this folder with the whole cluster around it: asked over HTTP, ended by its PIDs."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.harness.ports import free_port
from tests.harness.sanic_command import NO_TLS, SanicCommand, start
from tests.harness.slack import slack
from tests.harness.waiting import seconds_until

Row = dict[str, Any]


@dataclass
class SmallApp(SanicCommand):
    """`rows()` is what any worker reads from the scoreboard."""

    run_dir: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=2 * slack(), verify=NO_TLS)

    def scoreboard(self) -> Row:
        found: Row = self.get("/scoreboard").json()
        return found

    def rows(self, role: str = "") -> list[Row]:
        return [row for row in self.scoreboard()["rows"] if not role or row["role"] == role]

    def row(self, name: str) -> Row:
        return next(row for row in self.rows() if row["name"] == name)

    def pids(self, role: str = "worker") -> list[int]:
        return [row["pid"] for row in self.rows(role)]

    def children(self) -> list[int]:
        """Everything below main, grandchildren included."""
        return [child.pid for child in self.family()]

    def is_up(self, workers: int | None = None) -> bool:
        try:
            rows = self.rows()
        except (httpx.HTTPError, ValueError):
            return False
        serving = [row for row in rows if row["role"] == "worker"]
        wanted = self.workers if workers is None else workers
        return len(serving) == wanted and all(row["state"] == "ready" for row in rows)

    def wait_until_up(self, workers: int | None = None, *, within_s: float = 40) -> float:
        return seconds_until(lambda: self.is_up(workers), "every process is ready", within_s=within_s)

    def signal(self, signum: int) -> None:
        self.process.send_signal(signum)

    def wait_for_exit(self, within_s: float = 12) -> int:
        return self.process.wait(within_s * slack())


@contextmanager
def running(tmp_path: Path, *, workers: int = 2, ready: bool = True, **environ: object) -> Iterator[SmallApp]:
    """A cluster with `TEST_…` variables; its log is printed when the test fails."""
    cluster = launched(tmp_path, workers, {f"TEST_{name.upper()}": str(value) for name, value in environ.items()})
    try:
        if ready:
            cluster.wait_until_up()
        yield cluster
    except BaseException:
        sys.stdout.write(cluster.log[-8000:])
        raise
    finally:
        cluster.destroy()


def launched(folder: Path, workers: int, environ: Mapping[str, str]) -> SmallApp:
    """Does not wait."""
    run_dir, log_path, port = folder / "run", folder / "cluster.log", free_port()
    run_dir.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TEST_RUN_DIR": str(run_dir), **environ}
    target = "tests.integration.cluster.app:app"
    arguments = [target, f"--workers={workers}", f"--port={port}", "--no-access-logs"]
    return SmallApp(
        folder=folder,
        workers=workers,
        port=port,
        environment=environment,
        process=start(arguments, log_path=log_path, environment=environment),
        log_path=log_path,
        run_dir=run_dir,
    )
