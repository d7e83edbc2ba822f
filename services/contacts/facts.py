"""Facts about contacts. Each function changes what the owner knows and answers what is to be recorded.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

from config.ids import new_id, new_order
from services.contacts.consents import ConsentBook
from services.contacts.documents import consent_document
from services.contacts.identity import Identity, identity_of_key
from services.contacts.ledger import ContactLedger, Known
from services.contacts.records import ConsentCategory, ConsentStatus
from services.contacts.requests import MAX_ATTRIBUTES, MAX_LABELS
from services.conversations import holders_of, keys_of, surplus
from services.store import Fact

MAX_HISTORIES: Final = 1_000

_OTHER: Final = {ConsentStatus.OUT: "contact.opted_out", ConsentStatus.IN: "contact.opted_in"}


class Aliases(Protocol):
    """Under which addresses people have conversations."""

    async def load_keys(self, keys: Sequence[str]) -> None:
        """Know these. Raises ``Unavailable``."""
        ...

    def aliases_of(self, key: str) -> tuple[str, ...]:
        """Every address of whoever has this one; empty when nobody is known to have it."""
        ...


@dataclass(frozen=True, slots=True)
class Patch:
    """What to change of a profile: names by field (None takes a name away), labels, attributes to set or to remove."""

    names: Mapping[str, str | None] = field(default_factory=dict)
    labels: Sequence[str] | None = None
    added_labels: Sequence[str] = ()
    removed_labels: Sequence[str] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    removed_attributes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about being written to, with source and proof."""

    category: ConsentCategory
    status: ConsentStatus
    at: datetime
    source: str
    proof: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One profile that is new or has changed: the data of its event."""

    is_new: bool
    data: dict[str, Any]

    def fact(self, number: str, at: datetime) -> Fact:
        """The fact by itself."""
        return Fact("contact.created" if self.is_new else "contact.updated", number, at, self.data)


class ContactRegister:
    """Turns what was learned into entries and facts. ``load`` the keys first: everything here is memory."""

    def __init__(self, ledger: ContactLedger, consents: ConsentBook, aliases: Aliases | None = None) -> None:
        """No input or output. ``aliases`` know addresses of people who are no contacts yet."""
        self._ledger = ledger
        self._consents = consents
        self._aliases = aliases
        self._histories: dict[str, list[Mapping[str, Any]]] = {}

    async def load(self, keys: Sequence[str]) -> None:
        """Know these contacts and all consents. Raises ``Unavailable``."""
        await self.load_people([identity_of_key(key) for key in keys])

    async def load_people(self, identities: Sequence[Identity]) -> None:
        """The same for people of whom several addresses are known. Raises ``Unavailable``."""
        await self._consents.load()
        await self._ledger.load([key for identity in identities for key in identity.keys])
        if self._aliases is not None:
            # Who has one address alone, and is no contact, may have been seen with another one.
            alone = [one.key for one in identities if len(one.keys) == 1 and self._ledger.by_key(one.key) is None]
            if alone:
                await self._aliases.load_keys(alone)
                await self._ledger.load([alias for key in alone for alias in self._aliases.aliases_of(key)])
        for identity in identities:
            people = self._ledger.of(self._whole(identity))
            for known in people if len(people) > 1 else ():
                if len(self._histories) > MAX_HISTORIES:
                    self._histories.clear()
                self._histories[known.id] = await self._ledger.history_of(known.id)

    async def load_id(self, contact_id: str) -> Known | None:
        """The same for one contact by its id; None: there is none."""
        await self._consents.load()
        return await self._ledger.load_id(contact_id)

    def known(self, identity: Identity) -> Known | None:
        """The contact of this person, the one with the phone number first."""
        return next(iter(self._ledger.of(self._whole(identity))), None)

    def _whole(self, identity: Identity) -> Identity:
        """With the addresses under which the person has conversations."""
        if self._aliases is None or len(identity.keys) > 1 or self._ledger.by_key(identity.key) is not None:
            return identity
        return replace(identity, former=self._aliases.aliases_of(identity.key))

    def join(self, identity: Identity, number: str, now: datetime) -> list[Fact]:
        """These addresses were seen together: their contacts become one, and addresses that were others' pass on."""
        people, lost = holders_of(identity, self._ledger.by_key)
        facts = []
        for known, key in lost:
            self._ledger.give_up(known, key)
            if known.wa_id is not None and key == f"wa:{known.wa_id}":
                known.wa_id = None
            known.key = Identity(known.wa_id, known.user_id).key
            self._consents.note([key], None)
            changed = ["addresses", "wa_id"]
            data = _data(known, {}, [], is_new=False, changed=changed, source="message")
            facts.append(Fact("contact.updated", number, now, data))
        if len(people) > 1:
            into = min(people, key=lambda known: known.id)
            facts += [self._absorb(into, known, number, now) for known in people if known is not into]
        return facts

    def _absorb(self, into: Known, known: Known, number: str, now: datetime) -> Fact:
        """One contact becomes part of another. What either refused to get stays refused."""
        into.wa_id, into.user_id = into.wa_id or known.wa_id, into.user_id or known.user_id
        into.keys = tuple(dict.fromkeys((*into.keys, *known.keys)))
        into.key = Identity(into.wa_id, into.user_id).key
        for name in ("name", "profile_name", "username"):
            setattr(into, name, getattr(into, name) or getattr(known, name))
        into.labels = tuple(dict.fromkeys((*into.labels, *known.labels)))[:MAX_LABELS]
        into.numbers |= known.numbers | {number}
        free = MAX_ATTRIBUTES - len(into.attributes.keys())
        new = [name for name in known.attributes if name not in into.attributes][: max(free, 0)]
        into.attributes = {**{name: known.attributes[name] for name in new}, **into.attributes}
        for category, status in known.consent.items():
            if category not in into.consent or status is ConsentStatus.OUT is not into.consent[category]:
                into.consent[category] = status
                into.entries[category] = known.entries[category]
        into.opted_out = opted_out_by(into.consent)
        self._ledger.merge(into, known)
        self._give_up_surplus(into)
        self._ledger.hold(into)
        self._consents.note(into.keys, into.opted_out)
        data = {
            **_data(into, into.attributes, [], is_new=False, changed=["addresses"], source="message"),
            "merged_id": known.id,
            "phone_number_ids": sorted(into.numbers),
            "consent": {category.value: dict(entry) for category, entry in into.entries.items()},
            "consent_history": self._histories.pop(known.id, []),
            "opted_out": into.opted_out.value if into.opted_out else None,
            "consent_order": new_order(),
        }
        return Fact("contact.merged", number, now, data)

    def save(self, identity: Identity, number: str, patch: Patch, *, source: str) -> tuple[Known, Entry | None]:
        """Make or change the contact of this person. None: there is nothing new."""
        identity = self._whole(identity)
        people = self._ledger.of(identity)
        known = people[0] if people else None
        is_new = known is None
        if known is None:
            known = Known(new_id("con"), identity.key, None, None)
        changed = self._identify(known, identity)
        changed += _rename(known, patch)
        if number not in known.numbers:
            known.numbers |= {number}
            changed.append("phone_number_ids")
        attributes = {name: value for name, value in patch.attributes.items() if known.attributes.get(name) != value}
        removed = [name for name in patch.removed_attributes if name in known.attributes]
        if attributes or removed:
            kept = {name: value for name, value in known.attributes.items() if name not in removed}
            known.attributes = {**kept, **attributes}
            changed.append("attributes")
        if not changed and not is_new:
            return known, None
        self._ledger.hold(known)
        if "addresses" in changed:
            self._consents.note(known.keys, known.opted_out)
        return known, Entry(is_new, _data(known, attributes, removed, is_new=is_new, changed=changed, source=source))

    def decide(self, identity: Identity, number: str, decision: Decision, now: datetime) -> list[Fact]:
        """Record a decision for every contact of this person. Nothing when it is known already."""
        people = self._ledger.of(self._whole(identity))
        return [fact for known in people for fact in self.decide_for(known, number, decision, now)]

    def decide_for(self, known: Known, number: str, decision: Decision, now: datetime) -> list[Fact]:
        """Record a decision for one contact."""
        consent = dict(known.consent)
        consent[decision.category] = decision.status
        if decision.status is ConsentStatus.IN and decision.category is ConsentCategory.ALL:
            consent[ConsentCategory.MARKETING] = ConsentStatus.IN
        if consent == known.consent:
            return []
        decided = [category for category, status in consent.items() if known.consent.get(category) is not status]
        known.consent = consent
        known.opted_out = opted_out_by(consent)
        self._consents.note(known.keys, known.opted_out)
        data = {
            "contact_id": known.id,
            "key": known.key,
            "wa_id": known.wa_id,
            "user_id": known.user_id,
            "category": decision.category.value,
            "status": decision.status.value,
            "source": decision.source,
            "proof": dict(decision.proof),
            "decided_at": decision.at,
            "opted_out": known.opted_out.value if known.opted_out else None,
            "order": new_order(),
        }
        known.entries |= dict.fromkeys(decided, consent_document(data))
        return [Fact(_OTHER[decision.status], number, now, data)]

    def _identify(self, known: Known, identity: Identity) -> list[str]:
        """Learn addresses that nobody else has. Those in use change when the person is known to be there now."""
        changed = []
        free = [key for key in identity.keys if self._ledger.by_key(key) in (None, known)]
        keys = tuple(dict.fromkeys((*known.keys, *free)))
        if keys != known.keys:
            known.keys = keys
            changed.append("addresses")
        is_late = identity.seen_at is not None and known.moved_at is not None and identity.seen_at < known.moved_at
        for name, kind in (("wa_id", "wa"), ("user_id", "user")):
            now, seen = getattr(known, name), getattr(identity, name)
            addresses = [key.partition(":")[2] for key in free if key.startswith(f"{kind}:")]
            if seen in addresses and seen != now and (now is None or (identity.is_current and not is_late)):
                setattr(known, name, seen)
                changed.append(name)
                known.moved_at = identity.seen_at if now is not None else known.moved_at
            elif now is None and addresses:
                setattr(known, name, addresses[0])
                changed.append(name)
        known.key = Identity(known.wa_id, known.user_id).key
        self._give_up_surplus(known)
        return changed

    def _give_up_surplus(self, known: Known) -> None:
        """Who had many addresses keeps the newest, and those in use."""
        in_use = keys_of(known.wa_id, known.user_id)
        for key in surplus(known.keys, in_use):
            self._ledger.give_up(known, key)


