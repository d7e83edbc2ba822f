"""What an error code of WhatsApp means for the queue: try again, wait, give up, or call the operator.

The data stands in `code_table.py`; here are its columns and the look-up.

Process: worker (failed statuses), whatsapp, sandbox.
"""

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """What the queue does with a message that met the error."""

    RETRY = "retry"
    """Transient: the same message goes again, after a wait that grows."""
    HOLD = "hold"
    """Hours, days, or until a human acts: the message is `held` and tried again at `held_until`."""
    AUTH = "auth"
    """The number, its token or its rights must be mended first: nothing fails, everything of the scope waits."""
    FAIL = "fail"
    """Never: the message is `failed`; its sender must change something."""


class HoldScope(StrEnum):
    """What has to wait along with the message."""

    MESSAGE = "message"
    PAIR = "pair"
    """This phone number to this recipient."""
    NUMBER = "number"
    ACCOUNT = "account"
    """Every number of the WhatsApp Business Account (and of its app)."""


@dataclass(frozen=True, slots=True)
class CodeRule:
    """One row of the table. `http_status` is what Meta answers with; the wait before try X (from 0) is
    `hold_s * hold_factor ** X`, at most `hold_max_s`.

    `is_async`: after a 200, in a `failed` status, rather than as the answer to the request.
    `details` is Meta's usual `error_data.details`; `next_step` tells the sender what to do.
    """

    code: int | None
    subcode: int | None
    http_status: int
    title: str
    klass: ErrorClass
    scope: HoldScope = HoldScope.MESSAGE
    hold_s: float = 0.0
    hold_factor: float = 2.0
    hold_max_s: float = 3600.0
    is_async: bool = False
    details: str = ""
    next_step: str = ""

    @property
    def may_retry(self) -> bool:
        """May the unchanged message be sent again, now or later?"""
        return self.klass is not ErrorClass.FAIL

    @property
    def is_wide(self) -> bool:
        """Does the whole number wait, not only a message or a pair?"""
        return self.scope in (HoldScope.NUMBER, HoldScope.ACCOUNT)

    def wait_s(self, tries: int = 0, *, retry_after_s: float | None = None) -> float:
        """Seconds until the next try, after `tries` waits for the same reason. The platform's own word is the floor."""
        if self.klass is ErrorClass.FAIL:
            return 0.0
        exponent = min(max(tries, 0), 32)  # 4^32 s is past any hold_max_s; larger powers would overflow a float.
        return max(min(self.hold_s * self.hold_factor**exponent, self.hold_max_s), retry_after_s or 0.0)
