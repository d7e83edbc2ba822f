"""Applies guarded writes in bulk: one round trip a collection, in order inside a collection.

Process: whatsapp.
"""

import asyncio
from collections.abc import Sequence

from services.store import Database, Write
from services.store.guarded import operation


async def apply_writes(database: Database, writes: Sequence[Write]) -> None:
    """Apply all of them; collections go side by side. Raises ``DatabaseUnavailable``: then apply all again."""
    by_collection: dict[str, list[Write]] = {}
    for write in writes:
        by_collection.setdefault(write.collection, []).append(write)
    await asyncio.gather(
        *(
            database.bulk(name, [operation(write) for write in group], ordered=True)
            for name, group in by_collection.items()
        )
    )
