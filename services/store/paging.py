"""Pages of a collection by an ``order``: the newest first (``newest``), or everything upwards (``AscendingReader``).

Process: worker, whatsapp.
"""

from typing import Final

from config.ids import order_ahead
from services.store.database import Database
from services.store.driver import Document

FIRST_SLICE: Final = 60_000 << 20  # one minute, in units of ``order`` (milliseconds << 20)
EPOCH_FLOOR: Final = 1_700_000_000_000 << 20  # nothing of ours is older than November 2023
GROWTH: Final = 8


async def newest(
    database: Database, collection: str, query: Document, *, field: str, below: int, first_slice: int, limit: int
) -> list[Document]:
    """Up to ``limit`` documents that fit ``query`` with ``field < below``, highest first. Raises ``Unavailable``.

    ``first_slice`` is how far a server that reads in slices looks back at first, in units of the field.
    """
    server = await database.server()
    found: list[Document] = []
    for bounds in server.ranges_below(below, floor=EPOCH_FLOOR, first_width=first_slice):
        found += await database.find(collection, {**query, field: bounds}, sort=[(field, -1)], limit=limit - len(found))
        if len(found) >= limit:
            break
    return found


class AscendingReader:
    """Walks up ``field`` (an ``order``) from above ``after`` to ``up_to`` (None: everything there is now).

    ``next`` returns up to ``page`` documents, and an empty list at the end. ``reached`` is where a later walk goes on.
    Documents that share one value of ``field`` always come in the same page. Each page is read from a slice as wide as
    the density of the last one suggests: a server that sorts what it has read would otherwise read everything.
    """

    def __init__(
        self,
        database: Database,
        collection: str,
        query: Document,
        *,
        after: int = 0,
        up_to: int | None = None,
        page: int = 500,
        projection: Document | None = None,
        field: str = "order",
    ) -> None:
        self._database = database
        self._collection = collection
        self._query = query
        self._up_to = up_to if up_to is not None else order_ahead()
        self._page = page
        self._projection = None if projection is None else {**projection, field: 1}
        self._field = field
        self._width = FIRST_SLICE
        self.reached = max(after, EPOCH_FLOOR)

    async def next(self, limit: int | None = None) -> list[Document]:
        """The next page, at most ``limit`` documents of it. Raises ``Unavailable``."""
        page = self._page if limit is None else min(limit, self._page)
        while self.reached < self._up_to:
            upper = min(self._up_to, self.reached + self._width)
            found = await self._database.find(
                self._collection,
                {**self._query, self._field: {"$gt": self.reached, "$lte": upper}},
                projection=self._projection,
                sort=[(self._field, 1)],
                limit=page + 1,
            )
            if len(found) <= page:
                self.reached = upper
                self._width *= GROWTH
            else:
                found = self._whole(found)
                span = int(found[-1][self._field]) - int(found[0][self._field])
                # Room for two pages at this density: the next one is full as a rule, and hardly more is read.
                self._width = max(1, span * 2 * self._page // len(found))
                self.reached = int(found[-1][self._field])
            if found:
                return found
        return []

    def _whole(self, found: list[Document]) -> list[Document]:
        """Without the last value, which may go on behind this page; unless the page has no other."""
        last = found[-1][self._field]
        return [document for document in found if document[self._field] < last] or found
