"""Lanes: one first-in-first-out queue a recipient, many recipients side by side. Pure: no clock, no database.

Process: whatsapp.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator

from services.messages import Message, Priority, Tracked

LaneKey = tuple[str, str]
"""A number, and a priority with a contact."""


class Lanes:
    """Waiting messages by recipient, in order of acceptance.

    The head of a lane blocks it: the next message leaves only after ``finish`` has removed the head. A message is
    added once, however often it is offered.
    """

    def __init__(self) -> None:
        self._lanes: dict[LaneKey, deque[Message]] = {}
        self._known: dict[str, LaneKey] = {}
        self._behind: dict[LaneKey, LaneKey] = {}
        self._blocked: set[LaneKey] = set()
        self._count_of: Counter[str] = Counter()
        self.beside_count = 0
        """Messages that wait in the database and are in no lane yet, as counted last."""

    def __len__(self) -> int:
        """Messages in all lanes, heads included."""
        return len(self._known)

    def __contains__(self, message_id: object) -> bool:
        """Is this message in a lane?"""
        return message_id in self._known

    def moving_count(self, phone_number_id: str) -> int:
        """A number's messages in lanes that are not blocked: those that could leave when their turn comes."""
        blocked = sum(len(self._lanes.get(key, ())) for key in self._blocked if key[0] == phone_number_id)
        return self._count_of[phone_number_id] - blocked

    def length(self, key: LaneKey) -> int:
        """Messages in this lane, its head included."""
        return len(self._lanes.get(key, ()))

    def set_blocked(self, key: LaneKey, *, is_blocked: bool) -> None:
        """Mark a lane as blocked by something of its own (its pair's rate, evidence), or unblock it."""
        if is_blocked:
            self._blocked.add(key)
        else:
            self._blocked.discard(key)

    @staticmethod
    def key(message: Message | Tracked, contact: str | None = None) -> LaneKey:
        """The lane of a message: number, contact and priority. So a one-time password never waits behind a campaign.

        ``contact``: the recipient's key, whichever address the message is for; None: the address itself.
        """
        return message.phone_number_id, f"{message.priority.value}:{contact or message.to}"

    def lane_of(self, message_id: str) -> LaneKey | None:
        """The lane that holds this message; None if none does."""
        return self._known.get(message_id)

    def waiting(self, key: LaneKey) -> list[Message]:
        """The messages behind the head of a lane."""
        return list(self._lanes.get(key, ()))[1:]

    def add(self, message: Message, contact: str | None = None) -> bool:
        """Put a message in its lane, by ``order``. True when the lane was empty: the caller must start serving it."""
        if message.id in self._known:
            return False
        self._count_of[message.phone_number_id] += 1
        return self._put(self.key(message, contact), message)

    def merge(self, number: str, *, into: str, absorbed: str, may_move: Callable[[Message], bool]) -> list[LaneKey]:
        """Merge the lanes of two contacts that became one. Returns the lanes that must be served from now on.

        A head that may not move is being sent: it stays where it is, and the merged lane waits for it.
        """
        to_serve = []
        for priority in Priority:
            old, new = ((number, f"{priority.value}:{contact}") for contact in (absorbed, into))
            messages = self._lanes.pop(old, None)
            if not messages:
                continue
            if not may_move(messages[0]):
                self._lanes[old] = deque([messages.popleft()])
                self._behind[new] = old
            for message in messages:
                if self._put(new, message):
                    to_serve.append(new)
        return to_serve

    def is_behind(self, key: LaneKey) -> bool:
        """Is a message still being sent from a lane that was merged into this one?"""
        first = self._behind.get(key)
        if first is not None and not self._lanes.get(first):
            del self._behind[key]
            first = None
        return first is not None

    def _put(self, key: LaneKey, message: Message) -> bool:
        self._known[message.id] = key
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = deque([message])
            return True
        position = len(lane)
        # The head may be in sending already: nothing goes before it.
        while position > 1 and lane[position - 1].order > message.order:
            position -= 1
        lane.insert(position, message)
        return False

    def head(self, key: LaneKey) -> Message | None:
        """The next message of this lane; None if it is empty."""
        lane = self._lanes.get(key)
        return lane[0] if lane else None

    def finish(self, key: LaneKey, message_id: str) -> None:
        """Remove a message from its lane, at any position. If it was the head, the next one becomes the head."""
        lane = self._lanes.get(key)
        if lane is None or self._known.get(message_id) != key:
            return
        del self._known[message_id]
        self._count_of[key[0]] -= 1
        if lane[0].id == message_id:
            lane.popleft()
        else:
            self._lanes[key] = lane = deque(message for message in lane if message.id != message_id)
        if not lane:
            del self._lanes[key]

    def keys(self) -> Iterator[LaneKey]:
        """Every lane that is not empty."""
        return iter(self._lanes)

    def oldest(self) -> Message | None:
        """The head that was accepted first; None if all lanes are empty."""
        return min((lane[0] for lane in self._lanes.values()), key=lambda message: message.order, default=None)

    def lane_count(self) -> int:
        """How many lanes are not empty."""
        return len(self._lanes)
