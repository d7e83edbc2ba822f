"""Ids in Meta's forms: wamids, business-scoped user ids, object ids, trace ids.

Process: sandbox.
"""

import base64
import hashlib

_COUNTRIES = {
    "1": "US",
    "34": "ES",
    "44": "GB",
    "49": "DE",
    "51": "PE",
    "52": "MX",
    "54": "AR",
    "55": "BR",
    "56": "CL",
    "57": "CO",
    "58": "VE",
    "91": "IN",
    "593": "EC",
    "598": "UY",
}

_MODULUS = 10**20
_FACTOR = 73_939_133_000_000_000_177
"""Coprime to ten, so multiplying by it can be undone: a user id leads back to its phone without a table."""
_INVERSE = pow(_FACTOR, -1, _MODULUS)
_SHIFT = 13_491_208_655_302_741_918


class IdMaker:
    """Ids that a seed and a number fix: the same seed gives the same ids, another number never the same id."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed[:64]

    def wamid(self, wa_id: str, number: int, *, is_inbound: bool) -> str:
        """A message id as Meta builds it: a short binary form with the phone and 18 or 20 hex letters, in base64.

        Source: decoded samples of Meta's documentation (1c 18, phone, 15 02 00, direction, 18, letters, 00).
        """
        letters = self._hex(b"wamid", number, size=10 if is_inbound else 9)
        phone = wa_id.encode("ascii", "replace")[:127]
        raw = b"\x1c\x18%c%b\x15\x02\x00%c\x18%c%b\x00" % (
            len(phone),
            phone,
            0x12 if is_inbound else 0x11,
            len(letters),
            letters.encode("ascii"),
        )
        return "wamid." + base64.b64encode(raw).decode("ascii")

    def object_id(self, kind: str, number: int) -> str:
        """15 digits, never a leading zero: official SDKs parse ids as integers below 2^53."""
        value = int(self._hex(kind.encode("ascii"), number, size=8), 16)
        return str(10**14 + (value % 8_999_999) * 10**7 + number % 10**7)

    def trace_id(self, number: int) -> str:
        """`fbtrace_id`: "A" and 22 letters."""
        digest = hashlib.blake2b(b"trace%d" % number, key=self._seed, digest_size=17).digest()
        return "A" + base64.urlsafe_b64encode(digest).decode("ascii")[:22]

    def token(self, name: str, number: int) -> str:
        """Letters that a url or a handle carries to prove that the sandbox made it."""
        return self._hex(name.encode("utf-8"), number, size=16).lower()

    def _hex(self, name: bytes, number: int, *, size: int) -> str:
        text = b"%b:%d" % (name, number)
        return hashlib.blake2b(text, key=self._seed, digest_size=size).hexdigest().upper()


def user_id_of(wa_id: str) -> str:
    """The business-scoped user id of a phone: country, full stop, 20 digits. Stable, and `wa_id_of` undoes it."""
    number = (int(wa_id[:40] or "0") * _FACTOR + _SHIFT) % _MODULUS
    return f"{country_of(wa_id)}.{number:020d}"


def wa_id_of(user_id: str) -> str | None:
    """The phone behind a user id of ours, or None for one that was made elsewhere."""
    digits = user_id.rpartition(".")[2]
    if len(digits) != 20 or not digits.isdecimal():
        return None
    number = (int(digits) - _SHIFT) * _INVERSE % _MODULUS
    return str(number) if 10**6 <= number < 10**15 else None


def country_of(wa_id: str) -> str:
    """ISO country of a phone by its first digits; US where the short table does not know."""
    for length in (3, 2, 1):
        country = _COUNTRIES.get(wa_id[:length])
        if country is not None:
            return country
    return "US"
