"""Several runs of pytest are told as one: every outcome counts, and no failure is lost between the stages."""

import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from tests.conftest import ALONE, SLOW_FIRST
from tests.run import ROOT, STAGES, Stage, read, results_of, stops_early, summary, verdict

REPORT = """
<testsuites><testsuite>
<testcase classname="tests.unit.test_a" name="test_one[x]" time="0.5" />
<testcase classname="tests.unit.test_a" name="test_two" time="2"><failure message="m">…</failure></testcase>
<testcase classname="tests.unit.test_a" name="test_three" time="1"><failure /><error /></testcase>
<testcase classname="tests.unit.test_a" name="test_four" time="0"><skipped type="pytest.skip" message="m" /></testcase>
<testcase classname="tests.unit.test_a" name="test_five" time="0"><skipped type="pytest.xfail" message="m" /></testcase>
</testsuite></testsuites>
"""
LAST_LINE = re.compile(r"^=+ .*(passed|failed|error|no tests ran).* =+$")  # what .ci/run looks for


def test_every_outcome_of_a_report_counts() -> None:
    results = read(ElementTree.fromstring(REPORT))  # noqa: S314 - ours
    assert results.counts == {"passed": 1, "failed": 2, "error": 1, "skipped": 1, "xfailed": 1}
    assert max(results.took_s) == (2.0, "tests/unit/test_a.py::test_two")
    assert results.broken == [
        "FAILED tests/unit/test_a.py::test_two",
        "FAILED tests/unit/test_a.py::test_three",
        "ERROR tests/unit/test_a.py::test_three",
    ]


@pytest.mark.parametrize(
    ("counts", "took_s", "line"),
    [
        ({"passed": 4400, "skipped": 3}, 701.23, "4400 passed, 3 skipped in 701.23s (0:11:41)"),
        ({"passed": 1, "failed": 1, "error": 2}, 5.0, "1 failed, 1 passed, 2 errors in 5.00s"),
        ({"error": 1}, 3725.0, "1 error in 3725.00s (1:02:05)"),
        ({}, 0.5, "no tests ran in 0.50s"),
    ],
)
def test_the_last_line_is_as_pytest_writes_it(counts: dict[str, int], took_s: float, line: str) -> None:
    said = summary(Counter(counts), took_s)
    assert said.strip("= ") == line
    assert LAST_LINE.match(said)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([0, 0], 0),
        ([1, 0], 1),
        ([0, 1], 1),
        ([0, 5], 0),
        ([5, 0], 0),
        ([5, 5], 5),
        ([5, 3], 3),
        ([0, -9], -9),
        ([2], 2),
    ],
)
def test_a_failure_of_any_stage_fails_the_whole(codes: list[int], code: int) -> None:
    assert verdict(codes) == code


def test_a_stage_that_leaves_no_report_is_an_error_itself() -> None:
    stage = Stage("no-such-stage", (), ())
    assert results_of(stage, 5).counts == {}
    results = results_of(stage, 3)
    assert results.counts == {"error": 1}
    assert results.broken == ["ERROR stage no-such-stage ended with 3"]


@pytest.mark.parametrize(("arguments", "stops"), [(["-x"], True), (["--maxfail=2"], True), (["-k", "x"], False)])
def test_the_next_stage_is_left_out_only_when_asked(arguments: list[str], stops: bool) -> None:
    assert stops_early(arguments) is stops


@pytest.mark.parametrize("name", SLOW_FIRST)
def test_every_module_that_starts_first_exists(name: str) -> None:
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if f"/{name}.py" in path.as_posix()]
    assert len(found) == 1, "renamed? then it starts last, and everything waits for it"


def test_every_folder_of_a_stage_exists() -> None:
    folders = [ROOT / folder for stage in STAGES for folder in stage.folders]
    assert [folder for folder in [*folders, *(ROOT / "tests" / name for name in ALONE)] if not folder.is_dir()] == []
