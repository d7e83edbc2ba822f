"""The table of one round.

Process: none of the cluster's; a command.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from config.locales import text
from tools.verify.options import Options
from tools.verify.records import Check

SIGNS = {True: "✅", False: "❌", None: "🔹"}
LONGEST_FOUND = 60


def render_table(checks: Sequence[Check], options: Options, *, at: datetime | None = None) -> str:
    """Three columns: what, found, wanted; below each fault the next thing to look at."""
    moment = (at or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S UTC")
    names = max(len(check.name) for check in checks)
    founds = max(min(len(check.found), LONGEST_FOUND) for check in checks)
    width = names + founds + max(len(check.wanted) for check in checks) + 7
    lines = [
        text(
            options.locale,
            "verify.title",
            url=options.url,
            rate=options.rate_per_min,
            seconds=f"{options.duration_s:g}",
            at=moment,
        ),
        "─" * width,
    ]
    for check in checks:
        lines.append(f"{SIGNS[check.is_ok]} {check.name:<{names}}  {check.found:<{founds}}  {check.wanted}".rstrip())
        if check.is_ok is False and check.next_step:
            lines.append(f"   → {check.next_step}")
    faults = sum(check.is_ok is False for check in checks)
    lines += ["─" * width, text(options.locale, "verify.well" if not faults else "verify.faults", count=faults)]
    return "\n".join(lines)


def is_all_well(checks: Sequence[Check]) -> bool:
    """No line is a fault."""
    return not any(check.is_ok is False for check in checks)
