"""The text of a key and its digest.

Process: main (first key), worker.
"""

import hashlib
import secrets

PREFIX = "panal_"


def new_key_text() -> str:
    """A new key: 256 random bits, readable as one word."""
    return PREFIX + secrets.token_urlsafe(32)


def key_digest(text: str) -> str:
    """What is stored of a key. It is random and long, so a plain SHA-256 is enough: there is nothing to guess."""
    return hashlib.sha256(text.encode()).hexdigest()
