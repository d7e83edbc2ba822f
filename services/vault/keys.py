"""From the text of PANAL_SECRET_KEY to a key of AES-256 and its id. Pure.

Process: main, worker, whatsapp.
"""

import hashlib
import hmac
from typing import Final

SALT: Final = b"panal secrets at rest v1"
ID_BYTES: Final = 4


class SecretKey:
    """256 bits derived from a text, and the id by which a ciphertext names them. Shows neither text nor bits."""

    __slots__ = ("_bits", "id")

    def __init__(self, text: str) -> None:
        """HKDF with SHA-256 (RFC 5869). The text is long and random, so nothing slower is needed.

        The id is derived beside the key, so that it says nothing about it.
        """
        extracted = hmac.digest(SALT, text.encode(), hashlib.sha256)
        self._bits = _expanded(extracted, b"aes-256-gcm")
        self.id = _expanded(extracted, b"key id")[:ID_BYTES].hex()

    @property
    def bits(self) -> bytes:
        """The 32 bytes."""
        return self._bits

    def __repr__(self) -> str:
        """The id alone."""
        return f"SecretKey({self.id})"

    def __reduce__(self) -> str:
        """Refuse to be pickled: each process derives its own."""
        raise TypeError("a secret key does not travel between processes")


def _expanded(extracted: bytes, info: bytes) -> bytes:
    return hmac.digest(extracted, info + b"\x01", hashlib.sha256)
