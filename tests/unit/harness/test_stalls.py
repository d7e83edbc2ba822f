"""A blocked event loop and a busy machine are told apart."""

import os
from datetime import UTC, datetime

from tests.harness.stalls import Sample, Samples, Slow, faults, sample_of, slow_callbacks

DAY = datetime(2026, 1, 2, tzinfo=UTC)
LOG = """
07:26:16.772 INFO    Sanic-Sandbox-0 14111 sandbox.started  sandbox is up  url=http://127.0.0.1:8701
07:26:17.500 WARNING Sanic-Server-0-0 14114 log.line  Executing <Task coro=<connection_task()>> took 0.250 seconds
07:26:18.000 WARNING Sanic-WhatsApp-0 14113 log.line  Executing <Handle f() at x.py:1> took 0.120 seconds
07:26:19.000 WARNING Sanic-WhatsApp-0 14113 database.waiting  Waiting for the database.
"""


def at(second: float) -> float:
    return DAY.replace(hour=7, minute=26).timestamp() + second


def test_complaints_are_read_from_the_log() -> None:
    first, second = slow_callbacks(LOG, day=DAY)
    assert (first.process, first.pid, first.seconds) == ("Sanic-Server-0-0", 14114, 0.25)
    assert first.ended_at == at(17.5)
    assert second.what == "<Handle f() at x.py:1>"


def test_time_in_the_run_queue_is_the_machines() -> None:
    # From 17.25 to 17.45 the process stood in the queue.
    samples = Samples()
    for hundredth in range(100):
        moment = at(17 + hundredth / 100)
        samples.samples.append(Sample(moment, min(max(0.0, moment - at(17.25)), 0.2), 0.0))
    slow = slow_callbacks(LOG, day=DAY)[:1]
    assert faults(slow, {14114: samples}) == []
    assert len(faults(slow, {})) == 1


def test_a_callback_that_sleeps_is_a_fault_on_any_machine() -> None:
    samples = Samples([Sample(float(second), 0.01 * second, 0.0) for second in range(10)])
    (line,) = faults([Slow("Sanic-Server-0-0", 1, "<Task …>", 5.0, 0.3)], {1: samples})
    assert line.startswith("Sanic-Server-0-0: 0.2")


def test_a_callback_that_computes_is_a_fault_even_while_others_wait_for_the_machine() -> None:
    # Many threads wait at once, so that the wait adds up to more than the time; the loop itself had the CPU.
    samples = Samples([Sample(second / 10, second, second / 10) for second in range(100)])
    (line,) = faults([Slow("Sanic-Server-0-0", 1, "<Task …>", 5.0, 0.3)], {1: samples})
    assert line.startswith("Sanic-Server-0-0: 0.3")


def test_a_coarse_sample_does_not_accuse() -> None:
    # Two samples a second apart: the CPU time between them may have been anybody's.
    samples = Samples([Sample(0.0, 0.0, 0.0), Sample(1.0, 0.5, 0.4)])
    assert faults([Slow("Sanic-Server-0-0", 1, "<Task …>", 0.6, 0.2)], {1: samples}) == []


def test_the_kernel_is_asked_for_this_process() -> None:
    sample = sample_of(os.getpid())
    assert sample is None or sample.loop_cpu_s > 0
