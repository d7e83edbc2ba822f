"""What the owner says about itself on the board, once a second: memory alone, nothing is asked.

Process: whatsapp.
"""

from typing import Any

from services.whatsapp.context import OwnerContext
from services.wiring import Owner


class StatusReport:
    """The queen's line in the process table."""

    def __init__(self, queen: Owner) -> None:
        """Nothing has begun."""
        self.state = "starting"
        self._queen = queen
        self._court: OwnerContext | None = None

    def begin(self, court: OwnerContext) -> None:
        """A reign began."""
        self._court = court
        self.state = "owner"

    def end(self) -> None:
        """The reign is over."""
        self._court = None
        self.state = "standby"

    def facts(self) -> dict[str, Any]:
        """State, lease, epoch, queue depth and age (s), sends under way and in doubt, event numbers.

        ``fenced``: the reign has not ended yet, but its lease ran out, so it sends nothing.
        """
        lease = self._queen.lease
        facts: dict[str, Any] = {
            "state": "fenced" if self.state == "owner" and not lease.is_held() else self.state,
            "holder": lease.holder,
            "epoch": lease.token,
            "lease_remaining_s": round(lease.remaining_s(), 2),
            "is_streaming": self._queen.wakeup.is_streaming,
        }
        court = self._court
        if court is not None:
            now = court.clock.now()
            oldest = court.lanes.oldest()
            facts |= {
                "queue_depth": len(court.lanes) + court.lanes.beside_count,
                "queue_lanes": court.lanes.lane_count(),
                "queue_age_s": round((now - oldest.created_at).total_seconds(), 2) if oldest else 0.0,
                "sending": court.dispatcher.sending_count,
                "in_doubt": court.dispatcher.in_doubt_count,
                "events": court.journal.stats.events,
                "batches": court.journal.stats.batches,
                "dead_letters": court.journal.stats.dead_letters,
                "links": {number: link.state.value for number, link in court.links.items()},
            }
        return facts
