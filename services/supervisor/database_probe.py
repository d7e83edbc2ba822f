"""Is the embedded database hung, or only busy? A real command with a time limit, and pure rules for its silence.

Process: database.
A `ping` is not enough: with its storage engine stuck the server still answers it. So the probe reads a document. Its
message is written by hand, since only `services/store` may use the driver, which would cost this process 15 MB.
Source: MongoDB, "Wire Protocol" (OP_MSG); bsonspec.org.
"""

import itertools
import socket
import struct
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PROBE_S: Final = 0.5
"""How long one probe waits for the answer. Measured under full load: 1 to 150 ms."""
SUSPECT_S: Final = 2.5
"""After so long without an answer the process table shows `stalled`."""
HUNG_S: Final = 5.5
"""After so long without an answer and without progress it counts as hung."""
BUSY_S: Final = 60.0
"""After so long without an answer it counts as hung even if it works: an index over a large collection takes less."""
BLIND_GAP_S: Final = 2.0 + PROBE_S
"""If the prober itself did not run for longer (a paused machine), missing answers prove nothing."""
BUSY_CPUS: Final = 0.5
BUSY_BYTES_PER_S: Final = 1_000_000
"""So much of a CPU, or so much written to disk, is progress. Measured while stuck: 0.2 of a CPU, nothing written."""
PROGRESS_WINDOW_S: Final = 1.0

_HEADER: Final = struct.Struct("<iiii")
_OP_MSG: Final = 2013
_MAX_REPLY_BYTES: Final = 1 << 20


class Health(StrEnum):
    """What the answers of the last seconds mean."""

    READY = "ready"
    STALLED = "stalled"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Work:
    """What the server has done since its start: CPU seconds, and bytes written to disk."""

    cpu_s: float = 0.0
    written_bytes: int = 0


class HealthJudge:
    """Distinguishes hung from busy. Pure: times are seconds of a monotonic clock.

    A server is hung if it neither answers nor works for `HUNG_S`, or does not answer at all for `BUSY_S`.
    """

    def __init__(self, now: float, work: Work) -> None:
        self._heard_at = now
        self._looked_at = now
        self._work_at = now
        self._work = work
        self._progress_at = now

    def look(self, now: float, work: Work, *, has_answered: bool) -> Health:
        """Judge after one probe, which took an answer or not."""
        if has_answered or now - self._looked_at > BLIND_GAP_S:
            self._heard_at = now
        self._looked_at = now
        self._note_progress(now, work)
        if self._heard_at == now or self.silent_s(now) < SUSPECT_S:
            return Health.READY
        idle_s = now - max(self._heard_at, self._progress_at)
        return Health.HUNG if idle_s >= HUNG_S or self.silent_s(now) >= BUSY_S else Health.STALLED

    def silent_s(self, now: float) -> float:
        """Seconds since its last answer."""
        return now - self._heard_at

    def _note_progress(self, now: float, work: Work) -> None:
        window_s = now - self._work_at
        if window_s < PROGRESS_WINDOW_S:
            return
        cpus = (work.cpu_s - self._work.cpu_s) / window_s
        written = (work.written_bytes - self._work.written_bytes) / window_s
        if cpus >= BUSY_CPUS or written >= BUSY_BYTES_PER_S:
            self._progress_at = now
        self._work_at, self._work = now, work


class DatabaseProbe:
    """Asks the server on 127.0.0.1:`port` for one document of `database`, on one connection.

    A command stays open until it is answered: a late answer means slow, not hung.
    """

    def __init__(self, port: int, *, database: str) -> None:
        self._address = ("127.0.0.1", port)
        self._command = bson({"find": "meta", "filter": {}, "limit": 1, "singleBatch": True, "$db": database})
        self._numbers = itertools.count(1)
        self._connection: socket.socket | None = None
        self._reply = b""
        self._is_asked = False

    def answers(self, limit_s: float = PROBE_S) -> bool:
        """Has it answered within `limit_s`, connecting included? An error is an answer, too."""
        until = time.monotonic() + limit_s
        try:
            if self._connection is None:
                self._connection = socket.create_connection(self._address, timeout=limit_s)
            if not self._is_asked:
                self._ask(self._connection, until)
            return self._has_reply(self._connection, until)
        except TimeoutError:
            return False
        except (OSError, struct.error):
            self.close()
            return False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._reply, self._is_asked = None, b"", False

    def _ask(self, connection: socket.socket, until: float) -> None:
        body = b"\0\0\0\0" + b"\0" + self._command  # no flags; one section, a document
        connection.settimeout(_left_s(until))
        connection.sendall(_HEADER.pack(_HEADER.size + len(body), next(self._numbers), 0, _OP_MSG) + body)
        self._is_asked = True

    def _has_reply(self, connection: socket.socket, until: float) -> bool:
        while len(self._reply) < (size := self._reply_size()):
            connection.settimeout(_left_s(until))
            part = connection.recv(size - len(self._reply))
            if not part:
                raise ConnectionResetError
            self._reply += part
        self._reply, self._is_asked = b"", False
        return True

    def _reply_size(self) -> int:
        """Bytes of the whole reply; before its header is here, the size of the header."""
        if len(self._reply) < _HEADER.size:
            return _HEADER.size
        size = int(_HEADER.unpack_from(self._reply)[0])
        if not _HEADER.size <= size <= _MAX_REPLY_BYTES:
            raise OSError(f"a reply of {size} bytes")
        return size


def bson(document: dict[str, object]) -> bytes:
    """Encode a document of strings, 32-bit integers, booleans and documents. Raises ``TypeError`` for other values."""
    body = b"".join(_element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _element(name: str, value: object) -> bytes:
    key = name.encode() + b"\0"
    if isinstance(value, bool):
        return b"\x08" + key + bytes([value])
    if isinstance(value, int):
        return b"\x10" + key + struct.pack("<i", value)
    if isinstance(value, str):
        text = value.encode() + b"\0"
        return b"\x02" + key + struct.pack("<i", len(text)) + text
    if isinstance(value, dict):
        return b"\x03" + key + bson(value)
    raise TypeError(f"{type(value).__name__} is not needed here")


def _left_s(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
