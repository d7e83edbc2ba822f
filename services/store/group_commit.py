"""Group commit: while one insert is under way the next documents gather, and then go together.

Process: worker, whatsapp.

An idle process inserts at once, a busy one fills its batches by itself; one that has used up its operation budget, or
that may gather longer, waits for its turn. Each caller gets the outcome of its own document.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.errors import Unavailable
from config.metering import SILENT, Meter
from services.store.database import Database
from services.store.driver import Document
from services.store.faults import DatabaseUnavailable, Duplicate, StorageFull
from services.store.operation_budget import BatchDelay

log = logging.getLogger(__name__)


UNKNOWN_OUTCOME = "The database does not answer. It may have stored the request: the same Idempotency-Key tells."
ENOUGH = 16
"""So many documents in a batch need not wait for more: what a commit costs is small beside what they cost."""


class IntakeFull(Unavailable):
    """More documents wait in this process than the settings allow: come back in a moment."""

    code = "intake_full"


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    """A unique index other than ``_id`` already holds this document's key. ``message`` is the server's."""

    message: str


Promise = asyncio.Future[list[DuplicateOf | None]]
Batch = list[tuple[list[Document], Promise]]


class GroupCommit:
    """Inserts documents of one collection in batches, one batch in flight.

    ``max_waiting`` documents may wait and ``max_batch`` go together; past the first ``IntakeFull`` is raised at once.
    Nobody waits longer than ``max_wait_s``: then the outcome is unknown, and a retry with the same key finds out.
    """

    def __init__(
        self,
        database: Database,
        collection: str,
        *,
        max_waiting: int,
        max_batch: int = 500,
        max_wait_s: float = 8.0,
        meter: Meter = SILENT,
        weight: float = 1.0,
        delay: BatchDelay | None = None,
        stamp: Callable[[Document], None] | None = None,
    ) -> None:
        """``weight`` is its part of an operation budget, ``delay`` the time between batches that follow one another.

        ``stamp`` marks each document right before it goes out, and again before it goes out once more: what sorts by
        the time of storing must not be as old as a request that waited for its turn, or for the database.
        """
        self._database = database
        self._budget_queue = database.operation_budget.queue(weight, delay=delay)
        self._meter = meter
        self._collection = collection
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._max_wait_s = max_wait_s
        self._stamp = stamp
        self._waiting: deque[tuple[list[Document], Promise]] = deque()
        self._waiting_count = 0
        self._enough = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._unanswered: deque[tuple[float, Promise]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self.batches = 0
        self.documents = 0

    @property
    def waiting_count(self) -> int:
        """Documents that wait for the batch in flight."""
        return self._waiting_count

    async def insert(self, document: Document) -> DuplicateOf | None:
        """Store one document; None when it is acknowledged, ``DuplicateOf`` when a unique index holds its key."""
        return (await self.begin([document]))[0]

    async def insert_all(self, documents: list[Document]) -> list[DuplicateOf | None]:
        """Store several documents, in their order; one outcome each. They may share a batch with others."""
        return await self.begin(documents) if documents else []

    @property
    def is_full(self) -> bool:
        """Would one more document be refused with ``IntakeFull``?"""
        return self._waiting_count >= self._max_waiting

    def begin(self, documents: list[Document]) -> Promise:
        """Their outcomes, later. A caller that goes away (the client hung up) takes nothing from the others' batch."""
        if self._waiting_count + len(documents) > self._max_waiting:
            raise IntakeFull(
                "The server has more requests waiting than it may hold. Try again in a moment.",
                detail=f"{self._waiting_count} documents wait for {self._collection}; the limit is {self._max_waiting}",
            )
        loop = asyncio.get_running_loop()
        promise: Promise = loop.create_future()
        self._waiting.append((documents, promise))
        self._waiting_count += len(documents)
        if self._waiting_count >= ENOUGH:
            self._enough.set()
        self._unanswered.append((loop.time() + self._max_wait_s, promise))
        if self._watch is None:
            self._watch = loop.call_later(self._max_wait_s, self._give_up)
        if self._flusher is None:
            self._flusher = loop.create_task(self._flush(), name=f"group-commit-{self._collection}")
        return promise

    def _give_up(self) -> None:
        """Fail the callers that waited too long. One timer serves all: one each would cost as much as an insert."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._unanswered and (self._unanswered[0][1].done() or self._unanswered[0][0] <= now):
            _, promise = self._unanswered.popleft()
            if not promise.done():
                error = DatabaseUnavailable(
                    UNKNOWN_OUTCOME, detail=f"no answer for {self._collection} within {self._max_wait_s:g} s"
                )
                promise.set_exception(error)
                promise.exception()  # seen: asyncio must not warn when no caller is left
        self._watch = loop.call_at(self._unanswered[0][0], self._give_up) if self._unanswered else None

    def _forget_answered(self) -> None:
        """They are answered in the order in which they came: what is done stands in front."""
        while self._unanswered and self._unanswered[0][1].done():
            self._unanswered.popleft()

    async def close(self) -> None:
        """Wait until everything that was taken is written."""
        while self._flusher is not None:
            await asyncio.wait([self._flusher])
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._budget_queue.turn(enough=self._enough)  # the batch goes on gathering meanwhile
                batch = self._take()
                documents = [document for group, _ in batch for document in group]
                try:
                    outcomes = await self._write(documents)
                except Unavailable as error:
                    _fail(batch, error)
                    if isinstance(error, DatabaseUnavailable):
                        # Those who came meanwhile waited as long: they need not find out for themselves.
                        _fail(self._take_all(), _of_waiting(error))
                    continue
                except Exception:
                    log.exception("A batch failed.", extra={"action": "batch.failed", "documents": len(documents)})
                    await self._write_apart(batch)
                    continue
                position = 0
                for group, future in batch:
                    if not future.done():
                        future.set_result(outcomes[position : position + len(group)])
                    position += len(group)
                self._forget_answered()
        finally:
            self._flusher = None
            self._forget_answered()

    async def _write_apart(self, batch: Batch) -> None:
        """A document that the driver cannot encode must fail its own caller, not those who came at the same time."""
        for group, future in batch:
            try:
                duplicates = await self._insert(group)
                outcomes = await self._outcomes(group, duplicates, is_retry=True)
            except Exception as error:
                _fail([(group, future)], error)
            else:
                if not future.done():
                    future.set_result(outcomes)

    def _take(self) -> Batch:
        batch: Batch = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0][0]) <= self._max_batch):
            group = self._waiting.popleft()
            batch.append(group)
            count += len(group[0])
        self._waiting_count -= count
        if self._waiting_count < ENOUGH:
            self._enough.clear()
        return batch

    def _take_all(self) -> Batch:
        batch, self._waiting, self._waiting_count = list(self._waiting), deque(), 0
        self._enough.clear()
        return batch

    async def _write(self, documents: list[Document]) -> list[DuplicateOf | None]:
        """One insert; on a broken connection once more, since our own ``_id`` tells whether it was applied.

        When its time was up it is not tried again: that would take as long. What may have been applied is told as such.
        """
        self.batches += 1
        self.documents += len(documents)
        try:
            duplicates = await self._insert(documents)
        except DatabaseUnavailable as error:
            if not error.was_sent:
                raise
            if error.has_timed_out:
                raise _unknown(error) from error
            return await self._write_again(documents)
        return await self._outcomes(documents, duplicates, is_retry=False)

    async def _write_again(self, documents: list[Document]) -> list[DuplicateOf | None]:
        try:
            duplicates = await self._insert(documents)
            return await self._outcomes(documents, duplicates, is_retry=True)
        except StorageFull:
            raise
        except DatabaseUnavailable as error:
            raise _unknown(error) from error

    async def _insert(self, documents: list[Document]) -> list[Duplicate]:
        if self._stamp is not None:
            for document in documents:
                self._stamp(document)
        return await self._database.insert_many(self._collection, documents, ordered=False)

    async def _outcomes(
        self, documents: list[Document], duplicates: list[Duplicate], *, is_retry: bool
    ) -> list[DuplicateOf | None]:
        outcomes: list[DuplicateOf | None] = [None] * len(documents)
        for duplicate in duplicates:
            outcomes[duplicate.index] = DuplicateOf(duplicate.message)
        if is_retry and duplicates:
            await self._forgive_own(documents, outcomes)
        return outcomes

    async def _forgive_own(self, documents: list[Document], outcomes: list[DuplicateOf | None]) -> None:
        """A duplicate on a retry whose ``_id`` stands in the collection is our own first try: it was applied."""
        refused: dict[Any, int] = {documents[i]["_id"]: i for i, outcome in enumerate(outcomes) if outcome}
        found = await self._database.find(
            self._collection, {"_id": {"$in": list(refused)}}, projection={"_id": 1}, limit=len(refused)
        )
        for document in found:
            outcomes[refused[document["_id"]]] = None
            self._meter.suppressed("insert")


def _unknown(error: DatabaseUnavailable) -> DatabaseUnavailable:
    """The same, as told to those whose documents may be stored."""
    unknown = DatabaseUnavailable(UNKNOWN_OUTCOME, detail=error.detail)
    unknown.has_timed_out = error.has_timed_out
    return unknown


def _of_waiting(error: DatabaseUnavailable) -> DatabaseUnavailable:
    """The same, as told to those whose documents were not sent yet."""
    if not error.was_sent:
        return error
    unsent = DatabaseUnavailable("The database does not answer. Nothing was stored.", detail=error.detail)
    unsent.was_sent = False
    return unsent


def _fail(batch: Batch, error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
            # Seen: asyncio must not warn when the caller is gone.
            future.exception()
