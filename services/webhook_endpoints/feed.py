"""The engine's view of the log: new events straight from the event writer, older ones from the database.

Process: whatsapp.

The owner wrote the events itself a moment ago: what is still in memory need not be read back, which on a small
database is the difference between one operation an event and none.
"""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from services.store import EVENTS, Database, Event, event_record, read_events

KEPT = 2_000


class Feed:
    """The newest events of every number, and the way to older ones."""

    def __init__(self, database: Database, last_seqs: dict[str, int], *, kept: int = KEPT) -> None:
        """``last_seqs``: how far each log reached when this began."""
        self._database = database
        self._last = dict(last_seqs)
        self._kept = kept
        self._recent: dict[str, deque[Event]] = {}
        self._listeners: set[Callable[[], None]] = set()

    def hear(self, events: Sequence[Event]) -> None:
        """Events that stand in the log now. The event writer calls this."""
        for event in events:
            self._recent.setdefault(event.number, deque(maxlen=self._kept)).append(event)
            self._last[event.number] = event.seq
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every batch of new events."""
        self._listeners.add(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.discard(listener)

    def last(self, number: str) -> int:
        """The last durable event number of this number; 0 for a number that has none."""
        return self._last.get(number, 0)

    async def read(self, number: str, *, after: int, limit: int) -> tuple[list[Event], int]:
        """Up to ``limit`` events after ``after``, and the last number looked at. Raises ``Unavailable``."""
        last = self.last(number)
        if after >= last:
            return [], after
        recent = self._recent.get(number)
        if recent and recent[0].seq <= after + 1:
            skip = after + 1 - recent[0].seq
            events = [recent[position] for position in range(skip, min(skip + limit, len(recent)))]
            return events, events[-1].seq if events else after
        return await read_events(self._database, number, after=after, limit=limit)

    async def chosen(self, number: str, seqs: Sequence[int]) -> list[Event]:
        """These events, as far as they are still kept. Raises ``Unavailable``."""
        found: dict[int, Event] = {}
        recent = self._recent.get(number)
        if recent:
            first = recent[0].seq
            found = {seq: recent[seq - first] for seq in seqs if 0 <= seq - first < len(recent)}
        missing = [seq for seq in seqs if seq not in found]
        if missing:
            for event in await events_by_seq(self._database, number, missing):
                found[event.seq] = event
        return [found[seq] for seq in seqs if seq in found]


async def events_by_seq(database: Database, number: str, seqs: Sequence[int]) -> list[Event]:
    """Chosen events of one number, in no promised order. Raises ``Unavailable``."""
    documents = await database.find(EVENTS, {"number": number, "seq": {"$in": list(seqs)}}, limit=len(seqs))
    return [event_record(document) for document in documents]


async def seq_before(database: Database, number: str, moment: datetime, *, last: int) -> int:
    """The last event number before ``moment`` (0: all that is kept came after it). ``last``: the log's end.

    Found by halving: a few look-ups by number, however long the log is. Raises ``Unavailable``.
    """
    low, high = 0, last
    while low < high:
        middle = (low + high + 1) // 2
        events, _ = await read_events(database, number, after=middle - 1, limit=1)
        if not events or events[0].seq > high:
            # Nothing is kept from here on up to the part that is known to be later.
            high = middle - 1
        elif events[0].at < moment:
            low = max(middle, events[0].seq)
        else:
            high = middle - 1
    return low
