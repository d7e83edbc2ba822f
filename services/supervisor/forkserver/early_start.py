"""Starts the fork server first of all, so that it imports the application while main does: two cores, half the wait.

Process: main. Importing this module does the work, but only in main of `sanic server:app`. So `server.py` imports it
before anything that takes long.
"""

import multiprocessing
import os
import sys
from pathlib import Path

from services.supervisor.forkserver import processes
from services.telemetry.metrics import files

MARK = "SANIC_PANAL_MAIN"


def is_main_of_sanic() -> bool:
    """Did Sanic's command line start this process? The fork server and its children inherit the mark: not they."""
    is_command = Path(sys.argv[0]).name == "sanic" or sys.argv[0].endswith("sanic/__main__.py")
    return is_command and MARK not in os.environ and multiprocessing.parent_process() is None


def speaks_for_the_installation() -> bool:
    """Is this main, or a process without a main (a test, a tool)? Only then may it print why it does not start."""
    return os.environ.get(MARK, str(os.getpid())) == str(os.getpid())


if is_main_of_sanic():
    os.environ[MARK] = str(os.getpid())
    files.prepare(os.environ.get("PANAL_DATA_DIR") or "./data")
    processes.use_fork_server()
    processes.parent_pid()
