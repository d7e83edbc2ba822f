"""What is stored of sessions: that one was used, that one has ended. Without a record its cookie alone counts.

Process: worker. Nothing but a session's own browser changes its record, so no owner has to put changes in order.

A sign-in stores nothing: a full database locks nobody out of the console.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.store import BatchLoader, Database

SESSIONS: Final = "sessions"


@dataclass(frozen=True, slots=True)
class SessionState:
    """Unix time: ``active_s`` when it was used last; ``all_ended_ms`` when all of its key were ended; 0: not stored."""

    active_s: int
    has_ended: bool
    all_ended_ms: int

    def is_over(self, began_ms: int) -> bool:
        """Has this session, or every one of its key that began by then, been ended?"""
        return self.has_ended or began_ms <= self.all_ended_ms


class SessionRepository:
    """The sessions of one database. Everything raises ``Unavailable`` when it does not answer."""

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._database = database
        self._by_id = BatchLoader(database, SESSIONS)

    async def state(self, session_id: str, key_id: str) -> SessionState:
        """What is stored of a session and of all the sessions of its key: one read."""
        own, of_key = await asyncio.gather(self._by_id.get(session_id), self._by_id.get(_of_key(key_id)))
        own, of_key = own or {}, of_key or {}
        return SessionState(int(own.get("active_s", 0)), bool(own.get("ended")), int(of_key.get("ended_ms", 0)))

    async def touch(self, session_id: str, *, active_s: int, forget_s: int) -> None:
        """Note that it was used. One that has ended stays ended. ``forget_s``: the database forgets it then."""
        await self._update(session_id, {"$max": {"active_s": active_s}}, forget_s)

    async def end(self, session_id: str, *, forget_s: int) -> None:
        """End one."""
        await self._update(session_id, {"$set": {"ended": True}}, forget_s)

    async def end_all(self, key_id: str, *, now_ms: int, forget_s: int) -> None:
        """End every session of this key that began by now."""
        await self._update(_of_key(key_id), {"$max": {"ended_ms": now_ms}}, forget_s)

    async def _update(self, document_id: str, change: dict[str, Any], forget_s: int) -> None:
        kept = {"$max": {**change.get("$max", {}), "expires_at": datetime.fromtimestamp(forget_s, UTC)}}
        await self._database.update(SESSIONS, {"_id": document_id}, {**change, **kept}, upsert=True)


def _of_key(key_id: str) -> str:
    return f"key:{key_id}"
