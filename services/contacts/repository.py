"""Reads of contacts. Lists go newest first and page by ``order``.

Process: worker, whatsapp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from config.ids import order_ahead
from services.contacts.documents import CONTACTS, contact_record
from services.contacts.records import ConsentCategory, Contact
from services.contacts.search import query_of
from services.contacts.state import MOST_MERGES
from services.store import AscendingReader, Database, newest

FIRST_SLICE: Final = 3_600_000 << 20  # one hour, in units of ``order``


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """What a list shows. ``numbers`` non-empty: only contacts of these; ``before``: go on below this ``order``."""

    search: str | None = None
    label: str | None = None
    opted_out: ConsentCategory | None = None
    numbers: frozenset[str] = frozenset()
    before: int | None = None


class ContactRepository:
    """Contacts of one database.

    Every read raises ``Unavailable`` while the database does not answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, contact_id: str, numbers: frozenset[str] = frozenset()) -> Contact | None:
        """One contact by its id; one that has become part of another leads to that.

        ``numbers``: as these know it, and none that they do not know.
        """
        found = await self._database.find_one(CONTACTS, {"_id": contact_id})
        for _ in range(MOST_MERGES):
            if found is None or "merged_into" not in found:
                break
            found = await self._database.find_one(CONTACTS, {"_id": found["merged_into"]})
        is_foreign = bool(numbers) and found is not None and numbers.isdisjoint(found.get("numbers", ()))
        return contact_record(found, numbers) if found and not is_foreign else None

    async def by_keys(self, keys: Sequence[str]) -> list[Contact]:
        """The contacts that have one of these keys, in no promised order."""
        found = await self._database.find(CONTACTS, {"keys": {"$in": list(keys)}}, limit=max(1, len(keys) * 2))
        return [contact_record(document) for document in found]

    async def page(self, wanted: ContactFilter, *, limit: int) -> list[Contact]:
        """Up to ``limit`` contacts that fit, the newest first."""
        query = query_for(wanted)
        below = wanted.before if wanted.before is not None else order_ahead()
        # The words of a search are the narrower index: one look.
        found = await newest(
            self._database,
            CONTACTS,
            query,
            field="order",
            below=below,
            first_slice=below if wanted.search else FIRST_SLICE,
            limit=limit,
        )
        return [contact_record(document, wanted.numbers) for document in found]

    def walk(self, wanted: ContactFilter, *, after: int = 0, page: int = 500) -> AscendingReader:
        """All of them, oldest first, as documents for ``contact_record``."""
        return AscendingReader(self._database, CONTACTS, query_for(wanted), after=after, page=page)


def query_for(wanted: ContactFilter) -> dict[str, Any]:
    """The filter as a query, without the range of ``order``."""
    query: dict[str, Any] = {}
    words = query_of(wanted.search) if wanted.search else []
    if words:
        query["$and"] = words + [one for word in words for one in _known_to(wanted.numbers, "tokens", word["tokens"])]
    if wanted.label is not None and wanted.numbers:
        query["$and"] = query.get("$and", []) + _known_to(wanted.numbers, "labels", wanted.label)
    elif wanted.label is not None:
        query["labels"] = wanted.label
    if wanted.opted_out is not None:
        query["opted_out"] = wanted.opted_out.value
    if wanted.numbers:
        query["numbers"] = {"$in": sorted(wanted.numbers)}
    return query


def _known_to(numbers: frozenset[str], field: str, condition: Any) -> list[dict[str, Any]]:
    """Nobody is found by a word or label that another number knows: only by what these numbers know.

    A contact of an older version has no profiles: all of it is its number's, if it has one.
    """
    if not numbers:
        return []
    own = [{f"profiles.{number}.{field}": condition} for number in sorted(numbers)]
    older = [{field: condition, "profiles": None, "numbers": [number]} for number in sorted(numbers)]
    return [{"$or": [*own, *older]}]
