"""The one name for a JSON object, and how each kind of JSON leaves this process.

Process: sandbox.
"""

import json
import re
from typing import Any

import orjson

Json = dict[str, Any]
_NO_DIGIT = re.compile(r"[^0-9]+")


def answer_bytes(value: Any) -> bytes:
    """JSON of an HTTP answer: UTF-8 as it is."""
    return orjson.dumps(value)


def notification_bytes(value: Any) -> bytes:
    """JSON of a notification: every non-ASCII character as a lower-case \\uXXXX escape, no spaces.

    Meta signs exactly such bytes, and at least one client escapes again before it checks the signature.
    """
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def digits_of(value: Any) -> str:
    """The digits of a phone number as clients write it (`+1 (650) 555-1234`, or a JSON number)."""
    return _NO_DIGIT.sub("", str(value))
