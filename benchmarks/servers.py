"""Starts what is measured, each with a fresh database of its own kind: Panal, its peers, and what stands around them.

Process: a command.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.harness.ports import free_port
from tests.harness.waiting import until

ROOT = Path(__file__).resolve().parents[1]
EXPRESS = ROOT / "benchmarks" / "peers" / "express"
KEY = "benchmark-key-0123456789abcdef"
NUMBER, WABA = "106540352242922", "102290129340398"
APP_SECRET = "sandbox-secret"  # noqa: S105 - the sandbox's public default
READY_S = 60.0
NOT_INHERITED = ("PANAL_", "SANIC_", "WEB_CONCURRENCY", "PEER_")


@dataclass
class Server:
    """Something that answers the two calls. ``cold_start_s``: from the command to the first good answer."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    log_path: Path
    cold_start_s: float = 0.0
    sandbox_port: int = 0
    key: str = KEY
    database: psutil.Process | None = None  # where it is not among its own processes

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, **more: object) -> httpx.Client:
        """A client with the key."""
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.key}"}, timeout=20, **more)  # type: ignore[arg-type]

    def tree(self) -> list[psutil.Process]:
        """It and all its children."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]

    def cpu_s(self) -> float:
        """CPU time that it and its database have used so far; on a busy machine the steadiest measure there is."""
        total = 0.0
        beside = [self.database] if self.database is not None else []
        for process in [*self.tree(), *beside]:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def worker_rss_mb(self) -> float:
        """Memory of its largest HTTP worker."""
        pids = self.pids("worker") if self.name == "Panal" else [process.pid for process in self.tree()[1:]]
        found = [0.0]
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                found.append(psutil.Process(pid).memory_info().rss / 2**20)
        return max(found)

    def pids(self, role: str) -> list[int]:
        """Processes of Panal with this role: ``worker``, ``whatsapp``, …"""
        with self.client() as client:
            return [one["pid"] for one in client.get("/v1/cluster").json()["processes"] if one["role"] == role]


def listener(port: int) -> psutil.Process | None:
    """The process that listens on this port of loopback."""
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
            return psutil.Process(connection.pid) if connection.pid else None
    return None


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours without what would reach into the measured programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **more}


@contextlib.contextmanager
def database(folder: Path) -> Iterator[str]:
    """The embedded database as Panal runs it: same program, same flags. Yields its connection string."""
    port = free_port()
    (folder / "db").mkdir(parents=True)
    program = shutil.which("secantusd-rs", path=str(Path(sys.executable).parent)) or "secantusd-rs"
    command = [program, "--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder / "db")]
    command += ["--sync-on-commit", "--log-file-max", "128MB", "--cache-size", "256M", "--log-level", "WARNING"]
    command += ["--oplog-max-entries", "1000000"]
    with running(command, folder / "database.log", {}):
        until(lambda: _listens(port), "the database listens", within_s=READY_S)
        yield f"mongodb://127.0.0.1:{port}/?directConnection=true&retryWrites=false"


@contextlib.contextmanager
def panal(folder: Path, *, workers: int, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Panal with its own embedded database and the emulated WhatsApp, as ``make run`` starts it."""
    port, sandbox_port, database_port = free_port(), free_port(), free_port()
    full = {
        "PANAL_DATA_DIR": str(folder / "data"),
        "PANAL_SANDBOX_PORT": str(sandbox_port),
        "PANAL_EMBEDDED_DB_PORT": str(database_port),
        "PANAL_BOOTSTRAP_KEY": KEY,
        **(settings or {}),
    }
    command = [_program("sanic"), "server:app", f"--port={port}", f"--workers={workers}"]
    with serving("Panal", command, folder, full, port=port, path="/readyz") as server:
        server.sandbox_port = int(full["PANAL_SANDBOX_PORT"])
        yield server


@contextlib.contextmanager
def sandbox(folder: Path, *, port: int, webhook_url: str) -> Iterator[None]:
    """The emulated WhatsApp by itself, for a Panal that thinks it talks to Meta."""
    command = [sys.executable, "-m", "services.sandbox", "--port", str(port), "--webhook-url", webhook_url]
    with running([*command, "--data-dir", str(folder / "sandbox")], folder / "sandbox.log", {}):
        until(lambda: _listens(port), "the sandbox listens", within_s=READY_S)
        yield


@contextlib.contextmanager
def sanic_peer(folder: Path, *, workers: int, uri: str) -> Iterator[Server]:
    """Sanic + Motor."""
    port = free_port()
    target = "benchmarks.peers.sanic_motor:app"
    command = [_program("sanic"), target, f"--port={port}", f"--workers={workers}", "--no-access-logs"]
    with serving("Sanic + Motor", command, folder, _peer(uri, port, workers), port=port) as server:
        yield server


@contextlib.contextmanager
def fastapi_peer(folder: Path, *, workers: int, uri: str) -> Iterator[Server]:
    """FastAPI + Motor under uvicorn."""
    port = free_port()
    command = [_program("uvicorn"), "benchmarks.peers.fastapi_motor:app", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", str(workers), "--no-access-log", "--log-level", "warning"]
    with serving("FastAPI + Motor (uvicorn)", command, folder, _peer(uri, port, workers), port=port) as server:
        yield server


@contextlib.contextmanager
def express_peer(folder: Path, *, workers: int, uri: str) -> Iterator[Server]:
    """Express + Node driver under Node's cluster. Its packages are installed at the first run, from the lock file."""
    port = free_port()
    if not (EXPRESS / "node_modules").is_dir():
        npm = shutil.which("npm") or "npm"
        subprocess.run([npm, "ci", "--omit=dev", "--no-audit", "--no-fund"], cwd=EXPRESS, check=True)
    command = [shutil.which("node") or "node", str(EXPRESS / "server.js")]
    more = {**_peer(uri, port, workers), "NODE_ENV": "production"}
    with serving("Express + Node driver (cluster)", command, folder, more, port=port) as server:
        yield server


PEERS = {"sanic": sanic_peer, "fastapi": fastapi_peer, "express": express_peer}


@contextlib.contextmanager
def serving(
    name: str, command: Sequence[str], folder: Path, more: Mapping[str, str], *, port: int, path: str = "/v1/messages/x"
) -> Iterator[Server]:
    """Start the command and wait until it answers ``path`` (404 is an answer, too: the database was asked)."""
    began = time.monotonic()
    with running(command, folder / "server.log", more) as process:
        server = Server(name, port, process, folder / "server.log")

        def answers() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended with {process.returncode}:\n{_end_of(server.log_path)}")
            with contextlib.suppress(httpx.HTTPError):
                return client.get(path, timeout=5).status_code in (200, 404)
            return False

        with server.client() as client:
            until(answers, f"{name} answers", within_s=READY_S, context=lambda: _end_of(server.log_path))
        server.cold_start_s = time.monotonic() - began
        yield server


@contextlib.contextmanager
def running(command: Sequence[str], log_path: Path, more: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process and everything it started, ended at the end."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=environment(more),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _peer(uri: str, port: int, workers: int) -> dict[str, str]:
    return {"PEER_MONGODB_URI": uri, "PEER_KEY": KEY, "PEER_PORT": str(port), "PEER_WORKERS": str(workers)}


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")[-3000:] if path.exists() else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and what is left after ten seconds is killed. Only what was started here."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for child in [*children]:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    if process.poll() is None:
        process.kill()
        process.wait(5)
    psutil.wait_procs(children, timeout=5)
