"""Every test, in stages: side by side what may run so, then alone what measures time, the browser last.

`python -m tests.run [pytest's arguments]`. The last line is pytest's summary of all stages together; the exit code is 0
when every stage passed. TEST_PROCESSES says how many tests run side by side.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "tests"
PROCESSES = os.environ.get("TEST_PROCESSES", "4")
SLOWEST = 10
WIDTH = 100
PASSED, INTERRUPTED, NO_TESTS = 0, 2, 5  # exit codes of pytest
ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")


@dataclass(frozen=True)
class Stage:
    name: str
    folders: tuple[str, ...]
    arguments: tuple[str, ...]


STAGES = (
    # tests/conftest.py says what stays in one process. All must find the same tests: ids that are made by chance, by
    # time or from a set need a name (`ids=`).
    Stage(
        "parallel",
        ("tests/integration", "tests/clients", "tests/unit"),
        ("-n", PROCESSES, "--dist=loadfile", "--no-loadscope-reorder"),
    ),
    # The browser comes last: its driver keeps an event loop in the process, beside which no other test may run one.
    Stage("alone", ("tests/integration", "tests/chaos", "tests/browser"), ()),
)


@dataclass
class Results:
    """What became of the tests of one stage, or of all."""

    counts: Counter[str] = field(default_factory=Counter)
    took_s: list[tuple[float, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, other: "Results") -> None:
        self.counts += other.counts
        self.took_s += other.took_s
        self.broken += other.broken


def main(arguments: Sequence[str]) -> int:
    began = time.monotonic()
    together = Results()
    codes: list[int] = []
    for stage in STAGES:
        stage_began = time.monotonic()
        code = run(stage, arguments)
        results = results_of(stage, code)
        together.add(results)
        codes.append(code)
        say(f"stage {stage.name}: {sums(results.counts)} in {time.monotonic() - stage_began:.0f} s")
        if code == INTERRUPTED or (code not in (PASSED, NO_TESTS) and stops_early(arguments)):
            break
    report(together, time.monotonic() - began)
    return verdict(codes)


def run(stage: Stage, arguments: Sequence[str]) -> int:
    say(f" stage {stage.name} ".center(WIDTH, "="))
    result_file(stage).unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *stage.folders, f"--stage={stage.name}", *stage.arguments]
    command += [f"--junitxml={result_file(stage)}", *arguments]
    # What one process compiles is kept for the others.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def result_file(stage: Stage) -> Path:
    return RESULTS / f"{stage.name}.xml"


def results_of(stage: Stage, code: int) -> Results:
    """By pytest's own report. A stage that left none, or that failed without a failed test, is an error itself."""
    try:
        results = read(ElementTree.parse(result_file(stage)).getroot())  # noqa: S314 - pytest wrote it just now
    except (OSError, ElementTree.ParseError):
        results = Results()
    if code not in (PASSED, NO_TESTS) and not results.counts["failed"] + results.counts["error"]:
        results.counts["error"] += 1
        results.broken.append(f"ERROR stage {stage.name} ended with {code}")
    return results


def read(report: ElementTree.Element) -> Results:
    results = Results()
    for case in report.iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '')}"
        results.took_s.append((float(case.get("time", "0")), name))
        outcomes = [outcome_of(child) for child in case if child.tag in ("failure", "error", "skipped")]
        results.counts.update(outcomes or ["passed"])
        results.broken += [f"{one.upper()} {name}" for one in outcomes if one in ("failed", "error")]
    return results


def outcome_of(element: ElementTree.Element) -> str:
    if element.tag == "skipped":
        return "xfailed" if element.get("type") == "pytest.xfail" else "skipped"
    return "failed" if element.tag == "failure" else "error"


def stops_early(arguments: Sequence[str]) -> bool:
    return any(argument in ("-x", "--exitfirst") or argument.startswith("--maxfail") for argument in arguments)


def verdict(codes: Sequence[int]) -> int:
    """The first code that is a failure. A stage may be empty (`-k`), all of them may not."""
    failures = [code for code in codes if code not in (PASSED, NO_TESTS)]
    if failures:
        return failures[0]
    return PASSED if PASSED in codes else NO_TESTS


def report(results: Results, took_s: float) -> None:
    """The slowest of all stages, what is broken, and one line as pytest would write it for a single run."""
    say(f" slowest {SLOWEST} tests ".center(WIDTH, "="))
    for seconds, name in sorted(results.took_s, reverse=True)[:SLOWEST]:
        say(f"{seconds:7.2f}s {name}")
    for line in results.broken:
        say(line)
    say(summary(results.counts, took_s))


def summary(counts: Counter[str], took_s: float) -> str:
    minutes, seconds = divmod(int(took_s), 60)
    clock = f" ({minutes // 60}:{minutes % 60:02}:{seconds:02})" if took_s >= 60 else ""
    return f" {sums(counts)} in {took_s:.2f}s{clock} ".center(WIDTH, "=")


def sums(counts: Counter[str]) -> str:
    words = [f"{counts[what]} {what}" for what in ORDER if counts[what]]
    if counts["error"] > 1:
        words[-1] += "s"
    return ", ".join(words) or "no tests ran"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command-line tool


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
