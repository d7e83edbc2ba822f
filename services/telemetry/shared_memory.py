"""One writer, any readers, no lock: two buffers that take turns, each with its number twice and a checksum.

Process: all of them.
"""

import struct
import zlib
from typing import NamedTuple

MAIN_BYTES = 64 * 1024
SLOT_BYTES = 3 * 1024
_HEAD = struct.Struct("<QII")  # number, length, CRC-32 of number, length and payload
_TAIL = struct.Struct("<Q")  # the number again
_PREFIX = struct.Struct("<QI")


class Found(NamedTuple):
    """A whole record; `number` grows by one a write."""

    number: int
    payload: bytes


class Region:
    """A region of shared memory. A reader gets a whole record, an older whole record, or None: never a mixture.

    The writer always overwrites the older buffer, so a kill in the middle of a write costs that write alone. A record
    counts only if both numbers agree and the checksum over number, length and payload holds.
    """

    def __init__(self, view: memoryview) -> None:
        half = len(view) // 2
        self._buffers = (view[:half], view[half:])
        self._capacity = half - _HEAD.size - _TAIL.size
        self._number = 0

    def fits(self, payload: bytes) -> bool:
        return len(payload) <= self._capacity

    def write(self, payload: bytes) -> None:
        """Only one process may write to a region. ValueError when it does not fit."""
        if not self.fits(payload):
            raise ValueError(f"{len(payload)} bytes do not fit into {self._capacity}")
        if not self._number:
            newest = self.read()
            self._number = newest.number if newest is not None else 0
        number = self._number + 1
        size = len(payload)
        head = _HEAD.pack(number, size, zlib.crc32(payload, zlib.crc32(_PREFIX.pack(number, size))))
        record = head + payload + _TAIL.pack(number)
        self._buffers[number % 2][: len(record)] = record
        self._number = number

    def read(self) -> Found | None:
        """The newest whole record; None when there is none."""
        for _ in range(3):  # a writer that laps us twice during one copy is not there to be waited for
            first, second = (_number(buffer) for buffer in self._buffers)
            if not first and not second:
                return None
            newest, older = self._buffers if first > second else self._buffers[::-1]
            found = _parse(newest) or _parse(older)
            if found is not None:
                return found
        return None

    def newest_number(self) -> int:
        """Has anything changed since a read? A hint alone: the record with this number may still be on its way."""
        return max(_number(buffer) for buffer in self._buffers)

    def clear(self) -> None:
        """Forget everything. Only when the writer is gone."""
        for buffer in self._buffers:
            buffer[: _HEAD.size] = bytes(_HEAD.size)
        self._number = 0


def _number(buffer: memoryview) -> int:
    return int(_TAIL.unpack_from(buffer)[0])


def _parse(buffer: memoryview) -> Found | None:
    number, size, checksum = _HEAD.unpack_from(buffer)
    end = _HEAD.size + size
    if number == 0 or end + _TAIL.size > len(buffer):
        return None
    payload = bytes(buffer[_HEAD.size : end])
    if _TAIL.unpack_from(buffer, end)[0] != number:
        return None
    if zlib.crc32(payload, zlib.crc32(_PREFIX.pack(number, size))) != checksum:
        return None
    return Found(number, payload)
