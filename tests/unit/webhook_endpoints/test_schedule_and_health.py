"""When the next try is, and when an endpoint counts as gone: arithmetic, with tables."""

from datetime import UTC, datetime

import pytest

from config.settings.fields import Settings
from services.webhook_endpoints.health import DOWN_AFTER, Health
from services.webhook_endpoints.schedule import Schedule, parse_schedule, retry_after_s

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEFAULT = parse_schedule(Settings().webhook_schedule)


def test_the_default_schedule_goes_from_seconds_to_half_a_day_within_three_days() -> None:
    assert DEFAULT.steps_s[0] == 5
    assert max(DEFAULT.steps_s) == 12 * 3600
    assert 2.5 * 86_400 < DEFAULT.total_s <= 3 * 86_400


@pytest.mark.parametrize(
    ("attempts", "retry_after", "chance", "expected"),
    [
        (1, None, 0.0, 5),
        (1, None, 1.0, 6),
        (2, None, 0.0, 30),
        (1, 60.0, 0.0, 60),
        (3, 1.0, 0.0, 120),
        (1, 1e9, 0.0, 43_200),
        (4, None, 0.0, None),
    ],
)
def test_the_wait_after_so_many_tries(
    attempts: int, retry_after: float | None, chance: float, expected: float | None
) -> None:
    schedule = Schedule((5, 30, 120))
    assert schedule.delay_s(attempts, retry_after_s=retry_after, chance=lambda: chance) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "5,,6", "a", "1000000", "nan", ",".join(["1"] * 101)])
def test_a_schedule_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_schedule(text)
    with pytest.raises(ValueError, match=r"webhook_schedule"):
        Settings(webhook_schedule=text)


@pytest.mark.parametrize("text", ["5", "0.3,0.6", "5,30,120,600", "999999", "0.001"])
def test_what_the_settings_take_the_engine_takes(text: str) -> None:
    assert parse_schedule(Settings(webhook_schedule=text).webhook_schedule).steps_s


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 3 ", 3.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:04:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("99999999999999", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_both_of_its_forms(header: str | None, expected: float | None) -> None:
    assert retry_after_s(header, NOW) == expected


def test_a_burst_of_failures_is_not_yet_a_dead_endpoint() -> None:
    health = Health()
    assert not any(health.fail(100.0 + tenth / 10, retry_after_s=None) for tenth in range(30))
    assert health.slots(103.0, flying=0, most=16) == 16


def test_failures_for_a_while_without_a_success_make_it_down_once() -> None:
    health = Health()
    went_down = [health.fail(100.0 + 2 * count, retry_after_s=None) for count in range(DOWN_AFTER + 3)]
    assert went_down.count(True) == 1
    assert health.is_down


def test_a_down_endpoint_gets_one_try_at_a_time_and_seldom() -> None:
    health = Health(failing_since=0.0, is_down=True, failures=10)
    assert health.slots(1000.0, flying=0, most=16) == 1
    assert health.slots(1000.0, flying=1, most=16) == 0
    pauses = []
    now = 1000.0
    for _ in range(8):
        health.fail(now, retry_after_s=None)
        assert health.slots(now + 1, flying=0, most=16) == 0
        at = health.wakes_at(now)
        assert at is not None
        pauses.append(at - now)
        now = at
    assert pauses == [15, 30, 60, 120, 240, 300, 300, 300]


def test_one_success_ends_it() -> None:
    health = Health(failing_since=0.0, is_down=True, failures=10)
    assert health.succeed() is True
    assert (health.is_down, health.failing_since) == (False, None)
    assert health.succeed() is False


def test_little_traffic_does_not_hide_a_dead_endpoint() -> None:
    health = Health()
    assert [health.fail(at, retry_after_s=None) for at in (0.0, 450.0, 901.0)] == [False, False, True]


def test_retry_after_holds_the_whole_endpoint_but_not_for_ever() -> None:
    health = Health()
    health.fail(100.0, retry_after_s=20)
    assert health.slots(119.0, flying=0, most=16) == 0
    assert health.slots(120.0, flying=0, most=16) == 16
    health.fail(200.0, retry_after_s=1e9)
    assert health.slots(501.0, flying=0, most=16) == 16


def test_it_is_given_up_after_days_without_a_success() -> None:
    health = Health()
    health.fail(0.0, retry_after_s=None)
    assert not health.is_given_up(5 * 86_400 - 1, after_s=5 * 86_400)
    assert health.is_given_up(5 * 86_400, after_s=5 * 86_400)
    health.succeed()
    assert not health.is_given_up(9e9, after_s=5 * 86_400)
