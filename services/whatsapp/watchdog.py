"""Watchdog: reports a message that stays in one state for too long, once, with the reason.

Process: whatsapp.
"""

from datetime import timedelta
from typing import Final

from services.messages import MessageStatus, message_fact
from services.retention import order_at
from services.store import Fact
from services.wiring import OwnerContext

DEADLINES: Final = {
    MessageStatus.QUEUED: (timedelta(minutes=5), "It waits longer than it should; see the number's state and holds."),
    MessageStatus.SENT: (
        timedelta(hours=24),
        "WhatsApp took it and reported no delivery since; the recipient's phone may be off.",
    ),
    MessageStatus.UNCERTAIN: (
        timedelta(hours=1),
        "Nobody knows whether it went out; decide with retry or cancel.",
    ),
}
LOOK_EVERY_S = 30.0
PAGE = 500
FIRST_LOOK_BACK = timedelta(hours=1)


class Watchdog:
    """Checks every message once for each deadline that it passes."""

    def __init__(self, context: OwnerContext) -> None:
        """The first check goes back an hour, for deadlines that passed while there was no owner."""
        self._context = context
        now = context.clock.now()
        self._reached = {
            (status, number): order_at(now - deadline - FIRST_LOOK_BACK)
            for status, (deadline, _) in DEADLINES.items()
            for number in context.number_ids
        }
        self._looked_at = context.clock.monotonic()

    async def step(self) -> int:
        """Check every ``LOOK_EVERY_S`` seconds; returns 0. Raises ``Unavailable``; the next step checks the rest."""
        context = self._context
        if context.clock.monotonic() - self._looked_at < LOOK_EVERY_S:
            return 0
        self._looked_at = context.clock.monotonic()
        for status, number in self._reached:
            while await self._look(status, number):
                pass
        return 0

    async def _look(self, status: MessageStatus, number: str) -> bool:
        """Report one page of messages that passed their deadline since the last check. True: there may be more."""
        context = self._context
        deadline, reason = DEADLINES[status]
        until = order_at(context.clock.now() - deadline)
        page = await context.messages.in_order(
            number, status, above=self._reached[status, number], up_to=until, limit=PAGE
        )
        facts: list[Fact] = []
        for message in page:
            tracked = context.message_state.track(message)
            if tracked.status is status and not message.is_stuck:
                data = {"reason": reason, "since": message.updated_at or message.created_at}
                facts.append(message_fact(tracked, "message.stuck", data, context.clock))
        is_full = len(page) == PAGE
        self._reached[status, number] = page[-1].order if is_full else until
        if facts:
            entry = context.event_writer.record(facts)
            if is_full:
                await entry.applied  # thousands are reported no faster than they can be written
        return is_full
