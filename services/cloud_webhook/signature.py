"""Is this notification from Meta? HMAC-SHA256 over the raw bytes, compared in constant time.

Process: worker.
"""

import hashlib
import hmac

SCHEME = "sha256="


def signature_of(raw: bytes, app_secret: str) -> str:
    """The value of `X-Hub-Signature-256` for these bytes.

    Source: Meta, "Webhooks: validating payloads" (2026-09-11).
    """
    return SCHEME + hmac.new(app_secret.encode(), raw, hashlib.sha256).hexdigest()


def verify(raw: bytes, header: str | None, app_secret: str) -> bool:
    """True when `header` signs exactly these bytes. `sha1=` is never accepted, an empty secret never matches."""
    if not header or not app_secret:
        return False
    expected = signature_of(raw, app_secret)
    return hmac.compare_digest(expected.encode(), header.strip().encode("utf-8", "surrogatepass"))
