"""Take over the lease of a dead owner at once, if it ran on this host and is dead for certain.

Process: whatsapp.

Another host cannot know whether an owner is dead, so it waits until the lease has run out. A successor on the same host
can know. If the same main started both, the PID tells. If main died as well, a file in the data folder tells: a process
that may become owner writes its name into the file and holds a lock on it for as long as it lives. So the process that
gets the lock knows that all others named in the file are dead. The lease gets a new token, as with every change of
owner.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

import psutil

OWNER_FILE: Final = "whatsapp.owner"
MOST_NAMES: Final = 20
"""So many names stay in the file of processes that died without becoming owner."""
_MAX_BYTES: Final = 8_192


def holder_name(host: str, run_id: str, pid: int) -> str:
    """Return the name of an owner: the host for people, ``run_id`` (random, one for each run of main) and the PID."""
    return f"{host}:{run_id}:{pid}"


def is_dead_sibling(holder: str, *, ours: str) -> bool:
    """Did our own main start this holder, and is it dead? A reused PID counts as alive."""
    family, _, pid = holder.rpartition(":")
    if not family or family != ours.rpartition(":")[0] or holder == ours or not pid.isdigit():
        return False
    try:
        return bool(psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class OwnerFile:
    """The file that names the processes that may have owned this data folder. An error in it only costs a wait."""

    def __init__(self, path: Path, holder: str) -> None:
        """Try to get the lock. While another process holds it, no holder is known to be dead."""
        self._path = path
        self._holder = holder
        self._file: int | None = None
        self._dead: list[str] = []
        self._take()

    def says_dead(self, holder: str) -> bool:
        """Did this holder have the lock before, and die?"""
        if self._file is None:
            self._take()  # the last owner may just have exited
        return holder in self._dead

    def owned(self) -> None:
        """The lease is ours: remove the names of earlier owners from the file."""
        self._dead = []
        self._write()

    def close(self) -> None:
        """Release the lock, as the end of this process would."""
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
        # Never trust names of another host: a network folder may have locks that only its own host sees.
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
