"""Reads of conversations.

Process: worker, whatsapp.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

from services.conversations.directory import CONVERSATIONS
from services.conversations.records import Conversation, Preview
from services.store import Database

FIRST_SLICE: Final = 3_600_000 << 20  # one hour, in units of ``activity``
EPOCH_FLOOR: Final = 1_700_000_000_000 << 20


class ConversationRepository:
    """Conversations of one database."""

    def __init__(self, database: Database) -> None:
        """No input or output."""
        self._database = database

    async def get(self, conversation_id: str) -> Conversation | None:
        """One conversation by its id."""
        found = await self._database.find_one(CONVERSATIONS, {"_id": conversation_id})
        return _record(found) if found else None

    async def page(self, *, phone_number_id: str | None, before: int | None, limit: int) -> list[Conversation]:
        """Up to ``limit`` conversations, the one with the last message first."""
        query = {"number": phone_number_id} if phone_number_id else {}
        upper = before if before is not None else (time.time_ns() // 1_000_000 + 60_000) << 20
        width = FIRST_SLICE
        found: list[dict[str, Any]] = []
        while len(found) < limit and upper > EPOCH_FLOOR:
            lower = max(upper - width, EPOCH_FLOOR)
            found += await self._database.find(
                CONVERSATIONS,
                {**query, "activity": {"$lt": upper, "$gte": lower}},
                sort=[("activity", -1)],
                limit=limit - len(found),
            )
            upper = lower
            width *= 8
        return [_record(document) for document in found]


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
    )
