"""Throttle headers of the Graph API: how much of a limit is used, and when to come back.

Process: whatsapp, worker (media and templates).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

RETRY_AFTER = "Retry-After"
USAGE_HEADERS = ("X-Business-Use-Case-Usage", "X-App-Usage")
PERCENT_KEYS = ("call_count", "total_cputime", "total_time")
LONGEST_WAIT_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """`used_percent`: the platform's fullest meter (100 = throttled). `retry_after_s`: seconds to wait, if told."""

    used_percent: float | None = None
    retry_after_s: float | None = None


NO_USAGE = Usage()


def read_usage(headers: Mapping[str, str]) -> Usage:
    """Never fails: a header that cannot be read says nothing.

    `Retry-After` counts seconds, `estimated_time_to_regain_access` minutes; the longer of the two holds.
    Source: Meta, "Rate limits" (developers.facebook.com/docs/graph-api/overview/rate-limiting), 2026.
    """
    meters = [meter for name in USAGE_HEADERS if name in headers for meter in _meters(headers[name])]
    waits_s = [60.0 * wait for meter in meters if (wait := _number(meter.get("estimated_time_to_regain_access")))]
    if (retry_after_s := _number(headers.get(RETRY_AFTER))) is not None:
        waits_s.append(retry_after_s)
    percents = [value for meter in meters for key in PERCENT_KEYS if (value := _number(meter.get(key))) is not None]
    if not percents and not waits_s:
        return NO_USAGE
    return Usage(
        used_percent=max(percents, default=None),
        retry_after_s=min(max(waits_s), LONGEST_WAIT_S) if waits_s else None,
    )


def _meters(raw: str) -> list[dict[str, Any]]:
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(parsed, dict):
        return []
    found = [parsed]
    for accounts in parsed.values():
        if isinstance(accounts, list):
            found.extend(meter for meter in accounts if isinstance(meter, dict))
    return found


def _number(value: object) -> float | None:
    """A finite number from 0 up, also as text (an HTTP date in `Retry-After` is not one: None)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None
