"""One line a second for each subject, and nothing is left out without a word."""

from config.log_throttle import LogThrottle
from tests.doubles.clock import ManualClock


def test_a_burst_is_one_line_a_second_with_its_count() -> None:
    clock = ManualClock()
    throttle = LogThrottle(monotonic=clock.monotonic)
    told = []
    for _ in range(500):
        if (left_out := throttle.allow("intake_full")) is not None:
            told.append(left_out)
        clock.advance(0.0101)
    assert told == [0, 99, 99, 99, 99]


def test_another_subject_is_not_left_out_for_it() -> None:
    clock = ManualClock()
    throttle = LogThrottle(monotonic=clock.monotonic)
    assert [throttle.allow("a"), throttle.allow("b"), throttle.allow("a"), throttle.allow("a")] == [0, 0, None, None]
    clock.advance(1)
    assert [throttle.allow("a"), throttle.allow("b")] == [2, 0]
