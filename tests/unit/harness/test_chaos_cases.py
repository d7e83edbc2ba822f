"""Every case of chaos says what must hold, and every promise has a case."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.report import MUST_HOLD

ROOT = Path(__file__).parents[3]


def cases_in(source: str) -> Iterator[str]:
    """Ids of cases: what stands first in a `note`, and what parameters hand to one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z]\d{1,2}", node.value):
            yield node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "note" and node.args:
            if isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


def test_every_case_is_in_the_table_of_what_must_hold_and_has_a_test() -> None:
    told = {
        case
        for path in sorted((ROOT / "tests" / "chaos").glob("test_*.py"))
        for case in cases_in(path.read_text(encoding="utf-8"))
    }
    assert told - MUST_HOLD.keys() == set(), "say in tests/chaos/report.py what must hold"
    assert MUST_HOLD.keys() - told == set(), "no test notes these cases"


def test_the_walk_finds_a_case_that_is_written_down_or_handed_over() -> None:
    assert set(cases_in('note("sums", "x")\nCASES = [("R11", 1)]\n')) == {"sums", "R11"}
