import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaigns.send_rate import BURST_S, SendRate


def test_without_a_plan_there_is_no_limit() -> None:
    pace = SendRate(None, now_s=0)
    assert pace.allowance(100) is None
    assert pace.outstanding(500) == 500


def test_a_plan_is_even_and_a_pause_is_not_made_up_for() -> None:
    pace = SendRate(600, now_s=0)
    assert pace.allowance(0) == 0
    assert pace.allowance(1) == 10
    pace.spend(10)
    assert pace.allowance(1) == 0
    assert pace.allowance(3_600) == 20


def test_a_slow_plan_gives_one_at_a_time() -> None:
    pace = SendRate(6, now_s=0)
    assert [pace.allowance(at) for at in (5, 9.9, 10, 100)] == [0, 0, 1, 1]


@pytest.mark.parametrize(("rate", "most"), [(1, 1), (60, 30), (6_000, 500)])
def test_what_waits_at_once_follows_the_plan(rate: int, most: int) -> None:
    assert SendRate(rate, now_s=0).outstanding(500) == most


@given(rate=st.integers(1, 10_000), steps=st.lists(st.floats(0.01, 30), max_size=40))
def test_no_sequence_of_looks_gets_more_than_the_plan_and_one_burst(rate: int, steps: list[float]) -> None:
    pace, now_s, handed = SendRate(rate, now_s=0), 0.0, 0
    for step in steps:
        now_s += step
        allowed = pace.allowance(now_s)
        assert allowed is not None
        pace.spend(allowed)
        handed += allowed
    assert handed <= rate / 60 * now_s + max(1.0, rate / 60 * BURST_S)
