"""Answers of WhatsApp that this process has heard, across its reigns.

Process: whatsapp.

When the database is away for so long that the lease runs out, a reign ends with answers that could not be written. The
process still knows them: they are evidence for the next reign, and spare the wait for a status.
"""

from collections import OrderedDict

from services.links import Submitted

MAX_REMEMBERED = 10_000


class Answers:
    """Submissions by message id, the newest ``MAX_REMEMBERED``."""

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
