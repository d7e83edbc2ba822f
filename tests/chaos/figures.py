"""What a case measured, as one row of the table; and how much longer things may take on a machine that is busy."""

import os
from pathlib import Path

import orjson

from tests.harness.slack import slack

RESULTS = Path(os.environ.get("CHAOS_RESULTS", "build/chaos.jsonl"))


def assert_within(took_s: float, bound_s: float, what: str) -> None:
    """The bound of the bar, stretched while others use this machine."""
    allowed_s = bound_s * slack()
    assert took_s <= allowed_s, f"{what} took {took_s:.2f} s; allowed are {allowed_s:.1f} s"


def note(case: str, fault: str, *, load: str, figure: str) -> None:
    """Add a row: printed now, and kept for `tests/chaos/report.py`. Call it once everything asserted holds."""
    row = {"case": case, "fault": fault, "load": load, "figure": figure, "slack": round(slack(), 1)}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("ab") as results:
        results.write(orjson.dumps(row) + b"\n")
    print(f"\n{case}: {fault} | {load} | {figure} | machine {row['slack']}x busy")  # noqa: T201
