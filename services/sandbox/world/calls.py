"""The log of accepted calls: on disk before the answer leaves, numbered without a gap.

Process: sandbox.
"""

from collections import deque

import orjson

from services.sandbox.wire.shapes import Json
from services.sandbox.world.messages import KEPT, PRUNE_EVERY, time_text
from services.sandbox.world.storage import Storage

REMEMBERED = 1000


class Calls:
    """`kept` calls changed something and are in the storage; `recent` ones are all, refused ones too, in memory."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._last_n = 0
        self.recent: deque[Json] = deque(maxlen=REMEMBERED)

    def load(self) -> None:
        self._last_n = self._storage.rows("SELECT coalesce(max(n), 0) FROM calls")[0][0]
        self.recent.clear()

    def keep(
        self,
        method: str,
        path: str,
        *,
        at: float,
        to: str | None = None,
        kind: str | None = None,
        wamid: str | None = None,
        biz: str | None = None,
    ) -> None:
        """One accepted call. Await the storage before you answer it."""
        self._last_n += 1
        entry = {
            "n": self._last_n,
            "at": time_text(at),
            "method": method,
            "path": path,
            "to": to,
            "type": kind,
            "wamid": wamid,
            "biz_opaque_callback_data": biz,
        }
        self._storage.add("INSERT INTO calls VALUES (?, ?)", (self._last_n, orjson.dumps(entry)))
        if self._last_n % PRUNE_EVERY == 0:
            self._storage.add("DELETE FROM calls WHERE n <= ?", (self._last_n - KEPT,))

    def after(self, n: int, *, limit: int) -> bytes:
        """A JSON array of the calls after number `n`, in order."""
        rows = self._storage.rows("SELECT line FROM calls WHERE n > ? ORDER BY n LIMIT ?", (n, limit))
        return b"[" + b",".join(row[0] for row in rows) + b"]"
