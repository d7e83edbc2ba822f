"""What the owner knows of contacts: as of the last fact it recorded, applied or not.

Process: whatsapp.

Only the owner makes contacts, so what it holds is the truth; the database is read for those that it does not hold.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.contacts.documents import CONTACTS, category_of
from services.contacts.identity import Identity
from services.contacts.profiles import Profile, profiles_of
from services.contacts.records import ConsentCategory, ConsentStatus
from services.conversations import holders_of
from services.store import Database, ReadGate

MAX_HELD: Final = 20_000
MOST_MERGES: Final = 10
_FIELDS: Final = ("key", "wa_id", "user_id", "name", "profile_name", "username", "labels", "numbers", "opted_out")
_PARTS: Final = ("keys", "attributes", "consent", "consent_at", "profiles", "merged_into", "moved_at", "order")
PROJECTION: Final = dict.fromkeys((*_FIELDS, *_PARTS), 1)


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
    keys: tuple[str, ...] = ()
    """Every address under which this contact may come: those in use, and those that they had before."""
    moved_at: datetime | None = None
    """When they came to the addresses in use, if they moved."""
    entries: dict[ConsentCategory, Mapping[str, Any]] = field(default_factory=dict)
    """The decisions behind ``consent``, as they are stored."""
    profiles: dict[str, Profile] = field(default_factory=dict)
    """What each of our numbers knows of it."""
    decided_at: dict[str, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Decisions that hold for single numbers, as they are stored: by number and category."""
    is_idle: bool = False
    """Nobody has asked for it since retention came by."""


class ContactState:
    """Known contacts by key and id, the least recently used forgotten first, far later than the event writer writes
    them.
    """

    def __init__(self, database: Database) -> None:
        """Empty."""
        self._database = database
        self._held: OrderedDict[str, Known] = OrderedDict()
        self._id_of_key: dict[str, str] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()
        self._merged: dict[str, str] = {}
        self._gate = ReadGate()

    async def load(self, keys: Iterable[str]) -> None:
        """Read those that are neither held nor known to be absent, in one round trip. Raises ``Unavailable``."""
        async with self._gate.reading():
            await self._load(keys)

    async def _load(self, keys: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(keys))
        for key in wanted:
            if key in self._id_of_key:
                self._held[self._id_of_key[key]].is_idle = False
        missing = [key for key in wanted if key not in self._id_of_key and key not in self._absent]
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
        async with self._gate.reading():
            return await self._load_id(contact_id)

    async def _load_id(self, contact_id: str) -> Known | None:
        for _ in range(MOST_MERGES):
            contact_id = self._merged.get(contact_id, contact_id)
            if contact_id in self._held:
                break
            document = await self._database.find_one(CONTACTS, {"_id": contact_id}, PROJECTION)
            if document is None:
                return None
            if "merged_into" in document:
                contact_id = document["merged_into"]
            else:
                self._take(document)
        known = self._held.get(contact_id)
        if known is not None:
            known.is_idle = False
        return known

    def closed(self) -> AbstractAsyncContextManager[None]:
        """Nothing is read from the database meanwhile: who is not held then is held by nobody."""
        return self._gate.closed()

    def retire(self, ids: Iterable[str]) -> list[str]:
        """Of these contacts those that are not held. One that was not asked for since it was named here before is let
        go; the rest is asked about again at the next pass."""
        free = []
        for id_ in ids:
            known = self._held.get(id_)
            if known is not None and not known.is_idle:
                known.is_idle = True
                continue
            free.append(id_)
            if known is not None:
                del self._held[id_]
                self._let_go(known)
        return free

    async def history_of(self, contact_id: str) -> list[Mapping[str, Any]]:
        """The decisions of a contact as they are stored, oldest first. Raises ``Unavailable``."""
        document = await self._database.find_one(CONTACTS, {"_id": contact_id}, {"consent_history": 1})
        return list((document or {}).get("consent_history", ()))

    def by_key(self, key: str) -> Known | None:
        """The contact with this address, from memory alone."""
        contact_id = self._id_of_key.get(key)
        if contact_id is None:
            return None
        self._held.move_to_end(contact_id)
        return self._held[contact_id]

    def aliases_of(self, key: str) -> tuple[str, ...]:
        """Every address of the person who has this one, from memory alone."""
        contact_id = self._id_of_key.get(key)
        return self._held[contact_id].keys if contact_id is not None else ()

    def of(self, identity: Identity) -> list[Known]:
        """The contacts of this person, from memory alone: none, one, or more until seen together."""
        return holders_of(identity, self.by_key)[0]

    def give_up(self, known: Known, key: str) -> None:
        """An address that somebody else has now."""
        known.keys = tuple(one for one in known.keys if one != key)
        for profile in known.profiles.values():
            profile.keys = tuple(one for one in profile.keys if one != key)
        if self._id_of_key.get(key) == known.id:
            del self._id_of_key[key]

    def merge(self, into: Known, absorbed: Known) -> None:
        """Two contacts are one: the id of the one that went leads to the other."""
        self._held.pop(absorbed.id, None)
        self._merged |= {old: into.id for old, new in self._merged.items() if new == absorbed.id}
        self._merged[absorbed.id] = into.id
        for key in absorbed.keys:
            self._id_of_key[key] = into.id

    def hold(self, known: Known) -> None:
        """Remember a contact, and every key that nobody else has."""
        self._held[known.id] = known
        for key in known.keys:
            self._id_of_key.setdefault(key, known.id)
            self._absent.pop(key, None)
        while len(self._held) > MAX_HELD:
            _, forgotten = self._held.popitem(last=False)
            self._let_go(forgotten)

    def _let_go(self, forgotten: Known) -> None:
        for key in forgotten.keys:
            if self._id_of_key.get(key) == forgotten.id:
                del self._id_of_key[key]

    def _take(self, document: Mapping[str, Any]) -> None:
        if document["_id"] in self._held or document["_id"] in self._merged:
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
            opted_out=category_of(opted_out),
            consent={
                ConsentCategory(category): ConsentStatus(entry["status"])
                for category, entry in (document.get("consent") or {}).items()
            },
            keys=tuple(document.get("keys", ())),
            moved_at=document.get("moved_at"),
            profiles=profiles_of(document),
            decided_at={number: dict(decided) for number, decided in (document.get("consent_at") or {}).items()},
            entries={ConsentCategory(category): entry for category, entry in (document.get("consent") or {}).items()},
        )
        self.hold(known)
