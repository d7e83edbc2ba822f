"""What a number is.

Process: worker, whatsapp.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config import limits

_TIER: Final = re.compile(r"(?:TIER_)?([0-9]{1,9})(K?)")


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number that we operate. ``seq_floor`` is an event number known to be reached.

    ``verified_name`` to ``throughput`` are WhatsApp's words (None: not told yet). ``rate_per_s``, ``daily_recipients``
    and ``quiet_hours`` are this number's own settings (None: those of the installation).
    """

    phone_number_id: str
    waba_id: str
    display_phone_number: str
    link: str
    seq_floor: int = 0
    is_default: bool = False
    is_paused: bool = False
    hold_reason: str | None = None
    hold_until: datetime | None = None
    verified_name: str | None = None
    quality: str | None = None
    messaging_limit: str | None = None
    throughput: str | None = None
    rate_per_s: float | None = None
    daily_recipients: int | None = None
    quiet_hours: str | None = None


def allowed_rates(number: Number, *, per_s: float, daily_recipients: int) -> tuple[float, int]:
    """Messages a second and people a day: the number's own setting wins, then the installation's, then WhatsApp's.

    An installation's ``daily_recipients`` of 0 leaves it to WhatsApp's messaging limit, a ``per_s`` of 80 (its
    default) follows WhatsApp's upgrade to 1,000. A number's own 0 is no limit at all.
    """
    if number.throughput == "HIGH" and per_s == limits.THROUGHPUT_PER_S:
        per_s = limits.THROUGHPUT_HIGH_PER_S
    daily = daily_recipients or recipients_of(number.messaging_limit) or 0
    if number.daily_recipients is not None:
        daily = number.daily_recipients
    return number.rate_per_s or per_s, daily


def recipients_of(messaging_limit: str | None) -> int | None:
    """``TIER_2K`` → 2000: people in 24 h outside the window. 0: without limit; None: a word that says nothing.

    Source: Meta, "Messaging limits" (limits.MESSAGING_TIERS); a capability update tells a bare count, -1 for none.
    """
    if messaging_limit in ("TIER_UNLIMITED", "-1"):
        return 0
    found = _TIER.fullmatch(messaging_limit or "")
    return int(found[1]) * (1000 if found[2] else 1) if found else None
