"""How a child process ends: with its parent, on the first stop signal, and with its stacks in a file when it hangs.

Process: every child of main.
"""

import asyncio
import contextlib
import ctypes
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TextIO

PR_SET_PDEATHSIG = 1  # prctl(2)
PARENT_POLL_S = 0.25
PARENT_VARIABLE = "SANIC_PANAL_PARENT"
PR_SET_NAME = 15  # prctl(2); at most 15 bytes
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_stacks: TextIO | None = None  # kept open for faulthandler, which writes to the bare descriptor


def die_with_parent(signum: int = signal.SIGKILL) -> bool:
    """Ask the kernel to send us `signum` when our parent dies. False where the kernel cannot (not Linux).

    It survives exec, not fork. The parent is the *thread* that started us: start children from a thread that stays.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signum), 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def leave_with_parent(signum: int = signal.SIGKILL, *, grace_s: float = 1.0) -> None:
    """Promise that this process does not outlive main by more than two seconds. Call it first thing in a child.

    With SIGKILL (the default) the kernel ends us at once. With another signal we have `grace_s` to clean up (release a
    lease); then a thread kills us. The thread also does the work where the kernel has no PR_SET_PDEATHSIG.
    If the parent died before this call, the process ends here.
    """
    parent = expected_parent()
    asked = die_with_parent(signum)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    if not asked or signum != signal.SIGKILL:
        threading.Thread(target=_watch_parent, args=(parent, signum, grace_s), name="parent-watch", daemon=True).start()


def name_process(name: str) -> None:
    """Let `ps`, `top` and `/proc/PID/comm` say what this process is: `Sanic-Server-0-0` shows as `Server-0-0`."""
    if sys.platform.startswith("linux") and name:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_NAME, name.removeprefix("Sanic-").encode()[:15], 0, 0, 0)


def expected_parent() -> int:
    """PID of the process that started us, from the environment it gave us: the parent may be dead by now."""
    noted = os.environ.get(PARENT_VARIABLE, "")
    if noted.isdigit():
        return int(noted)
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent is not None else None
    return pid if pid is not None else os.getppid()


def _watch_parent(parent: int, signum: int, grace_s: float) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    if signum != signal.SIGKILL:
        os.kill(os.getpid(), signum)
        time.sleep(grace_s)
    os.kill(os.getpid(), signal.SIGKILL)


def install_stop_signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Let SIGINT and SIGTERM set `stop`, however often they come: a second signal never cuts a drain short.

    Plain handlers, not the loop's: when the loop removes its own, in the middle of a drain, the default kills again.
    SIGHUP (a closed terminal) is ignored: main decides.
    """

    def on_stop(_signum: int, _frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    for signum in STOP_SIGNALS:
        loop.remove_signal_handler(signum)
        signal.signal(signum, on_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def dump_stacks_on_signal(run_dir: str | Path) -> None:
    """On SIGUSR1 write the stack of every thread to `stacks_file(run_dir, pid)`, even while the interpreter is stuck.

    Main asks for it before it kills a process with a stalled event loop.
    """
    global _stacks
    path = stacks_file(run_dir, os.getpid())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        previous, _stacks = _stacks, path.open("w", encoding="utf-8")
    except OSError:  # a full disk: without the file main does not ask
        return
    faulthandler.register(signal.SIGUSR1, file=_stacks, all_threads=True, chain=False)
    if previous is not None:
        previous.close()


def stacks_file(run_dir: str | Path, pid: int) -> Path:
    """Path where the process `pid` writes its stacks. Main reads it, and deletes it when the process is gone."""
    return Path(run_dir) / f"stacks-{pid}.txt"


def guarded_command(argv: list[str]) -> list[str]:
    """Return a command that runs the foreign program `argv` so that it dies with this process.

    Start it from the main thread. It goes through a short Python script: `preexec_fn` is not safe once threads run.
    """
    return [sys.executable, "-S", "-E", "-c", _GUARDED_EXEC, str(os.getpid()), *argv]


_GUARDED_EXEC = """
import ctypes, os, sys
if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
