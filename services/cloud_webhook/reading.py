"""Take what is there from JSON that may have any shape: each function answers None rather than fail.

Process: worker, whatsapp.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from services.cloud_webhook.changes import PlatformError

LAST_UNIX_SECOND = 253402300799
"""31 December 9999. Larger numbers are milliseconds, or nonsense."""

KEY_LENGTH = 32


def as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def dict_or_none(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A non-empty string; numbers become their digits (template ids are numbers, all other ids are strings)."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def moment(value: object) -> datetime | None:
    """Unix seconds, as text (messages) or as a number (user preferences), to aware UTC."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds <= LAST_UNIX_SECOND else None
    except (ValueError, OverflowError):
        return None


def platform_errors(value: object) -> tuple[PlatformError, ...]:
    return tuple(_platform_error(entry) for entry in as_list(value) if isinstance(entry, dict))


def digest(*parts: Any) -> str:
    """Equal for equal JSON, whatever the order of its keys."""
    try:
        canonical = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # too deep for it (254 levels), or numbers past 64 bits
        canonical = b"".join(_flattened(parts))
    return hashlib.sha256(canonical).hexdigest()[:KEY_LENGTH]


def _flattened(value: Any) -> Iterator[bytes]:
    """A serialisation of any JSON without recursion. Each piece says its length, so none can imitate two others."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            yield b"{%d" % len(item)
            for key in sorted(item):
                left += [item[key], key]
        elif isinstance(item, list | tuple):
            yield b"[%d" % len(item)
            left += item
        else:
            piece = repr(item).encode("utf-8", "surrogatepass")
            yield b"%d:%s" % (len(piece), piece)


def _platform_error(entry: dict[str, Any]) -> PlatformError:
    code = entry.get("code")
    details = as_dict(entry.get("error_data")).get("details")
    return PlatformError(
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        title=text(entry.get("title")) or text(entry.get("message")) or "",
        details=text(details) or text(entry.get("details")),
        raw=entry,
    )
