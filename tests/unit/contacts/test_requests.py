"""What callers say about a contact: every fault is named, what is left out stays."""

from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import RequestRefused
from services.contacts import parse_decision, parse_patch

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def faults(parse: Any, *arguments: Any) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        parse(*arguments)
    return [fault.path for fault in refused.value.faults]


def test_a_profile_has_what_was_written() -> None:
    raw = {"to": "1", "from": "2", "name": " Ana ", "add_labels": [" a ", "b", "a"], "attributes": {"city": None}}
    assert parse_patch(raw) == {"name": "Ana", "add_labels": ["a", "b"], "attributes": {"city": None}}
    assert parse_patch({"name": None}) == {"name": None}
    assert parse_patch({}) == {}


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "a\u0007"}, ["name"]),
        ({"labels": "vip"}, ["labels"]),
        ({"labels": None}, ["labels"]),
        ({"labels": ["x"] * 51}, ["labels"]),
        ({"add_labels": ["a", "", "b", 1]}, ["add_labels[1]", "add_labels[3]"]),
        ({"remove_labels": ["x" * 65]}, ["remove_labels[0]"]),
        ({"attributes": []}, ["attributes"]),
        ({"attributes": {f"a{n}": n for n in range(51)}}, ["attributes"]),
        ({"attributes": {"1a": {}, "": 1, "ok": []}}, ["attributes.1a", "attributes.", "attributes.ok"]),
        ({"attributes": {"n": 2**63, "t": "\0"}}, ["attributes.n", "attributes.t"]),
        ({"attributes": {"t": "x" * 4096}}, ["attributes"]),
        ({"id": 1, "name": 2, "labels": 3, "attributes": 4}, ["id", "name", "labels", "attributes"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_fault_of_a_profile_has_its_path(raw: dict[str, Any], paths: list[str]) -> None:
    assert faults(parse_patch, raw) == paths


def test_a_decision_is_of_now_and_for_all_messages_unless_it_says_otherwise() -> None:
    assert parse_decision({}, NOW) == {"category": "all", "source": "api", "proof": {}, "at": NOW}
    raw = {"category": "marketing", "source": "web", "proof": "ticked", "at": "2026-01-01T01:00:00+01:00"}
    assert parse_decision(raw, NOW) == {
        "category": "marketing",
        "source": "web",
        "proof": {"text": "ticked"},
        "at": datetime(2026, 1, 1, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"category": None}, ["category"]),
        ({"category": {"$ne": ""}}, ["category"]),
        ({"source": ""}, ["source"]),
        ({"proof": {"a": {"b": 1}}}, ["proof"]),
        ({"proof": {"1": 1}}, ["proof"]),
        ({"proof": "x" * 2048}, ["proof"]),
        ({"proof": 1}, ["proof"]),
        ({"at": "2026-05-06T07:08:10Z"}, ["at"]),
        ({"at": "2026-05-06T07:08:09"}, ["at"]),
        ({"name": "x", "category": 1, "source": 2, "proof": 3, "at": 4}, ["name", "category", "source", "proof", "at"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_fault_of_a_decision_has_its_path(raw: dict[str, Any], paths: list[str]) -> None:
    assert faults(parse_decision, raw, NOW) == paths
