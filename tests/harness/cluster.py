"""Starts `sanic server:app` as an operator would, and looks at it only from outside: HTTP, PIDs, the sandbox's log."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.doubles.event_check import Shape, check_shapes
from tests.harness.ports import free_port
from tests.harness.sanic_command import NO_TLS, ROOT, SanicCommand, start
from tests.harness.waiting import gone, until

__all__ = ["NUMBER", "ROOT", "Cluster", "free_port", "launch", "start_cluster", "until"]

NUMBER = "106540352242922"
READY_S = 60.0
OURS = ("Server-", "WhatsApp-", "Sandbox-", "Database-")  # names that our processes give themselves
# Compiled modules are kept: eight processes that compile everything would make every start slow.
NOT_INHERITED = ("PANAL_", "SANIC_", "WEB_CONCURRENCY", "PYTHONDONTWRITEBYTECODE")


@dataclass
class Cluster(SanicCommand):
    """One running installation; ports are its own."""

    sandbox_port: int
    database_port: int
    key: str = "test-key-of-the-integration-suite"
    client: httpx.Client = field(init=False)
    sandbox: httpx.Client = field(init=False)
    _checked: set[Shape] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {self.key}"},
            timeout=10,
            verify=NO_TLS,
        )
        self.sandbox = httpx.Client(base_url=f"http://127.0.0.1:{self.sandbox_port}", timeout=10, verify=NO_TLS)

    # --- what it says

    def processes(self) -> dict[str, psutil.Process]:
        """Living children of main by Sanic's name."""
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if child.name().startswith(OURS) and child.status() != psutil.STATUS_ZOMBIE:
                        found[f"Sanic-{child.name()}"] = child
        return found

    def pid(self, name: str) -> int:
        """PID of the process with this name, for example `Sanic-WhatsApp-0`."""
        return until(lambda: self.processes().get(name), f"{name} runs").pid

    def worker_pids(self) -> list[int]:
        return sorted(process.pid for name, process in self.processes().items() if name.startswith("Sanic-Server"))

    # --- what one does to it

    def kill(self, pid: int) -> None:
        """SIGKILL, and wait until the process is gone."""
        os.kill(pid, signal.SIGKILL)
        until(lambda: gone(pid), f"PID {pid} is gone")

    def wait_ready(self, within_s: float = READY_S) -> None:
        """Until `/readyz` says so."""

        def is_ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"the cluster ended with {self.process.returncode}:\n{self.log[-4000:]}")
            try:
                return self.client.get("/readyz", timeout=2).status_code == 200
            except httpx.HTTPError:
                return False

        until(is_ready, "/readyz is 200", within_s=within_s, context=lambda: self.log[-4000:])

    def send(self, to: str, body: str, **more: Any) -> dict[str, Any]:
        """Accept one text message; the answer of the API."""
        headers = {"idempotency-key": more.pop("idempotency_key")} if "idempotency_key" in more else {}
        answer = self.client.post(
            "/v1/messages", json={"to": to, "type": "text", "text": {"body": body}, **more}, headers=headers
        )
        assert answer.status_code == 202, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def message(self, message_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/messages/{message_id}")
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def all_pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every item of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = self.client.get(path, params={"limit": 200, **params, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def events(self) -> list[dict[str, Any]]:
        """The whole log of the default number, each event checked against its type of the catalogue."""
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            answer = self.client.get("/v1/events", params={"after": after, "limit": 200})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            if not page["data"]:
                return found
            check_shapes(page["data"], self._checked)
            found += page["data"]
            after = page["next_after"]

    def phone(self, wa_id: str) -> list[dict[str, Any]]:
        """What this emulated phone has."""
        answer = self.sandbox.get(f"/_sandbox/phones/{wa_id}/messages")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def write_as_customer(self, wa_id: str, body: str) -> str:
        answer = self.sandbox.post(f"/_sandbox/phones/{wa_id}/messages", json={"type": "text", "text": {"body": body}})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["wamid"])

    def stop(self, within_s: float = 40.0) -> int:
        """SIGINT as Ctrl-C would; the exit code. Asserts that no child remains."""
        children = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.destroy()
            raise AssertionError(f"the cluster did not stop within {within_s} s:\n{self.log[-4000:]}") from None
        _, alive = psutil.wait_procs(children, timeout=3)
        assert not alive, f"left behind: {alive}"
        return code

    def destroy(self) -> None:
        super().destroy()
        self.client.close()
        self.sandbox.close()


def launch(
    folder: Path,
    *,
    workers: int | None = 4,
    environment: dict[str, str] | None = None,
    arguments: list[str] | None = None,
    prefix: list[str] | None = None,
    output: int | None = None,
) -> Cluster:
    """Start the command; does not wait. Everything it listens on is a free port of 127.0.0.1.

    `prefix`: a program that runs it (`prlimit …`); `output`: a descriptor that gets its log instead of the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, sandbox_port, database_port = free_port(), free_port(), free_port()
    full = {
        **{name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)},
        "PANAL_DATA_DIR": str(folder / "data"),
        "PANAL_SANDBOX_PORT": str(sandbox_port),
        "PANAL_EMBEDDED_DB_PORT": str(database_port),
        "PANAL_BOOTSTRAP_KEY": Cluster.key,
        "PYTHONUNBUFFERED": "1",
        **(environment or {}),
    }
    port = int(full.pop("TEST_PORT", port))
    how_many = [] if workers is None else [f"--workers={workers}"]
    log_path = folder / "server.log"
    process = start(
        ["server:app", f"--port={port}", *how_many, *(arguments or [])],
        log_path=log_path,
        environment=full,
        prefix=prefix or [],
        output=output,
    )
    return Cluster(
        folder=folder,
        workers=workers or 0,
        port=port,
        sandbox_port=int(full["PANAL_SANDBOX_PORT"]),
        database_port=int(full["PANAL_EMBEDDED_DB_PORT"]),
        environment=full,
        process=process,
        log_path=log_path,
    )


@contextlib.contextmanager
def start_cluster(
    folder: Path,
    *,
    workers: int = 4,
    environment: dict[str, str] | None = None,
    arguments: list[str] | None = None,
    prefix: list[str] | None = None,
    output: int | None = None,
) -> Iterator[Cluster]:
    """A cluster that is ready; at the end it is stopped, and on a failure its log is shown."""
    cluster = launch(
        folder, workers=workers, environment=environment, arguments=arguments, prefix=prefix, output=output
    )
    try:
        cluster.wait_ready()
        yield cluster
    except BaseException:
        print(cluster.log[-8000:])  # noqa: T201 - pytest shows it beside the failure
        raise
    finally:
        cluster.destroy()
