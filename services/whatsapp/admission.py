"""Admission: messages from the database come into their lanes, each with what the owner must know of its contact.

Process: whatsapp.
"""

from collections.abc import Sequence

from config.clock import Clock
from services.conversations import Directory
from services.messages import (
    Consents,
    Dispatcher,
    Governor,
    Lanes,
    Ledger,
    Message,
    MessageStatus,
    contact_of,
    is_window_open,
    message_fact,
    preview_text,
)
from services.whatsapp.journal import Journal

_WAITING = frozenset({MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.HELD})


class Admission:
    """Admits messages; safe to call again with the same ones."""

    def __init__(
        self,
        *,
        journal: Journal,
        ledger: Ledger,
        lanes: Lanes,
        directory: Directory,
        dispatcher: Dispatcher,
        governor: Governor,
        consents: Consents,
        clock: Clock,
    ) -> None:
        """No input or output."""
        self._journal = journal
        self._ledger = ledger
        self._lanes = lanes
        self._directory = directory
        self._dispatcher = dispatcher
        self._governor = governor
        self._consents = consents
        self._clock = clock

    @property
    def waiting_count(self) -> int:
        """Messages in all lanes."""
        return len(self._lanes)

    async def admit(self, page: Sequence[Message]) -> int:
        """Put those that still wait (or are in doubt) into their lanes; answer how many were new."""
        fresh = [message for message in page if self._is_new(message)]
        if not fresh:
            return 0
        contacts = {message.id: contact_of(message) for message in fresh}
        await self._consents.load([contact.key for contact in contacts.values()])
        await self._directory.load(list(contacts.values()))
        # Others worked while this one was reading: it may have been admitted, or canceled.
        fresh = [message for message in fresh if self._is_new(message)]
        # From here to the record nothing waits, so that memory and log go together.
        standings, facts = self._directory.open([contacts[message.id] for message in fresh], self._clock.now())
        for message in fresh:
            contact = contacts[message.id]
            standing = standings[contact.phone_number_id, contact.key]
            tracked = self._ledger.track(message)
            tracked.conversation_id = standing.conversation_id
            if standing.pair_tat is not None:
                self._governor.remember_pair(contact.phone_number_id, contact.key, standing.pair_tat)
            if message.seq == 0 or tracked.status is MessageStatus.SCHEDULED:
                tracked.status = MessageStatus.QUEUED
                data = {
                    "order": message.order,
                    "type": message.kind,
                    "preview": preview_text(message.kind, message.payload),
                }
                facts.append(message_fact(tracked, "message.queued", data, self._clock))
        if facts:
            self._journal.record(facts)
        for message in fresh:
            self._dispatcher.offer(message)
        return len(fresh)

    def unknown(self, message_ids: Sequence[str]) -> list[str]:
        """Those of these messages that the owner has never seen, or has forgotten."""
        return [message_id for message_id in message_ids if self._ledger.get(message_id) is None]

    async def park(self, messages: Sequence[Message]) -> list[Message]:
        """Remember messages that wait until their customers write; answer those whose customer wrote meanwhile."""
        await self._directory.load([contact_of(message) for message in messages])
        now, free = self._clock.now(), []
        for message in messages:
            contact = contact_of(message)
            standing = self._directory.standing(contact.phone_number_id, contact.key)
            if standing is not None and is_window_open(standing.last_inbound_at, now):
                free.append(message)
            else:
                self._ledger.track(message)
                self._dispatcher.park(contact.phone_number_id, contact.key, message.id)
        return free

    def _is_new(self, message: Message) -> bool:
        """Not in a lane, and not known to be past waiting: the database may be behind what was recorded."""
        if message.id in self._lanes:
            return False
        tracked = self._ledger.get(message.id)
        if tracked is None:
            return message.status in _WAITING or message.status is MessageStatus.SENDING
        return tracked.status in _WAITING and tracked.status is message.status
