"""The embedded server (SecantusDB): queries in two stages, pages cut out of slices, a bulk as one transaction.

Process: worker, whatsapp.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.store.driver import Document, OperationFailure, UpdateMany, UpdateOne
from services.store.embedded.query_division import Plan
from services.store.indexes import INDEXES, Index, expiry_indexes
from services.store.server_strategy import MongoServer

REPLICA_SET: Final = "secantus"
"""The replica set that it says it is, in its answer to ``hello``."""

TRANSACTION_FROM: Final = 3
"""So many updates and more are worth a transaction, which saves a commit each."""

SLICE_GROWTH: Final = 8
"""Each slice of a page is so many times as wide as the one before."""

REUSED_VALUES: Final = frozenset({("contacts", "key_1"), ("conversations", "pair_1")})
"""Unique indexes whose values pass from one document to another: a phone number is given to somebody else.

The embedded server (SecantusDB 0.6.0b17) never forgets a unique value that an update took away: it refuses every later
insert of that value, and the owner could write no more. So these two are plain indexes here; the owner is the only
writer.
"""

PLAN: Final = Plan((*INDEXES, *expiry_indexes(events_days=1, notifications_days=1)))
"""What its indexes answer. The days do not matter."""


class EmbeddedServer(MongoServer):
    """MongoDB's strategy, with what this server does worse replaced."""

    def indexes(self) -> tuple[Index, ...]:
        """As on MongoDB; those of ``REUSED_VALUES`` are not unique."""
        return tuple(
            replace(index, options=()) if (index.collection, index.full_name) in REUSED_VALUES else index
            for index in INDEXES
        )

    def ranges_below(self, upper: int, *, floor: int, first_width: int) -> Iterator[Mapping[str, int]]:
        """Slices that grow: this server reads the whole of a range before it sorts it."""
        width = first_width
        while upper > floor:
            lower = max(upper - width, floor)
            yield {"$lt": upper, "$gte": lower}
            upper = lower
            width *= SLICE_GROWTH

    async def find(
        self, name: str, query: Document, *, projection: Document | None, sort: Sequence[tuple[str, int]], limit: int
    ) -> list[Document]:
        """As a pipeline of two stages where one index answers only a part of the query."""
        indexed, rest = PLAN.divide(name, query, sort)
        if not rest:
            return await super().find(name, query, projection=projection, sort=sort, limit=limit)
        stages: list[Document] = [{"$match": indexed}, {"$match": rest}]
        stages += [{"$sort": dict(sort)}] if sort else []
        stages += [{"$limit": limit}, *([{"$project": projection}] if projection else [])]
        return await self._connection.run_pipeline(name, stages, limit=limit)

    async def aggregate(self, name: str, pipeline: list[Document], *, limit: int) -> list[Document]:
        """With its first ``$match`` in two stages where one index answers only a part of it."""
        if "$match" in pipeline[0]:
            indexed, rest = PLAN.divide(name, pipeline[0]["$match"])
            if rest:
                pipeline = [{"$match": indexed}, {"$match": rest}, *pipeline[1:]]
        return await super().aggregate(name, pipeline, limit=limit)

    async def bulk(self, name: str, writes: Sequence[UpdateOne | UpdateMany], *, ordered: bool) -> int:
        """As one transaction where that pays. When it was refused, write by write: so the faulty one is known.

        This server commits, and waits for its disk, once for every update of a bulk: four times what a transaction
        costs (200 against 55 µs each, batches of 100). With an operation budget the commit would be one operation more.
        """
        if len(writes) >= TRANSACTION_FROM and not self._connection.operation_budget.is_paced:
            changed = await self._connection.run(lambda: self._transaction(name, writes), documents=len(writes))
            if changed is not None:
                return changed
        return await super().bulk(name, writes, ordered=ordered)

    async def abort_transactions(self) -> None:
        """This server would keep the documents of an open transaction locked for a minute more."""
        await self._connection.run(lambda: self._connection.client.admin.command("killAllSessions", []))

    async def _transaction(self, name: str, writes: Sequence[UpdateOne | UpdateMany]) -> int | None:
        """How many documents changed; None when one write was refused, and so none was made."""
        collection = self._connection.collection_of_threads(name)

        def commit() -> int | None:
            try:
                with collection.database.client.start_session() as session, session.start_transaction():
                    result = collection.bulk_write(list(writes), ordered=True, session=session)
            except OperationFailure:
                return None
            return int(result.modified_count) + int(result.upserted_count)

        return await asyncio.to_thread(commit)
