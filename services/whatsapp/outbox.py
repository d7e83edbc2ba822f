"""Outbox: finds accepted messages in the database and puts them into their lanes, in order.

Process: whatsapp.
"""

import logging
import time
from collections.abc import Sequence

from config.clock import Clock
from services.conversations import ContactRef, Directory
from services.messages import (
    Dispatcher,
    Lanes,
    Ledger,
    Message,
    MessageRepository,
    MessageStatus,
    message_fact,
    preview_text,
)
from services.store import Fact
from services.whatsapp.journal import Journal

log = logging.getLogger(__name__)

PAGE = 500
MAX_IN_LANES = 5_000
# A message gets its order before it is written: one that was written late stands below what was read already.
LOOK_BACK = 300 << 20  # 0.3 s, read at every look
SWEEP_BACK = 30_000 << 20  # 30 s, read every few seconds
SWEEP_EVERY_S = 2.0
AHEAD = 60_000 << 20  # a minute, for an accepting box whose clock runs ahead


class Outbox:
    """The reader of one number's queue. ``load`` brings what is new; it is safe to call it at any time."""

    def __init__(
        self,
        phone_number_id: str,
        *,
        repository: MessageRepository,
        journal: Journal,
        ledger: Ledger,
        lanes: Lanes,
        directory: Directory,
        dispatcher: Dispatcher,
        clock: Clock,
    ) -> None:
        """Nothing is read yet. The first load starts at the oldest message that waits."""
        self._number = phone_number_id
        self._repository = repository
        self._journal = journal
        self._ledger = ledger
        self._lanes = lanes
        self._directory = directory
        self._dispatcher = dispatcher
        self._clock = clock
        self._reached = 0
        self._slice: int | None = None
        self._swept_at = float("-inf")
        self.loaded_count = 0

    async def recover(self) -> int:
        """Put messages whose outcome nobody knows at the head of their lanes, before anything new."""
        doubtful = await self._repository.in_state(self._number, [MessageStatus.SENDING], limit=MAX_IN_LANES)
        for message in doubtful:
            self._ledger.track(message)
            self._dispatcher.offer(message)
        return len(doubtful)

    async def load(self) -> int:
        """Read what is new; answer how many messages came. Reads on until nothing is left or the lanes are full."""
        count = 0
        above = max(0, self._reached - LOOK_BACK)
        if self._clock.monotonic() - self._swept_at > SWEEP_EVERY_S and self._reached:
            above = max(0, self._reached - SWEEP_BACK)
            self._swept_at = self._clock.monotonic()
        while len(self._lanes) < MAX_IN_LANES:
            end = _now_order() + AHEAD
            up_to = min(end, above + self._slice) if self._slice is not None and above else end
            page = await self._repository.queued(self._number, above=above, up_to=up_to, limit=PAGE)
            count += await self._take(page)
            if len(page) == PAGE:
                # A backlog: the embedded server reads a whole range before it sorts, so read narrow ranges.
                self._slice = max(1, (page[-1].order - page[0].order) * 2)
                above = page[-1].order
            elif up_to < end:
                above = up_to
                self._slice = (self._slice or 1) * 4
            else:
                self._slice = None
                if page:
                    above = page[-1].order
                self._reached = max(self._reached, above)
                break
            self._reached = max(self._reached, above)
        self.loaded_count += count
        return count

    async def _take(self, page: Sequence[Message]) -> int:
        fresh = [message for message in page if self._is_new(message)]
        if not fresh:
            return 0
        contacts = {message.id: _contact(message) for message in fresh if message.conversation_id is None}
        now = self._clock.now()
        conversation_of, facts = await self._directory.ensure(list(contacts.values()), now)
        for message in fresh:
            tracked = self._ledger.track(message)
            if message.id in contacts:
                contact = contacts[message.id]
                tracked.conversation_id = conversation_of[contact.phone_number_id, contact.key]
            if message.seq == 0:
                facts.append(self._queued_fact(message))
        if facts:
            self._journal.record(facts)
        for message in fresh:
            self._dispatcher.offer(message)
        return len(fresh)

    def _is_new(self, message: Message) -> bool:
        """Not in a lane, and not known to be past it: the database may be behind what was recorded."""
        if message.id in self._lanes:
            return False
        tracked = self._ledger.get(message.id)
        return tracked is None or tracked.status is MessageStatus.QUEUED

    def _queued_fact(self, message: Message) -> Fact:
        tracked = self._ledger.track(message)
        data = {
            "order": message.order,
            "type": message.kind,
            "preview": preview_text(message.kind, message.payload),
        }
        return message_fact(tracked, "message.queued", data, self._clock)


def _contact(message: Message) -> ContactRef:
    is_user = message.recipient_kind == "user_id"
    return ContactRef(
        phone_number_id=message.phone_number_id,
        wa_id=None if is_user else message.to,
        user_id=message.to if is_user else None,
    )


def _now_order() -> int:
    return (time.time_ns() // 1_000_000) << 20
