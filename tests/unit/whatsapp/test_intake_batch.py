"""How many notifications a batch may have: few until they prove light, few again when they are heavy. A table."""

import pytest

from services.whatsapp.intake_batch import BATCH, BATCH_BYTES, SMALLEST_BATCH, next_limit


@pytest.mark.parametrize(
    ("limit", "count", "size", "expected"),
    [
        (SMALLEST_BATCH, 0, 0, SMALLEST_BATCH),
        (SMALLEST_BATCH, 5, 5_000, SMALLEST_BATCH),
        (SMALLEST_BATCH, SMALLEST_BATCH, 20_000, 2 * SMALLEST_BATCH),
        (160, 160, 160_000, BATCH),
        (BATCH, BATCH, 200_000, BATCH),
        (BATCH, 7, BATCH_BYTES + 1, SMALLEST_BATCH),
    ],
)
def test_the_next_batch(limit: int, count: int, size: int, expected: int) -> None:
    assert next_limit(limit, count=count, size=size) == expected
