"""Deletes conversations and contacts with which nothing has happened for long, when the settings say so.

Process: whatsapp.

The owner's memory is ahead of the documents, so nothing goes that it knows and has used since the pass before. A
contact that opted out is never deleted.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final, Protocol

from config.clock import Clock
from services.contacts import CONTACTS, NOT_OPTED_OUT
from services.conversations import CONVERSATIONS, NOTES, pair_of
from services.messages import MESSAGES
from services.retention.policy import DAY, order_at
from services.store import AscendingReader, Database, Recorder

SLICE: Final = 250
MOST_NOTES: Final = 1_000
PAIRS_AT_ONCE: Final = 1_000
WRITTEN_WITHIN_S: Final = 5.0
OPENS_WITHIN_S: Final = 60.0
_OUT: Final = "out"


class Memory(Protocol):
    """What the owner holds of conversations, or of contacts."""

    def closed(self) -> AbstractAsyncContextManager[None]:
        """Nothing is read into it meanwhile."""
        ...

    def retire(self, ids: Iterable[str]) -> list[str]:
        """Those of these that it does not hold, or that nobody asked for since they were named here before."""
        ...


class IdleCleaner:
    """One pass at a time: ``begin``, then ``step`` until it answers 0. A limit of 0 days keeps everything."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        *,
        conversations: Memory,
        contacts: Memory,
        conversations_days: int,
        contacts_days: int,
        numbers: Sequence[str],
        opened: asyncio.Event,
    ) -> None:
        """``numbers`` are those that are operated here. ``opened``: what the last owner left stands in the documents.

        Nothing is read yet.
        """
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._memory = {CONVERSATIONS: conversations, CONTACTS: contacts}
        self._days = {CONVERSATIONS: conversations_days, CONTACTS: contacts_days}
        self._numbers = tuple(numbers)
        self._opened = opened
        self._walks: list[tuple[str, AscendingReader]] = []
        self.deleted: dict[str, int] = {}

    def begin(self) -> None:
        """A new pass."""
        self.deleted = {}
        self._walks = [
            (name, self._walk(name, field))
            for name, field in ((CONTACTS, "order"), (CONVERSATIONS, "activity"))
            if self._days[name]
        ]

    async def step(self) -> int:
        """One slice: conversations first, since a contact stays while somebody talks with it. 0: the pass is over."""
        if self._walks and not await self._is_open():
            self._walks.clear()  # a decision of somebody may stand in the log alone: the next pass asks again
        while self._walks:
            name, walk = self._walks[-1]
            if page := await walk.next():
                await (self._of_conversations(page) if name == CONVERSATIONS else self._of_contacts(page))
                return len(page)
            self._walks.pop()
        return 0

    async def _of_conversations(self, page: Sequence[Mapping[str, Any]]) -> None:
        ids = [str(document["_id"]) for document in page]
        match: dict[str, Any] = {"conversation": {"$in": ids}}
        pipeline: list[dict[str, Any]] = [{"$match": match}, {"$group": {"_id": "$conversation", "count": {"$sum": 1}}}]
        alive = {found["_id"] for found in await self._database.aggregate(MESSAGES, pipeline, limit=len(ids))}
        limit = order_at(self._cutoff(CONVERSATIONS))

        def is_idle(document: Mapping[str, Any]) -> bool:
            return "activity" in document and int(document["activity"]) <= limit

        await self._delete(CONVERSATIONS, [id_ for id_ in ids if id_ not in alive], is_idle, also=self._delete_notes)

    async def _of_contacts(self, page: Sequence[Mapping[str, Any]]) -> None:
        cutoff = self._cutoff(CONTACTS)
        old = [document for document in page if may_be_forgotten(document, cutoff)]
        pairs = {pair_of(number, key): document["_id"] for document in old for key in document.get("keys", ())
                 for number in self._numbers}  # fmt: skip
        alive: set[str] = set()
        asked = list(pairs)
        for start in range(0, len(asked), PAIRS_AT_ONCE):
            part = asked[start : start + PAIRS_AT_ONCE]
            found = await self._database.find(
                CONVERSATIONS, {"pair": {"$in": part}}, projection={"pair": 1}, limit=len(part)
            )
            alive.update(pairs[pair] for document in found for pair in _list(document["pair"]) if pair in pairs)
        ids = [str(document["_id"]) for document in old if document["_id"] not in alive]
        await self._delete(CONTACTS, ids, lambda document: may_be_forgotten(document, cutoff))

    async def _delete(self, name: str, ids: Sequence[str], is_idle: Any, *, also: Any = None) -> None:
        """Delete those that still are as they were found: nothing that was recorded meanwhile is lost."""
        if not ids:
            return
        memory = self._memory[name]
        async with memory.closed():
            free = memory.retire(ids)
            if not free:
                return
            if not await self._are_documents_current():
                self._walks.clear()  # the event writer cannot write: everything stays, until the next pass
                return
            found = await self._database.find(name, {"_id": {"$in": free}}, limit=len(free))
            idle = [str(document["_id"]) for document in found if is_idle(document)]
            if not idle:
                return
            if also is not None:
                await also(idle)
            count = await self._database.delete_many(name, {"_id": {"$in": idle}})
            self.deleted[name] = self.deleted.get(name, 0) + count

    async def _is_open(self) -> bool:
        try:
            await asyncio.wait_for(self._opened.wait(), OPENS_WITHIN_S)
        except TimeoutError:
            return False
        return True

    async def _are_documents_current(self) -> bool:
        """Wait until the documents show all that was recorded; a full database may keep them from it for long."""
        try:
            await asyncio.wait_for(asyncio.shield(self._recorder.record([]).applied), WRITTEN_WITHIN_S)
        except TimeoutError:
            return False
        return True

    async def _delete_notes(self, ids: Sequence[str]) -> None:
        wanted = {"conversation": {"$in": list(ids)}}
        while found := await self._database.find(NOTES, wanted, projection={"_id": 1}, limit=MOST_NOTES):
            await self._database.delete_many(NOTES, {"_id": {"$in": [document["_id"] for document in found]}})

    def _walk(self, name: str, field: str) -> AscendingReader:
        limit = order_at(self._cutoff(name))
        fields = {"keys": 1, "opted_out": 1, "consent": 1, "updated_at": 1}
        return AscendingReader(self._database, name, {}, up_to=limit, page=SLICE, projection=fields, field=field)

    def _cutoff(self, name: str) -> datetime:
        return self._clock.now() - self._days[name] * DAY


def may_be_forgotten(contact: Mapping[str, Any], cutoff: datetime) -> bool:
    """Unchanged since ``cutoff``, and opted out of nothing: no decision against being written to may ever be lost."""
    decisions = (contact.get("consent") or {}).values()
    return (
        contact.get("opted_out") in (None, NOT_OPTED_OUT)
        and all(decision.get("status") != _OUT for decision in decisions)
        and contact["updated_at"] < cutoff
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