def opted_out_by(consent: Mapping[ConsentCategory, ConsentStatus]) -> ConsentCategory | None:
    """What these decisions stop: everything before marketing."""
    categories = (ConsentCategory.ALL, ConsentCategory.MARKETING)
    return next((category for category in categories if consent.get(category) is ConsentStatus.OUT), None)


def _rename(known: Known, patch: Patch) -> list[str]:
    changed = []
    for name, value in patch.names.items():
        if getattr(known, name) != value:
            setattr(known, name, value)
            changed.append(name)
    labels = known.labels if patch.labels is None else tuple(patch.labels)
    labels = tuple(dict.fromkeys((*labels, *patch.added_labels)))
    labels = tuple(label for label in labels if label not in patch.removed_labels)
    if labels != known.labels:
        known.labels = labels
        changed.append("labels")
    return changed


def _data(
    known: Known,
    attributes: Mapping[str, Any],
    removed: Sequence[str],
    *,
    is_new: bool,
    changed: Sequence[str],
    source: str,
) -> dict[str, Any]:
    return {
        "contact_id": known.id,
        "key": known.key,
        "addresses": list(known.keys),
        **({} if known.moved_at is None else {"moved_at": known.moved_at}),
        "wa_id": known.wa_id,
        "user_id": known.user_id,
        "name": known.name,
        "profile_name": known.profile_name,
        "username": known.username,
        "labels": list(known.labels),
        "attributes": dict(attributes),
        "removed_attributes": list(removed),
        "changed": list(changed),
        "source": source,
        "order": new_order() if is_new else None,
    }
