"""The table of figures of all chaos cases: printed, and written into docs/reliability.md.

`python -m tests.chaos.report [RESULTS]`, after a run of tests/chaos.
"""

import os
import platform
import re
import sys
from pathlib import Path

import orjson

from tests.chaos.figures import RESULTS
from tests.harness.sanic_command import ROOT

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: made by `make chaos` -->", "<!-- end of figures -->"

MUST_HOLD = {
    "R1": "replaced within 1 s; only its open requests fail; nothing accepted is lost",
    "R2": "serving again within 2 s; the main process survives",
    "R3": "nothing lost, nothing twice; sending again within 3 s",
    "R4": "serving again within 5 s; nothing accepted is lost",
    "R5": "nobody holds the port or the lease after 2 s; a new main takes over",
    "R6": "nothing lost, nothing twice, in order for each phone; all healthy at the end",
    "R7": "Panal stops respawning it after at most 6 tries; the others serve; /readyz says so",
    "R8": "killed and replaced within 10 s; the others are not affected",
    "R9": "replaced without a failed request",
    "R10": "0 failed requests",
    "R11": "earlier requests are answered, later ones get 503 or no connection, none is reset; streams get a goodbye; "
    "the lease is released; exit code 0 within 25 s",
    "R12": "the same as R11",
    "R13": "exit before the platform kills at 30 s; only open requests of the stalled worker are reset",
    "R14": "0 failed requests",
    "R15": "/readyz and /v1/cluster say so within 6 s; killed and replaced within 15 s; nothing lost, nothing twice",
    "R16": "the same as R15",
    "D1": "503 with Retry-After, no hang; /livez answers 200; nothing accepted is lost; healthy again within 5 s",
    "D2": "accepted within 2 s (p95), or refused with Retry-After; no time-out; the queue drains",
    "D3": "an answer takes the round trips and little more; nothing fails",
    "D4": "at worst refused with 503; healthy again within 2 s; nothing accepted is lost",
    "D5": "no more connections than planned",
    "D6": "507 storage_full; retention makes room; nothing dies; nothing accepted is lost",
    "D7": "the others are refused at once, with 503 and Retry-After; nothing accepted is lost",
    "D8": "noticed within 10 s and restarted; meanwhile 503 with Retry-After, no hang; nothing accepted is lost",
    "D9": "the same as D8",
    "O2": "fenced: it cannot send or write any more; each message once and in order",
    "O3": "no send by it after its lease, at no time do both send; fenced; nothing lost, nothing twice",
    "O4": "handed over within 1 s; each message once and in order",
    "O5": "lease, rate and order are not affected; what has a calendar time follows the calendar",
    "Q1": "each event arrives, in order; the healthy subscriber is not affected",
    "L2": "no reader misses an event",
    "C1": "each recipient gets it at most once; a message without proof is shown as uncertain",
    "S1": "each closed within 15 s; p99 of the others below 200 ms",
    "F1": "no crash, no loss; healthy again when there is room",
    "F2": "refused with an answer; serving again afterwards",
    "F3": "no request waits for the log",
    "sums": "/metrics equals what the clients counted",
}


def main() -> int:
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    rows = [orjson.loads(line) for line in results.read_bytes().splitlines()]
    # The first row only: later ones include the load of the suite itself (R10 offers as much as the machine takes).
    before = rows[0]["slack"] if rows else 1.0
    rows.sort(key=lambda row: _position(row["case"]))
    table = ["| # | fault | load | must hold | measured | |", "|---|---|---|---|---|---|"]
    for row in rows:
        must_hold = MUST_HOLD.get(row["case"], "each accepted once, none lost")
        cells = [row["case"], row["fault"], row["load"], must_hold, row["figure"], "✅" if row["held"] else "❌"]
        table.append("| " + " | ".join(cells) + " |")
    machine = f"{os.cpu_count()} CPUs, Python {platform.python_version()}, {platform.system()}"
    quiet = "quiet" if before <= 1.0 else f"shared with other work, {before:g} times more than it can run at once"
    text = "\n".join([f"Machine: {machine}; {quiet}.", "", *table])
    sys.stdout.write(text + "\n")
    page = PAGE.read_text(encoding="utf-8")
    head, foot = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    PAGE.write_text(f"{head}\n\n{text}\n\n{foot}", encoding="utf-8")
    return 0


def _position(case: str) -> tuple[int, int]:
    """Position in MUST_HOLD; unknown cases come last."""
    order = list(MUST_HOLD)
    number = re.sub(r"\D", "", case)
    return (order.index(case) if case in order else len(order), int(number or 0))


if __name__ == "__main__":
    sys.exit(main())
