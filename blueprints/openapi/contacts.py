"""``/v1/contacts`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import CURSOR, LIMIT, Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import FREE, ID, MAYBE_TEXT, MOMENT, object_of
from services.keys import Scope

_CATEGORY: Final = {"type": "string", "enum": ["marketing", "all"]}
_LABELS: Final = {"type": "array", "maxItems": 50, "items": {"type": "string", "minLength": 1, "maxLength": 64}}
_FROM: Final = {"type": "string", "description": "In whose log it is told: a phone_number_id; left out: the default."}
_TO: Final = {"type": "string", "description": "A phone number with its country code, or a business-scoped user id."}

CONSENT: Final = object_of(
    {
        "category": _CATEGORY,
        "status": {"type": "string", "enum": ["out", "in"], "description": "`out`: do not send; `in`: agreed."},
        "at": MOMENT,
        "source": {"type": "string", "description": "How we know: `keyword`, `api`, `import`, or a word of yours."},
        "proof": {"type": "object", "additionalProperties": True},
        "phone_number_ids": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Holds for these numbers alone; left out: for all.",
        },
    },
    optional=("phone_number_ids",),
    description="One decision of a person.",
)
_MAYBE_CONSENT: Final = {"anyOf": [ref("Consent"), {"type": "null"}]}

CONTACT: Final = object_of(
    {
        "id": ID,
        "wa_id": MAYBE_TEXT,
        "user_id": MAYBE_TEXT,
        "addresses": {
            "type": "array",
            "items": {"type": "string"},
            "description": "All that are known, earlier ones too: `wa:` and a phone number, `user:` and a user id.",
        },
        "name": {**MAYBE_TEXT, "description": "Yours; WhatsApp's is `profile_name`."},
        "profile_name": MAYBE_TEXT,
        "username": MAYBE_TEXT,
        "labels": {"type": "array", "items": {"type": "string"}},
        "attributes": {**FREE, "type": "object"},
        "phone_number_ids": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The numbers that know it, of those of the key.",
        },
        "opted_out": {"type": ["string", "null"], "enum": ["marketing", "all", None]},
        "consent": object_of({"marketing": _MAYBE_CONSENT, "all": _MAYBE_CONSENT}),
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "consent_history": {
            "type": "array",
            "items": ref("Consent"),
            "description": "Every decision; in the contact itself, not in lists.",
        },
    },
    optional=("consent_history",),
    description="A person, what is known of them, and what they agreed to. A key that is limited to some numbers sees "
    "what these know.",
)

CONTACT_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Contact": CONTACT, "Consent": CONSENT}

_PROFILE: Final = {
    "name": {"type": ["string", "null"], "maxLength": 200},
    "labels": {**_LABELS, "description": "All of them; or `add_labels` and `remove_labels`."},
    "add_labels": _LABELS,
    "remove_labels": _LABELS,
    "attributes": {
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        "description": "Those that are named are set; null takes one away.",
    },
    "from": _FROM,
}
_DECISION: Final = {
    "category": {**_CATEGORY, "default": "all"},
    "source": {"type": "string", "minLength": 1, "maxLength": 64, "default": "api"},
    "proof": {
        "type": ["string", "object"],
        "description": "What proves it: a sentence, or a flat object of texts and numbers.",
    },
    "at": {"type": "string", "format": "date-time", "description": "When it was decided; left out: now."},
    "from": _FROM,
}

_NO_CONSENT: Final = {"marketing": None, "all": None}
_ANA: Final = {
    "id": "con_01M8657J032M89WZC83CMKW26T",
    "wa_id": examples.PHONE,
    "user_id": None,
    "addresses": [f"wa:{examples.PHONE}"],
    "name": "Ana García",
    "profile_name": "Ana",
    "username": None,
    "labels": ["vip"],
    "attributes": {"city": "Sevilla"},
    "phone_number_ids": [examples.NUMBER],
    "opted_out": None,
    "consent": _NO_CONSENT,
    "created_at": "2026-11-24T06:52:27.010Z",
    "updated_at": "2026-11-24T06:52:27.010Z",
}
_OUT: Final = {
    "category": "marketing",
    "status": "out",
    "at": "2026-11-24T07:00:00.000Z",
    "source": "api",
    "proof": {"text": "asked on the phone"},
}
_OPTED_OUT: Final = {**_ANA, "opted_out": "marketing", "consent": {**_NO_CONSENT, "marketing": _OUT}}

_ID: Final = Parameter("contact_id", "path", "Our id of the contact.", {"type": "string"}, example=_ANA["id"])
_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 128}
_FILTERS: Final = (
    Parameter("search", "query", "Words that begin so, or a phone number.", _WORD),
    Parameter("label", "query", "Only those with this label.", _WORD),
    Parameter("opted_out", "query", "Only those who opted out of this.", _CATEGORY),
)
_DOES: Final = ("not_found", "unknown_number", "no_number", "command_pending", "intake_full", "invalid_request")
_ONE: Final = (Answer(200, "The contact as it is now.", ref("Contact"), (Example("contact", "The contact", _ANA),)),)
_DECIDED: Final = (
    Answer(200, "The contact as it is now.", ref("Contact"), (Example("out", "Opted out", _OPTED_OUT),)),
)
_FILE: Final = Example("file", "A file", "to,name,city\n16505551234,Ana,Sevilla\n")
_ASKED: Final = Example("marketing", "No marketing", {"category": "marketing", "proof": "asked on the phone"})


def _schema(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _decide(verb: str, summary: str, description: str) -> tuple[Operation, Operation]:
    """The same decision for a contact that there is, and for an address that may be new."""
    word = verb.replace("-", "_")
    return (
        Operation(
            "POST",
            f"/v1/contacts/{{contact_id}}/{verb}",
            word,
            "Contacts",
            summary,
            _DECIDED,
            scope=Scope.CONTACTS,
            description=description,
            parameters=(_ID,),
            body=Body(_schema(_DECISION), (_ASKED,), is_required=False),
            errors=_DOES,
        ),
        Operation(
            "POST",
            f"/v1/contacts/{verb}",
            f"{word}_by_address",
            "Contacts",
            f"{summary} by address",
            _DECIDED,
            scope=Scope.CONTACTS,
            description=f"{description} For somebody who may never have written to us.",
            body=Body(
                _schema({"to": _TO, **_DECISION}, "to"),
                (Example("all", "Nothing any more", {"to": examples.PHONE, "category": "all"}),),
            ),
            errors=_DOES,
        ),
    )


CONTACTS: Final = (
    Operation(
        "GET",
        "/v1/contacts",
        "list_contacts",
        "Contacts",
        "List contacts",
        (
            Answer(
                200,
                "A page of contacts, without their histories.",
                page_of("Contact"),
                (Example("page", "The last page", {"data": [_ANA], "next_cursor": None}),),
            ),
        ),
        scope=Scope.CONTACTS,
        description="The newest first.",
        parameters=(*_FILTERS, LIMIT, CURSOR),
    ),
    Operation(
        "POST",
        "/v1/contacts",
        "save_contact",
        "Contacts",
        "Make or change a contact",
        (*_ONE, Answer(201, "It is new.", ref("Contact"), headers=(("Location", "Where it can be read."),))),
        scope=Scope.CONTACTS,
        description="Makes a contact for `to`, or changes the one that there is.",
        body=Body(
            _schema({"to": _TO, **_PROFILE}, "to"),
            (Example("ana", "A contact", {"to": examples.PHONE, "name": "Ana García", "labels": ["vip"]}),),
        ),
        errors=_DOES,
    ),
    Operation(
        "GET",
        "/v1/contacts/export",
        "export_contacts",
        "Contacts",
        "Export as CSV",
        (Answer(200, "Every contact, one a line.", {"type": "string"}, media_type="text/csv"),),
        scope=Scope.CONTACTS,
        description="With each consent and what proves it; the filters are those of the list. An import takes the file "
        "back.",
        parameters=_FILTERS,
    ),
    Operation(
        "POST",
        "/v1/contacts/import",
        "import_contacts",
        "Contacts",
        "Import CSV",
        (
            Answer(
                200,
                "How many lines were taken; `errors` names the others, the first 1,000 of them, with the reason.",
                object_of(
                    {
                        **{
                            name: {"type": "integer"}
                            for name in ("lines", "created", "updated", "unchanged", "consents", "failed")
                        },
                        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
                    }
                ),
            ),
        ),
        scope=Scope.CONTACTS,
        description="The first line names the columns: `to` (or `wa_id`, `phone`, `user_id`), `name`, `labels` "
        "(between `|`), `opt_out`, `opt_in` (`marketing` or `all`), `attributes`; any other column is an attribute. "
        "The file is read as it arrives, up to `PANAL_MAX_MEDIA_BYTES`.",
        parameters=(Parameter("from", "query", _FROM["description"], _WORD),),
        body=Body(
            {"type": "string"}, (Example("two", "A file", "to,name,city\n16505551234,Ana,Sevilla\n"),), "text/csv"
        ),
        errors=("invalid_csv", "unsupported_media_type", *_DOES),
    ),
    Operation(
        "GET",
        "/v1/contacts/{contact_id}",
        "get_contact",
        "Contacts",
        "Read a contact",
        (
            Answer(
                200,
                "The contact, with every decision that it made.",
                ref("Contact"),
                (Example("out", "Opted out", {**_OPTED_OUT, "consent_history": [_OUT]}),),
            ),
        ),
        scope=Scope.CONTACTS,
        parameters=(_ID,),
        errors=("not_found",),
    ),
    Operation(
        "PATCH",
        "/v1/contacts/{contact_id}",
        "change_contact",
        "Contacts",
        "Change a contact",
        _ONE,
        scope=Scope.CONTACTS,
        description="What is left out stays.",
        parameters=(_ID,),
        body=Body(_schema(_PROFILE), (Example("label", "One more label", {"add_labels": ["vip"]}),)),
        errors=_DOES,
    ),
    *_decide("opt-out", "Opt out", "Write no more to this contact: nothing, or no marketing."),
    *_decide("opt-in", "Opt in", "This contact agreed to be written to."),
)
