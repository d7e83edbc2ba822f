"""The text of a session cookie: who, since when, last active when, and a signature. Pure.

Process: worker.

It holds no key and no secret. Any worker of any host that knows the installation's secret can check it, so a session
outlives workers, restarts and deploys. Whether the session still lives is stored under its id.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

VERSION = "2"
MAX_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a cookie says. Unix time: the beginning in ms, the last use in whole seconds."""

    session_id: str
    key_id: str
    began_ms: int
    active_s: int


def sign(ticket: Ticket, secret: bytes) -> str:
    """The cookie's text."""
    body = f"{VERSION}.{ticket.session_id}.{ticket.key_id}.{ticket.began_ms}.{ticket.active_s}"
    return f"{body}.{_signature(body, secret)}"


def verified(text: str, secret: bytes) -> Ticket | None:
    """What the text says, or None when it is not ours, whatever is wrong with it."""
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    body, _, signature = text.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(body, secret).encode()):
        return None
    parts = body.split(".")
    if len(parts) != 5 or parts[0] != VERSION:  # of another version of ours: its signature is good
        return None
    _, session_id, key_id, began, active = parts
    return Ticket(session_id, key_id, int(began), int(active))


def _signature(body: str, secret: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret, body.encode(), hashlib.sha256)).decode().rstrip("=")
