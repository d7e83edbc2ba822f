"""What the owner reports about itself on the scoreboard, once a second. It reads memory only.

Process: whatsapp.
"""

from typing import Any

from services.wiring import Owner, OwnerContext


class StatusReport:
    """The owner's row in the process table."""

    def __init__(self, owner: Owner) -> None:
        self.state = "starting"
        self._owner = owner
        self._context: OwnerContext | None = None

    def begin(self, context: OwnerContext) -> None:
        """A term began."""
        self._context = context
        self.state = "owner"

    def end(self) -> None:
        """The term is over."""
        self._context = None
        self.state = "standby"

    def facts(self) -> dict[str, Any]:
        """Return state, lease, epoch, queue depth and age (s), sends in progress and in doubt, counters of events.

        State ``fenced``: the lease ran out but the term has not ended yet; nothing is sent.
        """
        lease = self._owner.lease
        facts: dict[str, Any] = {
            "state": "fenced" if self.state == "owner" and not lease.is_held() else self.state,
            "holder": lease.holder,
            "epoch": lease.token,
            "lease_remaining_s": round(lease.remaining_s(), 2),
            "is_streaming": self._owner.change_notifier.is_streaming,
        }
        context = self._context
        if context is not None:
            now = context.clock.now()
            oldest = context.lanes.oldest()
            facts |= {
                "queue_depth": len(context.lanes) + context.lanes.beside_count,
                "queue_lanes": context.lanes.lane_count(),
                "queue_age_s": round((now - oldest.created_at).total_seconds(), 2) if oldest else 0.0,
                "sending": context.dispatcher.sending_count,
                "in_doubt": context.dispatcher.in_doubt_count,
                "events": context.event_writer.stats.events,
                "batches": context.event_writer.stats.batches,
                "dead_letters": context.event_writer.stats.dead_letters,
                "links": {number: link.state.value for number, link in context.links.items()},
            }
        return facts
