"""Which conversation belongs to this contact? Known ones from memory or the database, new ones are opened.

Process: whatsapp.

A contact has one conversation with a number of ours, under every address by which it is known there. Addresses come
together when WhatsApp names them together; two conversations that turn out to be with one person become one.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from config.ids import new_id
from services.conversations.addresses import holders_of, keys_of, surplus
from services.store import Database, Document, Fact, ReadGate

CONVERSATIONS = "conversations"
MAX_KNOWN = 50_000
MAX_INITIATED = 100_000

_FIELDS: Final = ("contact_key", "pair", "wa_id", "user_id", "moved_at", "last_inbound_at", "pair_tat")
_MERGED: Final = (
    *("name", "assignee", "status", "last_inbound_at", "last_outbound_at", "initiated_at", "preview"),
    "text_tokens",
)
"""What a conversation brings along when it becomes part of another, under the names that its document has."""


@dataclass(frozen=True, slots=True)
class ContactRef:
    """A contact as one of our numbers sees it: a phone (``wa_id``), a business-scoped ``user_id``, or both.

    ``former`` are further keys of the same person. ``is_current``: they write from these addresses, or have moved to
    them; otherwise one of them may be an old one. ``seen_at``: what comes late does not move anybody back.
    """

    phone_number_id: str
    wa_id: str | None
    user_id: str | None = None
    name: str | None = None
    former: tuple[str, ...] = ()
    is_current: bool = False
    seen_at: datetime | None = None
    group_id: str | None = None

    @classmethod
    def at(cls, phone_number_id: str, to: str | None, kind: str) -> "ContactRef":
        """Whom a message is for: ``kind`` says what its ``to`` is, ``wa_id``, ``user_id`` or ``group``."""
        if kind == "group":
            return cls(phone_number_id, None, group_id=to)
        return cls(phone_number_id, None, to) if kind == "user_id" else cls(phone_number_id, to)

    @property
    def key(self) -> str:
        """What identifies the contact towards our number."""
        return self.keys[0]

    @property
    def keys(self) -> tuple[str, ...]:
        """Every address. What is said in a group has nothing to do with what its members say in private."""
        if self.group_id is not None:
            return (f"group:{self.group_id}",)
        return keys_of(self.wa_id, self.user_id, self.former)


@dataclass(slots=True)
class Standing:
    """What the owner knows of a conversation: when the customer last wrote, and how full its pair bucket is.

    ``key`` is the address with which it began: lanes and limits know it by that. ``keys`` are all of them.
    """

    conversation_id: str
    last_inbound_at: datetime | None = None
    pair_tat: float | None = None
    key: str = ""
    keys: set[str] = field(default_factory=set)
    wa_id: str | None = None
    user_id: str | None = None
    moved_at: datetime | None = None
    is_idle: bool = False
    """Nobody has asked for it since retention came by."""


def pair_of(number: str, key: str) -> str:
    """A number and a contact key as an entry of the one indexed field that identifies a conversation."""
    return f"{number}:{key}"


Place = tuple[str, str]
"""A number and a contact key."""


class Aliases(Protocol):
    """Who else knows under which addresses people come."""

    async def load(self, keys: Iterable[str]) -> None:
        """Know these."""
        ...

    def aliases_of(self, key: str) -> tuple[str, ...]:
        """Every address of the person who has this one; empty when nobody is known to have it."""
        ...


class Merger(Protocol):
    """Something that keeps data by conversation."""

    def __call__(self, number: str, *, into: Standing, absorbed: Standing) -> None:
        """Two conversations of this number are one from now on."""
        ...


class ConversationState:
    """Standings by (number, contact). Only the owner opens conversations, so its memory is the truth."""

    def __init__(self, database: Database, *, numbers: Sequence[str] = (), aliases: Aliases | None = None) -> None:
        """Empty. ``numbers`` are those that are operated here; ``aliases`` are asked when somebody is new."""
        self._database = database
        self._numbers = tuple(numbers)
        self._aliases = aliases
        self._known: OrderedDict[Place, Standing] = OrderedDict()
        self._to_merge: dict[str, Document] = {}
        self._gate = ReadGate()
        self.mergers: list[Merger] = []

    def standing(self, number: str, key: str) -> Standing | None:
        """What is known of this pair, from memory alone; ``ensure`` brings it there."""
        return self._known.get((number, key))

    def key_of(self, number: str, key: str) -> str:
        """The key by which lanes and limits know this contact, from memory alone."""
        standing = self._known.get((number, key))
        return standing.key if standing is not None else key

    def knows(self, contact: ContactRef) -> bool:
        """Are these addresses known as those of one conversation?"""
        standing = self._known.get((contact.phone_number_id, contact.key))
        return standing is not None and standing.keys.issuperset(contact.keys)

    async def ensure(self, contacts: Sequence[ContactRef], now: datetime) -> tuple[dict[Place, Standing], list[Fact]]:
        """The standing of each contact by ``(number, key)``, and the facts that open new conversations.

        Record the facts before waiting for anything else: the directory counts on them.
        """
        await self.load(contacts)
        return self.open(contacts, now)

    async def load(self, contacts: Sequence[ContactRef]) -> None:
        """Read what the database knows of these contacts; nothing is opened. Raises ``Unavailable``."""
        wanted = dict.fromkeys((contact.phone_number_id, key) for contact in contacts for key in contact.keys)
        unknown = await self._read(wanted)
        if unknown and self._aliases is not None:
            await self._aliases.load([key for _, key in unknown])
            aliases = [(number, alias) for number, key in unknown for alias in self._aliases.aliases_of(key)]
            await self._read(dict.fromkeys(aliases))
        await self._read_whole(contacts)

    async def initiated(self, number: str, *, since: datetime) -> list[tuple[str, datetime]]:
        """Contacts that the daily limit counted after ``since``, oldest first, with when. Raises ``Unavailable``."""
        found = await self._database.find(
            CONVERSATIONS,
            {"number": number, "initiated_at": {"$gt": since}},
            projection={"contact_key": 1, "initiated_at": 1},
            sort=[("initiated_at", -1)],
            limit=MAX_INITIATED,
        )
        return [(document["contact_key"], document["initiated_at"]) for document in reversed(found)]

    def open(self, contacts: Sequence[ContactRef], now: datetime) -> tuple[dict[Place, Standing], list[Fact]]:
        """``ensure`` for contacts that were loaded just now: what is not known yet is new."""
        facts = [fact for contact in contacts for fact in self._meet(contact, now, opens=True)]
        answer = {place: self._known[place] for contact in contacts for place in [_place(contact)]}
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return answer, facts

    def link(self, contact: ContactRef, now: datetime) -> list[Fact]:
        """These addresses, loaded just now, are one person's: the facts that say so. No conversation is opened."""
        return self._meet(contact, now, opens=False)

    async def load_keys(self, keys: Sequence[str]) -> None:
        """Know under which addresses these people have conversations, with any number. Raises ``Unavailable``."""
        await self._read(dict.fromkeys((number, key) for number in self._numbers for key in keys))

    def aliases_of(self, key: str) -> tuple[str, ...]:
        """Every address of the person who has this one, as their conversations know it."""
        standings = [standing for number in self._numbers if (standing := self._known.get((number, key))) is not None]
        return tuple(dict.fromkeys(key for standing in standings for key in sorted(standing.keys)))

    # --- forgetting

    def closed(self) -> AbstractAsyncContextManager[None]:
        """Nothing is read from the database meanwhile: who is not known then is known to nobody."""
        return self._gate.closed()

    def retire(self, ids: Iterable[str]) -> list[str]:
        """Of these conversations those that are not known here. What nobody asked for since it was named here before
        is forgotten; the rest is asked about again at the next pass."""
        held = {standing.conversation_id: (number, standing) for (number, _), standing in self._known.items()}
        free = []
        for id_ in ids:
            number, standing = held.get(id_, ("", None))
            if standing is not None and not standing.is_idle:
                standing.is_idle = True
                continue
            free.append(id_)
            for key in standing.keys if standing is not None else ():
                if self._known.get((number, key)) is standing:
                    del self._known[number, key]
        return free

    # --- reading

    async def _read(self, places: Mapping[Place, None]) -> list[Place]:
        """Take up what the database has; answer which places nobody has."""
        async with self._gate.reading():
            return await self._read_now(places)

    async def _read_now(self, places: Mapping[Place, None]) -> list[Place]:
        missing: dict[str, list[str]] = {}
        for place in places:
            if place in self._known:
                self._known[place].is_idle = False
                self._known.move_to_end(place)
            else:
                missing.setdefault(place[0], []).append(place[1])
        for number, keys in missing.items():
            found = await self._database.find(
                CONVERSATIONS,
                {"pair": {"$in": [pair_of(number, key) for key in keys]}},
                projection=dict.fromkeys(_FIELDS, 1),
                limit=len(keys),
            )
            for document in found:
                self._take(number, document)
        return [(number, key) for number, keys in missing.items() for key in keys if (number, key) not in self._known]

    def _take(self, number: str, document: Mapping[str, Any]) -> None:
        """Another task may have been here while this one was reading: what it knows is newer."""
        pairs = document.get("pair") or []
        keys = [pair[len(number) + 1 :] for pair in ([pairs] if isinstance(pairs, str) else pairs)]
        held = (self._known.get((number, key)) for key in keys)
        standing = next((one for one in held if one is not None and one.conversation_id == document["_id"]), None)
        if standing is None:
            standing = Standing(
                document["_id"],
                document.get("last_inbound_at"),
                document.get("pair_tat"),
                key=document["contact_key"],
                keys=set(keys),
                wa_id=document.get("wa_id"),
                user_id=document.get("user_id"),
                moved_at=document.get("moved_at"),
            )
        for key in keys:
            self._known.setdefault((number, key), standing)

    async def _read_whole(self, contacts: Sequence[ContactRef]) -> None:
        """Conversations that are about to become one bring along what they are, not only who."""
        ids = []
        for contact in contacts:
            if not self.knows(contact):
                holders, _ = self._holders(contact)
                ids += [holder.conversation_id for holder in holders] if len(holders) > 1 else []
        if ids:
            found = await self._database.find(CONVERSATIONS, {"_id": {"$in": ids}}, limit=len(ids))
            self._to_merge |= {document["_id"]: document for document in found}

    # --- memory

    def _holders(self, contact: ContactRef) -> tuple[list[Standing], list[tuple[Standing, str]]]:
        find: Callable[[str], Standing | None] = partial(self.standing, contact.phone_number_id)
        return holders_of(self._with_aliases(contact), find)

    def _with_aliases(self, contact: ContactRef) -> ContactRef:
        if self._aliases is None:
            return contact
        aliases = tuple(alias for key in contact.keys for alias in self._aliases.aliases_of(key))
        return replace(contact, former=(*contact.former, *aliases)) if aliases else contact

    def _meet(self, contact: ContactRef, now: datetime, *, opens: bool) -> list[Fact]:
        number = contact.phone_number_id
        known = self._known.get((number, contact.key))
        if known is not None and known.keys.issuperset(contact.keys) and not _has_moved(known, contact):
            return []
        holders, lost = self._holders(contact)
        facts = [self._take_away(number, holder, key, now) for holder, key in lost]
        if not holders and not opens:
            return facts
        whole = self._with_aliases(contact)
        if not holders:
            # A number that somebody else had is no name for this conversation: lanes would take the two for one.
            taken = {key for _, key in lost}
            began = next((key for key in whole.keys if key not in taken), contact.key)
            standing = Standing(new_id("cnv"), key=began)
        else:
            standing = min(holders, key=lambda holder: holder.conversation_id)
        for holder in holders:
            if holder is not standing:
                facts.append(self._absorb(number, standing, holder, now))
        is_more = not standing.keys.issuperset(whole.keys)
        standing.keys.update(whole.keys)
        for key in surplus(sorted(standing.keys), {standing.key, *contact.keys}):
            standing.keys.discard(key)
            self._known.pop((number, key), None)
        for key in standing.keys:
            self._known[number, key] = standing
        has_moved = _has_moved(standing, contact)
        if has_moved or standing.wa_id is None:
            standing.wa_id = contact.wa_id or standing.wa_id
        if has_moved or standing.user_id is None:
            standing.user_id = contact.user_id or standing.user_id
        if has_moved:
            standing.moved_at = contact.seen_at
        if not holders:
            return [*facts, _opened(number, standing, contact.name, now)]
        return [*facts, _linked(number, standing, now)] if is_more or has_moved else facts

    def _take_away(self, number: str, holder: Standing, key: str, now: datetime) -> Fact:
        holder.keys.discard(key)
        self._known.pop((number, key), None)
        if holder.wa_id is not None and key == f"wa:{holder.wa_id}":
            holder.wa_id = None
        return _linked(number, holder, now)

    def _absorb(self, number: str, standing: Standing, absorbed: Standing, now: datetime) -> Fact:
        for merge in self.mergers:
            merge(number, into=standing, absorbed=absorbed)
        standing.keys |= absorbed.keys
        standing.wa_id = standing.wa_id or absorbed.wa_id
        standing.user_id = standing.user_id or absorbed.user_id
        times = [at for at in (standing.last_inbound_at, absorbed.last_inbound_at) if at is not None]
        standing.last_inbound_at = max(times, default=None)
        tats = [tat for tat in (standing.pair_tat, absorbed.pair_tat) if tat is not None]
        standing.pair_tat = max(tats, default=None)
        document = self._to_merge.pop(absorbed.conversation_id, {})
        data = {
            **_addresses(standing),
            "merged_id": absorbed.conversation_id,
            "unread_count": int(document.get("unread", 0)),
            "labels": list(document.get("labels", ())),
            "activity": int(document.get("activity", 0)),
            **{name: document[name] for name in _MERGED if document.get(name) is not None},
        }
        if absorbed.last_inbound_at is not None:
            data["last_inbound_at"] = absorbed.last_inbound_at
        return Fact("conversation.merged", number, now, data, standing.conversation_id)


