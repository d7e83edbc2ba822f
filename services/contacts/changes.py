"""What somebody wants to change of a contact, and what that changes: of the whole, and of what one number knows.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from config.ids import new_order
from services.contacts.identity import Identity
from services.contacts.profiles import NAMES, Profile
from services.contacts.records import ConsentCategory, ConsentStatus
from services.contacts.search import tokens_of
from services.contacts.state import Known
from services.store import Fact

MAX_ALL_TOKENS: Final = 48
"""Words by which a contact is found, of all its profiles together."""


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
    """One profile that is new or has changed: the data of its event. ``is_first``: this number did not know it."""

    is_new: bool
    data: dict[str, Any]
    is_first: bool = False

    def fact(self, number: str, at: datetime) -> Fact:
        """The fact by itself."""
        return Fact("contact.created" if self.is_new else "contact.updated", number, at, self.data)


@dataclass(slots=True)
class Change:
    """What was changed of one number's profile (``changed`` names the fields), and of the contact as a whole."""

    changed: list[str] = field(default_factory=list)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    removed: Sequence[str] = ()
    whole_attributes: Mapping[str, Any] = field(default_factory=dict)
    whole_removed: Sequence[str] = ()
    of_whole: list[str] = field(default_factory=list)

    def apply_to_whole(self, known: Known, patch: Patch) -> None:
        """Change what all numbers know together; ``of_whole`` names what changes."""
        self.of_whole += renamed_by(known, patch)
        known.attributes, self.whole_attributes, self.whole_removed = _patched(known.attributes, patch)
        if self.whole_attributes or self.whole_removed:
            self.of_whole.append("attributes")

    def apply_to_profile(
        self, known: Known, profile: Profile, patch: Patch, *, told: Sequence[str], is_first: bool
    ) -> None:
        """Change what one number knows; ``told`` are addresses that it was told."""
        before = _addresses_in(known, profile)
        keys = tuple(dict.fromkeys((*profile.keys, *told)))
        if keys != profile.keys:
            profile.keys = keys
            self.changed.append("addresses")
        after = _addresses_in(known, profile)
        self.changed += [name for name in ("wa_id", "user_id") if before[name] != after[name]]
        self.changed += renamed_by(profile, patch)
        if is_first:
            self.changed.append("phone_number_ids")
        profile.attributes, self.attributes, self.removed = _patched(profile.attributes, patch)
        if self.attributes or self.removed:
            self.changed.append("attributes")
        if self.changed or self.of_whole:
            profile.changed_order = new_order()


def event_data(
    known: Known, number: str, change: Change, *, source: str, is_new: bool = False, is_limited: bool = False
) -> dict[str, Any]:
    """The data of an event in the log of ``number``: what this number knows.

    The rest, which the owner needs to write it down, stands under names that nobody outside sees
    (``services.events.wire``). ``is_limited``: the contact as a whole stays as it is.
    """
    profile = known.profiles[number]
    whole: dict[str, Any] = {
        "key": known.key,
        "addresses": list(known.keys),
        "wa_id": known.wa_id,
        "user_id": known.user_id,
        **{name: getattr(known, name) for name in NAMES},
        "labels": list(known.labels),
        "attributes": dict(change.whole_attributes),
        "removed_attributes": list(change.whole_removed),
    }
    shown: dict[str, Any] = {
        **addresses_at(known, number),
        "addresses": list(profile.keys),
        **{name: getattr(profile, name) for name in NAMES},
        "labels": list(profile.labels),
        "attributes": dict(change.attributes),
        "removed_attributes": list(change.removed),
    }
    is_same = all(shown[name] == value for name, value in whole.items())
    if known.moved_at is not None:
        (shown if is_same and not is_limited else whole)["moved_at"] = known.moved_at
    return {
        "contact_id": known.id,
        **shown,
        "changed": list(change.changed),
        "source": source,
        "order": new_order() if is_new else None,
        "contact_write": {
            "attributes": dict(profile.attributes),
            "order": profile.order,
            "changed_order": profile.changed_order,
            "tokens": _all_tokens(known),
            "whole": None if is_limited else is_same or whole,
        },
    }


def addresses_at(known: Known, number: str) -> dict[str, str | None]:
    """The contact's addresses in use, as this number knows them: key, ``wa_id`` and ``user_id``."""
    profile = known.profiles.get(number)
    if profile is None:
        return {"key": known.key, "wa_id": known.wa_id, "user_id": known.user_id}
    found = _addresses_in(known, profile)
    return {"key": Identity(found["wa_id"], found["user_id"]).key, **found}


def renamed_by(target: Known | Profile, patch: Patch) -> list[str]:
    """Change names and labels; answers the names of the fields that are others now."""
    changed = []
    for name, value in patch.names.items():
        if getattr(target, name) != value:
            setattr(target, name, value)
            changed.append(name)
    labels = target.labels if patch.labels is None else tuple(patch.labels)
    labels = tuple(dict.fromkeys((*labels, *patch.added_labels)))
    labels = tuple(label for label in labels if label not in patch.removed_labels)
    if labels != target.labels:
        target.labels = labels
        changed.append("labels")
    return changed


def _addresses_in(known: Known, profile: Profile) -> dict[str, str | None]:
    return {"wa_id": profile.address("wa", known.wa_id), "user_id": profile.address("user", known.user_id)}


def _patched(held: dict[str, Any], patch: Patch) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Attributes with the patch, those of them that are new or others, and the names of those that went."""
    attributes = {name: value for name, value in patch.attributes.items() if held.get(name) != value}
    removed = [name for name in patch.removed_attributes if name in held]
    if not attributes and not removed:
        return held, {}, []
    kept = {name: value for name, value in held.items() if name not in removed}
    return {**kept, **attributes}, attributes, removed


def _all_tokens(known: Known) -> list[str]:
    found = tokens_of((getattr(known, name) for name in NAMES), wa_id=known.wa_id)
    for profile in known.profiles.values():
        found += tokens_of((getattr(profile, name) for name in NAMES), wa_id=profile.address("wa", known.wa_id))
    return list(dict.fromkeys(found))[:MAX_ALL_TOKENS]
