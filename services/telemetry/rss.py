"""Resident memory: of this process, and of processes that do not report it (Sanic's helpers of main, the sandbox).

Process: all of them. It reads small files of /proc, which never wait for a disk; psutil would look through all of /proc
to find children.
"""

import os
import resource
import sys
from collections.abc import Collection
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Of getrusage: bytes on macOS, KiB elsewhere."""
PROC = Path("/proc")


def rss_bytes(*, proc: Path = PROC) -> int:
    """Resident memory of this process; the most it ever had where there is no /proc."""
    return rss_bytes_of(os.getpid(), proc=proc) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def rss_bytes_of(pid: int, *, proc: Path = PROC) -> int:
    """Resident memory of another process; 0 when it is gone, or where there is no /proc."""
    try:
        return int((proc / str(pid) / "statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0


def helpers_rss_bytes(main_pid: int, known: Collection[int], *, proc: Path = PROC) -> int:
    """Resident memory of what main started and the scoreboard does not show (`known` has its PIDs).

    Sanic's state manager, multiprocessing's tracker, the fork server: about 40 MB each, the fork server's mostly
    shared with its children. A known process answers for its own children.
    """
    waiting = [main_pid]
    total = 0
    while waiting:
        unknown = [pid for pid in _children(waiting.pop(), proc) if pid not in known]
        total += sum(rss_bytes_of(pid, proc=proc) for pid in unknown)
        waiting += unknown
    return total


def _children(pid: int, proc: Path) -> list[int]:
    """Children started by the main thread of `pid`: those are all that we start."""
    try:
        return [int(word) for word in (proc / str(pid) / "task" / str(pid) / "children").read_bytes().split()]
    except (OSError, ValueError):
        return []
