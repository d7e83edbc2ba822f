"""Sentences that are written often, shared by everybody who answers: stored once, for all numbers or for one.

Process: worker (QuickReplies), whatsapp (quick_reply_commands).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from config.clock import Clock, rfc3339
from config.errors import Fault, RequestRefused
from config.ids import new_id
from services.commands import Command, CommandClient, Handler, Outcome
from services.store import Database, VersionedWrite

QUICK_REPLIES: Final = "quick_replies"
SAVE: Final = "quick_reply.save"
REMOVE: Final = "quick_reply.remove"

MOST: Final = 500
MAX_TEXT: Final = 1_024
MAX_SHORTCUT: Final = 32


@dataclass(frozen=True, slots=True)
class QuickReply:
    """One sentence. ``phone_number_id`` None: for every number. ``shortcut`` is what one types after a slash."""

    id: str
    text: str
    shortcut: str | None
    phone_number_id: str | None
    created_at: datetime
    updated_at: datetime
    by: str


class QuickReplies:
    """What agents do with them, from any worker."""

    def __init__(self, database: Database, commands: CommandClient, clock: Clock) -> None:
        self._database = database
        self._commands = commands
        self._clock = clock

    async def all(self) -> list[QuickReply]:
        """Every one that is in use, oldest first. They are few."""
        found = await self._database.find(QUICK_REPLIES, {"removed_at": None}, sort=[("_id", 1)], limit=MOST)
        return [_record(document) for document in found]

    async def get(self, reply_id: str) -> QuickReply | None:
        """One that is in use."""
        found = await self._database.find_one(QUICK_REPLIES, {"_id": reply_id})
        return _record(found) if found and found.get("removed_at") is None else None

    async def create(self, *, text: str, shortcut: str | None, phone_number_id: str | None, by: str) -> QuickReply:
        """A new one. Raises ``RequestRefused`` when there are too many, or the shortcut is in use."""
        others = await self.all()
        if len(others) >= MOST:
            raise RequestRefused(
                f"There are {MOST} quick replies; delete one first.", faults=[Fault("text", "is one too many")]
            )
        now = self._clock.now()
        reply = QuickReply(new_id("qrp"), text, shortcut, phone_number_id, now, now, by)
        return await self._save(reply, others)

    async def change(self, reply: QuickReply) -> QuickReply:
        """Another text, shortcut or number. Raises ``RequestRefused`` when the shortcut is in use."""
        return await self._save(reply, await self.all())

    async def remove(self, reply_id: str, *, by: str) -> Mapping[str, Any]:
        """Take it out of use."""
        return await self._commands.submit(REMOVE, {"id": reply_id, "at": self._clock.now()}, by=by)

    async def _save(self, reply: QuickReply, others: list[QuickReply]) -> QuickReply:
        if reply.shortcut is not None and any(_collides(reply, other) for other in others):
            raise RequestRefused(
                "The quick reply is not valid.", faults=[Fault("shortcut", "is the shortcut of another one")]
            )
        data = {
            "id": reply.id,
            "text": reply.text,
            "shortcut": reply.shortcut,
            "number": reply.phone_number_id,
            "created_at": reply.created_at,
            "updated_at": self._clock.now(),
        }
        await self._commands.submit(SAVE, data, by=reply.by)
        return reply


def quick_reply_commands() -> Mapping[str, Handler]:
    """The owner's side. They belong to the people at the console and not to a number's log: no numbered event."""
    return {SAVE: _saved, REMOVE: _removed}


async def _saved(command: Command) -> Outcome:
    values = {name: value for name, value in command.data.items() if name != "id"}
    reply_id = str(command.data["id"])
    write = VersionedWrite(QUICK_REPLIES, reply_id, None, set={**values, "by": command.by}, upsert=True)
    return Outcome({"id": reply_id}, writes=[write])


async def _removed(command: Command) -> Outcome:
    reply_id, at = str(command.data["id"]), command.data["at"]
    write = VersionedWrite(QUICK_REPLIES, reply_id, None, set={"removed_at": at, "removed_by": command.by})
    return Outcome({"id": reply_id, "removed_at": rfc3339(at)}, writes=[write])


def _collides(reply: QuickReply, other: QuickReply) -> bool:
    """Would one text after the slash mean both?"""
    if reply.id == other.id or reply.shortcut != other.shortcut:
        return False
    numbers = (reply.phone_number_id, other.phone_number_id)
    return None in numbers or numbers[0] == numbers[1]


def _record(document: Mapping[str, Any]) -> QuickReply:
    return QuickReply(
        id=document["_id"],
        text=document["text"],
        shortcut=document.get("shortcut"),
        phone_number_id=document.get("number"),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        by=document.get("by", ""),
    )
