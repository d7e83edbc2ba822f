"""The meter of a process: sums for Prometheus, the last minute for the scoreboard."""

from services.telemetry.meter import ProcessMeter, RateWindow
from services.telemetry.metrics.definitions import DB_OPERATIONS, DUPLICATES_SUPPRESSED, MESSAGES_ACCEPTED
from services.telemetry.metrics.scoreboard import operations_per_message
from services.telemetry.scoreboard import Vitals


def test_the_rate_is_the_mean_of_the_last_minute() -> None:
    rate = RateWindow(0.0)
    for second in range(1, 61):
        rate.turn(float(second), 10 * second)
    assert rate.per_s == 10
    for second in range(61, 121):
        rate.turn(float(second), 600)
    assert rate.per_s == 0


def test_a_young_process_divides_by_its_own_age() -> None:
    rate = RateWindow(100.0)
    rate.turn(102.0, 8)
    assert rate.per_s == 4


def test_the_window_keeps_no_more_than_it_needs() -> None:
    rate = RateWindow(0.0)
    for second in range(10_000):
        rate.turn(float(second), second)
    assert len(rate._samples) <= 62


def test_what_is_reported_stands_in_metrics_and_on_the_board() -> None:
    meter = ProcessMeter("test-role", now=0.0)
    before = MESSAGES_ACCEPTED.labels("1555000")._value.get()
    for _ in range(30):
        meter.database_ran(documents=2)
    meter.accepted("1555000")
    meter.suppressed("inbound")
    meter.turn(10.0)
    assert (meter.operations, meter.operations_per_s) == (30, 3.0)
    assert (meter.messages_accepted, meter.accepted_per_s) == (1, 0.1)
    assert DB_OPERATIONS.labels("test-role")._value.get() == 30
    assert MESSAGES_ACCEPTED.labels("1555000")._value.get() == before + 1
    assert DUPLICATES_SUPPRESSED.labels("inbound")._value.get() >= 1


def test_a_message_costs_what_all_processes_do_for_it() -> None:
    worker = Vitals(db_operations_per_s=3.0, messages_accepted_per_s=1.0)
    owner = Vitals(db_operations_per_s=5.0)
    assert operations_per_message([worker, worker, owner]) == 5.5
    assert operations_per_message([owner]) is None
