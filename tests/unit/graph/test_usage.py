"""Throttle headers say how long to wait, in seconds or in minutes; what cannot be read says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.graph.usage import NO_USAGE, Usage, read_usage

ACCOUNT_USAGE = (
    '{"102290129340398":[{"type":"whatsapp","call_count":100,"total_cputime":12,"total_time":7,'
    '"estimated_time_to_regain_access":15}]}'
)


def test_minutes_of_the_account_header_become_seconds() -> None:
    usage = read_usage({"X-Business-Use-Case-Usage": ACCOUNT_USAGE})
    assert usage == Usage(used_percent=100.0, retry_after_s=900.0)


def test_the_longer_of_two_waits_holds() -> None:
    headers = {"Retry-After": "20", "X-App-Usage": '{"call_count":40,"estimated_time_to_regain_access":0}'}
    assert read_usage(headers) == Usage(used_percent=40.0, retry_after_s=20.0)
    assert read_usage({**headers, "X-Business-Use-Case-Usage": ACCOUNT_USAGE}).retry_after_s == 900.0


def test_a_wait_is_at_most_a_day() -> None:
    assert read_usage({"Retry-After": "999999999"}).retry_after_s == 86400.0


@pytest.mark.parametrize("value", ["", "Wed, 21 Oct 2026 07:28:00 GMT", "-5", "nan", "inf", "1e400"])
def test_a_retry_after_that_is_not_a_number_of_seconds_says_nothing(value: str) -> None:
    assert read_usage({"Retry-After": value}) == NO_USAGE


@given(st.text(max_size=60))
def test_no_header_value_can_make_it_fail(value: str) -> None:
    read_usage({"Retry-After": value, "X-Business-Use-Case-Usage": value, "X-App-Usage": value})
