"""What the owner knows of messages right now: their state as of the last fact it recorded, applied or not.

Process: whatsapp.

The owner is the only writer, so its memory is ahead of the database by what the event writer still has to write.
Decisions are taken on the message_state; the database is read only for messages that it does not hold.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.conversations import ContactRef, Standing
from services.messages.records import Direction, Message, Priority
from services.messages.repository import MessageRepository
from services.messages.states import ACTIVE, MessageStatus

# Far above what the event writer can have under way, so that nothing is forgotten before it is written.
MAX_SETTLED = 20_000


@dataclass(slots=True)
class Tracked:
    """The mutable view of one message: what decisions need, no more. ``not_before`` is on the monotonic clock."""

    id: str
    phone_number_id: str
    to: str
    conversation_id: str | None
    status: MessageStatus
    wamid: str | None
    attempt_count: int
    metadata: Mapping[str, Any] | None
    callback_data: str | None
    priority: Priority
    contact_key: str
    held_reason: str | None = None
    held_until: datetime | None = None
    dead_wamid: str | None = None
    not_before: float = 0.0
    accepted_at: datetime | None = None  # a scheduled message: its own time
    sent_at: datetime | None = None
    is_played: bool = False


class MessageState:
    """Tracked messages by id. Settled ones are forgotten, oldest first, when there are too many."""

    def __init__(self, repository: MessageRepository) -> None:
        """Empty."""
        self._repository = repository
        self._tracked: OrderedDict[str, Tracked] = OrderedDict()
        self._id_of_wamid: dict[str, str] = {}
        self._merged: dict[str, str] = {}

    def get(self, message_id: str) -> Tracked | None:
        """The message, if it is held in memory."""
        tracked = self._tracked.get(message_id)
        if tracked is not None:
            self._tracked.move_to_end(message_id)
        return tracked

    def track(self, message: Message) -> Tracked:
        """Hold a message as the database has it, unless a newer view is held already."""
        tracked = self._tracked.get(message.id)
        if tracked is None:
            tracked = Tracked(
                id=message.id,
                phone_number_id=message.phone_number_id,
                to=message.to or "",
                conversation_id=self._merged.get(message.conversation_id or "", message.conversation_id),
                status=message.status,
                wamid=message.wamid,
                attempt_count=message.attempt_count,
                metadata=message.metadata,
                callback_data=message.callback_data,
                priority=message.priority,
                contact_key=ContactRef.at(message.phone_number_id, message.to, message.recipient_kind).key,
                held_reason=message.held_reason,
                held_until=message.held_until,
                dead_wamid=message.dead_wamid,
                accepted_at=max(message.created_at, message.send_at or message.created_at),
                sent_at=message.updated_at if message.status is MessageStatus.SENT else None,
                is_played=message.is_played,
            )
            self._tracked[message.id] = tracked
            if message.wamid:
                self._id_of_wamid[message.wamid] = message.id
            self._forget()
        return tracked

    def merge(self, number: str, *, into: Standing, absorbed: Standing) -> None:
        """A conversation has become part of another: so have its messages, those too that are read late."""
        gone, now = absorbed.conversation_id, into.conversation_id
        self._merged |= {old: now for old, new in self._merged.items() if new == gone} | {gone: now}
        for tracked in self._tracked.values():
            if tracked.conversation_id == gone:
                tracked.conversation_id = now

    def learn_wamid(self, tracked: Tracked, wamid: str) -> None:
        """Remember WhatsApp's id of a message."""
        tracked.wamid = wamid
        self._id_of_wamid[wamid] = tracked.id

    def by_wamid(self, wamid: str) -> Tracked | None:
        """The message with this WhatsApp id, if it is held in memory."""
        message_id = self._id_of_wamid.get(wamid)
        return self.get(message_id) if message_id else None

    async def load(self, ids: Iterable[str], wamids: Iterable[str]) -> None:
        """Read those that are not held, in at most two round trips."""
        missing = [message_id for message_id in set(ids) if message_id not in self._tracked]
        for message in (await self._repository.by_ids(missing)).values():
            self._take(message)
        unknown = [wamid for wamid in set(wamids) if self.by_wamid(wamid) is None]
        for message in (await self._repository.by_wamids(unknown)).values():
            self._take(message)

    def _take(self, message: Message) -> None:
        """Hold what we send. What a customer wrote has no state of its own, even when its id is named."""
        if message.direction is Direction.OUT:
            self.track(message)

    def _forget(self) -> None:
        if len(self._tracked) <= MAX_SETTLED:
            return
        # Look at the oldest few only: active ones go to the back and are met again much later.
        for _ in range(8):
            message_id = next(iter(self._tracked))
            tracked = self._tracked[message_id]
            if tracked.status in ACTIVE:
                self._tracked.move_to_end(message_id)
                continue
            del self._tracked[message_id]
            if tracked.wamid:
                self._id_of_wamid.pop(tracked.wamid, None)
            if len(self._tracked) <= MAX_SETTLED:
                return
