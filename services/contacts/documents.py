"""Contacts as documents: the one place where a record becomes BSON and back.

Process: worker, whatsapp.
"""

from collections.abc import Mapping
from typing import Any, Final

from services.contacts.profiles import limited_document
from services.contacts.records import ConsentCategory, ConsentEntry, ConsentStatus, Contact

CONTACTS: Final = "contacts"
NOT_OPTED_OUT: Final = ""
"""The value of ``opted_out`` of everybody who did not opt out: an index needs something to hold."""


OUT_AT_NUMBERS: Final = "numbers"
"""The value of ``opted_out`` of who opted out at single numbers alone: ``consent_at`` says at which."""


def category_of(opted_out: object) -> ConsentCategory | None:
    """What a stored ``opted_out`` means for every number."""
    return next((category for category in ConsentCategory if category.value == opted_out), None)


def contact_record(document: Mapping[str, Any], numbers: frozenset[str] = frozenset()) -> Contact:
    """The record of a stored contact; ``numbers``: as these know it, which is all that a limited key may see."""
    if numbers:
        document = limited_document(document, numbers)
    return Contact(
        id=document["_id"],
        key=document["key"],
        wa_id=document.get("wa_id"),
        user_id=document.get("user_id"),
        name=document.get("name"),
        profile_name=document.get("profile_name"),
        username=document.get("username"),
        attributes=document.get("attributes") or {},
        labels=tuple(document.get("labels", ())),
        numbers=tuple(document.get("numbers", ())),
        opted_out=category_of(document.get("opted_out")),
        consent={
            ConsentCategory(category): consent_entry(entry) for category, entry in document.get("consent", {}).items()
        },
        history=tuple(consent_entry(entry) for entry in document.get("consent_history", ())),
        order=int(document["order"]),
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        keys=tuple(document.get("keys", ())),
    )


def consent_document(data: Mapping[str, Any], number: str) -> dict[str, Any]:
    """The stored form of one decision, from the data of its event; ``number`` was told of it."""
    limit = data.get("limited_to")
    return {
        "number": number,
        **({"numbers": list(limit)} if limit else {}),
        "category": data["category"],
        "status": data["status"],
        "at": data["decided_at"],
        "source": data["source"],
        "proof": data["proof"],
    }


def consent_entry(document: Mapping[str, Any]) -> ConsentEntry:
    """One decision."""
    return ConsentEntry(
        category=ConsentCategory(document["category"]),
        status=ConsentStatus(document["status"]),
        at=document["at"],
        source=document["source"],
        proof=document.get("proof") or {},
        numbers=tuple(document.get("numbers", ())),
    )
