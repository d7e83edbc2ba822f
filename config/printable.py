"""Text from outside in a log line or an answer: nothing in it may move a cursor, forge a line or break the encoding.

Process: all of them. Pure.
"""

import re
from typing import Any, Final

import orjson

_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAK: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def printable(text: str) -> str:
    r"""``text`` with control characters, reversals of direction and bytes that were no UTF-8 as ``\xNN``."""
    return text if text.isprintable() else _UNSAFE.sub(_escaped, text)


def printable_lines(text: str, *, indent: str = "    ") -> str:
    """As ``printable``, but several lines stay several; all but the first are indented, so that none begins a line."""
    if text.isprintable():
        return text
    return f"\n{indent}".join(printable(line) for line in _BREAK.split(text))


def json_of(value: Any) -> bytes:
    """JSON. A text that is no valid Unicode is written as ``printable`` shows it, instead of a ``TypeError``."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_printable_all(value), default=str, option=orjson.OPT_NON_STR_KEYS)


def _printable_all(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_printable_all(key): _printable_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_printable_all(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else printable(str(value))


def _escaped(found: "re.Match[str]") -> str:
    point = ord(found[0])
    if 0xDC80 <= point <= 0xDCFF:  # a byte that was no UTF-8, as `surrogateescape` keeps it
        point -= 0xDC00
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
