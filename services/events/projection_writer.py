"""Applies guarded writes in bulk: one round trip a collection, in order inside a collection.

Process: whatsapp.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from services.store import COMMANDS, META, Database, VersionedWrite, WriteRefused, operations

log = logging.getLogger(__name__)


async def apply_writes(
    database: Database,
    writes: Sequence[VersionedWrite],
    *,
    on_refused: Callable[[VersionedWrite, WriteRefused], None] | None = None,
) -> None:
    """Apply all of them; collections go side by side, ``meta`` after them, commands last.

    Raises ``DatabaseUnavailable``: then apply again. What ``meta`` says of other documents (that keys have changed) is
    true when somebody reads it.

    A command is marked as done last, so that its caller reads what it changed. A write that the database will never
    take is left out and logged: its event stands in the log, and what comes after it must not wait for ever.
    """
    refused = on_refused or _tell
    by_collection: dict[str, list[VersionedWrite]] = {}
    for write in writes:
        by_collection.setdefault(write.collection, []).append(write)
    last = [(name, by_collection.pop(name, [])) for name in (META, COMMANDS)]
    await asyncio.gather(*(_apply(database, name, group, refused) for name, group in by_collection.items()))
    for name, group in last:
        if group:
            await _apply(database, name, group, refused)


async def _apply(
    database: Database,
    name: str,
    writes: Sequence[VersionedWrite],
    on_refused: Callable[[VersionedWrite, WriteRefused], None],
) -> None:
    rest = operations(writes)
    while rest:
        try:
            await database.bulk(name, [one for one, _ in rest], ordered=True)
        except WriteRefused as refusal:
            if refusal.position is None and len(rest) > 1:
                # The driver does not say which: one after the other, once in a blue moon.
                for _, group in rest:
                    await _apply(database, name, group, on_refused)
                return
            position = refusal.position or 0
            for write in rest[position][1]:
                on_refused(write, refusal)
            rest = rest[position + 1 :]
        else:
            return


def _tell(write: VersionedWrite, refusal: WriteRefused) -> None:
    log.error(
        "The database refused a change of a document; it stays as it was. Its event stands in the log.",
        extra={
            "action": "journal.write_refused",
            "collection": write.collection,
            "document_id": write.id,
            "seq": write.seq,
            "detail": refusal.detail,
        },
    )
