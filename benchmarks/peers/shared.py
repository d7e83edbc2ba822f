"""What the two Python peers share: the key, the validation, the document. Plain, as in most applications.

Process: a peer.
"""

import hashlib
import hmac
import os
import uuid
from datetime import UTC, datetime
from typing import Any

MONGODB_URI = os.environ.get("PEER_MONGODB_URI", "mongodb://127.0.0.1:27017")
KEY_DIGEST = hashlib.sha256(os.environ.get("PEER_KEY", "").encode()).hexdigest()
POOL = 30
INDEXES = (
    [("number", 1), ("status", 1), ("created_at", 1)],
    [("to", 1), ("created_at", 1)],
    [("created_at", 1)],
)


class Refused(Exception):
    """Status and words."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def check_key(authorization: str | None) -> None:
    """Raises ``Refused`` unless it is the one key."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(hashlib.sha256(key.encode()).hexdigest(), KEY_DIGEST):
        raise Refused(401, "Send a valid API key.")


def message_of(body: Any) -> dict[str, Any]:
    """A text message to store. Raises ``Refused`` with the first fault."""
    if not isinstance(body, dict):
        raise Refused(400, "The body must be an object.")
    to, text = body.get("to"), body.get("text")
    if not isinstance(to, str) or not to.isdigit() or not 7 <= len(to) <= 15:
        raise Refused(400, "to: must be a phone number")
    if body.get("type") != "text" or not isinstance(text, dict):
        raise Refused(400, "type: must be text")
    words = text.get("body")
    if not isinstance(words, str) or not 1 <= len(words) <= 4096:
        raise Refused(400, "text.body: must have 1 to 4096 characters")
    return {
        "_id": f"msg_{uuid.uuid4().hex}",
        "number": "106540352242922",
        "direction": "out",
        "to": to,
        "type": "text",
        "payload": {"text": text},
        "status": "queued",
        "created_at": datetime.now(UTC),
    }


def answer_of(message: dict[str, Any]) -> dict[str, Any]:
    """The message as the API shows it."""
    return {
        "id": message["_id"],
        "status": message["status"],
        "to": message["to"],
        "type": message["type"],
        "text": message["payload"]["text"],
        "created_at": message["created_at"].isoformat(),
    }
