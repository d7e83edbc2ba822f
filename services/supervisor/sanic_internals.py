"""Every private name of Sanic that we use, and why. Written for sanic 25.12.1; a test checks each of them.

Process: main; `install()` also runs in workers, where it changes nothing.

Sanic keeps process states in a helper process (SyncManager). Our scoreboard has the same facts. The helper costs
memory, blocks on every access, and takes the server down when it dies: `install()` puts a plain dict in its place.
Readiness comes from the scoreboard, never from `app.m.workers`.
"""

import signal
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import sanic
import sanic.mixins.startup
from sanic.worker.constants import ProcessState
from sanic.worker.manager import WorkerManager
from sanic.worker.process import Worker, WorkerProcess

from services.supervisor.forkserver.processes import environment_for, run_child
from services.telemetry.scoreboard import SLOT_VARIABLE

WRITTEN_FOR = "25.12.1"


class LocalState(dict[str, dict[str, Any]]):
    """Sanic's `worker_state` without a server behind it. Each process has its own copy; none is read."""

    def __missing__(self, _name: str) -> dict[str, Any]:
        return {}

    def __delitem__(self, name: str) -> None:
        self.pop(name, None)


class NoSyncManager:
    """Replaces `multiprocessing.Manager()`."""

    def dict(self) -> LocalState:
        return LocalState()

    def shutdown(self) -> None:
        return None


def install() -> None:
    """Call it while `server.py` is imported: before Sanic starts anything. Idempotent."""
    setattr(sanic.mixins.startup, "Manager", NoSyncManager)  # noqa: B010 - the stub says it is not to be replaced


class SanicManager:
    """Our access to Sanic's `WorkerManager`: its processes, its socket, its messages, its end."""

    def __init__(self, manager: WorkerManager) -> None:
        if not isinstance(manager.worker_state, LocalState):
            raise RuntimeError("services.supervisor.sanic_internals.install() has to run when server.py is imported")
        self._manager = manager

    def take(self, *, start: Callable[[], None], monitor: Callable[[], None]) -> None:
        """`manager.run()` calls start, monitor, join, terminate, cleanup: the first two are ours from now on."""
        self._manager.start = start  # type: ignore[method-assign]
        self._manager.monitor = monitor  # type: ignore[method-assign]

    def workers(self) -> list[WorkerProcess]:
        """The HTTP workers, in the order of their numbers."""
        return [process for worker in self._manager.transient.values() for process in worker.processes]

    def services(self) -> list[WorkerProcess]:
        """The managed processes, in the order in which they were declared."""
        return [process for worker in self._manager.durable.values() for process in worker.processes]

    def add_worker(self) -> WorkerProcess:
        """Declare one more HTTP worker. It is not started."""
        worker: Worker = self._manager.create_server()
        (process,) = worker.processes
        self._manager.num_server += 1
        return process

    def remove_worker(self, process: WorkerProcess) -> None:
        """Forget a worker. The caller ends its process."""
        for name, worker in list(self._manager.transient.items()):
            if process in worker.processes:
                del self._manager.transient[name]
                self._manager.num_server -= 1

    @property
    def inbox(self) -> "Connection[Any, Any]":
        """Where `app.m.restart()`, `app.m.scale()` and `app.stop()` of any worker arrive."""
        connection: Connection[Any, Any] = self._manager.monitor_subscriber
        return connection

    @property
    def listener(self) -> socket.socket | None:
        """Main's copy of the socket that all workers listen on."""
        sock: socket.socket | None = self._manager._server_settings.get("sock")
        return sock

    @property
    def speaks_plain(self) -> bool:
        """No TLS on that socket."""
        return not self._manager._server_settings.get("ssl")

    def all_ended(self) -> None:
        """Tell Sanic that every process has ended, so that its own `terminate()` and its wait have nothing to do."""
        self._manager._shutting_down = True
        self._manager.worker_state.clear()


def spawn(sanic_process: WorkerProcess, row: int) -> BaseProcess:
    """Start a process with this row of the scoreboard and return it; `install_current` makes it the current one.

    `WorkerProcess.start` and `.restart` are not used: they end the old one first or leak it when the new one fails.
    Raises ``OSError``.
    """
    environment = environment_for(sanic_process.name, sanic_process.ident, **{SLOT_VARIABLE: str(row)})
    kwargs = {"environment": environment, "target": sanic_process.target, "kwargs": sanic_process.kwargs}
    child: BaseProcess = sanic_process.factory(name=sanic_process.name, target=run_child, kwargs=kwargs, daemon=True)
    try:
        child.start()
    except EOFError as error:  # the fork server was killed meanwhile; the next start launches a new one
        raise ChildProcessError("the process that forks the others ended meanwhile") from error
    return child


def install_current(sanic_process: WorkerProcess, child: BaseProcess) -> None:
    """Make `child` what Sanic joins and cleans up under this name."""
    sanic_process._current_process = child
    sanic_process.set_state(ProcessState.STARTED, force=True)


def describe_exit(exitcode: int | None) -> str:
    """Return the exit in words for the operator: `SIGKILL`, `exit 1`, `running`."""
    if exitcode is None:
        return "running"
    if exitcode >= 0:
        return f"exit {exitcode}"
    try:
        return signal.Signals(-exitcode).name
    except ValueError:
        return f"signal {-exitcode}"
