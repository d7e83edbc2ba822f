"""An event made ready for many readers at once: its bytes are made once a process. And what readers may ask for.

Process: worker.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.events.wire import audience_of, covers, event_bytes
from services.store import Event

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Frame:
    """One event on the wire: ``body`` is its JSON, ``sse`` the same as a server-sent event.

    ``audience``: the numbers that a limited reader must have beside that of the log (``wire.audience_of``).
    """

    seq: int
    type: str
    body: bytes
    sse: bytes
    audience: frozenset[str] | None = None


def frame_of(event: Event) -> Frame:
    """The event as one frame: encoded once, for every reader."""
    body = event_bytes(event)
    sse = b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), body)
    return Frame(event.seq, event.type, body, sse, audience_of(event))


class TypeFilter:
    """Which types a reader wants: types, families (``message.*``); none means all. It remembers its answers.

    ``numbers``: those to which the reader's key is limited.
    """

    def __init__(self, words: Sequence[str], *, numbers: frozenset[str] = frozenset()) -> None:
        """``words`` as the caller gave them."""
        self._numbers = numbers
        self._exact = frozenset(words)
        self._families = tuple(word[:-1] for word in words if word.endswith(".*"))
        self.is_open = not words or EVERYTHING in self._exact
        self._known: dict[str, bool] = {}

    def chosen(self, frames: list[Frame]) -> list[Frame]:
        """Those that the reader wants, and may see."""
        if self.is_open and not self._numbers:
            return frames
        numbers = self._numbers
        return [one for one in frames if self.fits(one.type) and (not numbers or covers(numbers, one.audience))]

    def fits(self, event_type: str) -> bool:
        """Does the reader want it?"""
        if self.is_open:
            return True
        answer = self._known.get(event_type)
        if answer is None:
            answer = event_type in self._exact or event_type.startswith(self._families or ("\0",))
            if len(self._known) < 500:
                self._known[event_type] = answer
        return answer


class Ring:
    """The newest events of one number, without a gap. Everybody who listens reads from here, at his own position."""

    def __init__(self, end: int, *, kept: int) -> None:
        """``end``: the log reached it before this began."""
        self._frames: deque[Frame] = deque(maxlen=kept)
        self.end = end

    @property
    def start(self) -> int:
        """The first event that is still here; ``end + 1`` when none is."""
        return self._frames[0].seq if self._frames else self.end + 1

    def put(self, frames: Iterable[Frame]) -> bool:
        """Add what comes next; True when something was new. What does not follow on begins the ring anew."""
        is_new = False
        for frame in frames:
            if frame.seq <= self.end:
                continue
            if frame.seq != self.end + 1:
                self._frames.clear()
            self._frames.append(frame)
            self.end = frame.seq
            is_new = True
        return is_new

    def after(self, position: int, *, limit: int) -> list[Frame] | None:
        """What comes after a position: nothing when it is at the end, None when it begins before this ring does."""
        if position >= self.end:
            return []
        start = self.start
        if position + 1 < start:
            return None
        skip = position + 1 - start
        return [self._frames[index] for index in range(skip, min(skip + limit, len(self._frames)))]
