"""Watchdog: a message that stays in a state longer than it should is told about, once, with the reason.

Process: whatsapp.
"""

from datetime import timedelta
from typing import Final

from services.messages import MessageStatus, message_fact
from services.store import Fact
from services.whatsapp.court import Court

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
    """Looks at every message once for each deadline, when it passes it."""

    def __init__(self, court: Court) -> None:
        """The first look goes back an hour: what passed a deadline while nobody reigned is not forgotten."""
        self._court = court
        now = court.clock.now()
        self._reached = {status: now - deadline - FIRST_LOOK_BACK for status, (deadline, _) in DEADLINES.items()}
        self._looked_at = court.clock.monotonic()

    async def step(self) -> int:
        """Look, if it is time; answer how many stuck messages were told about."""
        court = self._court
        if court.clock.monotonic() - self._looked_at < LOOK_EVERY_S:
            return 0
        self._looked_at = court.clock.monotonic()
        facts: list[Fact] = []
        for status, (deadline, reason) in DEADLINES.items():
            until = court.clock.now() - deadline
            for number in court.numbers:
                found = await court.messages.accepted_between(
                    number.phone_number_id, status, self._reached[status], until, limit=PAGE
                )
                for message in found:
                    tracked = court.ledger.track(message)
                    if tracked.status is status and not message.is_stuck:
                        data = {"reason": reason, "since": message.updated_at or message.created_at}
                        facts.append(message_fact(tracked, "message.stuck", data, court.clock))
            self._reached[status] = until
        if facts:
            court.journal.record(facts)
        return 0
