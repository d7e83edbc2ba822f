"""The newest documents first: one page of a list, in one operation where the server allows it.

Process: worker, whatsapp.

MongoDB walks an index backwards and stops when the page is full. The embedded server reads a whole range before it
sorts, so there a page is cut out of slices that grow until it is full.
"""

from services.store.ascending import EPOCH_FLOOR
from services.store.database import Database, Document

GROWTH = 8


async def newest(
    database: Database, collection: str, query: Document, *, field: str, below: int, first_slice: int, limit: int
) -> list[Document]:
    """Up to ``limit`` documents that fit ``query`` with ``field < below``, highest first.

    ``first_slice`` is how far the embedded server looks back at first, in units of the field.
    """
    if await database.sorts_by_index():
        return await database.find(collection, {**query, field: {"$lt": below}}, sort=[(field, -1)], limit=limit)
    found: list[Document] = []
    width = first_slice
    while len(found) < limit and below > EPOCH_FLOOR:
        above = max(below - width, EPOCH_FLOOR)
        found += await database.find(
            collection,
            {**query, field: {"$lt": below, "$gte": above}},
            sort=[(field, -1)],
            limit=limit - len(found),
        )
        below = above
        width *= GROWTH
    return found
