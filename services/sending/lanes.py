"""Lanes: one first-in-first-out line a recipient, many recipients side by side. Pure: no clock, no database.

Process: whatsapp.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator

from services.messages import Message, Priority, Tracked

LaneKey = tuple[str, str]
"""A number, and a priority with a contact."""


class Lanes:
    """Messages that wait, by recipient, in the order of acceptance.

    The head of a lane blocks the lane: what follows leaves only after ``finish`` took the head away. A message is
    known by its id and added once, however often it is offered.
    """

    def __init__(self) -> None:
        """Empty."""
        self._lanes: dict[LaneKey, deque[Message]] = {}
        self._known: dict[str, LaneKey] = {}
        self._behind: dict[LaneKey, LaneKey] = {}
        self._standing: set[LaneKey] = set()
        self._count_of: Counter[str] = Counter()
        self.beside_count = 0
        """Messages that wait in the database and have no place in a lane yet, as counted last."""

    def __len__(self) -> int:
        """Messages in all lanes, heads included."""
        return len(self._known)

    def __contains__(self, message_id: object) -> bool:
        """Is this message in a lane?"""
        return message_id in self._known

    def moving_count(self, phone_number_id: str) -> int:
        """A number's messages in lanes that do not stand still: what could leave as soon as it is its turn."""
        standing = sum(len(self._lanes.get(key, ())) for key in self._standing if key[0] == phone_number_id)
        return self._count_of[phone_number_id] - standing

    def length(self, key: LaneKey) -> int:
        """Messages in this lane, its head included."""
        return len(self._lanes.get(key, ()))

    def stand(self, key: LaneKey, *, is_standing: bool) -> None:
        """A lane waits for something of its own (its recipient's pace, evidence), or goes on."""
        if is_standing:
            self._standing.add(key)
        else:
            self._standing.discard(key)

    @staticmethod
    def key(message: Message | Tracked, contact: str | None = None) -> LaneKey:
        """The lane of a message: our number with the contact and priority: an OTP does not wait behind a campaign.

        ``contact`` is the key by which the recipient is known, whatever address the message is for; None: the address.
        """
        return message.phone_number_id, f"{message.priority.value}:{contact or message.to}"

    def lane_of(self, message_id: str) -> LaneKey | None:
        """The lane in which this message is."""
        return self._known.get(message_id)

    def waiting(self, key: LaneKey) -> list[Message]:
        """What stands behind the head of a lane."""
        return list(self._lanes.get(key, ()))[1:]

    def add(self, message: Message, contact: str | None = None) -> bool:
        """Put a message in its lane, by ``order``; True when the lane was empty, so that somebody must serve it."""
        if message.id in self._known:
            return False
        self._count_of[message.phone_number_id] += 1
        return self._put(self.key(message, contact), message)

    def merge(self, number: str, *, into: str, absorbed: str, may_move: Callable[[Message], bool]) -> list[LaneKey]:
        """Two contacts are one: their lanes, too. Lanes that must be served from now on are answered.

        A head that may not move is on its way: it stays where it is, and the lane of both waits for it.
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
        """Is something on its way to this lane's contact from a lane that has become part of it?"""
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
        # The head may be on its way already: nothing goes before it.
        while position > 1 and lane[position - 1].order > message.order:
            position -= 1
        lane.insert(position, message)
        return False

    def head(self, key: LaneKey) -> Message | None:
        """The message that leaves next from this lane."""
        lane = self._lanes.get(key)
        return lane[0] if lane else None

    def finish(self, key: LaneKey, message_id: str) -> None:
        """Take a message out of its lane, wherever it stands; the next one becomes the head."""
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
        """Every lane that holds something."""
        return iter(self._lanes)

    def oldest(self) -> Message | None:
        """The head that was accepted first."""
        return min((lane[0] for lane in self._lanes.values()), key=lambda message: message.order, default=None)

    def lane_count(self) -> int:
        """How many recipients have something waiting."""
        return len(self._lanes)
