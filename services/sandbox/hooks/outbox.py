"""The outbox: every notification not yet answered with 200, one lane a phone, in order inside a lane.

Process: sandbox.

A notification is a row of the storage from the moment its event happened until somebody answered 200, so a restarted
sandbox goes on where it stood. Retries post the same bytes again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.sandbox.world.storage import Storage

BODIES_IN_MEMORY = 5_000
"""Past this many the bodies stay on disk until their turn comes; about 1 kB each."""


@dataclass(slots=True)
class Hook:
    """One owed notification. `body` is None while it lies on disk only; `attempts` are those of this process."""

    id: int
    url: str
    made_at: float
    body: bytes | None
    attempts: int = 0


@dataclass(slots=True)
class Lane:
    """What is owed about one phone. `is_busy`: its head is being posted, or waits for the next try."""

    name: str
    hooks: deque[Hook] = field(default_factory=deque)
    is_busy: bool = False


class Outbox:
    """Lanes and which of them are ready. Knows nothing of HTTP: `wake` is called when a lane became ready."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._lanes: dict[str, Lane] = {}
        self._next_id = 1
        self._held: set[asyncio.TimerHandle] = set()
        self.ready: deque[Lane] = deque()
        self.owed_count = 0
        self.wake: Callable[[], None] = _nobody

    def load(self) -> None:
        """What an earlier process still owed. Ids go on rising."""
        self._lanes.clear()
        self.ready.clear()
        for timer in self._held:
            timer.cancel()
        self._held.clear()
        rows = self._storage.rows("SELECT id, lane, url, made_at FROM hooks ORDER BY id")
        for hook_id, lane_name, url, made_at in rows:
            self._push(lane_name, Hook(hook_id, url, made_at, None))
        self.owed_count = len(rows)
        self._next_id = max(self._next_id, rows[-1][0] + 1 if rows else 1)

    def owe(self, lane: str, url: str, body: bytes, *, at: float, hold_s: float = 0.0) -> None:
        """Post these bytes to this url after all that the lane already holds, and not before `hold_s` from now."""
        hook = Hook(self._next_id, url, at, body if self.owed_count < BODIES_IN_MEMORY else None)
        self._next_id += 1
        self.owed_count += 1
        self._storage.add("INSERT INTO hooks VALUES (?, ?, ?, ?, ?)", (hook.id, lane, url, body, at))
        if hold_s:
            self._hold(hold_s, lane, hook)
        else:
            self._push(lane, hook)

    def body_of(self, hook: Hook) -> bytes:
        if hook.body is None:
            rows = self._storage.rows("SELECT body FROM hooks WHERE id = ?", (hook.id,))
            hook.body = bytes(rows[0][0]) if rows else b""
        return hook.body

    def settle(self, lane: Lane, hook: Hook) -> None:
        """It was answered, or given up: it is owed no more."""
        if self._lanes.get(lane.name) is not lane:
            return  # the world was reset meanwhile
        lane.hooks.popleft()
        self.owed_count -= 1
        self._storage.add("DELETE FROM hooks WHERE id = ?", (hook.id,))

    def release(self, lane: Lane) -> None:
        """The lane may go on: it is ready again, or gone when it is empty."""
        lane.is_busy = False
        if self._lanes.get(lane.name) is not lane:
            return
        if lane.hooks:
            self._make_ready(lane)
        else:
            del self._lanes[lane.name]

    def _hold(self, hold_s: float, lane: str, hook: Hook) -> None:
        def go() -> None:
            self._held.discard(timer)
            self._push(lane, hook)

        timer = asyncio.get_running_loop().call_later(hold_s, go)
        self._held.add(timer)

    def _push(self, lane_name: str, hook: Hook) -> None:
        lane = self._lanes.get(lane_name)
        if lane is None:
            lane = self._lanes[lane_name] = Lane(lane_name)
        lane.hooks.append(hook)
        if len(lane.hooks) == 1 and not lane.is_busy:
            self._make_ready(lane)

    def _make_ready(self, lane: Lane) -> None:
        lane.is_busy = True
        self.ready.append(lane)
        self.wake()


def _nobody() -> None:
    """Until a poster listens there is nobody to wake."""
