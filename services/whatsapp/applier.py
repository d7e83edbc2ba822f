"""Applies guarded writes in bulk: one round trip a collection, in order inside a collection.

Process: whatsapp.
"""

import asyncio
from collections.abc import Sequence

from services.store import COMMANDS, Database, Write
from services.store.guarded import operation


async def apply_writes(database: Database, writes: Sequence[Write]) -> None:
    """Apply all of them; collections go side by side, commands last. Raises ``DatabaseUnavailable``: then apply again.

    Whoever waits for a command reads what it changed as soon as it is marked as done.
    """
    by_collection: dict[str, list[Write]] = {}
    for write in writes:
        by_collection.setdefault(write.collection, []).append(write)
    answers = by_collection.pop(COMMANDS, [])
    await asyncio.gather(
        *(
            database.bulk(name, [operation(write) for write in group], ordered=True)
            for name, group in by_collection.items()
        )
    )
    if answers:
        await database.bulk(COMMANDS, [operation(write) for write in answers], ordered=True)
