"""What one endpoint still has to get from one number: lanes, one a conversation. Pure: no clock, no database.

Process: whatsapp.

Inside a lane order is strict: the head is tried until it is delivered or given up, and only then the next. Lanes run
side by side. A lane that waits for a retry can be *parked*: it is written to the database as a list of event numbers,
its events leave memory, and the cursor goes on past them.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.store import Event
from services.webhook_endpoints.records import ParkedLane

WINDOW = 200
"""Events of unparked lanes in memory, for each stream."""

MOST_PARKED = 5_000
"""Lanes that may be parked; past it nothing new is read until some of them move."""

LONGEST_LANE = 5_000
"""Events that may wait in one lane; past it the oldest becomes a dead letter."""

PARK_AFTER = 2
"""Failed tries after which a lane is parked at once: it will wait for longer than a moment."""


class LaneState(StrEnum):
    """``ready``: the head may be tried. ``flying``: it is being tried. ``waiting``: for its next try."""

    READY = "ready"
    FLYING = "flying"
    WAITING = "waiting"


@dataclass(slots=True)
class Lane:
    """One conversation of one stream. ``attempt_count`` is the tries of the head so far; ``due_at`` in Unix seconds."""

    key: str
    seqs: deque[int]
    state: LaneState = LaneState.READY
    attempt_count: int = 0
    due_at: float = 0.0
    is_parked: bool = False

    @property
    def head(self) -> int:
        """The event that goes next."""
        return self.seqs[0]


class Backlog:
    """Lanes of one stream. ``read_to`` is how far the log was taken in, ``cursor`` up to where all is settled."""

    def __init__(self, cursor: int, parked: Iterable[ParkedLane] = ()) -> None:
        """As the database has it."""
        self.read_to = cursor
        self._lanes: dict[str, Lane] = {}
        self._open: dict[int, Event] = {}
        self._loaded: dict[int, Event] = {}
        self._ready: deque[str] = deque()
        self._waiting: list[tuple[float, str]] = []
        self._parked_count = 0
        self.changed: set[str] = set()
        for record in parked:
            lane = Lane(
                key=record.key,
                seqs=deque(record.seqs),
                state=LaneState.WAITING,
                attempt_count=record.attempt_count,
                due_at=record.due_at,
                is_parked=True,
            )
            self._lanes[record.key] = lane
            self._parked_count += 1
            heapq.heappush(self._waiting, (lane.due_at, lane.key))

    # --- how far it is

    @property
    def cursor(self) -> int:
        """All up to here is delivered, given up or parked: a new owner begins after it."""
        return next(iter(self._open)) - 1 if self._open else self.read_to

    @property
    def room(self) -> int:
        """How many more events may be taken in."""
        return 0 if self._parked_count >= MOST_PARKED else max(0, WINDOW - len(self._open))

    @property
    def is_empty(self) -> bool:
        """Nothing is left of what was taken in."""
        return not self._lanes

    @property
    def waiting_count(self) -> int:
        """Events in all lanes."""
        return sum(len(lane.seqs) for lane in self._lanes.values())

    def lane(self, key: str) -> Lane | None:
        """The lane of this conversation, if something is left in it."""
        return self._lanes.get(key)

    # --- what comes in

    def take(self, events: Sequence[Event], reached: int, wanted: Callable[[Event], bool]) -> None:
        """Take events of the log in, in order; ``reached`` is the last number that was looked at."""
        for event in events:
            if event.seq > self.read_to:
                if wanted(event):
                    self._put(event)
                self.read_to = event.seq
        self.read_to = max(self.read_to, reached)

    def _put(self, event: Event) -> None:
        key = event.conversation_id or ""
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = Lane(key, deque([event.seq]))
            self._open[event.seq] = event
            self._ready.append(key)
        elif not lane.is_parked:
            lane.seqs.append(event.seq)
            self._open[event.seq] = event
        elif event.seq > lane.seqs[-1]:
            # Older ones were settled before the lane was parked, or stand in it already.
            lane.seqs.append(event.seq)
            self.changed.add(key)

    # --- what goes out

    def wake(self, now: float) -> None:
        """Lanes whose time has come are ready."""
        while self._waiting and self._waiting[0][0] <= now:
            due_at, key = heapq.heappop(self._waiting)
            lane = self._lanes.get(key)
            if lane is not None and lane.state is LaneState.WAITING and lane.due_at == due_at:
                self._make_ready(lane)

    def wake_all(self) -> None:
        """The endpoint is back: nobody waits for its time any more."""
        self._waiting.clear()
        for lane in self._lanes.values():
            if lane.state is LaneState.WAITING:
                self._make_ready(lane)

    def next_due_at(self) -> float | None:
        """When the first waiting lane is due (Unix seconds; may be the time of a lane that moved meanwhile)."""
        return self._waiting[0][0] if self._waiting else None

    @property
    def has_ready(self) -> bool:
        """Is there a head that may be tried now?"""
        return bool(self._ready)

    def pop_ready(self) -> Lane | None:
        """The lane whose head is tried next; it is flying from now on."""
        while self._ready:
            lane = self._lanes.get(self._ready.popleft())
            if lane is not None and lane.state is LaneState.READY:
                lane.state = LaneState.FLYING
                return lane
        return None

    def event(self, seq: int) -> Event | None:
        """The event of this number, if it is in memory."""
        return self._open.get(seq) or self._loaded.get(seq)

    def load(self, events: Iterable[Event]) -> None:
        """Events of parked lanes, read again."""
        self._loaded.update((event.seq, event) for event in events)

    def settle(self, lane: Lane) -> None:
        """The head is delivered, or given up."""
        seq = lane.seqs.popleft()
        self._open.pop(seq, None)
        self._loaded.pop(seq, None)
        lane.attempt_count = 0
        lane.due_at = 0.0
        if lane.is_parked:
            self.changed.add(lane.key)
        if lane.seqs:
            self._make_ready(lane)
            return
        del self._lanes[lane.key]
        if lane.is_parked:
            self._parked_count -= 1

    def postpone(self, lane: Lane, due_at: float) -> None:
        """The head failed and is tried again at ``due_at``."""
        lane.attempt_count += 1
        lane.due_at = due_at
        lane.state = LaneState.WAITING
        heapq.heappush(self._waiting, (due_at, lane.key))
        self._loaded.pop(lane.head, None)
        if lane.is_parked:
            self.changed.add(lane.key)
        elif lane.attempt_count >= PARK_AFTER or self.room == 0:
            self._park(lane)

    def give_back(self, lane: Lane) -> None:
        """The head was not tried after all."""
        self._make_ready(lane)

    def relieve(self) -> None:
        """The window is full of lanes that wait: park them, so that others can be read."""
        for lane in self._lanes.values():
            if lane.state is LaneState.WAITING and not lane.is_parked:
                self._park(lane)

    def overlong(self) -> list[Lane]:
        """Lanes that hold more than they may and whose head is not under way."""
        return [
            lane
            for key in self.changed
            if (lane := self._lanes.get(key)) is not None
            and len(lane.seqs) > LONGEST_LANE
            and lane.state is not LaneState.FLYING
        ]

    def take_changes(self) -> dict[str, Lane | None]:
        """Parked lanes that differ from the database, by key; None: it is gone. The caller writes them."""
        changes = {key: self._lanes.get(key) for key in self.changed}
        self.changed.clear()
        return {key: lane if lane is not None and lane.is_parked else None for key, lane in changes.items()}

    def _make_ready(self, lane: Lane) -> None:
        lane.state = LaneState.READY
        self._ready.append(lane.key)

    def _park(self, lane: Lane) -> None:
        for seq in lane.seqs:
            self._open.pop(seq, None)
        lane.is_parked = True
        self._parked_count += 1
        self.changed.add(lane.key)
