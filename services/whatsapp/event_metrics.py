"""The tally: every event that stands in the log is counted for `/metrics`, and the latencies that it ends are measured.

Process: whatsapp.
"""

from collections.abc import Sequence
from datetime import datetime

from services.messages import MessageState, MessageStatus, Tracked
from services.store import Event
from services.telemetry.metrics.definitions import ACCEPT_TO_SENT_SECONDS, EVENTS, MESSAGES, SENT_TO_DELIVERED_SECONDS

_STATES = {f"message.{status.value}": status for status in MessageStatus}
_LEFT = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ})


class EventMetrics:
    """A listener of the event writer. A replayed event is not heard again, so nothing is counted twice."""

    def __init__(self, message_state: MessageState) -> None:
        """Nothing is heard yet."""
        self._message_state = message_state

    def hear(self, events: Sequence[Event]) -> None:
        """Count them. `message.retried` is the one event of a message that is not named after its state."""
        for event in events:
            EVENTS.labels(event.number, event.type).inc()
            status = _STATES.get(event.type)
            if status is None:
                continue
            MESSAGES.labels(event.number, status.value).inc()
            if status in _LEFT:
                tracked = self._message_state.get(str(event.data.get("message_id", "")))
                if tracked is not None:
                    _measure(tracked, status, event)


def _measure(tracked: Tracked, status: MessageStatus, event: Event) -> None:
    """A status may be faster than the answer to the send: then the message has left by the time of the status."""
    if tracked.sent_at is None:
        tracked.sent_at = event.at
        if tracked.accepted_at is not None:
            ACCEPT_TO_SENT_SECONDS.labels(event.number).observe(_seconds(tracked.accepted_at, event.at))
    if status is MessageStatus.DELIVERED:
        SENT_TO_DELIVERED_SECONDS.labels(event.number).observe(_seconds(tracked.sent_at, event.at))


def _seconds(began_at: datetime, ended_at: datetime) -> float:
    """Never below zero: the two moments may be of two machines."""
    return max(0.0, (ended_at - began_at).total_seconds())
