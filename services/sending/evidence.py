"""Proof that a message was sent, or was not: WhatsApp's answers, and the absence of a status.

Process: whatsapp.
"""

from collections import OrderedDict
from dataclasses import dataclass

from services.links import Submitted

MAX_REMEMBERED = 10_000

DEAF_FACTOR = 4
"""While no notification at all comes, the absence of a status is proof only after so many times the wait."""


@dataclass(slots=True)
class DeliveryEvidence:
    """Decides when the absence of a status is proof. Times are seconds of one monotonic clock.

    A status may wait in the queue of notifications, unread. And if no notification came at all since the send, the
    webhook may be broken rather than the message unsent.
    """

    wait_s: float
    drained_at: float = float("-inf")
    heard_at: float = float("-inf")

    def inbox_read(self, now: float, *, is_empty: bool) -> None:
        """Note that the notifications were read: there was none, or some were ingested."""
        if is_empty:
            self.drained_at = now
        else:
            self.heard_at = now

    def absence_is_proof(self, began: float, now: float) -> bool:
        """Is the absence of a status proof ``now``, when the doubt began at ``began``?"""
        waited_s = now - began
        if waited_s < self.wait_s:
            return False
        is_drained = self.drained_at >= began + self.wait_s
        was_heard = self.heard_at >= began + self.wait_s / 2
        return is_drained and (was_heard or waited_s >= self.wait_s * DEAF_FACTOR)


class LinkAnswers:
    """WhatsApp's answers to sends, kept across the terms of this process: by message id, the newest ``MAX_REMEMBERED``.

    If the database is away until the lease runs out, a term ends with answers that could not be written. They are
    evidence for the next term and save the wait for a status.
    """

    def __init__(self) -> None:
        self._heard: OrderedDict[str, Submitted] = OrderedDict()

    def remember(self, message_id: str, submitted: Submitted) -> None:
        """Keep the answer: WhatsApp accepted this message."""
        self._heard[message_id] = submitted
        if len(self._heard) > MAX_REMEMBERED:
            self._heard.popitem(last=False)

    def forget(self, message_id: str) -> None:
        """Drop the answer before the message is sent again: it proves nothing about the new attempt."""
        self._heard.pop(message_id, None)

    def of(self, message_id: str) -> Submitted | None:
        """Return WhatsApp's answer to this message; None if this process has none."""
        return self._heard.get(message_id)
