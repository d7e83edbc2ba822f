"""``/v1/campaigns`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import (
    CURSOR,
    IDEMPOTENCY_KEY,
    LIMIT,
    Answer,
    Body,
    Example,
    Operation,
    Parameter,
    page_of,
    ref,
)
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MAYBE_TEXT, MOMENT, object_of
from services.campaigns import CampaignStatus
from services.keys import Scope

_COUNT: Final = {"type": "integer"}
_MAYBE_COUNT: Final = {"type": ["integer", "null"]}
_FREE: Final = {"type": "object", "additionalProperties": True}
_CATEGORY: Final = {
    "type": "string",
    "enum": ["marketing", "utility", "authentication"],
    "default": "marketing",
    "description": "What its messages are: who opted out of marketing gets the other two.",
}

CAMPAIGN: Final = object_of(
    {
        "id": ID,
        "phone_number_id": {"type": "string"},
        "name": {"type": "string"},
        "status": {"type": "string", "enum": [status.value for status in CampaignStatus]},
        "reason": MAYBE_TEXT,
        "category": _CATEGORY,
        "template": _FREE,
        "audience": {**_FREE, "description": "`label`: contacts that have it; `list`: its own list of recipients."},
        "rate_per_minute": _MAYBE_COUNT,
        "send_at": MAYBE_MOMENT,
        "progress": object_of({"total": _MAYBE_COUNT, "handed_over": _COUNT, "skipped": {}}),
        "results": {
            "type": ["object", "null"],
            "additionalProperties": True,
            "description": "How many of its messages are in each status.",
        },
        "created_at": MOMENT,
        "started_at": MAYBE_MOMENT,
        "finished_at": MAYBE_MOMENT,
        "updated_at": MAYBE_MOMENT,
    },
    description="One template to many people.",
)

RECIPIENT: Final = object_of(
    {
        "to": {"type": "string"},
        "variables": _FREE,
        "status": {"type": "string", "description": "That of its message; or `waiting`, `skipped`, `canceled`."},
        "message_id": MAYBE_TEXT,
        "wamid": MAYBE_TEXT,
        "reason": MAYBE_TEXT,
        "error": {"anyOf": [ref("WhatsAppError"), {"type": "null"}]},
        "updated_at": MAYBE_MOMENT,
    },
    description="One person of a campaign, and what became of its message.",
)

CAMPAIGN_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Campaign": CAMPAIGN, "CampaignRecipient": RECIPIENT}

_PERSON: Final = {
    "anyOf": [
        {"type": ["string", "integer"]},
        {
            "type": "object",
            "required": ["to"],
            "properties": {
                "to": {"type": "string"},
                "variables": {"type": "object", "maxProperties": 30, "additionalProperties": True},
            },
        },
    ],
    "description": "An address, or an address with its variables.",
}
_PEOPLE: Final = {"type": "array", "minItems": 1, "items": _PERSON}
_CHANGES: Final = {
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
    "template": {
        **_FREE,
        "description": "The Cloud API's template object. `{{name}}` in a parameter is that variable of the recipient, "
        "`{{name|friend}}` has a word for those without it.",
    },
    "category": _CATEGORY,
    "send_at": {"type": ["string", "null"], "format": "date-time"},
    "rate_per_minute": {"type": ["integer", "null"], "minimum": 1, "maximum": 100_000},
}
_NEW: Final = {
    **_CHANGES,
    "from": {"type": "string", "description": "The number that sends; left out: the default number."},
    "audience": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "description": "Contacts that have this label when it starts."},
            "recipients": _PEOPLE,
        },
        "description": "One of both; left out: the list is added later.",
    },
    "start": {"type": "boolean", "default": False, "description": "Begin at once, or at `send_at`."},
}

_ONE: Final = {
    "id": "cmp_01M8657J032M89WZC83CMKW26T",
    "phone_number_id": examples.NUMBER,
    "name": "Autumn",
    "status": "draft",
    "reason": None,
    "category": "marketing",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
    "audience": {"list": True},
    "rate_per_minute": None,
    "send_at": None,
    "progress": {"total": 1, "handed_over": 0, "skipped": 0},
    "results": {},
    "created_at": "2026-11-24T06:52:27.010Z",
    "started_at": None,
    "finished_at": None,
    "updated_at": "2026-11-24T06:52:27.010Z",
}
_ORDER: Final = {
    "name": "Autumn",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
    "audience": {"recipients": [{"to": examples.PHONE, "variables": {"name": "Ana"}}]},
}

_ID: Final = Parameter("campaign_id", "path", "Its id: `cmp_…`.", {"type": "string"}, example=_ONE["id"])
_SHOWN: Final = (Answer(200, "The campaign as it is now.", ref("Campaign"), (Example("one", "A draft", _ONE),)),)
_DOES: Final = ("not_found", "wrong_state", "command_pending", "intake_full")


def _schema(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _call(method: Any, path: str, id_: str, summary: str, answers: tuple[Answer, ...], **more: Any) -> Operation:
    parameters = (_ID, *more.pop("parameters", ())) if "{" in path else more.pop("parameters", ())
    errors = more.pop("errors", _DOES if method != "GET" else ("not_found",) if "{" in path else ())
    full = f"/v1/campaigns{path}"
    return Operation(
        method, full, id_, "Campaigns", summary, answers, scope=Scope.CAMPAIGNS, parameters=parameters, errors=errors,
        **more,
    )  # fmt: skip


def _move(verb: str, summary: str, description: str, *, more: tuple[str, ...] = ()) -> Operation:
    path = f"/{{campaign_id}}/{verb}"
    return _call("POST", path, f"{verb}_campaign", summary, _SHOWN, description=description, errors=(*more, *_DOES))


CAMPAIGNS: Final = (
    _call(
        "GET",
        "",
        "list_campaigns",
        "List campaigns",
        (
            Answer(
                200,
                "A page of campaigns, the newest first.",
                page_of("Campaign"),
                (Example("page", "The last page", {"data": [_ONE], "next_cursor": None}),),
            ),
        ),
        parameters=(LIMIT, CURSOR),
    ),
    _call(
        "POST",
        "",
        "create_campaign",
        "Make a campaign",
        (
            Answer(
                201,
                "It is made, with its list.",
                ref("Campaign"),
                (Example("one", "A draft", _ONE),),
                (("Location", "Where it can be read."),),
            ),
        ),
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(_schema(_NEW, "name", "template"), (Example("list", "With its list", _ORDER),)),
        errors=("empty_audience", "audience_too_large", "unknown_number", "no_number", "idempotency_conflict", *_DOES),
    ),
    _call("GET", "/{campaign_id}", "get_campaign", "Read a campaign", _SHOWN, description="With fresh counts."),
    _call(
        "PATCH",
        "/{campaign_id}",
        "change_campaign",
        "Change a campaign",
        _SHOWN,
        description="Name, rate and time while it does not run; template and category of a draft.",
        body=Body(_schema(_CHANGES), (Example("rate", "Slower", {"rate_per_minute": 600}),)),
        errors=("invalid_request", *_DOES),
    ),
    _call(
        "GET",
        "/{campaign_id}/recipients",
        "list_recipients",
        "List its recipients",
        (Answer(200, "In the order of the list, with what became of each.", page_of("CampaignRecipient")),),
        parameters=(LIMIT, CURSOR),
    ),
    _call(
        "POST",
        "/{campaign_id}/recipients",
        "add_recipients",
        "Add recipients",
        (
            Answer(
                200,
                "How many were taken; `errors` names the others.",
                object_of(
                    {
                        **{name: _COUNT for name in ("lines", "added", "duplicates", "failed")},
                        "errors": {"type": "array", "items": _FREE},
                    }
                ),
            ),
        ),
        description="To a draft. As JSON, or as a CSV file (`Content-Type: text/csv`) with a column `to`: any other "
        "column is a variable. A file is read as it arrives, up to `PANAL_MAX_MEDIA_BYTES`.",
        body=Body(
            _schema({"recipients": _PEOPLE}, "recipients"), (Example("two", "Two", {"recipients": [examples.PHONE]}),)
        ),
        errors=("invalid_csv", "audience_too_large", "wrong_audience", "invalid_request", *_DOES),
    ),
    _call(
        "GET",
        "/{campaign_id}/preview",
        "preview_campaign",
        "Preview",
        (Answer(200, "What the first recipients would get.", object_of({"data": {"type": "array", "items": _FREE}})),),
        parameters=(
            Parameter("limit", "query", "Of how many.", {"type": "integer", "minimum": 1, "maximum": 20, "default": 3}),
        ),
    ),
    _call(
        "POST",
        "/{campaign_id}/dry-run",
        "dry_run_campaign",
        "Try it dry",
        (
            Answer(
                200,
                "Who would get it and who would not.",
                object_of(
                    {
                        "looked_at": _COUNT,
                        "would_send": _COUNT,
                        "skipped": _FREE,
                        "samples": {},
                        "is_complete": {
                            "type": "boolean",
                            "description": "False: there are more.",
                        },
                    }
                ),
            ),
        ),
        description="Counted, not sent.",
        errors=("not_found",),
    ),
    _move(
        "start",
        "Start",
        "Begins now, or at `send_at`. The list is closed from here on.",
        more=("empty_audience",),
    ),
    _move("pause", "Pause", "Nothing more leaves until it is resumed."),
    _move("resume", "Resume", "It goes on where it was paused."),
    _move("cancel", "Cancel", "What has not left is never sent."),
)
