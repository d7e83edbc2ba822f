"""Take what is there from JSON that may have any shape: each function answers None rather than fail.

Process: worker, whatsapp.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from services.cloud_webhook.changes import PlatformError

LAST_UNIX_SECOND = 253402300799
"""31 December 9999. Larger numbers are milliseconds, or nonsense."""

KEY_LENGTH = 32
IDENTIFIER_MAX_CHARS = 256
NAME_MAX_CHARS = 200


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


def identifier(value: object) -> str | None:
    """An id or an address. What is longer than any of Meta's, or cannot be printed, is none: indexes hold them."""
    found = text(value)
    return found if found is not None and len(found) <= IDENTIFIER_MAX_CHARS and found.isprintable() else None


def short_text(value: object) -> str | None:
    """A name that people gave themselves, cut where no name of WhatsApp is so long."""
    found = text(value)
    return None if found is None else found[:NAME_MAX_CHARS]


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
    """Equal for equal JSON, whatever the order of its keys. The parts have gone through `storable`."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:KEY_LENGTH]


def _platform_error(entry: dict[str, Any]) -> PlatformError:
    code = entry.get("code")
    details = as_dict(entry.get("error_data")).get("details")
    return PlatformError(
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        title=text(entry.get("title")) or text(entry.get("message")) or "",
        details=text(details) or text(entry.get("details")),
        raw=entry,
    )
