"""What the owner knows of contacts: as of the last fact it recorded, applied or not.

Process: whatsapp.

Only the owner makes contacts, so what it holds is the truth; the database is read for those that it does not hold.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.contacts.documents import CONTACTS
from services.contacts.identity import Identity
from services.contacts.records import ConsentCategory, ConsentStatus
from services.store import Database

MAX_HELD: Final = 20_000
_FIELDS: Final = ("key", "wa_id", "user_id", "name", "profile_name", "username", "labels", "numbers", "opted_out")
PROJECTION: Final = dict.fromkeys((*_FIELDS, "keys", "attributes", "consent"), 1)


@dataclass(slots=True)
class Known:
    """The mutable view of one contact: what decisions need, no more."""

    id: str
    key: str
    wa_id: str | None
    user_id: str | None
    name: str | None = None
    profile_name: str | None = None
    username: str | None = None
    labels: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()
    attributes: dict[str, Any] = field(default_factory=dict)
    opted_out: ConsentCategory | None = None
    consent: dict[ConsentCategory, ConsentStatus] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which this contact may come."""
        return Identity(self.wa_id, self.user_id).keys


class ContactLedger:
    """Known contacts by key and id, the least recently used forgotten first, far later than the journal writes them."""

    def __init__(self, database: Database) -> None:
        """Empty."""
        self._database = database
        self._held: OrderedDict[str, Known] = OrderedDict()
        self._id_of_key: dict[str, str] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()

    async def load(self, keys: Iterable[str]) -> None:
        """Read those that are neither held nor known to be absent, in one round trip. Raises ``Unavailable``."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._id_of_key and key not in self._absent]
        if not missing:
            return
        found = await self._database.find(
            CONTACTS, {"keys": {"$in": missing}}, projection=PROJECTION, limit=len(missing) * 2
        )
        for document in found:
            self._take(document)
        for key in missing:
            if key not in self._id_of_key:
                self._absent[key] = None
        while len(self._absent) > MAX_HELD:
            self._absent.popitem(last=False)

    async def load_id(self, contact_id: str) -> Known | None:
        """One contact by its id. Raises ``Unavailable``."""
        if contact_id not in self._held:
            document = await self._database.find_one(CONTACTS, {"_id": contact_id}, PROJECTION)
            if document is None:
                return None
            self._take(document)
        return self._held[contact_id]

    def of(self, identity: Identity) -> list[Known]:
        """The contacts of this person, from memory alone: none, one, or two when number and user id came apart."""
        found: dict[str, Known] = {}
        for key in identity.keys:
            contact_id = self._id_of_key.get(key)
            if contact_id is not None:
                self._held.move_to_end(contact_id)
                found[contact_id] = self._held[contact_id]
        return list(found.values())

    def hold(self, known: Known) -> None:
        """Remember a contact, and every key that nobody else has."""
        self._held[known.id] = known
        for key in known.keys:
            self._id_of_key.setdefault(key, known.id)
            self._absent.pop(key, None)
        while len(self._held) > MAX_HELD:
            _, forgotten = self._held.popitem(last=False)
            for key in forgotten.keys:
                if self._id_of_key.get(key) == forgotten.id:
                    del self._id_of_key[key]

    def _take(self, document: Mapping[str, Any]) -> None:
        if document["_id"] in self._held:
            return  # what is held is newer
        opted_out = document.get("opted_out")
        known = Known(
            id=document["_id"],
            key=document["key"],
            wa_id=document.get("wa_id"),
            user_id=document.get("user_id"),
            name=document.get("name"),
            profile_name=document.get("profile_name"),
            username=document.get("username"),
            labels=tuple(document.get("labels", ())),
            numbers=frozenset(document.get("numbers", ())),
            attributes=dict(document.get("attributes") or {}),
            opted_out=ConsentCategory(opted_out) if opted_out else None,
            consent={
                ConsentCategory(category): ConsentStatus(entry["status"])
                for category, entry in (document.get("consent") or {}).items()
            },
        )
        self.hold(known)


def owns(known: Known, others: Sequence[Known], key: str) -> bool:
    """May this contact take the key: does no other contact of the same person have it?"""
    return all(other is known or key not in other.keys for other in others)
