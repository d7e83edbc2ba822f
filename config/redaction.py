"""What must never be read in a log: secrets and message bodies not at all, phone numbers only by their last digits.

Process: all of them, in the thread that writes the log.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import SecretStr

HIDDEN = "***"
SHOWN_DIGITS = 4
MIN_SECRET_LENGTH = 6
"""A shorter known secret is left alone: to hide every `abc` would hide half of the log."""

PHONE_KEYS = frozenset(
    {"to", "from", "from_", "wa_id", "phone", "phone_number", "recipient", "recipient_id", "customer", "contact"}
    | {"display_phone_number", "input"}
)
SECRET_KEYS = frozenset({"key", "api_key", "bootstrap_key", "authorization", "cookie", "credentials", "uri", "dsn"})
SECRET_PARTS = ("token", "secret", "password", "signature", "mongodb_uri")
CONTENT_KEYS = frozenset({"body", "text", "caption", "payload", "content", "raw", "template_parameters"})
ID_KEYS = frozenset(
    {"phone_number_id", "waba_id", "id", "request_id", "wamid", "fbtrace_id", "seq", "at", "key_id", "method"}
)

MAX_CHARS = 16_384
"""Longer texts are cut: cleaning costs the process time."""

HEAD_CHARS, TAIL_CHARS = 4_096, 12_288
"""What stays of a text that is cut. The last lines of a traceback say most."""

MAX_LEVELS = 8
"""Values that are nested deeper are not written."""

# Every pattern costs linear time: a quantifier is bounded or possessive, and no part can begin inside of what an
# earlier start has read. tests/unit/test_patterns.py measures it.
_PHONE = re.compile(r"(?<![\w.+-])\+?\d{8,15}(?!\.*+\w)")
_SPACED_PHONE = re.compile(r"(?<!\w)\+\d{1,3}(?:[ ().-]{1,2}\d{1,4}){2,5}(?!\w)")
_PARAMETER = re.compile(r"([?&]([\w.]++)=)[^&\s\"']++")
_SECRET_PARAMETER = ("token", "secret", "key", "signature")


def _hide_parameter(match: re.Match[str]) -> str:
    name = match[2].lower()
    return f"{match[1]}{HIDDEN}" if any(part in name for part in _SECRET_PARAMETER) else match[0]


_WORD = re.compile(r"\S++")
_USER = re.compile(r"://[^\s:/@]++:")


def _hide_password(match: re.Match[str]) -> str:
    """From the first user name of a URL to the last ``@`` of the word."""
    word = match[0]
    user, end = _USER.search(word), word.rfind("@")
    return word if user is None or user.end() >= end else f"{word[: user.end()]}{HIDDEN}{word[end:]}"


_SECRETS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?i)\b(bearer|oauth)\s++[^\s\"',]++"), rf"\1 {HIDDEN}"),
    (_PARAMETER, _hide_parameter),
    (re.compile(r"\bwhsec_[\w+/=-]++"), f"whsec_{HIDDEN}"),
    (re.compile(r"\bpanal_[\w-]{20,}+"), f"panal_{HIDDEN}"),
    (re.compile(r"\bEAA[A-Za-z0-9]{20,}+"), f"EAA{HIDDEN}"),
    (re.compile(r"\bsha256=[0-9a-fA-F]{16,}+"), f"sha256={HIDDEN}"),
)


def mask_phone(number: str) -> str:
    """`+1 555 123 4567` → `***4567`: enough to tell two customers apart, too little to call one."""
    digits = [letter for letter in number if letter.isdigit()]
    return HIDDEN + "".join(digits[-SHOWN_DIGITS:]) if len(digits) > SHOWN_DIGITS else HIDDEN


def shortened(words: str) -> str:
    """At most ``MAX_CHARS`` characters and a mark of the cut.

    It cuts between words. A word that reaches over the cut goes as a whole: half a secret looks like no secret.
    """
    if len(words) <= MAX_CHARS:
        return words
    head = words[:HEAD_CHARS]
    head = head[: _last_space(head)]
    tail = words[-TAIL_CHARS:]
    tail = tail[_first_space(tail) :]
    return f"{head}[{len(words) - len(head) - len(tail)} characters left out]{tail}"


def _last_space(words: str) -> int:
    return next((at + 1 for at in range(len(words) - 1, -1, -1) if words[at].isspace()), 0)


def _first_space(words: str) -> int:
    return next((at for at, letter in enumerate(words) if letter.isspace()), len(words))


class Redactor:
    """Cleans text and named values. `secrets` are hidden everywhere; `public` numbers are our own, and shown."""

    def __init__(self, *, secrets: Iterable[str] = (), public: Iterable[str] = ()) -> None:
        # The longest first, so that a secret which is a part of another one leaves no rest of it.
        self._secrets = sorted({value for value in secrets if len(value) >= MIN_SECRET_LENGTH}, key=len, reverse=True)
        self._public = frozenset(public)

    def text(self, words: str) -> str:
        """Free text: a message, a traceback, an upstream's complaint."""
        for secret in self._secrets:
            words = words.replace(secret, HIDDEN)
        words = shortened(words)
        if "://" in words and "@" in words:
            words = _WORD.sub(_hide_password, words)
        for pattern, replacement in _SECRETS:
            words = pattern.sub(replacement, words)
        return _PHONE.sub(self._phone, _SPACED_PHONE.sub(self._phone, words))

    def value(self, key: str, value: Any, *, level: int = 0) -> Any:
        """A named value of a log record. What is nested is cleaned under its own names."""
        if isinstance(value, SecretStr):
            return HIDDEN
        name = key.lower()
        if isinstance(value, bytes | bytearray | memoryview):
            return f"[{len(value)} bytes]"
        if isinstance(value, str):
            return self._string(name, value)
        if isinstance(value, Mapping):
            if level >= MAX_LEVELS:
                return f"[{len(value)} members]"
            return {str(inner): self.value(str(inner), item, level=level + 1) for inner, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            if level >= MAX_LEVELS:
                return f"[{len(value)} items]"
            return [self.value(key, item, level=level + 1) for item in value]
        if isinstance(value, int) and name in PHONE_KEYS:
            return mask_phone(str(value))
        if value is None or isinstance(value, int | float):
            return value
        return self.text(str(value))

    def _string(self, name: str, value: str) -> str:
        if name in SECRET_KEYS or any(part in name for part in SECRET_PARTS):
            return HIDDEN
        if name in CONTENT_KEYS:
            return f"[{len(value)} characters]"
        if name in PHONE_KEYS and value not in self._public:
            return mask_phone(value) if any(letter.isdigit() for letter in value) else value
        return value if name in ID_KEYS else self.text(value)

    def _phone(self, match: re.Match[str]) -> str:
        return match.group() if match.group() in self._public else mask_phone(match.group())
