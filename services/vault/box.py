"""Seals secrets with AES-256-GCM, each bound to its place, and opens them with the current key or the previous one.

Process: worker, whatsapp.

A sealed secret is the document ``{"key": key id, "data": nonce + ciphertext + tag}``. Its place (collection, id and
field) is the associated data: moved to another document or field it does not open.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.errors import Unavailable
from services.vault.keys import SecretKey

NONCE_BYTES: Final = 12
"""96 random bits. NIST SP 800-38D allows 2^32 of them for one key; this project seals a few a day."""

CONTEXT: Final = b"panal sealed v1"


class SecretUnreadable(Unavailable):
    """A stored secret does not open: another key sealed it, or it was changed or moved. ``detail`` says which."""

    code = "secret_key_mismatch"
    default_text = "A stored secret cannot be opened with this installation's PANAL_SECRET_KEY. Tell the operator."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed secret stands: the field ``field`` of the document ``id`` in ``collection``."""

    collection: str
    id: str
    field: str = "sealed"

    def associated_data(self, key_id: str) -> bytes:
        """The place as bytes. Lengths stand before the parts, so that no two places look alike."""
        parts = (CONTEXT, key_id.encode(), self.collection.encode(), self.id.encode(), self.field.encode())
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class SecretBox:
    """Seals with the first key, opens with any. Holds no state, so one serves a whole process."""

    __slots__ = ("_ciphers", "key_id")

    def __init__(self, keys: Sequence[SecretKey]) -> None:
        """At least one key, the current one first."""
        self.key_id = keys[0].id
        self._ciphers = {key.id: AESGCM(key.bits) for key in reversed(keys)}

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of the keys that open."""
        return frozenset(self._ciphers)

    def seal(self, place: Place, clear: bytes) -> dict[str, Any]:
        """The secret as it may be stored at this place, and nowhere else."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self.key_id].encrypt(nonce, clear, place.associated_data(self.key_id))
        return {"key": self.key_id, "data": nonce + sealed}

    def open(self, place: Place, sealed: Mapping[str, Any]) -> bytes:
        """The secret. Raises ``SecretUnreadable``; never answers anything but what was sealed for this place."""
        where = f"{place.collection} {place.id}"
        key_id, data = sealed.get("key"), sealed.get("data")
        if not isinstance(key_id, str) or not isinstance(data, bytes | bytearray) or len(data) < NONCE_BYTES:
            raise SecretUnreadable(detail=f"{where} is not a sealed secret")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            have = ", ".join(sorted(self._ciphers))
            raise SecretUnreadable(detail=f"{where} was sealed with key {key_id}; configured: {have}")
        try:
            return cipher.decrypt(bytes(data[:NONCE_BYTES]), bytes(data[NONCE_BYTES:]), place.associated_data(key_id))
        except InvalidTag as error:
            raise SecretUnreadable(detail=f"{where} was changed, or moved from another place") from error

    def is_current(self, sealed: object) -> bool:
        """Was this sealed with the current key?"""
        return isinstance(sealed, Mapping) and sealed.get("key") == self.key_id

    def __repr__(self) -> str:
        """Ids of keys alone."""
        return f"SecretBox({', '.join(self._ciphers)})"
