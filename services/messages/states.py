"""The states of a message, the one table of moves between them, and what a status of WhatsApp changes. Pure.

Process: worker, whatsapp.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from config.errors import RequestRefused


class MessageStatus(StrEnum):
    """Where a message is. ``received`` is the only state of an inbound one."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    HELD = "held"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    RECEIVED = "received"


_S = MessageStatus

MOVES: Final = MappingProxyType(
    {
        _S.SCHEDULED: frozenset({_S.SCHEDULED, _S.QUEUED, _S.CANCELED, _S.EXPIRED, _S.FAILED}),
        # Forward without a send: it waits for its next try when the proof of an earlier one comes in.
        _S.QUEUED: frozenset(
            {_S.QUEUED, _S.SENDING, _S.HELD, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.SENT, _S.DELIVERED, _S.READ}
        ),
        _S.HELD: frozenset(
            {_S.QUEUED, _S.HELD, _S.SENDING, _S.CANCELED, _S.EXPIRED, _S.FAILED, _S.SENT, _S.DELIVERED, _S.READ}
        ),
        # Back to queued: it provably never left, or WhatsApp refused it for the moment.
        _S.SENDING: frozenset(
            {_S.QUEUED, _S.HELD, _S.SENT, _S.DELIVERED, _S.READ, _S.UNCERTAIN, _S.FAILED, _S.EXPIRED}
        ),
        # Evidence may still come; or the policy, or a person, sends it again.
        _S.UNCERTAIN: frozenset({_S.QUEUED, _S.SENT, _S.DELIVERED, _S.READ, _S.FAILED, _S.CANCELED}),
        # Back to held: WhatsApp reported a failure that passes, so it goes again later.
        _S.SENT: frozenset({_S.DELIVERED, _S.READ, _S.FAILED, _S.HELD}),
        _S.DELIVERED: frozenset({_S.READ}),
        _S.READ: frozenset(),
        # A person sends it again; or a status proves that it went out after all.
        _S.FAILED: frozenset({_S.QUEUED, _S.DELIVERED, _S.READ}),
        _S.EXPIRED: frozenset({_S.QUEUED}),
        _S.CANCELED: frozenset(),
        _S.RECEIVED: frozenset(),
    }
)

_BY_WORD: Final = MappingProxyType(
    {
        "sent": _S.SENT,
        "delivered": _S.DELIVERED,
        "read": _S.READ,
        # A voice note that was played was read; WhatsApp sends no separate read for it.
        "played": _S.READ,
        "failed": _S.FAILED,
    }
)
_WAITING: Final = frozenset({_S.SCHEDULED, _S.QUEUED, _S.HELD})

ACTIVE: Final = frozenset({_S.SCHEDULED, _S.QUEUED, _S.HELD, _S.SENDING, _S.UNCERTAIN})
"""States in which the owner still has something to do."""


def may_move(before: MessageStatus, after: MessageStatus) -> bool:
    """Is this move allowed? A status that would lead backwards, or nowhere, is not."""
    return after in MOVES[before]


def next_status(current: MessageStatus, word: str) -> MessageStatus | None:
    """The state that the platform's word leads to; None when it changes nothing: forward only, once.

    ``word`` is Meta's: ``sent``, ``delivered``, ``read``, ``played``, ``failed``; an unknown word changes nothing.
    """
    wanted = _BY_WORD.get(word)
    if wanted is MessageStatus.FAILED and current in _WAITING:
        return None  # an earlier try failed; the next one is waiting already
    if wanted is None or wanted is current or not may_move(current, wanted):
        return None
    return wanted


class WrongState(RequestRefused):
    """The message is in a state in which this is not possible."""

    code = "wrong_state"
