"""Seals stored secrets with the current key: those of an earlier version, which are in clear, and those of another key.

Process: whatsapp.

Each document is compared and set: the new text is written only where the old one still stands. So it can stop
anywhere and go on, run twice, or run in an owner that was replaced, and never undoes what somebody else wrote.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.secret_rotation.key_check import ID as WORD_ID
from services.store import META, Database, Document
from services.vault import Place, SecretBox, SecretUnreadable

log = logging.getLogger(__name__)

BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class SealedField:
    """Where a noun keeps secrets: the field ``sealed`` of documents of ``collection`` (of one, if ``id`` is given).

    ``clear_of`` reads what an earlier version left in ``clear_fields``: the bytes to seal, or None.
    """

    collection: str
    clear_fields: tuple[str, ...]
    clear_of: Callable[[Mapping[str, Any]], bytes | None]
    id: str | None = None


@dataclass(slots=True)
class _Tally:
    sealed: int = 0
    unreadable: list[str] = field(default_factory=list)


class SecretRotation:
    """Goes through every place that holds secrets. ``step`` is cheap when nothing is to do: a find for each place."""

    def __init__(
        self, database: Database, box: SecretBox, fields: Sequence[SealedField], *, is_owner: Callable[[], bool]
    ) -> None:
        """``is_owner``: does this process still hold the lease? Without it nothing is written."""
        self._database = database
        self._box = box
        self._fields = [*fields, SealedField(META, (), _nothing, id=WORD_ID)]
        """The word of the key check comes last: it says that all else is done."""
        self._is_owner = is_owner
        self._told: set[str] = set()
        self._has_told_current = False

    async def step(self) -> int:
        """Seal what is not sealed with the current key; answers 0, so that it waits for its time. ``Unavailable``."""
        tally = _Tally()
        for one in self._fields:
            if one.collection == META and one.id == WORD_ID and tally.unreadable:
                break  # the former key is still needed
            await self._seal_all(one, tally)
        fresh = [place for place in tally.unreadable if place not in self._told]
        if fresh:
            self._told.update(fresh)
            log.error(
                "Stored secrets cannot be opened with the configured keys; what needs them waits.",
                extra={"action": "secrets.unreadable", "count": len(fresh), "places": fresh[:20]},
            )
        if tally.sealed:
            log.info(
                "Stored secrets are sealed with the current key.",
                extra={"action": "secrets.sealed", "count": tally.sealed, "sealed_with": self._box.key_id},
            )
        if not tally.unreadable and len(self._box.key_ids) > 1 and not self._has_told_current:
            self._has_told_current = True
            log.info(
                "Every stored secret is sealed with the current key: PANAL_SECRET_KEY_PREVIOUS may be removed.",
                extra={"action": "secrets.current", "sealed_with": self._box.key_id},
            )
        return 0

    async def _seal_all(self, one: SealedField, tally: _Tally) -> None:
        after: str | None = None
        while True:
            query: Document = {"sealed.key": {"$ne": self._box.key_id}}
            if one.id is not None:
                query["_id"] = one.id
            elif after is not None:
                query["_id"] = {"$gt": after}
            found = await self._database.find(one.collection, query, sort=[("_id", 1)], limit=BATCH)
            for document in found:
                if not self._is_owner():
                    return
                await self._seal(one, document, tally)
            if len(found) < BATCH or one.id is not None:
                return
            after = found[-1]["_id"]

    async def _seal(self, one: SealedField, document: Document, tally: _Tally) -> None:
        id_, held = document["_id"], document.get("sealed")
        place = Place(one.collection, id_)
        same: Document = {"_id": id_, "sealed": {"$exists": False}}
        if held is None:
            clear = one.clear_of(document)
            if clear is None:
                return
        else:
            same = {"_id": id_, "sealed.data": held.get("data")}
            try:
                clear = self._box.open(place, held)
            except SecretUnreadable:
                tally.unreadable.append(f"{one.collection}/{id_}")
                return
        change: Document = {"$set": {"sealed": self._box.seal(place, clear)}}
        if one.clear_fields:
            change["$unset"] = dict.fromkeys(one.clear_fields, "")
        tally.sealed += await self._database.update(one.collection, same, change, upsert=False)


def _nothing(_: Mapping[str, Any]) -> None:
    return None
