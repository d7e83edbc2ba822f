"""Digits that others wrote: bounded before they are read."""

import pytest

from config.digits import INT64_MAX, whole_number_in


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("007", 7), ("9223372036854775807", INT64_MAX), ("0" * 9_000, 0)]
)
def test_digits_are_a_number(text: str, value: int) -> None:
    assert whole_number_in(text) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", " 1", "1_0", "²", "٣", "1e3", "9223372036854775808", "9" * 5_000, "\udcff"]
)
def test_everything_else_is_none(text: str) -> None:
    assert whole_number_in(text) is None


def test_the_bound_is_the_last_that_is_taken() -> None:
    assert whole_number_in("10", most=10) == 10
    assert whole_number_in("11", most=10) is None
