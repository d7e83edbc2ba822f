"""What a number is.

Process: worker, whatsapp.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number that we operate. ``seq_floor`` is an event number known to be reached."""

    phone_number_id: str
    waba_id: str
    display_phone_number: str
    link: str
    seq_floor: int = 0
    is_default: bool = False
    is_paused: bool = False
    hold_reason: str | None = None
    hold_until: datetime | None = None
