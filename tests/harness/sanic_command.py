"""A `sanic` command that runs: its log, its main process and all that it started, looked at from outside."""

import contextlib
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For httpx's `verify`: nobody here speaks TLS, and to read the world's certificates takes each client 30 ms of CPU."""


@dataclass
class SanicCommand:
    """`process` is main; `folder` holds its data and its log."""

    folder: Path
    workers: int
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log_path: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def family(self) -> list[psutil.Process]:
        """Everything below main, grandchildren included; nobody when main is gone."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def destroy(self) -> None:
        """Whatever still runs ends now, PID by PID."""
        processes = self.family()
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(self.process.pid))
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=5)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def start(
    arguments: Sequence[str],
    *,
    log_path: Path,
    environment: Mapping[str, str],
    prefix: Sequence[str] = (),
    output: int | None = None,
) -> "subprocess.Popen[bytes]":
    """Run `sanic` with these arguments in a group of its own. Does not wait.

    `prefix`: a program that runs it (`prlimit …`); `output`: a descriptor that gets its log instead of the file.
    """
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [*prefix, str(Path(sys.executable).with_name("sanic")), *arguments],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log if output is None else output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
