"""What an agent changes of a conversation, and a note in it."""

from typing import Any

import pytest

from config.errors import RequestRefused
from services.conversations import parse_conversation_change, parse_note


@pytest.mark.parametrize(
    ("raw", "change"),
    [
        ({"assignee": None}, {"assignee": None}),
        ({"labels": [" a ", "b", "a"], "status": "closed"}, {"labels": ["a", "b"], "status": "closed"}),
        ({"labels": []}, {"labels": []}),
    ],
)
def test_a_change_has_what_was_written(raw: dict[str, Any], change: dict[str, Any]) -> None:
    assert parse_conversation_change(raw) == change


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({}, [""]),
        ({"assignee": ""}, ["assignee"]),
        ({"assignee": "x" * 81}, ["assignee"]),
        ({"labels": None}, ["labels"]),
        ({"labels": ["a", " ", 1]}, ["labels"]),
        ({"labels": ["a"] * 21}, ["labels"]),
        ({"status": True}, ["status"]),
        ({"status": {"$ne": ""}}, ["status"]),
        ({"id": "x", "assignee": 1, "labels": 2, "status": 3}, ["id", "assignee", "labels", "status"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_fault_has_its_path(raw: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_conversation_change(raw)
    assert [fault.path for fault in refused.value.faults] == paths


def test_a_note_has_a_text() -> None:
    assert parse_note({"text": " call back ", "colour": 1}).text == "call back"
    for raw in ({}, {"text": " "}, {"text": 1}, {"text": "x" * 4001}):
        with pytest.raises(RequestRefused) as refused:
            parse_note(raw)
        assert [fault.path for fault in refused.value.faults] == ["text"]
