"""What happens to contacts, type by type. Data.

Process: worker.
"""

from typing import Any, Final

from services.events.catalogue.event_type import EventType, fields

_CONTACT: Final = """
contact_id  text   our id of the contact
key         text   wa: and the phone number, or user: and the business-scoped id
wa_id       text?  the phone number
user_id     text?  the business-scoped id
"""
_PROFILE: Final = """
~moved_at            moment  when the contact changed to the addresses in use
~addresses           texts   every address, earlier ones included: wa: and a number, user: and an id
~name                text?   the name that you gave it
~profile_name        text?   the contact's profile name
~username            text?   the contact's username on WhatsApp
~labels              texts   all its labels now
~attributes          object  new and changed attributes
~removed_attributes  texts   removed attributes
~changed             texts   names of the fields that changed
~source              text    message, status, api or import
"""
_CONSENT: Final = """
category    text     all or marketing
status      text     in or out
source      text     keyword, platform, api or import
~proof      object   the proof: a message, a row of a file
decided_at  moment   when the contact decided
opted_out   text?    what the contact refuses: all, marketing, or null
~limited_to texts    the numbers for which it holds; empty: for all
"""
_PERSON: Final[dict[str, Any]] = {
    "contact_id": "con_01KFM3Q4W0B6P2D7A9V5C1X0ZX",
    "key": "wa:16505551234",
    "wa_id": "16505551234",
    "user_id": "US.75580344576785092095",
}

CONTACT_TYPES: Final = (
    EventType(
        "contact.created",
        "A contact is new: from its first message, the API or an import.",
        fields(_CONTACT + _PROFILE),
        {**_PERSON, "profile_name": "Sheena Nelson", "labels": [], "source": "message"},
    ),
    EventType(
        "contact.updated",
        "Its profile, its labels or its attributes changed.",
        fields(_CONTACT + _PROFILE),
        {**_PERSON, "attributes": {"plan": "gold"}, "changed": ["attributes"], "source": "api"},
    ),
    EventType(
        "contact.merged",
        "Two contacts are one person and become one contact. The stricter opt-out holds.",
        fields(
            _CONTACT
            + _PROFILE
            + """
merged_id            text    the other contact; its id leads here
phone_number_ids     texts   the number that reported it
consent              object  the latest decision of each category
consent_history      objects the earlier decisions of the other contact
opted_out            text?   what the contact refuses: all, marketing, or null
"""
        ),
        {
            **_PERSON,
            "addresses": ["wa:16505551234", "user:US.75580344576785092095"],
            "labels": [],
            "attributes": {},
            "changed": ["addresses"],
            "source": "message",
            "merged_id": "con_01KFM3Q4W0B6P2D7A9V5C1X0ZY",
            "phone_number_ids": ["106540352242922"],
            "consent": {},
            "consent_history": [],
            "opted_out": None,
        },
    ),
    EventType(
        "contact.opted_in",
        "The contact wants messages (again).",
        fields(_CONTACT + _CONSENT),
        {
            **_PERSON,
            "category": "all",
            "status": "in",
            "source": "keyword",
            "proof": {},
            "decided_at": "2026-01-02T03:04:05.000Z",
            "opted_out": None,
        },
    ),
    EventType(
        "contact.opted_out",
        "The contact wants no more messages: Panal sends nothing of that category.",
        fields(_CONTACT + _CONSENT),
        {
            **_PERSON,
            "category": "marketing",
            "status": "out",
            "source": "platform",
            "proof": {},
            "decided_at": "2026-01-02T03:04:05.000Z",
            "opted_out": "marketing",
        },
    ),
    EventType(
        "contact.imported",
        "Panal imported a part of a file.",
        fields("count  whole  how many contacts\ncontacts  objects  each as in contact.created"),
        {"count": 1, "contacts": [{**_PERSON, "name": "Sheena", "source": "import"}]},
    ),
)
