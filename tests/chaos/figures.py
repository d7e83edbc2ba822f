"""What a case measured, as one row of the table; and how much longer things may take on a machine that is busy."""

import os
from pathlib import Path
from typing import Any

import orjson

from tests.harness.slack import slack

RESULTS = Path(os.environ.get("CHAOS_RESULTS", "build/chaos.jsonl"))


def assert_within(took_s: float, bound_s: float, what: str) -> None:
    """The bound of the bar, stretched while others use this machine."""
    allowed_s = bound_s * slack()
    assert took_s <= allowed_s, f"{what} took {took_s:.2f} s; allowed are {allowed_s:.1f} s"


def note(case: str, fault: str, *, load: str, figure: str) -> None:
    """What this case has to tell; call it before the asserts. Printed now, kept with the outcome of its test."""
    row = {"case": case, "fault": fault, "load": load, "figure": figure, "slack": round(slack(), 1)}
    _told.append(row)
    print(f"\n{case}: {fault} | {load} | {figure} | machine {row['slack']}x busy")  # noqa: T201


def keep(*, held: bool, name: str) -> None:
    """The test has ended: its rows go to the results, for `tests/chaos/report.py`."""
    if not _told and not held:
        _told.append({"case": "?", "fault": name, "load": "", "figure": "failed before it measured", "slack": slack()})
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("ab") as results:
        results.writelines(orjson.dumps({**row, "held": held}) + b"\n" for row in _told)
    _told.clear()


_told: list[dict[str, Any]] = []
