"""What does a status from WhatsApp change? Pure rules: forward only, duplicates change nothing.

Process: whatsapp.
"""

from services.messages.states import MessageStatus, may_move

_BY_WORD = {
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.READ,
    # A voice note that was played was read; WhatsApp sends no separate read for it.
    "played": MessageStatus.READ,
    "failed": MessageStatus.FAILED,
}


_WAITING = frozenset({MessageStatus.SCHEDULED, MessageStatus.QUEUED, MessageStatus.HELD})


def next_status(current: MessageStatus, word: str) -> MessageStatus | None:
    """The state that the platform's word leads to, or None when it changes nothing.

    ``word`` is Meta's: ``sent``, ``delivered``, ``read``, ``played``, ``failed``; an unknown word changes nothing.
    """
    wanted = _BY_WORD.get(word)
    if wanted is MessageStatus.FAILED and current in _WAITING:
        return None  # an earlier try failed; the next one is waiting already
    if wanted is None or wanted is current or not may_move(current, wanted):
        return None
    return wanted
