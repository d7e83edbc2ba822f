"""How many notifications the owner takes up at once: a lot, as long as they are small. Pure.

Process: whatsapp.
"""

BATCH = 200
BATCH_BYTES = 8 << 20
"""A notification has one change as a rule, and a thousand now and then: batches are small until they prove light."""
SMALLEST_BATCH = 20


def next_limit(limit: int, *, count: int, size: int) -> int:
    """How many notifications the next batch may have, after one of ``count`` with ``size`` bytes together."""
    if size > BATCH_BYTES:
        return SMALLEST_BATCH
    return min(BATCH, 2 * limit) if count == limit else limit
