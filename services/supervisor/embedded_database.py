"""Run the embedded MongoDB (SecantusDB's native server) as a child that outlives the processes that use it.

Process: database.
The command line is the measured one: only `--sync-on-commit` loses nothing on kill -9, and a log file of 128 MB keeps
a reopen short. It is GPL-2.0-only, so it runs as a program of its own and is never imported.
"""

import collections
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from enum import IntEnum
from pathlib import Path
from types import FrameType
from typing import Final

import psutil

from services.supervisor.child_process import STOP_SIGNALS, dump_stacks_on_signal, guarded_command, leave_with_parent
from services.supervisor.database_probe import DatabaseProbe, Health, HealthJudge
from services.telemetry.scoreboard import Scoreboard, ScoreboardWriter, Vitals

PROGRAM = "secantusd-rs"
HOST = "127.0.0.1"
SETTLE_S = 3.0  # a server killed a moment ago may still hold the port or the folder
BOOT_S = 30.0  # a store left by kill -9 is recovered first
SIBLINGS_S = 28.0  # longer than main allows for a stop
SERVER_STOP_S = 5.0  # measured: 0.4 s
USERS = ("Server-", "WhatsApp-")  # the emulated WhatsApp does not use the database

logger = logging.getLogger(__name__)


class DatabaseExit(IntEnum):
    """Exit codes. From 71 on (`REFUSALS`) another try cannot help: the operator has to act."""

    DIED = 1
    HUNG = 70
    PORT_BUSY = 71
    FOLDER_LOCKED = 72
    PROGRAM_MISSING = 73
    STORE_CORRUPT = 74
    FOLDER_UNUSABLE = 75


REFUSALS: Final = frozenset(int(code) for code in DatabaseExit if code >= DatabaseExit.PORT_BUSY)


class _Failure(Exception):
    """Why the database cannot run, in one line for the operator."""

    def __init__(self, code: DatabaseExit, line: str) -> None:
        super().__init__(line)
        self.code = code
        self.line = line


