"""Facts about contacts. Each function changes what the owner knows and answers what is to be recorded.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from config.ids import new_id, new_order
from services.contacts.consents import ConsentBook
from services.contacts.identity import Identity
from services.contacts.ledger import ContactLedger, Known, owns
from services.contacts.records import ConsentCategory, ConsentStatus
from services.store import Fact

_OTHER: Final = {ConsentStatus.OUT: "contact.opted_out", ConsentStatus.IN: "contact.opted_in"}


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

    def __init__(self, ledger: ContactLedger, consents: ConsentBook) -> None:
        """No input or output."""
        self._ledger = ledger
        self._consents = consents

    async def load(self, keys: Sequence[str]) -> None:
        """Know these contacts and all consents. Raises ``Unavailable``."""
        await self._consents.load()
        await self._ledger.load(keys)

    async def load_id(self, contact_id: str) -> Known | None:
        """The same for one contact by its id; None: there is none."""
        await self._consents.load()
        return await self._ledger.load_id(contact_id)

    def known(self, identity: Identity) -> Known | None:
        """The contact of this person, the one with the phone number first."""
        return next(iter(self._ledger.of(identity)), None)

    def save(self, identity: Identity, number: str, patch: Patch, *, source: str) -> tuple[Known, Entry | None]:
        """Make or change the contact of this person. None: there is nothing new."""
        people = self._ledger.of(identity)
        known = people[0] if people else None
        is_new = known is None
        if known is None:
            known = Known(new_id("con"), identity.key, None, None)
        changed = _identify(known, identity, people)
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
        if "user_id" in changed or "wa_id" in changed:
            self._consents.note(known.keys, known.opted_out)
        return known, Entry(is_new, _data(known, attributes, removed, is_new=is_new, changed=changed, source=source))

    def decide(self, identity: Identity, number: str, decision: Decision, now: datetime) -> list[Fact]:
        """Record a decision for every contact of this person. Nothing when it is known already."""
        return [fact for known in self._ledger.of(identity) for fact in self.decide_for(known, number, decision, now)]

    def decide_for(self, known: Known, number: str, decision: Decision, now: datetime) -> list[Fact]:
        """Record a decision for one contact."""
        consent = dict(known.consent)
        consent[decision.category] = decision.status
        if decision.status is ConsentStatus.IN and decision.category is ConsentCategory.ALL:
            consent[ConsentCategory.MARKETING] = ConsentStatus.IN
        if consent == known.consent:
            return []
        known.consent = consent
        known.opted_out = next(
            (
                category
                for category in (ConsentCategory.ALL, ConsentCategory.MARKETING)
                if consent.get(category) is ConsentStatus.OUT
            ),
            None,
        )
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
        return [Fact(_OTHER[decision.status], number, now, data)]


def _identify(known: Known, identity: Identity, people: Sequence[Known]) -> list[str]:
    """Learn a number or user id that nobody else has."""
    changed = []
    if identity.wa_id and known.wa_id is None and owns(known, people, f"wa:{identity.wa_id}"):
        known.wa_id = identity.wa_id
        changed.append("wa_id")
    if identity.user_id and known.user_id != identity.user_id and owns(known, people, f"user:{identity.user_id}"):
        known.user_id = identity.user_id
        changed.append("user_id")
    known.key = Identity(known.wa_id, known.user_id).key
    return changed


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
