from datetime import UTC, datetime, timedelta, timezone

import pytest

from config.clock import SystemClock, rfc3339


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, 678999, tzinfo=UTC)) == "2026-01-02T03:04:05.678Z"
    madrid = timezone(timedelta(hours=1))
    assert rfc3339(datetime(2026, 1, 2, 0, 0, tzinfo=madrid)) == "2026-01-01T23:00:00.000Z"


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        rfc3339(datetime(2026, 1, 2))  # noqa: DTZ001 - the naive one is the point


def test_the_systems_clock_is_aware_and_does_not_run_back() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
