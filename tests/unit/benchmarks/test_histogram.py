"""Quantiles of the load generator: close enough, and the same whether one process saw it all or three."""

import random

from benchmarks.histogram import Histogram


def test_quantiles_are_within_three_percent() -> None:
    chance = random.Random(7)
    values = sorted(chance.lognormvariate(2, 1) for _ in range(20_000))
    seen = Histogram()
    for value in values:
        seen.add(value)
    for share in (0.5, 0.9, 0.99, 0.999):
        exact = values[int(share * len(values)) - 1]
        assert abs(seen.quantile_ms(share) - exact) / exact < 0.03
    assert seen.max_ms == values[-1]
    assert seen.quantile_ms(1) <= seen.max_ms


def test_parts_add_up_and_survive_the_way_between_processes() -> None:
    whole, parts = Histogram(), [Histogram() for _ in range(3)]
    for n in range(3_000):
        whole.add(n / 7)
        parts[n % 3].add(n / 7)
    merged = Histogram()
    for part in parts:
        merged.merge(Histogram.from_dict({"counts": part.as_dict()["counts"], "max_ms": part.max_ms}))
    assert merged.counts == whole.counts
    assert merged.max_ms == whole.max_ms


def test_nothing_seen_is_zero() -> None:
    assert Histogram().quantile_ms(0.99) == 0
