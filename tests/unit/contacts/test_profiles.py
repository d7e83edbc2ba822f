"""A contact as single numbers know it: what another number told is not in it, in whatever form it is stored."""

from collections.abc import Mapping
from typing import Any

import pytest

from config.ids import new_order
from services.contacts import ConsentCategory, contact_record
from services.contacts.profiles import Profile, joined, stored_profile
from tests.doubles.clock import START

A, B, C = "12025550101", "12025550102", "12025550103"
SECRET = "theirs"


def entry(number: str | None, *, category: str = "all", status: str = "out") -> dict[str, Any]:
    told = {} if number is None else {"number": number}
    source = "ours" if number == A else SECRET
    return {**told, "category": category, "status": status, "at": START, "source": source, "proof": {"text": source}}


def stored(**facts: object) -> Mapping[str, Any]:
    profiles = {
        A: Profile(("wa:12025550111",), name="Ana", labels=("ours",), attributes={"x": "ours"}),
        B: Profile(("wa:12025550111", "user:US.2"), SECRET, SECRET, SECRET, (SECRET,), {SECRET: SECRET}),
    }
    return {
        "_id": "con_1",
        "key": "wa:12025550111",
        "keys": ["wa:12025550111", "user:US.2"],
        "wa_id": "12025550111",
        "user_id": "US.2",
        "name": SECRET,
        "profile_name": SECRET,
        "username": SECRET,
        "labels": [SECRET, "ours"],
        "attributes": {SECRET: SECRET, "x": "ours"},
        "numbers": [A, B],
        "profiles": {number: stored_profile(one, "12025550111") for number, one in profiles.items()},
        "opted_out": "",
        "order": new_order(),
        "created_at": START,
        "updated_at": START,
        **facts,
    }


def test_a_limited_view_has_nothing_that_another_number_told() -> None:
    document = stored(consent={"all": entry(B)}, consent_history=[entry(B), entry(A, category="marketing")])
    shown = contact_record(document, frozenset({A}))
    assert SECRET not in repr(shown)
    assert "US.2" not in repr(shown)
    assert B not in repr(shown)
    assert (shown.name, shown.labels, shown.attributes) == ("Ana", ("ours",), {"x": "ours"})
    assert [one.category for one in shown.history] == [ConsentCategory.MARKETING]
    assert list(shown.consent) == [ConsentCategory.MARKETING]


@pytest.mark.parametrize("numbers", [{A, B}, {A, B, C}, set()])
def test_who_has_all_its_numbers_sees_the_whole(numbers: set[str]) -> None:
    shown = contact_record(stored(), frozenset(numbers))
    assert (shown.name, shown.labels, shown.user_id) == (SECRET, (SECRET, "ours"), "US.2")


def test_a_contact_of_an_older_version_belongs_to_its_number_if_it_has_one() -> None:
    older = {name: value for name, value in stored(numbers=[B]).items() if name != "profiles"}
    assert contact_record(older, frozenset({B})).name == SECRET
    both = {**older, "numbers": [A, B], "profile_name": "public"}
    shown = contact_record(both, frozenset({A}))
    assert SECRET not in repr(shown), "nobody knows which number told what"
    assert (shown.wa_id, shown.profile_name) == ("12025550111", "public"), "but the number knows the person"


@pytest.mark.parametrize(
    ("everywhere", "at", "expected"),
    [
        ("", {}, None),
        ("marketing", {}, "marketing"),
        ("numbers", {A: "all"}, "all"),
        ("numbers", {B: "all"}, None),
        ("marketing", {A: "all"}, "all"),
        ("all", {A: "marketing"}, "all"),
    ],
)
def test_what_is_shown_as_opted_out_is_what_holds_for_these_numbers(
    everywhere: str, at: dict[str, str], expected: str | None
) -> None:
    decided = {number: {category: entry(number, category=category)} for number, category in at.items()}
    shown = contact_record(stored(opted_out=everywhere, consent_at=decided), frozenset({A}))
    assert (shown.opted_out.value if shown.opted_out else None) == expected


def test_an_address_that_passed_on_is_not_shown_any_more() -> None:
    shown = contact_record(stored(keys=["user:US.2"], wa_id=None, key="user:US.2"), frozenset({B}))
    assert shown.keys == ("user:US.2",)
    assert shown.wa_id is None


def test_profiles_are_joined_and_the_first_decides() -> None:
    one, other = (
        Profile(("wa:1",), name="one", attributes={"a": 1}),
        Profile(("wa:2",), "other", "p", None, ("l",), {"a": 2}),
    )
    both = joined([one, other])
    assert (both.keys, both.name, both.profile_name, both.labels) == (("wa:1", "wa:2"), "one", "p", ("l",))
    assert both.attributes == {"a": 1}
    assert both.order == one.order
