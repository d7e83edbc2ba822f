"""Numbers as documents.

Process: worker, whatsapp.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.numbers.records import Number
from services.store import META, SEQ_FLOOR, SEQ_FLOORS, Database, VersionedWrite, raise_seq_floor

NUMBERS = SEQ_FLOORS
"""Our documents, in which the event log keeps its ``SEQ_FLOOR``."""
MAX_NUMBERS = 500
NOTICES_KEPT = 500
"""Meta posts a notification again for days: so many of each number are recognised, also by another owner."""


class NumberRepository:
    """The numbers of one database: few, so they are read all at once.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Number]:
        """Every number, the default one first."""
        found = await self._database.find(NUMBERS, {}, limit=MAX_NUMBERS)
        return sorted((_record(document) for document in found), key=lambda number: not number.is_default)

    async def notices(self, phone_number_ids: Sequence[str]) -> dict[str, list[str]]:
        """Short keys of what WhatsApp told of each number lately, the newest first."""
        ids = {notices_id(number): number for number in phone_number_ids}
        found = await self._database.find(META, {"_id": {"$in": list(ids)}}, limit=MAX_NUMBERS)
        return {ids[document["_id"]]: list(document.get("keys", ())) for document in found}

    async def seed(self, number: Number) -> None:
        """Make this number if it is not there; an existing one keeps what it has."""
        await self._database.update(
            NUMBERS,
            {"_id": number.phone_number_id},
            {
                "$setOnInsert": {
                    "waba": number.waba_id,
                    "display": number.display_phone_number,
                    SEQ_FLOOR: number.seq_floor,
                    "is_default": number.is_default,
                },
                "$set": {"link": number.link},
            },
            upsert=True,
        )

    async def raise_floor(self, phone_number_id: str, seq: int) -> None:
        """Remember that the log of this number reached ``seq``; it never goes back."""
        await raise_seq_floor(self._database, phone_number_id, seq)


def notices_id(phone_number_id: str) -> str:
    """The document that remembers which notices of this number have been told of."""
    return f"notices:{phone_number_id}"


def short_key(content_key: str) -> str:
    """What is kept of a key: its end, which is a digest."""
    return content_key[-32:]


def number_write(phone_number_id: str, changes: Mapping[str, Any]) -> VersionedWrite:
    """What was read of WhatsApp: it is no event, so it has no number."""
    return VersionedWrite(NUMBERS, phone_number_id, None, set=changes)


def _record(document: Mapping[str, Any]) -> Number:
    return Number(
        phone_number_id=document["_id"],
        waba_id=document.get("waba", ""),
        display_phone_number=document.get("display", ""),
        link=document.get("link", ""),
        seq_floor=int(document.get(SEQ_FLOOR, 0)),
        is_default=bool(document.get("is_default", False)),
        is_paused=bool(document.get("is_paused", False)),
        hold_reason=document.get("hold_reason"),
        hold_until=document.get("hold_until"),
        verified_name=document.get("verified_name"),
        quality=document.get("quality"),
        messaging_limit=document.get("messaging_limit"),
        throughput=document.get("throughput"),
        rate_per_s=document.get("rate_per_s"),
        daily_recipients=document.get("daily_recipients"),
        quiet_hours=document.get("quiet_hours"),
    )
