"""What stands outside of a host when there are two of them: the database and WhatsApp, each a process of its own."""

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.harness.ports import free_port
from tests.harness.sanic_command import NO_TLS, ROOT
from tests.harness.waiting import until


class DatabaseServer:
    """A database server of its own, which may be ended and started again on the same port and folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.uri = f"mongodb://127.0.0.1:{self.port}/?directConnection=true&retryWrites=false"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        program = shutil.which("secantusd-rs", path=str(Path(sys.executable).parent)) or "secantusd-rs"
        command = [program, "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", str(self._folder / "db"), "--sync-on-commit", "--log-file-max", "128MB"]
        command += ["--cache-size", "128M", "--log-level", "WARNING"]
        with (self._folder / "database.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        """SIGKILL; nothing starts it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def pause(self) -> None:
        """SIGSTOP: its connections stay open, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)


@contextlib.contextmanager
def external_database(folder: Path) -> Iterator[str]:
    """A database server of its own; yields its connection string."""
    server = DatabaseServer(folder)
    server.start()
    try:
        yield server.uri
    finally:
        server.stop()


@contextlib.contextmanager
def external_sandbox(folder: Path, *, webhook_url: str) -> Iterator[int]:
    """The emulated WhatsApp by itself; yields its port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "services.sandbox", "--port", str(port), "--webhook-url", webhook_url]
    command += ["--data-dir", str(folder / "sandbox")]
    with (folder / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:

        def answers() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/_sandbox", timeout=1, verify=NO_TLS).status_code == 200
            except httpx.HTTPError:
                return False

        until(answers, "the sandbox answers", within_s=30)
        yield port
    finally:
        end(process)


def host_environment(uri: str, sandbox_port: int) -> dict[str, str]:
    """Settings of a host that shares a database and WhatsApp with others."""
    return {
        "PANAL_MONGODB_URI": uri,
        "PANAL_DB_SERVERS": "1",
        "PANAL_WHATSAPP": "cloud",
        "PANAL_GRAPH_BASE_URL": f"http://127.0.0.1:{sandbox_port}",
        "PANAL_ACCESS_TOKEN": "sandbox-token",
        "PANAL_SANDBOX_PORT": str(sandbox_port),
        "PANAL_OVERLAP_INSTANCES": "0",
        "PANAL_LEASE_TTL_S": "4",
        "PANAL_LEASE_RENEW_S": "1",
        "PANAL_NUMBER_RATE_PER_S": "1000",
    }


def end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, then what it takes."""
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
