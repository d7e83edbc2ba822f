"""A new key: every fault is named, the rest is read as it was meant."""

from datetime import UTC, datetime
from typing import Any

import pytest

from config.errors import RequestRefused
from services.keys import Scope, parse_key

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
GOOD: dict[str, Any] = {"name": " shop ", "scopes": ["messages:read"]}


def faults(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        parse_key(raw, now=NOW)
    return [fault.path for fault in refused.value.faults]


def test_a_key_without_numbers_and_end_is_for_every_number_and_stays() -> None:
    wanted = parse_key({**GOOD, "note": "fields that we do not know are left alone"}, now=NOW)
    assert (wanted.name, wanted.scopes, wanted.numbers, wanted.expires_at) == ("shop", [Scope.MESSAGES_READ], [], None)


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x" * 81}, ["name"]),
        ({"scopes": []}, ["scopes"]),
        ({"scopes": "admin"}, ["scopes"]),
        ({"scopes": ["admin", "root", 1]}, ["scopes[1]", "scopes[2]"]),
        ({"numbers": None}, ["numbers"]),
        ({"numbers": ["1", "x"]}, ["numbers"]),
        ({"numbers": ["9" * 20]}, ["numbers"]),
        ({"numbers": ["1"] * 501}, ["numbers"]),
        ({"expires_at": "2026-05-06T07:08:09Z"}, ["expires_at"]),
        ({"expires_at": "2026-06-06T07:08:09"}, ["expires_at"]),
        ({"name": 1, "scopes": {}, "numbers": {}, "expires_at": 2}, ["name", "scopes", "numbers", "expires_at"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_every_fault_has_its_path(change: dict[str, Any], paths: list[str]) -> None:
    assert faults({**GOOD, **change}) == paths


def test_what_is_missing_is_told_like_what_is_wrong() -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_key({}, now=NOW)
    reasons = {fault.path: fault.reason for fault in refused.value.faults}
    assert reasons["name"] == "must have 1 to 80 characters"
    assert reasons["scopes"].startswith("must be a list of: admin, ")
