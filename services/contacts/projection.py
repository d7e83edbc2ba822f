"""From a numbered event to the guarded writes on contacts. Deterministic, so that a new owner can repeat it.

Process: whatsapp.

A contact spans our numbers, and each number counts its events by itself: so the guard is one field a number. A
decision about consent has an ``order`` of its own as well, because two numbers may be told opposite things.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.contacts.documents import CONTACTS, NOT_OPTED_OUT, consent_document
from services.contacts.identity import Identity
from services.contacts.profiles import Profile, stored_profile
from services.contacts.search import tokens_of
from services.store import Event, VersionedWrite

HISTORY_LENGTH: Final = 20
_CONSENT: Final = ("contact.opted_out", "contact.opted_in")
_NAMES: Final = ("name", "profile_name", "username")


def project_contact(event: Event) -> list[VersionedWrite]:
    """The writes on ``contacts`` that this event asks for; none for events of other nouns."""
    if event.type in ("contact.created", "contact.updated"):
        return [_profile(event, event.data)]
    if event.type == "contact.imported":
        contacts = event.data["contacts"]
        writes = event.data.get("contact_writes") or [None] * len(contacts)
        return [
            _profile(event, {**entry, "contact_write": write}) for entry, write in zip(contacts, writes, strict=True)
        ]
    if event.type == "contact.merged":
        return _merged(event)
    if event.type in _CONSENT:
        return [_consent(event)]
    return []


def _profile(event: Event, data: Mapping[str, Any]) -> VersionedWrite:
    """What the contact is as a whole, and what the number of this event knows of it.

    An event of an older version says the former alone, and is the whole by itself.
    """
    is_new = data["order"] is not None
    write: Mapping[str, Any] = data.get("contact_write") or {"whole": True}
    whole = data if write["whole"] is True else write["whole"]
    values: dict[str, Any] = {} if whole is None else _whole(event, whole)
    compute: dict[str, Any] = {"numbers": _with_number(event.number)}
    if "tokens" in write:
        values["tokens"] = list(write["tokens"])
        profile = {event.number: _profile_document(data, write)}
        compute["profiles"] = {"$mergeObjects": [{"$ifNull": ["$profiles", {}]}, {"$literal": profile}]}
    if whole is not None:
        added = {"$literal": whole["attributes"]}
        compute["attributes"] = {"$mergeObjects": [{"$ifNull": ["$attributes", {}]}, added]}
    if is_new:
        values |= {"order": data["order"], "created_at": event.at, "opted_out": NOT_OPTED_OUT}
    return VersionedWrite(
        CONTACTS,
        data["contact_id"],
        event.seq,
        set=values,
        compute=compute,
        drop=tuple(f"attributes.{name}" for name in (whole["removed_attributes"] if whole is not None else ())),
        upsert=is_new,
        guard=f"seq_{event.number}",
    )


def _whole(event: Event, data: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: data[name] for name in ("key", "wa_id", "user_id", *_NAMES)}
    values["keys"] = list(data.get("addresses") or Identity(wa_id=data["wa_id"], user_id=data["user_id"]).keys)
    if data.get("moved_at") is not None:
        values["moved_at"] = data["moved_at"]
    values["labels"] = list(data["labels"])
    values["tokens"] = tokens_of((data[name] for name in _NAMES), wa_id=data["wa_id"])
    values["updated_at"] = event.at
    return values


def _profile_document(data: Mapping[str, Any], write: Mapping[str, Any]) -> dict[str, Any]:
    names = {name: data[name] for name in _NAMES}
    profile = Profile(
        keys=tuple(data["addresses"]),
        **names,
        labels=tuple(data["labels"]),
        attributes=dict(write["attributes"]),
        order=write["order"],
        changed_order=write["changed_order"],
    )
    return stored_profile(profile, data["wa_id"])


def _merged(event: Event) -> list[VersionedWrite]:
    """One contact becomes part of another: it gives its key up first, since that is unique.

    Its document stays and says where it went, so that its id still leads to the contact.
    """
    data, guard = event.data, f"seq_{event.number}"
    # The log of a number tells what this number knows; the whole stands beside it.
    data = {**data, **data.get("contact_merge", {})}
    gone: dict[str, Any] = {"merged_into": data["contact_id"], "key": f"merged:{data['merged_id']}"}
    gone |= {"keys": [], "labels": [], "tokens": [], "opted_out": NOT_OPTED_OUT, "profiles": {}, "consent_at": {}}
    profile = _profile(event, data)
    history: dict[str, Any] = {
        "$concatArrays": [{"$literal": list(data["consent_history"])}, {"$ifNull": ["$consent_history", []]}]
    }
    compute = dict(profile.compute) | {
        "numbers": {"$setUnion": [{"$ifNull": ["$numbers", []]}, list(data["phone_number_ids"])]},
        "consent_history": {"$slice": [history, -HISTORY_LENGTH]},
    }
    consent = {"consent": data["consent"], "opted_out": data["opted_out"] or NOT_OPTED_OUT}
    values = dict(profile.set) | consent | {"consent_order": data["consent_order"]}
    if "profiles" in data:
        compute.pop("profiles", None)
        values |= {"profiles": data["profiles"], "consent_at": data["consent_at"]}
    return [
        VersionedWrite(CONTACTS, str(data["merged_id"]), event.seq, set=gone, drop=("order",), guard=guard),
        replace(profile, set=values, compute=compute),
    ]


def _consent(event: Event) -> VersionedWrite:
    data = event.data
    entry = consent_document(data, event.number)
    # Consent to everything is consent to marketing; a refusal of everything needs no word about marketing.
    categories = ["all", "marketing"] if event.type == "contact.opted_in" and data["category"] == "all" else []
    decided = dict.fromkeys(categories or [data["category"]], entry)
    is_newer: dict[str, Any] = {"$lt": [{"$ifNull": ["$consent_order", -1]}, data["order"]]}

    def if_newer(name: str, value: Any) -> dict[str, Any]:
        return {"$cond": [is_newer, value, f"${name}"]}

    known: dict[str, Any] = {"$ifNull": ["$consent", {}]}
    history: dict[str, Any] = {"$concatArrays": [{"$ifNull": ["$consent_history", []]}, [{"$literal": entry}]]}
    limited_to = data.get("limited_to")
    decisions: dict[str, Any] = {}
    if not limited_to:
        decisions["consent"] = if_newer("consent", {"$mergeObjects": [known, {"$literal": decided}]})
    if data.get("consent_at"):
        decisions["consent_at"] = if_newer("consent_at", {"$literal": data["consent_at"]})
    opted_out = data.get("opted_out_stored", data["opted_out"] or NOT_OPTED_OUT)
    return VersionedWrite(
        CONTACTS,
        data["contact_id"],
        event.seq,
        set={} if limited_to else {"updated_at": event.at},
        compute={
            **decisions,
            "opted_out": if_newer("opted_out", {"$literal": opted_out}),
            "consent_order": if_newer("consent_order", data["order"]),
            "consent_history": {"$slice": [history, -HISTORY_LENGTH]},
            "numbers": _with_number(event.number),
        },
        guard=f"seq_{event.number}",
    )


def _with_number(number: str) -> dict[str, Any]:
    return {"$setUnion": [{"$ifNull": ["$numbers", []]}, [number]]}
