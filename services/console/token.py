"""The text of a session cookie: who, since when, last active when, and a signature. Pure.

Process: worker.

It holds no key and no secret. Any worker of any box that knows the installation's secret can check it, so a session
outlives workers, restarts and deploys, and nothing has to be stored for it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

VERSION = "1"
MAX_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a cookie says. Times in whole seconds of Unix time."""

    key_id: str
    began_s: int
    active_s: int


def sign(ticket: Ticket, secret: bytes) -> str:
    """The cookie's text."""
    body = f"{VERSION}.{ticket.key_id}.{ticket.began_s}.{ticket.active_s}"
    return f"{body}.{_signature(body, secret)}"


def verified(text: str, secret: bytes) -> Ticket | None:
    """What the text says, or None when it is not ours, whatever is wrong with it."""
    if len(text) > MAX_LENGTH:
        return None
    body, _, signature = text.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body, secret).encode()):
        return None
    version, key_id, began, active = body.split(".")
    if version != VERSION:
        return None
    return Ticket(key_id, int(began), int(active))


def _signature(body: str, secret: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret, body.encode(), hashlib.sha256)).decode().rstrip("=")
