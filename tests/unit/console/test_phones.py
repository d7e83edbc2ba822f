"""The limit of a key on the emulated phones: it is ours to set, whatever the caller writes into his query."""

from urllib.parse import parse_qs

import pytest

from services.console.phones import limited_query, may_call

OWN = frozenset({"12025550101", "12025550103"})


@pytest.mark.parametrize(
    "query",
    ["", "limit=5", "numbers=9", "numbers=", "numbers=9&numbers=8&limit=5", "limit=5&num%62ers=9", "a=%26numbers%3D9"],
)
def test_the_limit_is_that_of_the_key(query: str) -> None:
    limited = parse_qs(limited_query(query, OWN), keep_blank_values=True)
    assert limited["numbers"] == ["12025550101,12025550103"]
    assert limited.get("limit", ["5"]) == ["5"]


@pytest.mark.parametrize("query", ["", "limit=5", "numbers=9"])
def test_without_a_limit_the_query_stays_as_it_is(query: str) -> None:
    assert limited_query(query, frozenset()) == query


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "phones", True),
        ("POST", "phones/1/messages", True),
        ("PUT", "phones/1", True),
        ("GET", "sample.png", True),
        ("GET", "settings", True),
        ("PUT", "settings", False),
        ("GET", "rules", False),
        ("POST", "rules", False),
        ("DELETE", "rules/1", False),
    ],
)
def test_what_holds_for_all_phones_is_not_changed_by_a_limited_key(method: str, path: str, may: bool) -> None:
    assert may_call(method, path) is may
