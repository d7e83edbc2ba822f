"""Back-off and breaker, by a clock of our own."""

import pytest

from services.supervisor.backoff import RestartHistory, RestartPolicy

POLICY = RestartPolicy(first_s=0.2, max_s=10, jitter=0.0, breaker_deaths=5, window_s=60, cool_s=60, stable_s=20)


def history(policy: RestartPolicy = POLICY, chance: float = 0.5) -> RestartHistory:
    return RestartHistory(policy, lambda: chance)


def test_the_first_death_is_mended_at_once_and_the_next_ones_after_pauses_that_double() -> None:
    found = history()
    pauses = [round(found.died(100.0) - 100.0, 6) for _ in range(4)]
    assert pauses == [0.0, 0.2, 0.4, 0.8]
    assert found.breaker == "closed"


def test_a_pause_has_an_upper_limit() -> None:
    found = history(RestartPolicy(first_s=1, max_s=3, jitter=0, breaker_deaths=50))
    for _ in range(20):
        at = found.died(0.0)
    assert at == 3.0


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.16), (0.5, 0.2), (0.9999999, 0.24)])
def test_jitter_spreads_a_pause_by_a_fifth_at_most(chance: float, pause: float) -> None:
    found = history(RestartPolicy(first_s=0.2, jitter=0.2), chance)
    found.died(0.0)
    assert found.died(0.0) == pytest.approx(pause, abs=1e-6)


def test_five_deaths_within_the_window_trip_the_breaker() -> None:
    found = history()
    for second in range(4):
        found.died(float(second))
    assert found.died(59.0) == 59.0 + 60.0
    assert found.breaker == "open"


def test_deaths_that_are_far_apart_do_not() -> None:
    found = history()
    for number in range(50):
        assert found.died(number * 61.0) == number * 61.0
    assert found.breaker == "closed"


def test_an_open_breaker_lets_one_try_through_and_closes_when_it_lives() -> None:
    found = history()
    for _ in range(5):
        found.died(0.0)
    found.starts()
    assert found.breaker == "half-open"
    assert not found.lived(19.9)
    assert found.lived(20.0)
    assert (found.breaker, found.deaths_in_window) == ("closed", 0)


def test_a_failed_try_opens_it_again_for_longer_up_to_a_limit() -> None:
    found = history()
    for _ in range(5):
        found.died(0.0)
    pauses = []
    for _ in range(6):
        found.starts()
        pauses.append(found.died(0.0))
    assert pauses == [120, 180, 240, 300, 300, 300]


def test_a_hopeless_death_trips_it_at_once() -> None:
    found = history()
    assert found.died(0.0, hopeless=True) == 60.0
    assert found.breaker == "open"


def test_the_operator_gives_a_clean_slate() -> None:
    found = history()
    for _ in range(5):
        found.died(0.0)
    found.forget()
    assert found.died(1.0) == 1.0
