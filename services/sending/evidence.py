"""Proof that a message was sent, or that it was not: answers of WhatsApp, and statuses that did not come.

Process: whatsapp.
"""

from collections import OrderedDict
from dataclasses import dataclass

from services.links import Submitted

MAX_REMEMBERED = 10_000

DEAF_FACTOR = 4
"""If nothing at all is heard from WhatsApp the wait is so many times longer before evidence is believed."""


@dataclass(slots=True)
class DeliveryEvidence:
    """Judges the absence of a status. Times are seconds of one monotonic clock.

    A status that came while this process was starting, or that waits in the inbox, is evidence that was not read yet;
    and if nothing at all came since the send, then the way back may be broken rather than the message unsent.
    """

    wait_s: float
    drained_at: float = float("-inf")
    heard_at: float = float("-inf")

    def inbox_read(self, now: float, *, is_empty: bool) -> None:
        """The inbox of notifications was looked at: it was empty, or something was heard."""
        if is_empty:
            self.drained_at = now
        else:
            self.heard_at = now

    def absence_is_proof(self, began: float, now: float) -> bool:
        """Doubt began at ``began``: may the absence of a status be believed ``now``?"""
        waited_s = now - began
        if waited_s < self.wait_s:
            return False
        is_drained = self.drained_at >= began + self.wait_s
        was_heard = self.heard_at >= began + self.wait_s / 2
        return is_drained and (was_heard or waited_s >= self.wait_s * DEAF_FACTOR)


class LinkAnswers:
    """Answers of WhatsApp that this process has heard, across its terms: by message id, the newest ``MAX_REMEMBERED``.

    When the database is away for so long that the lease runs out, a term ends with answers that could not be written.
    They are evidence for the next term, and spare the wait for a status.
    """

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._heard: OrderedDict[str, Submitted] = OrderedDict()

    def remember(self, message_id: str, submitted: Submitted) -> None:
        """WhatsApp took this message."""
        self._heard[message_id] = submitted
        if len(self._heard) > MAX_REMEMBERED:
            self._heard.popitem(last=False)

    def forget(self, message_id: str) -> None:
        """It is sent again: what was answered before is no evidence of that."""
        self._heard.pop(message_id, None)

    def of(self, message_id: str) -> Submitted | None:
        """What WhatsApp answered to this message, if this process heard it."""
        return self._heard.get(message_id)
