"""What a caller wants of a number: read from JSON once, with the path and reason of every fault.

Process: worker.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from config.errors import Fault, RequestRefused
from config.limits import THROUGHPUT_HIGH_PER_S

MOST_RECIPIENTS: Final = 1_000_000
MAX_QUIET_CHARS: Final = 80


def parse_settings(raw: Mapping[str, Any], *, parse_quiet_hours: Callable[[str], object]) -> dict[str, Any]:
    """The settings of one number that shall change; null gives back what the installation has.

    Raises ``RequestRefused`` with every fault. ``parse_quiet_hours`` raises for a text that means no hours.
    """
    known: dict[str, Callable[[object], str | None]] = {
        "rate_per_s": _is_rate,
        "daily_recipients": _is_count,
        "quiet_hours": lambda value: _is_quiet(value, parse_quiet_hours),
    }
    faults = [Fault(name, "is not a setting of a number") for name in sorted(raw.keys() - known.keys())]
    for name, check in known.items():
        if raw.get(name) is not None and (reason := check(raw[name])):
            faults.append(Fault(name, reason))
    if not raw:
        faults.append(Fault("", f"must have at least one of {', '.join(known)}"))
    if faults:
        raise RequestRefused("The settings of the number are not valid.", faults=faults)
    return dict(raw)


def _is_rate(value: object) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and 0 < float(value) <= THROUGHPUT_HIGH_PER_S:  # type: ignore[arg-type]  # a number, as seen above
        return None
    return f"must be messages a second, above 0 and up to {THROUGHPUT_HIGH_PER_S}"


def _is_count(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_RECIPIENTS:
        return None
    return f"must be a whole number from 0 (no limit of ours) to {MOST_RECIPIENTS}"


def _is_quiet(value: object, parse: Callable[[str], object]) -> str | None:
    if value == "":
        return None  # none for this number, whatever the installation has
    try:
        if isinstance(value, str) and len(value) <= MAX_QUIET_CHARS:
            parse(value)
            return None
    except (ValueError, LookupError, OSError):
        pass
    return "must look like 21:00-08:00 America/Mexico_City, or be empty"
