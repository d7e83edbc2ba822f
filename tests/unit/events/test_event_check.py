"""Every double of the event writer checks what it records, so that no literal drifts from the catalogue."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.events.catalogue.types import CATALOGUE, EVENT_TYPES
from services.events.wire import INTERNAL
from services.store import Fact
from tests.doubles.clock import START, virtual_time
from tests.doubles.endpoint import FactRecorder
from tests.doubles.event_check import Shape, check_facts, check_shapes, faults_of
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

ROOT = Path(__file__).parents[3]
RATES = {"rate_per_s": 40, "daily_recipients": None, "quiet_hours": None}


def fact(kind: str = "number.settings_changed", **data: Any) -> Fact:
    return Fact(kind, NUMBER, START, {**RATES, "by": "key_1", **data})


DRIFTED = {
    "a type that nobody explains": fact("number.settings_change"),
    "a field that nobody explains": fact(rate_per_sec=40),
    "a value of another kind": fact(quiet_hours=7),
    "null where there is always a value": fact(by=None),
    "a field that is missing": Fact("number.settings_changed", NUMBER, START, RATES),
}


@pytest.mark.parametrize("drifted", DRIFTED.values(), ids=DRIFTED)
@virtual_time
async def test_a_drifted_literal_fails_wherever_it_is_recorded(drifted: Fact) -> None:
    for record in (MemoryEventWriter().record, FactRecorder().record):
        with pytest.raises(AssertionError, match=r"number\.settings_change"):
            record([fact(), drifted])


def test_what_the_catalogue_says_passes_and_so_does_what_only_the_owner_needs() -> None:
    check_facts([fact(), fact(**dict.fromkeys(INTERNAL, START))])
    for kind in CATALOGUE:
        event = {"seq": 1, "id": "evt_" + "0" * 26, "type": kind.name, "at": "2026-01-02T03:04:05.000Z"}
        assert not faults_of({**event, "phone_number_id": NUMBER, "data": kind.example})


def test_a_log_that_is_read_often_is_checked_once_for_each_shape_of_an_event() -> None:
    event = {"seq": 1, "id": "evt_" + "0" * 26, "type": "cluster.storage", "at": "2026-01-02T03:04:05.000Z"}
    event = {**event, "phone_number_id": NUMBER, "data": EVENT_TYPES["cluster.storage"].example}
    checked: set[Shape] = set()
    check_shapes([event, event], checked)
    assert len(checked) == 1
    with pytest.raises(AssertionError, match="is not explained"):
        check_shapes([event, {**event, "data": {**event["data"], "more": 1}}], checked)


def test_no_double_records_without_the_check() -> None:
    doubles = [
        (path, node)
        for path, tree in trees("tests", "def record(")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "record" and _takes_facts(node)
    ]
    assert len(doubles) >= 5
    unchecked = [f"{path}:{node.lineno}" for path, node in doubles if not _checks(node)]
    assert not unchecked, "call tests.doubles.event_check.check_facts there"


def test_every_field_that_a_literal_writes_is_explained() -> None:
    """Also where no test records it: what stands in the source is compared by name."""
    found = [(path, *one) for path, tree in trees("services", "(") for one in literals_in(tree)]
    assert len({kind for _, _, kind, _ in found}) >= 30
    drifted = [f"{path}:{line}: {kind} {names}" for path, line, kind, names in found if unexplained(kind, names)]
    assert not drifted


def test_a_drifted_literal_is_found_in_the_source() -> None:
    source = 'message_fact(tracked, "message.canceled", {"messages_id": tracked.id, "by": key})'
    ((_, kind, names),) = literals_in(ast.parse(source))
    assert unexplained(kind, names) == ["messages_id"]


def trees(folder: str, word: str) -> Iterator[tuple[Path, ast.Module]]:
    """The modules of a folder in which a word stands."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if word in text:
            yield path.relative_to(ROOT), ast.parse(text)


def unexplained(kind: str, names: list[str]) -> list[str]:
    return [name for name in names if name not in INTERNAL and name not in EVENT_TYPES[kind].fields]


def literals_in(tree: ast.AST) -> Iterator[tuple[int, str, list[str]]]:
    """Calls that name one type of event and write its data as a literal: line, type, names of the fields."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        kinds = [word for word in words if word in EVENT_TYPES]
        for data in (one for one in node.args if len(kinds) == 1 and isinstance(one, ast.Dict)):
            keys = [key.value for key in data.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            yield node.lineno, kinds[0], keys


def _takes_facts(node: ast.FunctionDef) -> bool:
    return any(argument.arg == "facts" for argument in node.args.args)


def _checks(node: ast.FunctionDef) -> bool:
    calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    return any(
        (isinstance(one, ast.Name) and one.id == "check_facts")
        or (isinstance(one, ast.Attribute) and one.attr == "record" and isinstance(one.value, ast.Call))
        for one in calls
    )
