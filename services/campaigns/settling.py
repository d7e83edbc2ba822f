"""What became of a campaign's messages: which still wait, which are through, and taking back those that must not leave.

Process: whatsapp.
"""

from typing import Any, Final, Protocol

from config.clock import Clock
from services.campaigns.state import WAITING, Active
from services.messages import MessageState, MessageStatus, Tracked, message_fact
from services.store import Recorder

WITHDRAW_PAGE: Final = 200
_FAILED: Final = frozenset({MessageStatus.FAILED, MessageStatus.EXPIRED})
_WITHDRAWABLE: Final = frozenset({MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.HELD})


class Lanes(Protocol):
    """The dispatcher, as campaigns see it."""

    def drop(self, tracked: Tracked) -> None:
        """Take a canceled message out of its lane."""
        ...


class Settling:
    """Looks at the owner's state of messages, which knows of every message that waits."""

    def __init__(self, message_state: MessageState, lanes: Lanes, recorder: Recorder, clock: Clock) -> None:
        self._message_state = message_state
        self._lanes = lanes
        self._recorder = recorder
        self._clock = clock

    def settle(self, active: Active) -> None:
        """Forget messages that are through, and count them."""
        for message_id in list(active.outstanding):
            tracked = self._message_state.get(message_id)
            if tracked is None:
                continue
            if tracked.status in WAITING:
                active.outstanding[message_id] = tracked.status
                continue
            del active.outstanding[message_id]
            self._count(active, tracked.status)

    def waiting(self, active: Active) -> tuple[int, int]:
        """How many of its messages wait to be sent, and how many are held back for a reason of their own."""
        held = sum(status is MessageStatus.HELD for status in active.outstanding.values())
        return len(active.outstanding) - held, held

    def progress(self, active: Active) -> dict[str, Any]:
        """What a progress event says."""
        waiting, held = self.waiting(active)
        progress, tally = active.progress, active.tally
        return {
            "total": progress.total,
            "handed_over": progress.seen - progress.skipped,
            "skipped": progress.skipped,
            "waiting": waiting,
            "held": held,
            "sent": tally.sent,
            "failed": tally.failed,
        }

    async def withdraw(self, active: Active) -> int:
        """Cancel some of those that have not left; answer how many. Raises ``Unavailable``."""
        ids = [known for known, status in active.outstanding.items() if status is not MessageStatus.SENDING]
        page = ids[:WITHDRAW_PAGE]
        await self._message_state.load(page, [])
        facts = []
        for message_id in page:
            tracked = self._message_state.get(message_id)
            if tracked is not None and tracked.status is MessageStatus.SENDING:
                active.outstanding[message_id] = tracked.status
                continue
            del active.outstanding[message_id]
            if tracked is None:
                continue
            if tracked.status in _WITHDRAWABLE:
                tracked.status = MessageStatus.CANCELED
                self._lanes.drop(tracked)
                data = {"reason": "campaign_canceled"}
                facts.append(message_fact(tracked, "message.canceled", data, self._clock))
            self._count(active, tracked.status)
        if facts:
            self._recorder.record(facts)
        return len(page)

    def _count(self, active: Active, status: MessageStatus) -> None:
        if status is MessageStatus.CANCELED:
            active.tally.canceled += 1
            return
        has_failed = status in _FAILED
        active.outcomes.append(not has_failed)
        if has_failed:
            active.tally.failed += 1
        else:
            active.tally.sent += 1