def _place(contact: ContactRef) -> Place:
    return contact.phone_number_id, contact.key


def _has_moved(standing: Standing, contact: ContactRef) -> bool:
    if not contact.is_current:
        return False
    if contact.seen_at is not None and standing.moved_at is not None and contact.seen_at < standing.moved_at:
        return False
    return (contact.wa_id or standing.wa_id, contact.user_id or standing.user_id) != (
        standing.wa_id,
        standing.user_id,
    )


def _addresses(standing: Standing) -> dict[str, Any]:
    return {
        "conversation_id": standing.conversation_id,
        "contact_keys": sorted(standing.keys),
        "wa_id": standing.wa_id,
        "user_id": standing.user_id,
        **({} if standing.moved_at is None else {"moved_at": standing.moved_at}),
    }


def _linked(number: str, standing: Standing, now: datetime) -> Fact:
    return Fact("conversation.linked", number, now, _addresses(standing), standing.conversation_id)


def _opened(number: str, standing: Standing, name: str | None, now: datetime) -> Fact:
    data = {**_addresses(standing), "contact_key": standing.key, "name": name}
    kind, _, group_id = standing.key.partition(":")
    if kind == "group":
        data["group_id"] = group_id
    return Fact("conversation.opened", number, now, data, standing.conversation_id)
