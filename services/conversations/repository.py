"""Reads of conversations.

Process: worker, whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.ids import order_ahead
from services.conversations.projection import NOTES
from services.conversations.records import Conversation, Note, Preview
from services.conversations.search import query_of
from services.conversations.state import CONVERSATIONS
from services.store import Database, newest

FIRST_SLICE: Final = 3_600_000 << 20  # one hour, in units of ``activity``


MOST_NOTES: Final = 500
MOST_MERGES: Final = 10
"""Steps from a conversation to the one that it has become part of; each merge makes one."""


@dataclass(frozen=True, slots=True)
class ConversationFilter:
    """What a list shows; None and False show all. ``before``: go on below this ``activity``.

    ``numbers``: only of these, when no ``phone_number_id`` is asked for; empty: of every number. ``addresses``: only
    those that have one address of each group (entries of `pair_of`), whichever is in use.
    """

    phone_number_id: str | None = None
    numbers: frozenset[str] = frozenset()
    search: str | None = None
    is_open: bool | None = None
    is_unread: bool = False
    assignee: str | None = None
    is_unassigned: bool = False
    label: str | None = None
    addresses: tuple[tuple[str, ...], ...] = ()
    before: int | None = None


class ConversationRepository:
    """Conversations of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, conversation_id: str) -> Conversation | None:
        """One conversation by its id; one that has become part of another leads to that."""
        found = await self._database.find_one(CONVERSATIONS, {"_id": conversation_id})
        for _ in range(MOST_MERGES):
            if found is None or "merged_into" not in found:
                break
            found = await self._database.find_one(CONVERSATIONS, {"_id": found["merged_into"]})
        return _record(found) if found else None

    async def notes(self, conversation_id: str) -> list[Note]:
        """The notes of a conversation, oldest first."""
        found = await self._database.find(
            NOTES, {"conversation": conversation_id}, sort=[("order", 1)], limit=MOST_NOTES
        )
        return [_note(document) for document in found]

    async def page(self, wanted: ConversationFilter, *, limit: int) -> list[Conversation]:
        """Up to ``limit`` conversations, the one with the last message first."""
        query = _query(wanted)
        if wanted.addresses:
            query["_id"] = {"$in": sorted(set.intersection(*[await self._ids_of(pairs) for pairs in wanted.addresses]))}
        below = wanted.before if wanted.before is not None else order_ahead()
        # The words of a search, or ids, are the narrower index: one look.
        found = await newest(
            self._database,
            CONVERSATIONS,
            query,
            field="activity",
            below=below,
            first_slice=below if "$and" in query or "_id" in query else FIRST_SLICE,
            limit=limit,
        )
        return [_record(document) for document in found]

    async def _ids_of(self, pairs: Sequence[str]) -> set[str]:
        """Ids of the conversations that have one of these addresses."""
        if not pairs:
            return set()
        found = await self._database.find(
            CONVERSATIONS, {"pair": {"$in": list(pairs)}}, projection={"_id": 1}, limit=len(pairs)
        )
        return {str(document["_id"]) for document in found}


def _query(wanted: ConversationFilter) -> dict[str, Any]:
    """The filter as a query, without the range of ``activity``."""
    query: dict[str, Any] = {}
    if wanted.phone_number_id and wanted.phone_number_id in (wanted.numbers or {wanted.phone_number_id}):
        query["number"] = wanted.phone_number_id
    elif wanted.numbers:
        query["number"] = {"$in": [] if wanted.phone_number_id else sorted(wanted.numbers)}
    if wanted.search and (words := query_of(wanted.search)):
        query["$and"] = words
    if wanted.is_open is not None:
        query["status"] = "open" if wanted.is_open else "closed"
    if wanted.is_unread:
        query["unread"] = {"$gt": 0}
    if wanted.assignee:
        query["assignee"] = wanted.assignee
    elif wanted.is_unassigned:
        query["assignee"] = None
    if wanted.label:
        query["labels"] = wanted.label
    return query


def _note(document: Mapping[str, Any]) -> Note:
    return Note(
        id=document["_id"],
        order=int(document["order"]),
        conversation_id=document["conversation"],
        text=document["text"],
        by=document["by"],
        by_name=document.get("by_name", ""),
        at=document["at"],
    )


def _record(document: Mapping[str, Any]) -> Conversation:
    preview = document.get("preview")
    return Conversation(
        id=document["_id"],
        phone_number_id=document["number"],
        wa_id=document.get("wa_id"),
        user_id=document.get("user_id"),
        name=document.get("name"),
        is_open=document.get("status") == "open",
        unread_count=int(document.get("unread", 0)),
        activity=int(document.get("activity", 0)),
        created_at=document["created_at"],
        last_inbound_at=document.get("last_inbound_at"),
        last_outbound_at=document.get("last_outbound_at"),
        preview=Preview(
            message_id=preview["message"],
            direction=preview["direction"],
            kind=preview["kind"],
            text=preview["text"],
            at=preview["at"],
        )
        if preview
        else None,
        assignee=document.get("assignee"),
        labels=tuple(document.get("labels", ())),
        group_id=document.get("group_id"),
    )
