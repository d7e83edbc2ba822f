"""Our message id inside `biz_opaque_callback_data`: the evidence that says, after a crash, whether a message left.

Process: worker (statuses come in through any of them), whatsapp.
"""

from dataclasses import dataclass

from config import limits

PREFIX = "panal:"
SEPARATOR = "|"

CALLER_DATA_LIMIT = limits.OPAQUE_DATA_MAX_CHARS - 40
"""What is left for the caller: `panal:`, an id of ours (30 characters), the separator, and three to spare.

Longer data is refused when the message is accepted, so nothing is ever cut on the wire.
"""


@dataclass(frozen=True, slots=True)
class Tracking:
    """What came back: the id of our message, and what its sender had put there. Either may be missing."""

    message_id: str | None
    caller_data: str | None


NOTHING_TRACKED = Tracking(message_id=None, caller_data=None)


def encode_tracking(message_id: str, caller_data: str | None = None) -> str:
    """`panal:msg_01J…`, plus `|` and the caller's own data when there is any (an empty string counts as data)."""
    return f"{PREFIX}{message_id}" if caller_data is None else f"{PREFIX}{message_id}{SEPARATOR}{caller_data}"


def decode_tracking(wire: str | None) -> Tracking:
    """The reverse of `encode_tracking`. What another program has put there comes back as `caller_data`, whole."""
    if wire is None:
        return NOTHING_TRACKED
    if not wire.startswith(PREFIX):
        return Tracking(message_id=None, caller_data=wire)
    message_id, separator, caller_data = wire[len(PREFIX) :].partition(SEPARATOR)
    if not message_id:
        return Tracking(message_id=None, caller_data=wire)
    return Tracking(message_id=message_id, caller_data=caller_data if separator else None)
