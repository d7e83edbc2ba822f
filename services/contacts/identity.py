"""Who is meant? A phone number or a business-scoped user id, as WhatsApp writes them, and the key of a contact.

Process: worker, whatsapp.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config import limits
from config.errors import Fault, RequestRefused
from services.conversations import keys_of

NOISE: Final = str.maketrans("", "", "+ -()./\u00a0")
USER_ID: Final = re.compile(rf"[A-Z]{{2}}\.(?:ENT\.)?[0-9A-Za-z]{{1,{limits.USER_ID_MAX_CHARS}}}")
"""A country, letters and digits. Source: Meta, "Business-scoped user IDs" (2026-06-29)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What WhatsApp calls a person: a ``wa_id`` (bare digits), a business-scoped ``user_id``, or both.

    ``former`` are further keys of the same person. ``is_current``: they write from these addresses, or have moved to
    them; otherwise one of them may be an old one. ``seen_at``: what comes late does not move anybody back.
    """

    wa_id: str | None = None
    user_id: str | None = None
    former: tuple[str, ...] = ()
    is_current: bool = False
    seen_at: datetime | None = None

    @property
    def key(self) -> str:
        """What identifies the contact: ``wa:<digits>``, or ``user:<id>`` for a person whose number nobody told."""
        return f"wa:{self.wa_id}" if self.wa_id else f"user:{self.user_id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which this person may come."""
        return keys_of(self.wa_id, self.user_id, self.former)


def identity_of(text: str) -> Identity | None:
    """The person behind a ``to``; None when it is neither a phone number nor a user id."""
    if USER_ID.fullmatch(text):
        return Identity(user_id=text)
    digits = text.translate(NOISE)
    is_number = digits.isascii() and digits.isdigit()
    if not is_number or not limits.PHONE_MIN_DIGITS <= len(digits) <= limits.PHONE_MAX_DIGITS:
        return None
    return Identity(wa_id=digits)


def parse_identity(value: object, *, path: str = "to") -> Identity:
    """The same for a part of a request. Raises ``RequestRefused``."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    found = identity_of(text) if isinstance(text, str) else None
    if found is None:
        raise RequestRefused("The contact is not valid.", faults=[Fault(path, IDENTITY_RULE)])
    return found


def identity_of_key(key: str) -> Identity:
    """The person behind a contact key."""
    kind, _, rest = key.partition(":")
    return Identity(wa_id=rest) if kind == "wa" else Identity(user_id=rest)


IDENTITY_RULE: Final = (
    f"must be a phone number with its country code, {limits.PHONE_MIN_DIGITS} to {limits.PHONE_MAX_DIGITS} digits, "
    "or a business-scoped user id"
)
