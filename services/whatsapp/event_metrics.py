"""Counts every event in the log for `/metrics`, and measures the latencies that it ends.

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
    """A listener of the event writer. It hears no replayed event, so nothing is counted twice."""

    def __init__(self, message_state: MessageState) -> None:
        self._message_state = message_state

    def hear(self, events: Sequence[Event]) -> None:
        """Count these events. Only `message.retried` is not named after the state that it brings."""
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
    """Observe the latencies. If a status overtakes the answer to the send, its time counts as the time of sending."""
    if tracked.sent_at is None:
        tracked.sent_at = event.at
        if tracked.accepted_at is not None:
            ACCEPT_TO_SENT_SECONDS.labels(event.number).observe(_seconds(tracked.accepted_at, event.at))
    if status is MessageStatus.DELIVERED:
        SENT_TO_DELIVERED_SECONDS.labels(event.number).observe(_seconds(tracked.sent_at, event.at))


def _seconds(began_at: datetime, ended_at: datetime) -> float:
    """Seconds between two moments, at least 0: two machines may have noted them."""
    return max(0.0, (ended_at - began_at).total_seconds())
