"""Quantiles from the histogram, against the true ones."""

import random

import pytest

from services.telemetry.latency import SLICE_S, SLICES, RequestStats


def test_quantiles_are_within_a_tenth_of_the_truth() -> None:
    chance = random.Random(7)
    stats = RequestStats(now=0.0)
    times = sorted(chance.lognormvariate(2, 1) for _ in range(20_000))
    for ms in times:
        stats.observe(ms)
    found = stats.quantiles_ms(0.5, 0.95, 0.99)
    for share, ms in zip((0.5, 0.95, 0.99), found, strict=True):
        assert ms == pytest.approx(times[int(share * len(times))], rel=0.1)
    assert stats.requests == 20_000


def test_without_requests_there_is_nothing_to_tell() -> None:
    assert RequestStats(now=0.0).quantiles_ms(0.5, 0.99) == (0.0, 0.0)


def test_a_minute_later_they_are_forgotten_but_still_counted() -> None:
    stats = RequestStats(now=0.0)
    stats.observe(100.0)
    stats.turn(SLICE_S * (SLICES - 1))
    assert stats.quantiles_ms(0.5)[0] > 0
    stats.turn(SLICE_S * SLICES)
    assert stats.quantiles_ms(0.5) == (0.0,)
    assert stats.requests == 1


def test_after_a_long_silence_the_next_turn_is_quick_and_right() -> None:
    stats = RequestStats(now=0.0)
    stats.observe(1.0)
    stats.turn(1e9)
    stats.turn(1e9 + SLICE_S * SLICES)
    assert stats.quantiles_ms(0.5) == (0.0,)


def test_what_is_past_the_last_bound_does_not_break_it() -> None:
    stats = RequestStats(now=0.0)
    stats.observe(10_000_000.0, is_error=True)
    assert stats.quantiles_ms(0.5)[0] > 80_000
    assert stats.errors == 1
