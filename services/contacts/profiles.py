"""What each of our numbers knows of a contact: the part that a key limited to some numbers may see and change.

Process: whatsapp (keeps profiles), worker (shows them).

A contact is one person for the whole installation. Beside what all numbers know together it keeps one profile a
number: the addresses, names, labels and attributes that came through this number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from config.ids import ORDER_REST_BITS, new_order
from services.contacts.requests import MAX_ATTRIBUTES, MAX_LABELS
from services.contacts.search import tokens_of
from services.conversations import keys_of

NAMES: Final = ("name", "profile_name", "username")


@dataclass(slots=True)
class Profile:
    """One number's part of a contact. ``order`` and ``changed_order`` sort by time: when it began, when it changed."""

    keys: tuple[str, ...] = ()
    name: str | None = None
    profile_name: str | None = None
    username: str | None = None
    labels: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    order: int = field(default_factory=new_order)
    changed_order: int = 0

    def address(self, kind: str, current: str | None) -> str | None:
        """The phone number (``wa``) or user id (``user``) that this number knows: ``current`` if it does."""
        known = [key.partition(":")[2] for key in self.keys if key.startswith(f"{kind}:")]
        return current if current in known else known[-1] if known else None


def stored_profile(profile: Profile, wa_id: str | None) -> dict[str, Any]:
    """A profile as it stands in a document; ``wa_id`` is the number that the contact has now."""
    names = {name: getattr(profile, name) for name in NAMES}
    return {
        "keys": list(profile.keys),
        **names,
        "labels": list(profile.labels),
        "attributes": profile.attributes,
        "tokens": tokens_of(names.values(), wa_id=profile.address("wa", wa_id)),
        "order": profile.order,
        "changed_order": profile.changed_order,
    }


def profile_of(document: Mapping[str, Any]) -> Profile:
    """A profile from its stored form."""
    return Profile(
        keys=tuple(document.get("keys", ())),
        name=document.get("name"),
        profile_name=document.get("profile_name"),
        username=document.get("username"),
        labels=tuple(document.get("labels", ())),
        attributes=dict(document.get("attributes") or {}),
        order=int(document.get("order") or 0),
        changed_order=int(document.get("changed_order") or 0),
    )


def profiles_of(document: Mapping[str, Any]) -> dict[str, Profile]:
    """The profiles of a stored contact.

    One that an older version stored has none: if it has one number, all of it is that number's.
    """
    found, numbers = document.get("profiles"), document.get("numbers", ())
    if found is None:
        return {numbers[0]: profile_of(document)} if len(numbers) == 1 else {}
    return {number: profile_of(one) for number, one in found.items()}


def joined(profiles: Sequence[Profile]) -> Profile:
    """Several profiles of one person as one; where they differ, the first decides."""
    result = Profile(order=min(profile.order for profile in profiles))
    result.changed_order = max(profile.changed_order for profile in profiles)
    for profile in profiles:
        result.keys = tuple(dict.fromkeys((*result.keys, *profile.keys)))
        result.labels = tuple(dict.fromkeys((*result.labels, *profile.labels)))[:MAX_LABELS]
        result.attributes = merged_attributes(result.attributes, profile.attributes)
        for name in NAMES:
            setattr(result, name, getattr(result, name) or getattr(profile, name))
    return result


def merged_attributes(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of two who are one person: ``first`` decides where they differ, at most ``MAX_ATTRIBUTES`` stay."""
    free = max(MAX_ATTRIBUTES - len(first), 0)
    new = [name for name in other if name not in first][:free]
    return {**{name: other[name] for name in new}, **first}


def merged_profiles(one: Mapping[str, Profile], other: Mapping[str, Profile]) -> dict[str, Profile]:
    """Two contacts are one person: each number knows what it knew of either, of ``one`` first."""
    return {number: joined([part[number] for part in (one, other) if number in part]) for number in {**one, **other}}


def limited_document(document: Mapping[str, Any], numbers: frozenset[str]) -> dict[str, Any]:
    """A stored contact as these numbers know it, in the same form.

    Where no other number knows the contact, that is all of it. Otherwise it is their profiles, and of the consents
    the decisions that came through them; ``opted_out`` is what holds for them, told to any number: a message would be
    refused for it.
    """
    known = document.get("numbers", ())
    shown = {**document, "numbers": [number for number in known if number in numbers]}
    outs = [document.get("opted_out"), *(out for number, out in outs_at(document).items() if number in numbers)]
    shown["opted_out"] = strictest(outs) or ""
    if len(shown["numbers"]) == len(known):
        return shown
    profiles = [one for number, one in sorted(profiles_of(document).items()) if number in numbers]
    profile = joined(profiles) if profiles else _bare(document)
    # An address that has passed on to somebody else is nobody's here any more.
    profile.keys = tuple(key for key in profile.keys if key in document.get("keys", ())) or profile.keys
    wa_id, user_id = profile.address("wa", document.get("wa_id")), profile.address("user", document.get("user_id"))
    return {
        **shown,
        "key": next(iter(keys_of(wa_id, user_id)), document["key"]),
        "keys": list(profile.keys),
        "wa_id": wa_id,
        "user_id": user_id,
        **{name: getattr(profile, name) for name in NAMES},
        "labels": list(profile.labels),
        "attributes": profile.attributes,
        "created_at": moment_of_order(profile.order),
        "updated_at": moment_of_order(max(profile.order, profile.changed_order)),
        **_own_decisions(document, numbers),
    }


def outs_at(document: Mapping[str, Any]) -> dict[str, str]:
    """What a stored contact is opted out of at single numbers, by number."""
    found = {
        number: strictest([category for category, entry in decided.items() if entry["status"] == "out"])
        for number, decided in (document.get("consent_at") or {}).items()
    }
    return {number: out for number, out in found.items() if out is not None}


def strictest(categories: Sequence[str | None]) -> str | None:
    """Everything before marketing before nothing."""
    return next((category for category in ("all", "marketing") if category in categories), None)


def moment_of_order(order: int) -> datetime:
    """When this ``order`` was drawn; aware UTC."""
    return datetime.fromtimestamp((order >> ORDER_REST_BITS) / 1000, UTC)


def _own_decisions(document: Mapping[str, Any], numbers: frozenset[str]) -> dict[str, Any]:
    history = [entry for entry in document.get("consent_history", ()) if entry.get("number") in numbers]
    whole = document.get("consent") or {}
    latest = {category: entry for category, entry in whole.items() if entry.get("number") in numbers}
    for number, decided in (document.get("consent_at") or {}).items():
        latest |= decided if number in numbers else {}
    return {"consent_history": history, "consent": latest | {entry["category"]: entry for entry in history}}


def _bare(document: Mapping[str, Any]) -> Profile:
    """An older version did not keep which number told what: only how to reach the person."""
    keys = keys_of(document.get("wa_id"), document.get("user_id"))
    return Profile(keys=keys, profile_name=document.get("profile_name"), order=int(document.get("order") or 0))
