"""What JSON from outside may hold so that the database can store it: nesting, whole numbers, names.

Process: worker, whatsapp, sandbox.
"""

from typing import Any, Final

from config.digits import INT64_MAX
from config.errors import Fault

MAX_LEVELS: Final = 32
"""MongoDB stops at 100 levels, and a stored value stands some levels deep. No message of WhatsApp has more than 12."""

_LONG_NUMBER: Final = b"0" * 19
_ALIKE: Final = bytes(ord("0") if chr(byte).isascii() and chr(byte).isdigit() else ord(" ") for byte in range(256))
"""Every digit becomes the same digit: so that a search for one text finds all numbers of so many digits."""


def json_fault(raw: bytes, value: Any) -> Fault | None:
    """Why ``value``, which was read from ``raw``, cannot be stored; None for all that is stored every day.

    Only a body that can hold a fault is walked through: the others cost one look at their bytes.
    """
    if raw.count(b"{") + raw.count(b"[") > MAX_LEVELS or b"\\u0000" in raw or _LONG_NUMBER in raw.translate(_ALIKE):
        return value_fault(value)
    return None


def value_fault(value: Any) -> Fault | None:
    """The same for a value whose bytes are not at hand."""
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        path, level, item = waiting.pop()
        if isinstance(item, int) and item > INT64_MAX:
            return Fault(path, "must be a whole number of at most 64 bits, with its sign")
        if isinstance(item, dict | list) and level >= MAX_LEVELS:
            return Fault(_short(path), f"must not be nested deeper than {MAX_LEVELS} levels")
        if isinstance(item, dict):
            for name, inner in item.items():
                if "\0" in name:
                    return Fault(_short(path), "must not have a name with the character NUL")
                waiting.append((f"{path}.{name}" if path else name, level + 1, inner))
        elif isinstance(item, list):
            waiting += [(f"{path}[{position}]", level + 1, inner) for position, inner in enumerate(item)]
    return None


def _short(path: str) -> str:
    return path if len(path) <= 100 else f"{path[:100]}…"
