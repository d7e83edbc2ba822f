"""Every pattern of the project reads its input in linear time: twice the text costs about twice the time, never four.

The texts that are tried are made of the pattern itself: its parts repeated, in front of something that cannot match.
"""

import ast
import importlib
import re
import re._constants as constants
import re._parser as parser
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config.redaction import MAX_CHARS, Redactor

ROOT = Path(__file__).parents[2]
FOLDERS = ("config", "services", "blueprints", "tools", "benchmarks")
FUNCTIONS = {"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
SIZE = 8_192
FAST_ENOUGH_S = 0.004
"""For ``2 * SIZE`` characters: a text that is read so fast is no weapon, and cannot be measured well."""
MOST_TIMES = 3.0
ENDS = ("", "\x00", " ")
STEPS = (SIZE // 16, SIZE // 2, 2 * SIZE)

QUADRATIC = (
    r"(://[^\s:/@]+:)[^\s@]+@",
    r"(?i)([?&][\w.]*(?:token|secret|key|signature)[\w.]*=)[^&\s\"']+",
    r"\s+$",
    r"\[.*\]",
    r"(\w+)\s*=\s*(\w+);",
)
"""Shapes that the measure must find, or it finds nothing."""


# --- which patterns there are

MADE_OF_PARAMETERS = {"services/cloud_api/answers.py": "_hosts_of('https://graph.example:8443').pattern"}
"""Patterns that a function builds from its parameters: an expression that gives one of them."""


AT_ONE_PLACE = frozenset({"match", "fullmatch", "pattern"})


def patterns() -> Iterator[tuple[str, str, bool]]:
    """Place and text of every pattern in the source, whatever expression makes it; is it tried at one place alone?"""
    files = [ROOT / "server.py", *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        anchored = _tried_at_one_place(tree)
        for node in ast.walk(tree):
            for expression in _expressions(node):
                line = node.lineno  # type: ignore[attr-defined]
                yield f"{path.relative_to(ROOT)}:{line}", _text(path, expression), line in anchored


def _tried_at_one_place(tree: ast.AST) -> set[int]:
    """Lines of patterns whose name is used with ``match`` and ``fullmatch`` only: nothing is searched with them."""
    used: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    named = [node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)]
    return {node.lineno for node in named if (found := used.get(node.target.id, set())) and found <= AT_ONE_PLACE}


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re":
        if function.attr in FUNCTIONS and node.args:
            yield node.args[0]
    else:
        yield from (keyword.value for keyword in node.keywords if keyword.arg in ("pattern", "regex"))


def _text(path: Path, expression: ast.expr) -> str:
    if isinstance(expression, ast.Constant):
        value = expression.value
    else:
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        place = str(path.relative_to(ROOT))
        made_of = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - vars(module).keys()
        code = MADE_OF_PARAMETERS[place] if made_of else compile(ast.Expression(expression), place, "eval")
        # The expression stands in our own source: names of its module, and nothing else.
        value = eval(code, vars(module))  # noqa: S307
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


# --- what it is tried with


def samples(items: Any) -> list[str]:
    """A few short texts that a parsed pattern matches."""
    found = [""]
    for operation, argument in items:
        parts = _samples_of(operation, argument)
        found = [one + part for one in found for part in parts][:6]
    return found


def _samples_of(operation: Any, argument: Any) -> list[str]:
    if operation is constants.LITERAL:
        return [chr(argument)]
    if operation is constants.NOT_LITERAL:
        return ["a" if argument != ord("a") else "b"]
    if operation is constants.ANY:
        return ["a"]
    if operation is constants.IN:
        return _members(argument)
    if operation in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
        least, most, inner = argument
        return [one * count for one in samples(inner) for count in sorted({least, min(least + 1, int(most))})][:4]
    if operation is constants.SUBPATTERN:
        return samples(argument[3])
    if operation is constants.ATOMIC_GROUP:
        return samples(argument)
    if operation is constants.BRANCH:
        return [one for branch in argument[1] for one in samples(branch)[:1]][:4]
    return [""]  # a position, a look around


CANDIDATES = "a1_. :/-+@=&\"'x{[("


def _members(argument: Any) -> list[str]:
    allowed = [letter for letter in CANDIDATES if _is_member(letter, argument)][:3]
    literals = [chr(value) for kind, value in argument if kind is constants.LITERAL][:2]
    ranges = [chr(value[0]) for kind, value in argument if kind is constants.RANGE][:2]
    is_negated = argument[0][0] is constants.NEGATE
    return (allowed if is_negated else list(dict.fromkeys([*allowed, *literals, *ranges]))) or ["a"]


def _is_member(letter: str, argument: Any) -> bool:
    classes = {
        constants.CATEGORY_DIGIT: letter.isdigit(),
        constants.CATEGORY_NOT_DIGIT: not letter.isdigit(),
        constants.CATEGORY_SPACE: letter.isspace(),
        constants.CATEGORY_NOT_SPACE: not letter.isspace(),
        constants.CATEGORY_WORD: letter.isalnum() or letter == "_",
        constants.CATEGORY_NOT_WORD: not (letter.isalnum() or letter == "_"),
    }
    found = False
    for kind, value in argument:
        if kind is constants.LITERAL:
            found |= ord(letter) == value
        elif kind is constants.RANGE:
            found |= value[0] <= ord(letter) <= value[1]
        elif kind is constants.CATEGORY:
            found |= classes[value]
    return found is not (argument[0][0] is constants.NEGATE)


def pumps(pattern: str) -> list[tuple[str, str]]:
    """What stands in front once, and what is repeated: every tail of the pattern, and every part of it, as a text."""
    parsed = parser.parse(pattern)
    found: dict[tuple[str, str], None] = {}
    for items in _sequences(parsed):
        for start in range(len(items)):
            before = samples(items[:start])[0]
            for end in range(start + 1, len(items) + 1):
                for text in samples(items[start:end]):
                    if text:
                        found |= {("", text): None, (before, text): None}
    return list(found)


def _sequences(items: Any) -> Iterator[Any]:
    yield items
    for operation, argument in items:
        if operation in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            yield from _sequences(argument[2])
        elif operation is constants.SUBPATTERN:
            yield from _sequences(argument[3])
        elif operation is constants.ATOMIC_GROUP:
            yield from _sequences(argument)
        elif operation is constants.BRANCH:
            for branch in argument[1]:
                yield from _sequences(branch)


# --- the measure


def cost_s(work: Callable[[str], object], text: str, *, times: int) -> float:
    """The least CPU time of this thread in several tries: a loaded machine makes a try longer, never shorter."""
    best = float("inf")
    for _ in range(times):
        began = time.thread_time()
        work(text)
        best = min(best, time.thread_time() - began)
    return best


def superlinear(work: Callable[[str], object], before: str, unit: str, end: str) -> str | None:
    """What to say if twice the text takes more than ``MOST_TIMES`` the time, at two sizes; None when it does not."""

    def text(size: int) -> str:
        return before + unit * (size // len(unit)) + end

    # In steps, so that a slow one is met where it takes milliseconds and not minutes.
    size = next((size for size in STEPS if cost_s(work, text(size), times=1) >= FAST_ENOUGH_S), None)
    if size is None:
        return None
    ratios = []
    for tried in (size // 2, size):
        one, two = cost_s(work, text(tried), times=5), cost_s(work, text(2 * tried), times=3)
        ratios.append(two / max(one, 1e-7))
        if ratios[-1] <= MOST_TIMES:
            return None
    return (
        f"{before!r} + {unit!r} * n + {end!r}: twice the text takes {ratios[0]:.1f} and {ratios[1]:.1f} times as long"
    )


def worst_of(pattern: str, *, is_anchored: bool = False) -> str | None:
    compiled = re.compile(pattern)
    use = compiled.match if is_anchored else partial(compiled.sub, "")
    for before, unit in pumps(pattern):
        for end in ENDS:
            fault = superlinear(use, before, unit, end)
            if fault is not None:
                return fault
    return None


# --- the tests

ALL = sorted(set(patterns()))


def test_the_walk_finds_the_patterns() -> None:
    files = {place.partition(":")[0] for place, _, _ in ALL}
    assert {
        "config/redaction.py",
        "config/settings/fields.py",
        "services/egress/urls.py",
        "tools/verify/options.py",
    } <= files
    assert len(ALL) > 50


@pytest.mark.parametrize("pattern", QUADRATIC)
def test_the_measure_finds_what_is_not_linear(pattern: str) -> None:
    assert worst_of(pattern) is not None


@pytest.mark.parametrize(("place", "pattern", "is_anchored"), ALL, ids=[place for place, _, _ in ALL])
def test_a_pattern_takes_linear_time(place: str, pattern: str, *, is_anchored: bool) -> None:
    assert worst_of(pattern, is_anchored=is_anchored) is None, f"{place}: {pattern}"


UNITS = (
    "://a:",
    "?key",
    "&token=",
    "?a.token",
    "+1 234 ",
    "12345678.",
    "bearer ",
    "panal_-",
    "whsec_-",
    "/",
    "a:",
    "=",
)


@pytest.mark.parametrize("unit", UNITS)
def test_cleaning_a_text_for_the_log_takes_linear_time(unit: str) -> None:
    redactor = Redactor(secrets=["a-secret-that-is-known"])
    assert SIZE * 2 <= MAX_CHARS, "longer texts are cut, so their time says nothing"
    for end in ENDS:
        assert superlinear(redactor.text, "", unit, end) is None
