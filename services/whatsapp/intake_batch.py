"""How many notifications the owner reads in one batch: many, as long as they are small. Pure.

Process: whatsapp.
"""

BATCH = 200
BATCH_BYTES = 8 << 20
"""A notification usually has one change, sometimes a thousand: batches start small and grow while they are light."""
SMALLEST_BATCH = 20


def next_limit(limit: int, *, count: int, size: int) -> int:
    """Return the limit of the next batch, after one of ``count`` notifications with ``size`` bytes together."""
    if size > BATCH_BYTES:
        return SMALLEST_BATCH
    return min(BATCH, 2 * limit) if count == limit else limit
