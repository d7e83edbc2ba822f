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
from enum import StrEnum
from typing import Final

PROBE_S: Final = 0.5
"""How long one probe waits for the answer. Measured under full load: 1 to 150 ms."""
SUSPECT_S: Final = 2.5
"""Without an answer for so long the process table says that it is stalled."""
HUNG_S: Final = 7.0
"""Without an answer for so long it is hung. With an index of 300,000 documents being built and seven processes for each
CPU, the longest silence was 2 s. The CPU that it uses meanwhile tells nothing: one whose storage is stuck may use a
whole one, since everybody who waits looks again and again."""
BLIND_GAP_S: Final = 2.0 + PROBE_S
"""When the one who looks did not run for longer (a paused machine), what it did not hear says nothing."""

_HEADER: Final = struct.Struct("<iiii")
_OP_MSG: Final = 2013
_MAX_REPLY_BYTES: Final = 1 << 20


class Health(StrEnum):
    """What the answers of the last seconds mean."""

    READY = "ready"
    STALLED = "stalled"
    HUNG = "hung"


class HealthJudge:
    """Distinguishes hung from busy. Pure: times are seconds of a monotonic clock.

    Busy is a server that answers late; hung is one that does not answer for `HUNG_S`.
    """

    def __init__(self, now: float) -> None:
        self._heard_at = now
        self._looked_at = now

    def look(self, now: float, *, has_answered: bool) -> Health:
        """Judge after one probe, which took an answer or not."""
        if has_answered or now - self._looked_at > BLIND_GAP_S:
            self._heard_at = now
        self._looked_at = now
        silent_s = self.silent_s(now)
        if silent_s >= HUNG_S:
            return Health.HUNG
        return Health.STALLED if silent_s >= SUSPECT_S else Health.READY

    def silent_s(self, now: float) -> float:
        """Seconds since its last answer."""
        return now - self._heard_at


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
