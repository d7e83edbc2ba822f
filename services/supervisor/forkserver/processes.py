"""The fork server: a process that has imported the application and only forks, so that a new process is there at once.

Process: main (asks for it), the fork server itself.

It is multiprocessing's fork server. Measured: importing the application costs a second of CPU; a fork of a process that
has done so costs a hundredth, and shares its memory until it writes to it. Nothing that could not be forked is alive in
it: no thread, no loop, no connection. It goes when main goes, and its children go with it.
"""

import multiprocessing
import multiprocessing.forkserver
import os
import random
import signal
from collections.abc import Callable, Mapping
from typing import Any

from sanic import Sanic

from config.ids import FLOOR_VARIABLE, order_floor, rise_to_floor
from services.supervisor.child_process import PARENT_VARIABLE, name_process

BEFORE, AFTER = "services.supervisor.forkserver.before_import", "services.supervisor.forkserver.after_import"


def use_fork_server(application: str = "server") -> None:
    """Let Sanic start its processes from the fork server. Call it in main, before anything is started. Idempotent.

    `application`: the module with Sanic's application, which the fork server loads once for all.
    """
    if multiprocessing.parent_process() is not None:
        return
    # Both at once: asking for the method anywhere would fix the default, and Sanic would refuse to go on.
    multiprocessing.set_start_method("forkserver", force=True)
    Sanic.start_method, Sanic.START_METHOD_SET = "forkserver", True
    multiprocessing.set_forkserver_preload([BEFORE, application, AFTER])


def parent_pid() -> int:
    """PID of the fork server, starting it if it does not run; main's own where another start method is in use."""
    if Sanic.start_method != "forkserver":
        return os.getpid()
    multiprocessing.forkserver.ensure_running()
    server = multiprocessing.forkserver._forkserver
    return int(getattr(server, "_forkserver_pid", None) or os.getpid())  # it has no public name


def run_child(*, environment: Mapping[str, str], target: Callable[..., Any], kwargs: Mapping[str, Any]) -> None:
    """What every child of ours runs first: main's environment of this moment, a name of its own, its own chance.

    A fork inherits the fork server's environment and its random state; without this all workers would draw alike.
    """
    _close_fork_server_pipe()
    os.environ.update(environment)
    random.seed()
    rise_to_floor(environment.get(FLOOR_VARIABLE, ""))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    name_process(environment.get("SANIC_WORKER_NAME", ""))
    target(**kwargs)


def _close_fork_server_pipe() -> None:
    """The fork server lives while somebody holds its pipe.

    Every child is handed an end: with it nobody would ever leave.
    """
    server = multiprocessing.forkserver._forkserver
    held, server._forkserver_alive_fd = getattr(server, "_forkserver_alive_fd", None), None  # type: ignore[attr-defined]
    if held is not None:
        os.close(held)


def environment_for(name: str, ident: str, **more: str) -> dict[str, str]:
    """Main's environment with what Sanic and the guard read in the child."""
    names = {"SANIC_WORKER_NAME": name, "SANIC_WORKER_IDENTIFIER": ident, PARENT_VARIABLE: str(parent_pid())}
    names[FLOOR_VARIABLE] = order_floor()
    return {**os.environ, **names, **more}
