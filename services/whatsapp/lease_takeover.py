"""Whose lease may be inherited: that of an owner on the same host which is dead for certain.

Process: whatsapp.

Another host cannot know whether an owner is dead, so it waits until the lease has run out. A successor on the same
host can. Of those that the same main started the PID tells. Where main died as well, a file in the data folder does:
a process that may own holds a lock on it for as long as it lives, and is named in it; whoever gets the lock knows that
all who are named are dead. Nothing sends on their behalf any more, and the lease changes its token as with any other
change of owner.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

import psutil

OWNER_FILE: Final = "whatsapp.owner"
MOST_NAMES: Final = 20
"""So many that died without owning anything are remembered."""
_MAX_BYTES: Final = 8_192


def holder_name(host: str, run_id: str, pid: int) -> str:
    """The name of an owner: the host for people, ``run_id`` (random, one for each run of a main) and the PID."""
    return f"{host}:{run_id}:{pid}"


def is_dead_sibling(holder: str, *, ours: str) -> bool:
    """Did the main that started us start this holder, and is it dead? A PID that somebody has again counts as alive."""
    family, _, pid = holder.rpartition(":")
    if not family or family != ours.rpartition(":")[0] or holder == ours or not pid.isdigit():
        return False
    try:
        return bool(psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class OwnerFile:
    """The file that names who may have owned on this data folder. What goes wrong with it costs a wait, never more."""

    def __init__(self, path: Path, holder: str) -> None:
        """Try to get the lock. While another process has it, nobody is known to be dead."""
        self._path = path
        self._holder = holder
        self._file: int | None = None
        self._dead: list[str] = []
        self._take()

    def says_dead(self, holder: str) -> bool:
        """Is this holder one of those that had the lock before, and died?"""
        if self._file is None:
            self._take()  # it may have been leaving just now
        return holder in self._dead

    def owned(self) -> None:
        """The lease is ours: no other name in the file can stand in it any more."""
        self._dead = []
        self._write()

    def close(self) -> None:
        """Give the lock up, as the end of this process would."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _take(self) -> None:
        file = None
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            names = os.pread(file, _MAX_BYTES, 0).decode(errors="replace").splitlines()
        except OSError:
            if file is not None:
                os.close(file)
            return
        self._file = file
        # Of another host nobody can be certain: a folder on the network may have locks that only its own host sees.
        host = self._holder.partition(":")[0] + ":"
        self._dead = [name for name in names if name.startswith(host) and name != self._holder][-MOST_NAMES:]
        self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        text = "\n".join([*self._dead, self._holder, ""]).encode()
        with contextlib.suppress(OSError):  # a full disk, say
            os.pwrite(self._file, text, 0)
            os.ftruncate(self._file, len(text))
