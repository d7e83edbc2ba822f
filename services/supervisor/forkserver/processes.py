"""Configures the fork server, and what each child does first.

Process: main (`use_fork_server`, `parent_pid`, `environment_for`), every child (`run_child`).

It is multiprocessing's fork server: a process that imports the application once and then only forks. Measured: the
import costs a second of CPU, a fork a hundredth of that, and the child shares memory until it writes to it. The fork
server holds nothing that must not be forked: no thread, no loop, no connection. It ends with main, and its children
end with it.
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
    """Let Sanic start its processes from the fork server. Idempotent; without effect in a child.

    Call it in main before any process starts. `application`: the module to import once for all children.
    """
    if multiprocessing.parent_process() is not None:
        return
    # Set both: reading the method anywhere would fix the default, and Sanic would refuse to start.
    multiprocessing.set_start_method("forkserver", force=True)
    Sanic.start_method, Sanic.START_METHOD_SET = "forkserver", True
    multiprocessing.set_forkserver_preload([BEFORE, application, AFTER])


def parent_pid() -> int:
    """PID of the fork server, which is started if it does not run. Main's own PID with another start method."""
    if Sanic.start_method != "forkserver":
        return os.getpid()
    multiprocessing.forkserver.ensure_running()
    server = multiprocessing.forkserver._forkserver
    return int(getattr(server, "_forkserver_pid", None) or os.getpid())  # it has no public name


def run_child(*, environment: Mapping[str, str], target: Callable[..., Any], kwargs: Mapping[str, Any]) -> None:
    """Every child runs this first: take main's current environment, a process name and a random seed; then ``target``.

    A fork inherits environment and random state of the fork server: without this, all workers draw the same numbers.
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
    """Close the child's end of the fork server's pipe.

    The fork server runs as long as any process holds an end. Each child inherits one: with it, none would ever end.
    """
    server = multiprocessing.forkserver._forkserver
    held, server._forkserver_alive_fd = getattr(server, "_forkserver_alive_fd", None), None  # type: ignore[attr-defined]
    if held is not None:
        os.close(held)


def environment_for(name: str, ident: str, **more: str) -> dict[str, str]:
    """Main's environment, with the names that Sanic and `child_process` read in the child."""
    names = {"SANIC_WORKER_NAME": name, "SANIC_WORKER_IDENTIFIER": ident, PARENT_VARIABLE: str(parent_pid())}
    names[FLOOR_VARIABLE] = order_floor()
    return {**os.environ, **names, **more}