def run_database(
    *, port: int, data_dir: str, cache: str, scoreboard: Scoreboard | None = None, database: str = "panal"
) -> None:
    """Serve `{data_dir}/db` on 127.0.0.1:`port` until asked to stop; then wait for the siblings that use it, and stop.

    `cache` as SecantusDB writes it ("256M"); `database` is the one that is probed. A hung server is killed, and this
    process exits with `DatabaseExit.HUNG`: the supervisor starts both again. A server that cannot start gives one log
    line and the exit code of its `DatabaseExit`.
    """
    leave_with_parent()
    asked = threading.Event()

    def on_stop(_signum: int, _frame: FrameType | None) -> None:
        asked.set()

    for signum in STOP_SIGNALS:
        signal.signal(signum, on_stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    dump_stacks_on_signal(Path(data_dir) / "run")
    try:
        server = _start(port, data_dir=data_dir, cache=cache, asked=asked)
        if server is None:
            return
        _serve(server, asked, scoreboard, DatabaseProbe(port, database=database))
    except _Failure as failure:
        logger.critical(failure.line, extra={"action": "database.refused", "exit_code": int(failure.code)})
        sys.exit(int(failure.code))


def _start(port: int, *, data_dir: str, cache: str, asked: threading.Event) -> "_Server | None":
    program = find_program()
    folder = Path(data_dir) / "db"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        usable = False
    if not usable:
        raise _Failure(
            DatabaseExit.FOLDER_UNUSABLE,
            f"{folder} cannot be written. Mend its owner, or set PANAL_DATA_DIR.",
        )
    give_up_at = time.monotonic() + SETTLE_S
    while not asked.is_set():
        failure = _port_failure(port)
        if failure is None:
            server = _Server(command(program, port=port, folder=folder, cache=cache))
            failure = server.wait_until_it_answers(port, asked)
            if failure is None:
                logger.info("The embedded database answers on %s:%d.", HOST, port, extra={"action": "database.ready"})
                return server
        if failure.code not in (DatabaseExit.PORT_BUSY, DatabaseExit.FOLDER_LOCKED) or time.monotonic() > give_up_at:
            raise failure
        asked.wait(0.1)
    return None


def _serve(server: "_Server", asked: threading.Event, scoreboard: Scoreboard | None, probe: DatabaseProbe) -> None:
    writer = (
        scoreboard.writer(os.environ.get("SANIC_WORKER_NAME", "Database"), "database")
        if scoreboard is not None
        else None
    )
    watched = [psutil.Process(), psutil.Process(server.pid)]
    judge = HealthJudge(time.monotonic())
    was_ready = True
    while not asked.wait(0.5):
        has_answered = probe.answers()
        if not server.is_running():
            raise _Failure(DatabaseExit.DIED, f"The embedded database died ({server.last_output()}).")
        now = time.monotonic()
        health = judge.look(now, has_answered=has_answered)
        if health is Health.HUNG:
            server.kill()
            raise _Failure(
                DatabaseExit.HUNG, f"The embedded database has not answered for {judge.silent_s(now):.1f} s: killed."
            )
        is_ready = health is Health.READY
        if was_ready and not is_ready:
            logger.warning(
                "The embedded database has not answered for %.1f s.",
                judge.silent_s(now),
                extra={"action": "database.silent"},
            )
        was_ready = is_ready
        _beat(writer, health.value, watched)
    probe.close()
    waited_from = time.monotonic()
    while _siblings() and time.monotonic() - waited_from < SIBLINGS_S and server.is_running():
        time.sleep(0.1)
        _beat(writer, "draining", watched)
    server.stop()
    logger.info("The embedded database stopped.", extra={"action": "database.stopped"})


def _beat(writer: ScoreboardWriter | None, state: str, watched: list[psutil.Process]) -> None:
    if writer is not None:
        writer.beat(_vitals(state, watched))


def _vitals(state: str, watched: list[psutil.Process]) -> Vitals:
    rss = 0
    cpu_s = 0.0
    for process in watched:
        try:
            rss += process.memory_info().rss
            times = process.cpu_times()
        except psutil.Error:
            continue
        cpu_s += times.user + times.system
    return Vitals(state=state, rss_bytes=rss, cpu_s=cpu_s)


def find_program() -> str:
    """Path of the native server: beside this Python, or on PATH. Raises `_Failure` (`PROGRAM_MISSING`)."""
    beside = Path(sys.executable).parent / PROGRAM
    found = str(beside) if beside.is_file() else shutil.which(PROGRAM)
    if found is None:
        raise _Failure(
            DatabaseExit.PROGRAM_MISSING,
            f"{PROGRAM} is not installed. Run `pip install 'secantusdb==0.6.0b17'`, or set PANAL_MONGODB_URI.",
        )
    return found


OPLOG_ENTRIES: Final = 1_000_000
"""Above its limit the server prunes with every write: half the throughput, and stalls of 50 to 120 ms a second. 10,000
messages in an hour reach its default of 100,000. A million entries take about 1 GB of disk; it keeps one hour."""


def command(program: str, *, port: int, folder: Path, cache: str) -> list[str]:
    """The command line that was measured to lose nothing."""
    return [
        program,
        *("--host", HOST, "--port", str(port), "--storage-path", str(folder)),
        *("--sync-on-commit", "--log-file-max", "128MB", "--cache-size", cache, "--log-level", "WARNING"),
        *("--oplog-max-entries", str(OPLOG_ENTRIES)),
    ]  # fmt: skip


def _port_failure(port: int) -> _Failure | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return _Failure(
                DatabaseExit.PORT_BUSY,
                f"Port {port} is taken ({error.strerror}). Stop what listens there, or set PANAL_EMBEDDED_DB_PORT.",
            )
    return None


class _Server:
    """The native server as a child in a session of its own: a Ctrl-C for the terminal's group does not reach it."""

    def __init__(self, argv: list[str]) -> None:
        self._tail: collections.deque[str] = collections.deque(maxlen=20)
        self._child = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            guarded_command(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._pump = threading.Thread(target=self._read, name="database-output", daemon=True)
        self._pump.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    def is_running(self) -> bool:
        return self._child.poll() is None

    def last_output(self) -> str:
        self._pump.join(1.0)
        code = self._child.poll()
        said = " / ".join(line for line in self._tail if line)[-400:]
        return f"exit code {code}: {said}" if said else f"exit code {code}"

    def wait_until_it_answers(self, port: int, asked: threading.Event) -> _Failure | None:
        give_up_at = time.monotonic() + BOOT_S
        while self.is_running() and time.monotonic() < give_up_at:
            try:
                socket.create_connection((HOST, port), timeout=0.5).close()
            except OSError:
                if asked.wait(0.05):
                    break
                continue
            return None
        if self.is_running():
            self.stop()
            return _Failure(DatabaseExit.DIED, f"The embedded database did not answer within {BOOT_S:.0f} s.")
        return _explain(self.last_output())

    def kill(self) -> None:
        """Send SIGKILL, which also ends a stopped process. Everything it acknowledged is on disk."""
        self._child.kill()
        self._child.wait()

    def stop(self) -> None:
        if self.is_running():
            self._child.terminate()
        try:
            self._child.wait(SERVER_STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _read(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 - it was asked for above
        for line in self._child.stdout:
            text = line.rstrip()
            self._tail.append(text)
            logger.info("%s", text, extra={"action": "database.said"})


def _explain(said: str) -> _Failure:
    """Translate the last output of the server for the operator."""
    if "resource busy" in said.lower():
        return _Failure(
            DatabaseExit.FOLDER_LOCKED,
            "Another database server has PANAL_DATA_DIR/db open. Stop the other cluster, or set PANAL_DATA_DIR.",
        )
    if "os error 98" in said or "in use" in said.lower():
        return _Failure(DatabaseExit.PORT_BUSY, "The database's port is taken. Set PANAL_EMBEDDED_DB_PORT.")
    if "SALVAGE" in said or "corrupt" in said.lower():
        return _Failure(
            DatabaseExit.STORE_CORRUPT,
            f"PANAL_DATA_DIR/db is damaged. Put it aside and restore a copy, or start empty. ({said})",
        )
    return _Failure(DatabaseExit.DIED, f"The embedded database did not start ({said}).")


def _siblings() -> list[int]:
    """PIDs of main's other children that may still use the database, found by their process names."""
    alive = []
    try:
        children = psutil.Process(os.getppid()).children()
    except psutil.Error:
        return []
    for child in children:
        try:
            if child.name().startswith(USERS) and child.status() != psutil.STATUS_ZOMBIE:
                alive.append(child.pid)
        except psutil.Error:
            continue
    return alive
