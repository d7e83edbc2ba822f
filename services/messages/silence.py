"""When does silence speak? No status came for a message: was it not sent, or was nobody listening? Pure.

Process: whatsapp.
"""

from dataclasses import dataclass

DEAF_FACTOR = 4
"""If nothing at all is heard from WhatsApp the wait is so many times longer before silence is believed."""


@dataclass(slots=True)
class Silence:
    """Judges the absence of a status. Times are seconds of one monotonic clock.

    A status that came while this process was starting, or that waits in the inbox, is evidence that was not read yet;
    and if nothing at all came since the send, then the way back may be broken rather than the message unsent.
    """

    wait_s: float
    drained_at: float = float("-inf")
    heard_at: float = float("-inf")

    def looked(self, now: float, *, is_empty: bool) -> None:
        """The inbox of notifications was looked at: it was empty, or something was heard."""
        if is_empty:
            self.drained_at = now
        else:
            self.heard_at = now

    def speaks(self, began: float, now: float) -> bool:
        """Doubt began at ``began``: may the absence of a status be believed ``now``?"""
        waited_s = now - began
        if waited_s < self.wait_s:
            return False
        is_drained = self.drained_at >= began + self.wait_s
        was_heard = self.heard_at >= began + self.wait_s / 2
        return is_drained and (was_heard or waited_s >= self.wait_s * DEAF_FACTOR)
