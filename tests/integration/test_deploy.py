"""The Dockerfile's own command: it starts, its health check says so, and SIGTERM ends it in order, also as PID 1."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.harness import free_port
from tests.harness.sanic_command import NO_TLS, ROOT
from tests.harness.waiting import until
from tests.unit.deploy.files import last

pytestmark = pytest.mark.integration

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def can_be_pid_1() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def environment(folder: Path) -> dict[str, str]:
    """As in the container, but for development: this machine has no MongoDB and no WhatsApp."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "2",
        "PANAL_DATA_DIR": str(folder / "data"),
        "PANAL_SANDBOX_PORT": str(free_port()),
        "PANAL_EMBEDDED_DB_PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def running(folder: Path, *, prefix: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    environ = environment(folder)
    # The one word that differs: a test listens on this machine alone.
    command = [word.replace("0.0.0.0", "127.0.0.1") for word in last("CMD").arguments]  # noqa: S104
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [*prefix, *command], cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        yield process, environ
    finally:
        everybody = []
        if process.poll() is None:
            everybody = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in everybody:
            one.kill()
        psutil.wait_procs(everybody, timeout=5)
        log.close()
        sys.stdout.write((folder / "log").read_text(errors="replace")[-4000:])


def wait_until_ready(process: subprocess.Popen[bytes], environ: dict[str, str]) -> None:
    def is_ready() -> bool:
        assert process.poll() is None, "it ended"
        try:
            return httpx.get(f"http://127.0.0.1:{environ['PORT']}/readyz", timeout=2, verify=NO_TLS).status_code == 200
        except httpx.HTTPError:
            return False

    until(is_ready, "/readyz is 200", within_s=120)


def health(environ: dict[str, str]) -> int:
    """The exit code of the image's health check."""
    _, _, rest = last("HEALTHCHECK").words.partition("CMD")
    assert rest.strip() == '["python", "-m", "tools.health"]'
    return subprocess.run(
        [sys.executable, "-m", "tools.health"], cwd=ROOT, env=environ, capture_output=True, check=False
    ).returncode


def test_the_command_of_the_image_starts_and_stops_in_order(tmp_path: Path) -> None:
    with running(tmp_path, prefix=[]) as (process, environ):
        wait_until_ready(process, environ)
        assert "sanic" in " ".join(psutil.Process(process.pid).cmdline()), "exec: no shell is left in between"
        assert health(environ) == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert health(environ) == 1


@pytest.mark.skipif(not can_be_pid_1(), reason="a process namespace of our own is not allowed here")
def test_it_is_a_good_pid_1(tmp_path: Path) -> None:
    with running(tmp_path, prefix=UNSHARE) as (process, environ):
        wait_until_ready(process, environ)
        (main,) = psutil.Process(process.pid).children()
        assert len(main.children(recursive=True)) >= 5  # two workers, WhatsApp, its emulation, the database
        main.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not main.is_running()
