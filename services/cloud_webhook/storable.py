"""Make any JSON fit to be stored: a notification that the database refuses would stop all that come after it.

Process: worker, whatsapp.
"""

from typing import Any

import orjson

NESTING_MAX_LEVELS = 64
"""MongoDB stops at 100 levels, and the documents that hold these values have some of their own."""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(value: Any, *, level: int = 0) -> Any:
    """The same JSON, for all that Meta ever sends. What BSON cannot hold becomes text and stays readable.

    Half a surrogate pair becomes U+FFFD, so does a NUL in a key; an integer past 63 bits becomes its digits; what is
    nested deeper than NESTING_MAX_LEVELS becomes one JSON text.
    """
    if isinstance(value, str):
        return value if value.isascii() else _without_surrogates(value)
    if isinstance(value, dict):
        if level >= NESTING_MAX_LEVELS:
            return _as_text(value)
        return {_key(key): storable(item, level=level + 1) for key, item in value.items()}
    if isinstance(value, list):
        if level >= NESTING_MAX_LEVELS:
            return _as_text(value)
        return [storable(item, level=level + 1) for item in value]
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return str(value)
    return value


def _key(key: str) -> str:
    return _without_surrogates(key.replace("\x00", REPLACEMENT))


def _without_surrogates(value: str) -> str:
    """A pair that came as two halves is one character; a half without the other is none."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _as_text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, TypeError):
        return "nested too deeply to be kept"
