"""Credentials in what the Graph API answers: found in every spelling, hidden where they stand in plain text.

Process: worker, whatsapp.

Every pattern is linear, and a text is decoded a fixed number of times.
"""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

HIDDEN: Final = "***"
MIN_SECRET_CHARS: Final = 6
DECODINGS_MOST: Final = 5
"""How often a text is decoded; one that still changes after that cannot be judged."""

CREDENTIAL_NAMES: Final = frozenset(
    {"accesstoken", "appsecretproof", "appsecret", "clientsecret", "oauthtoken", "inputtoken", "fbexchangetoken"}
)
"""Parameters and fields that hold a credential, as ``credential_name`` compares them."""
_NAMES: Final = (
    "access[_-]?token|appsecret[_-]?proof|app[_-]?secret|client[_-]?secret|oauth[_-]?token|input[_-]?token"
    "|fb[_-]?exchange[_-]?token"
)
_ASSIGNED: Final = re.compile(rf"(?i)((?:{_NAMES})[\"']?[ \t]{{0,3}}[=:][ \t]{{0,3}}[\"']?)([^\s&\"'<>,;#)}}\]]+)")
_META_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9])EAA[A-Za-z0-9]{20,}")
_BEARER: Final = re.compile(r"(?i)(\b(?:bearer|oauth)[ \t]{1,3})([A-Za-z0-9._~+/|-]{16,})")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/\\\"]))")
_SIGNS: Final = ("%", "\\", "&#", "&amp", "token", "secret", "eaa", "bearer", "oauth")


def credential_name(name: str) -> bool:
    """Does a parameter or field with this name hold a credential? Case, separators and HTML's ``&amp;`` are ignored."""
    bare = name.strip().lower().removeprefix("amp;").partition("[")[0]
    return bare.replace("_", "").replace("-", "").replace(".", "") in CREDENTIAL_NAMES


class SecretScrubber:
    """Knows the ``secrets`` of one call: its token, the proof, the app's secret."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        # The longest first, so that a secret which is a part of another one leaves no rest of it.
        self._secrets = sorted({one for one in secrets if one and len(one) >= MIN_SECRET_CHARS}, key=len, reverse=True)

    def is_plain(self, text: str) -> bool:
        """May this text be handed on without a closer look? False says nothing: most such texts are harmless."""
        lowered = text.lower()
        return not any(sign in lowered for sign in _SIGNS) and not any(one in text for one in self._secrets)

    def scrub(self, text: str) -> str:
        """The text with every credential that stands in it as plain text hidden."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        text = _META_TOKEN.sub(HIDDEN, text)
        return _BEARER.sub(rf"\1{HIDDEN}", _ASSIGNED.sub(rf"\1{HIDDEN}", text))

    def cleared(self, text: str) -> str:
        """The scrubbed text, or ``***`` where a credential stands in it that cannot be cut out."""
        if self.is_plain(text):
            return text
        scrubbed = self.scrub(text)
        return HIDDEN if self.is_exposed(scrubbed) else scrubbed

    def cleared_value(self, value: Any) -> Any:
        """A JSON value with every text in it cleared, names too."""
        if isinstance(value, str):
            return self.cleared(value)
        if isinstance(value, list):
            return [self.cleared_value(item) for item in value]
        if isinstance(value, dict):
            return {
                self.cleared(name): HIDDEN if credential_name(name) else self.cleared_value(item)
                for name, item in value.items()
            }
        return value

    def is_exposed(self, text: str) -> bool:
        """Does a credential stand here in any spelling? True, too, for what is encoded too deep to be judged."""
        last = text
        for count, spelling in enumerate(spellings(text)):
            if count > DECODINGS_MOST or any(one in spelling for one in self._secrets):
                return True
            if _META_TOKEN.search(spelling):
                return True
            if any(not found[2].startswith(HIDDEN) for found in _ASSIGNED.finditer(spelling)):
                return True
            last = spelling
        return any(not found[2].startswith(HIDDEN) for found in _BEARER.finditer(last))


def spellings(text: str) -> Iterator[str]:
    """The text, and what it becomes when percent, JSON and HTML escapes are taken off, again and again."""
    yield text
    for _ in range(DECODINGS_MOST + 1):
        decoded = unquote(text) if "%" in text else text
        if "\\" in decoded:
            decoded = _ESCAPE.sub(_unescaped, decoded)
        if "&" in decoded and ("&#" in decoded or "&amp" in decoded.lower()):
            decoded = html.unescape(decoded)
        if decoded == text:
            return
        yield decoded
        text = decoded


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    return chr(int(digits, 16)) if digits else found[3]
