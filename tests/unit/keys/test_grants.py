"""A key gives no more than it has: scopes, numbers, time; and it has power over no more than that."""

from datetime import timedelta

import pytest

from services.keys import ApiKey, Caller, NotPermitted, Scope
from services.keys.grants import granted_end, granted_numbers, may_see_key, require_grant, require_power
from tests.doubles.clock import START

A, B, C = "12025550101", "12025550102", "12025550103"
LATER = START + timedelta(days=1)


def maker(
    *numbers: str, scopes: frozenset[Scope] = frozenset({Scope.ADMIN, Scope.MESSAGES_READ}), **facts: object
) -> Caller:
    return Caller("key_1", "maker", scopes, frozenset(numbers), **facts)  # type: ignore[arg-type]


def key(*numbers: str, scopes: frozenset[Scope] = frozenset({Scope.MESSAGES_READ})) -> ApiKey:
    return ApiKey("key_2", "other", "digest", scopes, START, frozenset(numbers))


@pytest.mark.parametrize(
    ("numbers", "scopes", "expires_at", "path"),
    [
        ((B,), {Scope.MESSAGES_READ}, LATER, "numbers"),
        ((A, B), {Scope.MESSAGES_READ}, LATER, "numbers"),
        ((), {Scope.MESSAGES_READ}, LATER, "numbers"),
        ((A,), {Scope.MESSAGES_SEND}, LATER, "scopes"),
        ((A,), {Scope.MESSAGES_READ}, LATER + timedelta(microseconds=1), "expires_at"),
        ((A,), {Scope.MESSAGES_READ}, None, "expires_at"),
    ],
)
def test_more_than_the_maker_has_is_refused(
    numbers: tuple[str, ...], scopes: set[Scope], expires_at: object, path: str
) -> None:
    with pytest.raises(NotPermitted) as refused:
        require_grant(
            maker(A, C, expires_at=LATER),
            scopes=frozenset(scopes),
            numbers=frozenset(numbers),
            expires_at=expires_at,  # type: ignore[arg-type]
        )
    assert {fault.path for fault in refused.value.faults} == {path}


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(NotPermitted) as refused:
        require_grant(maker(A, expires_at=LATER), scopes=frozenset(Scope), numbers=frozenset({B, C}), expires_at=None)
    assert [fault.path for fault in refused.value.faults].count("numbers") == 2
    assert {fault.path for fault in refused.value.faults} == {"scopes", "numbers", "expires_at"}


@pytest.mark.parametrize("numbers", [(A,), (A, C)])
def test_as_much_as_the_maker_has_is_given(numbers: tuple[str, ...]) -> None:
    limited = maker(A, C, expires_at=LATER)
    require_grant(limited, scopes=limited.scopes, numbers=frozenset(numbers), expires_at=LATER)


def test_a_maker_without_limit_and_end_gives_any_number_and_time_and_still_only_its_scopes() -> None:
    require_grant(maker(), scopes=frozenset({Scope.ADMIN}), numbers=frozenset(), expires_at=None)
    require_grant(maker(), scopes=frozenset({Scope.ADMIN}), numbers=frozenset({B}), expires_at=LATER)
    with pytest.raises(NotPermitted):
        require_grant(maker(), scopes=frozenset({Scope.MESSAGES_SEND}), numbers=frozenset(), expires_at=None)


def test_what_is_left_out_is_as_the_maker_has_it() -> None:
    limited = maker(A, expires_at=LATER)
    assert granted_numbers(frozenset(), limited) == {A}
    assert granted_numbers(frozenset({B}), limited) == {B}, "refused, not changed"
    assert granted_end(None, limited) == LATER
    assert granted_end(START, limited) == START
    assert granted_numbers(frozenset(), maker()) == frozenset()
    assert granted_end(None, maker()) is None


def test_a_limited_key_sees_keys_within_its_numbers_alone() -> None:
    limited = maker(A, C)
    assert [may_see_key(limited, one) for one in (key(A), key(A, C), key(A, B), key(B), key())] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert all(may_see_key(maker(), one) for one in (key(A), key()))


def test_a_limited_key_ends_no_key_with_scopes_that_it_lacks() -> None:
    require_power(maker(A), key(A))
    with pytest.raises(NotPermitted):
        require_power(maker(A), key(A, scopes=frozenset(Scope)))
    require_power(maker(), key(scopes=frozenset(Scope)))
