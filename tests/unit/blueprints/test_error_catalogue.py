"""Every code that the code base can say is explained, once, on the page that problems point to."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from blueprints.error_catalogue import CATALOGUE
from blueprints.error_page import error_page
from config.errors import PlatformRefused, RequestRefused, Unavailable
from services.graph.code_table import RULES

ROOT = Path(__file__).parents[3]
PACKAGES = ("config", "services", "blueprints")

NOT_OURS = frozenset({"sandbox", "openapi", "capacity"})
"""Modules whose `code` is something else: Meta's codes, the reference's own words, notes of the capacity plan."""
RAISERS = frozenset({"RequestRefused", "PlatformRefused", "Unavailable", "PanalError"})


def codes_in(source: str) -> Iterator[str]:
    """Codes that a file can say: of a class, of a raise, or of a rendered problem."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                yield from _class_code(line)
        elif isinstance(node, ast.Call):
            yield from _call_codes(node)
        elif isinstance(node, ast.Assign) and _is_named(node.targets[0], "code"):
            # `code = {413: "body_too_large"}.get(…)`; other things are called code, too.
            for part in ast.walk(node.value):
                if isinstance(part, ast.Dict):
                    yield from _words(part)


def _class_code(line: ast.stmt) -> Iterator[str]:
    is_code = isinstance(line, ast.Assign) and _is_named(line.targets[0], "code")
    is_typed = isinstance(line, ast.AnnAssign) and _is_named(line.target, "code")
    if isinstance(line, ast.Assign | ast.AnnAssign) and (is_code or is_typed) and line.value is not None:
        yield from _words(line.value)


def _call_codes(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    for keyword in call.keywords:
        if keyword.arg == "code":
            yield from _words(keyword.value)
    if name in ("Hold", "Refuse") and call.args:
        yield from _words(call.args[0])
    if name == "problem" and len(call.args) > 2:
        yield from _words(call.args[2])


def _words(value: ast.expr) -> Iterator[str]:
    for node in ast.walk(value):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[a-z]+(_[a-z]+)*", node.value)
        ):
            if node.value != "code":  # `result.get("code", "refused")`
                yield node.value


def _is_named(target: ast.expr, name: str) -> bool:
    return (isinstance(target, ast.Name) and target.id == name) or (
        isinstance(target, ast.Attribute) and target.attr == name
    )


def test_every_code_that_can_be_said_is_in_the_catalogue() -> None:
    missing = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if NOT_OURS.isdisjoint(path.parts):
                missing |= {
                    code: path.relative_to(ROOT)
                    for code in codes_in(path.read_text(encoding="utf-8"))
                    if code not in CATALOGUE
                }
    assert not missing, "explain them in blueprints/error_catalogue/"


@pytest.mark.parametrize(
    "source",
    [
        'class Gone(RequestRefused):\n    code = "gone_away"\n',
        'class Gone(RequestRefused):\n    code: str = "gone_away"\n',
        'raise RequestRefused("x", code="gone_away")\n',
        'problem(request, 404, "gone_away", "x")\n',
        'return Wait(Hold("gone_away", None))\n',
    ],
)
def test_the_walk_sees_every_way_to_say_a_code(source: str) -> None:
    assert set(codes_in(source)) == {"gone_away"}


def test_nothing_in_the_catalogue_is_made_up() -> None:
    code_base = "\n".join(
        path.read_text(encoding="utf-8")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if {"error_catalogue", "openapi"}.isdisjoint(path.parts)
    )
    unknown = [code for code in CATALOGUE if f'"{code}"' not in code_base and not code.startswith("http_")]
    assert unknown == []


def test_every_entry_says_what_it_means_and_what_to_do() -> None:
    for entry in CATALOGUE.values():
        assert entry.meaning.endswith((".", ")")), entry.code
        assert entry.next_step.endswith((".", ")")), entry.code


def test_status_and_repetition_come_from_the_families() -> None:
    families = (RequestRefused, PlatformRefused, Unavailable)
    assert [CATALOGUE[family.code].status for family in families] == [422, 502, 503]
    assert CATALOGUE["intake_full"].may_retry
    assert CATALOGUE["idempotency_in_progress"].may_retry
    assert not CATALOGUE["not_found"].may_retry


def test_the_page_has_an_anchor_for_every_code() -> None:
    page = error_page()
    assert [code for code in CATALOGUE if f'id="{code}"' not in page] == []
    anchors = re.findall(r'id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))


def test_the_page_lists_whatsapps_codes_with_what_to_do() -> None:
    page = error_page()
    assert [rule.code for rule in RULES if f'id="whatsapp-{rule.code}"' not in page] == []
    assert "{method}" not in page


def test_the_page_asks_no_other_host_and_runs_no_script() -> None:
    page = error_page()
    assert "<script" not in page
    assert "style=" not in page
    assert re.findall(r'(?:src|href)="(?!/|#)', page) == []
