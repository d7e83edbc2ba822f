"""What an agent says of a quick reply: a new one needs its text, a change says only what changes."""

from typing import Any

import pytest

from config.errors import RequestRefused
from services.console import parse_quick_reply, parse_quick_reply_change


def faults(raw: dict[str, Any], *, is_new: bool) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        (parse_quick_reply if is_new else parse_quick_reply_change)(raw)
    return [fault.path for fault in refused.value.faults]


def test_a_new_one_is_read() -> None:
    wanted = parse_quick_reply({"text": " hola ", "shortcut": "año-1"})
    assert (wanted.text, wanted.shortcut, wanted.phone_number_id) == ("hola", "año-1", None)


def test_a_change_has_what_was_written_null_included() -> None:
    assert parse_quick_reply_change({"shortcut": None}) == {"shortcut": None}
    assert parse_quick_reply_change({"text": " x "}) == {"text": "x"}


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"text": " "}, ["text"]),
        ({"text": None}, ["text"]),
        ({"text": "x" * 1025}, ["text"]),
        ({"text": "x", "shortcut": "a b"}, ["shortcut"]),
        ({"text": "x", "shortcut": "a\n"}, ["shortcut"]),
        ({"text": "x", "shortcut": "a" * 33}, ["shortcut"]),
        ({"text": "x", "phone_number_id": 1}, ["phone_number_id"]),
        ({"text": 1, "colour": "blue", "shortcut": ""}, ["colour", "text", "shortcut"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_fault_has_its_path(raw: dict[str, Any], paths: list[str], is_new: bool) -> None:
    assert faults(raw, is_new=is_new) == paths


def test_a_new_one_needs_a_text_and_a_change_something_to_change() -> None:
    assert faults({}, is_new=True) == ["text"]
    assert faults({}, is_new=False) == [""]
