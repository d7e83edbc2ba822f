"""The files behind the metrics: prepared by main before anyone counts, and folded together when a process is gone.

Process: main; the reading lock also in workers.

prometheus_client keeps the files of dead processes for ever, so that sums never go back. After a thousand replaced
workers a scrape would read thousands of files: here the dead are added up into one file of each kind.
"""

import contextlib
import fcntl
import logging
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

from services.telemetry.metrics.preallocated import PreallocatedDict

DIRECTORY_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
FOLDED = "folded"
LOCK = "lock"

logger = logging.getLogger(__name__)
_unfolded: set[int] = set()  # processes that are gone; more than the last one only while the disk is full


def prepare(data_dir: str | Path) -> Path:
    """In main, before any child is started: an empty directory, announced in the environment that they inherit.

    It is main's own: another main on the same data folder (the port is taken, say) must not wipe it. Those of mains
    that are gone are removed.
    """
    above = Path(data_dir) / "run" / "metrics"
    directory = above / str(os.getpid())
    if os.environ.get(DIRECTORY_VARIABLE) == str(directory) and directory.exists():
        return directory
    for old in above.glob("*"):
        if not (old.name.isdigit() and Path("/proc", old.name).exists()):
            shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / LOCK).touch()
    os.environ[DIRECTORY_VARIABLE] = str(directory)
    return directory


def fold(pid: int) -> None:
    """`on_gone` of the supervisor: what the dead process counted stays in the sums, its files go."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if not directory:
        return
    _unfolded.add(pid)
    paths = [path for one in _unfolded for path in Path(directory).glob(f"*_{one}.db")]
    left: set[int] = set()
    try:
        with _locked(directory, fcntl.LOCK_EX):
            for path in paths:
                if _fold_file(path, pid):
                    path.unlink(missing_ok=True)
                else:
                    left.add(int(path.stem.rpartition("_")[2]))
    except OSError as error:
        _tell(pid, error)
    else:
        _unfolded.intersection_update(left)


def _fold_file(path: Path, pid: int) -> bool:
    """False: the file has to stay, its counts are in no other.

    One that cannot be read is given up: main must not fall over what a killed process left half-written.
    """
    kind = path.name.split("_")[0]
    # A gauge of a process that is gone says nothing; an empty file is of one killed before its first count.
    if kind == "gauge" or path.stat().st_size == 0:
        return True
    try:
        return _add(path, path.with_name(f"{kind}_{FOLDED}.db"))
    except (ValueError, RuntimeError, struct.error) as error:
        _tell(pid, error)
        return True


def _tell(pid: int, error: Exception) -> None:
    logger.error("The metrics of PID %d could not be folded: %s.", pid, error, extra={"action": "metrics.fold_failed"})


@contextlib.contextmanager
def reading(directory: str) -> Iterator[None]:
    """No file is folded while this is held: nothing is counted twice or missed."""
    with _locked(directory, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(directory: str, mode: int) -> Iterator[None]:
    """A file lock: it goes with the process that holds it, whatever happens to that."""
    with (Path(directory) / LOCK).open("a") as lock:
        fcntl.flock(lock, mode)
        yield


def _add(source: Path, target: Path) -> bool:
    """All of it or nothing: False when the disk has no space for it."""
    values = list(MmapedDict.read_all_values_from_file(str(source)))  # type: ignore[no-untyped-call]
    sums = PreallocatedDict(str(target))
    try:
        if not sums.make_room([key for key, *_ in values]):
            return False
        for key, value, timestamp, _position in values:
            before, _ = sums.read_value(key)
            sums.write_value(key, before + value, timestamp)
    finally:
        sums.close()
    return True
