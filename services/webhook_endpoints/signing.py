"""Secrets and signatures: Standard Webhooks for our own format, Meta's for Meta's.

Process: worker, whatsapp.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
LEAST_BYTES: Final = 24
MOST_BYTES: Final = 64


def new_secret() -> str:
    """``whsec_`` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_fault(secret: str) -> str | None:
    """Why a secret that a caller brings along cannot be used, or None."""
    try:
        size = len(_key(secret))
    except (ValueError, binascii.Error):
        return "must be whsec_ and base64"
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= size <= MOST_BYTES:
        return f"must be whsec_ and {LEAST_BYTES} to {MOST_BYTES} bytes in base64"
    return None


def standard_signature(webhook_id: str, at: datetime, body: bytes, secrets_now: Sequence[str]) -> str:
    """The value of ``webhook-signature``: one ``v1,…`` for every secret that signs now.

    Source: standard-webhooks/spec, version 1.0.0: HMAC-SHA256 over ``id.timestamp.body``.
    """
    signed = f"{webhook_id}.{int(at.timestamp())}.".encode() + body
    digests = (hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets_now)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def meta_signature(body: bytes, secret: str) -> str:
    """The value of ``X-Hub-Signature-256``. The key is the whole text of the secret, as an app secret is."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
