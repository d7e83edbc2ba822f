"""Counts in files whose space is reserved before they are mapped: a full disk costs the metrics, never the process.

Process: all that count; main, which adds up the dead.

prometheus_client makes its files without writing to them and maps them into memory. On a full disk the first write to
such a page is a SIGBUS, which ends the process. Here every byte is written once, with an error for an answer; what
finds no space is counted in this process alone until there is space again.
"""

import contextlib
import mmap
import os
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import prometheus_client.values
from prometheus_client.mmap_dict import MmapedDict

FIRST_BYTES = 64 * 1024
AGAIN_S = 2.0
USED_AT_FIRST = 8  # the file's own head: how much of it is used
_two_doubles = struct.Struct("dd").pack
_double = struct.Struct("d")


class PreallocatedDict(MmapedDict):
    """What `MmapedDict` does, in the same format. `waiting`: the counts that find no space."""

    def __init__(self, filename: str) -> None:
        self._fname = filename
        self._is_mapped = False
        self._capacity = 0
        self._used = USED_AT_FIRST
        self._positions: dict[str, int] = {}
        self.waiting: dict[str, tuple[float, float]] = {}
        self._again_at = 0.0
        with contextlib.suppress(FileNotFoundError, ValueError, RuntimeError, struct.error):  # no such file: a new one
            self._map_existing()

    def read_value(self, key: str) -> tuple[float, float]:
        if self._has_room(key):
            found: tuple[float, float] = super().read_value(key)  # type: ignore[no-untyped-call]
            return found
        return self.waiting.setdefault(key, (0.0, 0.0))

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        position = self._positions.get(key)
        if position is not None:  # three times for every request
            self._m[position : position + 16] = _two_doubles(value, timestamp)  # at once: others read it meanwhile
        elif self._has_room(key):
            super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]
        else:
            self.waiting[key] = (value, timestamp)

    def add(self, key: str, amount: float) -> None:
        """One more, or so many more. Only for a count that nothing else in this process keeps."""
        position = self._positions.get(key)
        if position is None:
            value, timestamp = self.read_value(key)
            self.write_value(key, value + amount, timestamp)
        else:
            _double.pack_into(self._m, position, _double.unpack_from(self._m, position)[0] + amount)

    def make_room(self, keys: list[str]) -> bool:
        """Space for all of these at once; False when there is none: then only the size of the file may have changed."""
        missing = [key for key in keys if key not in self._positions]
        return self._reserve(self._used + sum(_size_of(key) for key in missing))

    def close(self) -> None:
        if self._is_mapped:
            self._m.close()
            self._is_mapped = False

    def _has_room(self, key: str) -> bool:
        """Is the key in the file, or can it be? Asked rarely while there is no space: each try is a write."""
        if key in self._positions:
            return True
        if self._used + _size_of(key) > self._capacity:
            now = time.monotonic()
            if now < self._again_at:
                return False
            if not self._reserve(self._used + _size_of(key)):
                self._again_at = now + AGAIN_S
                return False
        self._bring_in()
        return True

    def _bring_in(self) -> None:
        """Write the counts of ``waiting`` into the file."""
        for key in list(self.waiting):
            if not self._reserve(self._used + _size_of(key)):
                return
            super().write_value(key, *self.waiting.pop(key))  # type: ignore[no-untyped-call]

    def _reserve(self, size: int) -> bool:
        """The file is at least so large, every byte of it on the disk, and mapped."""
        if size <= self._capacity and self._is_mapped:
            return True
        capacity = max(self._capacity, FIRST_BYTES)
        while capacity < size:
            capacity *= 2
        try:
            self._grow(capacity)
        except OSError:
            return False
        return True

    def _grow(self, capacity: int) -> None:
        path = Path(self._fname)
        is_new = not self._is_mapped
        # A file that is half there would break every scrape: it gets its name when it is whole.
        target = path.with_name(path.name + ".new") if is_new else path
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if is_new else 0), 0o644)
        try:
            _write_all(descriptor, capacity - self._capacity, at=self._capacity)
            if is_new:
                os.pwrite(descriptor, struct.pack("i", self._used), 0)
                target.rename(path)
            self._map(descriptor, capacity)
        except OSError:
            with contextlib.suppress(OSError):
                if is_new:
                    target.unlink(missing_ok=True)
                else:
                    os.ftruncate(descriptor, self._capacity)
            raise
        finally:
            os.close(descriptor)

    def _map_existing(self) -> None:
        """A file from before, made by this class: all of it is there."""
        found = list(MmapedDict.read_all_values_from_file(self._fname))  # type: ignore[no-untyped-call]
        descriptor = os.open(self._fname, os.O_RDWR)
        try:
            self._map(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
        self._used = struct.unpack_from("i", self._m, 0)[0]
        self._positions = {key: position for key, _value, _timestamp, position in found}

    def _map(self, descriptor: int, capacity: int) -> None:
        mapped = mmap.mmap(descriptor, capacity)
        self.close()
        self._m, self._is_mapped, self._capacity = mapped, True, capacity


def use() -> None:
    """From now on prometheus_client counts in such files. Idempotent."""
    setattr(prometheus_client.values, "MmapedDict", PreallocatedDict)  # noqa: B010 - the stub says it is not to be replaced


def adder(value: Any) -> Callable[[float], None]:
    """`inc` of one value of a counter or a histogram, for what every request counts: a third of its cost.

    It takes no lock and does not check the PID: call it on one thread only, and after the last fork. `value.inc` must
    not be used beside it.
    """
    file = getattr(value, "_file", None)
    if not isinstance(file, PreallocatedDict):  # counts in memory: a test, a tool
        counted: Callable[[float], None] = value.inc
        return counted
    return partial(file.add, value._key)


def _size_of(key: str) -> int:
    """Bytes of one count: the length of the key, the key padded to 8, two doubles."""
    size = len(key.encode())
    return 4 + size + (8 - (size + 4) % 8) + 16


def _write_all(descriptor: int, size: int, *, at: int) -> None:
    """Write zeros: only then is the space reserved on every kind of disk."""
    while size:
        written = os.pwrite(descriptor, bytes(min(size, FIRST_BYTES)), at)
        size -= written
        at += written
