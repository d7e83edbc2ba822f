"""``/v1/templates`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi.records import CURSOR, LIMIT, Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MAYBE_TEXT, object_of
from services.keys import Scope
from services.templates import TemplateStatus

_COMPONENTS: Final = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": True},
    "description": "As Meta documents them: header, body, footer, buttons.",
}

TEMPLATE: Final = object_of(
    {
        "id": ID,
        "waba_id": {"type": "string"},
        "name": {"type": "string"},
        "language": {"type": "string"},
        "status": {"type": "string", "enum": [status.value for status in TemplateStatus]},
        "category": MAYBE_TEXT,
        "parameter_format": MAYBE_TEXT,
        "components": _COMPONENTS,
        "quality": MAYBE_TEXT,
        "rejected_reason": MAYBE_TEXT,
        "synced_at": {**MAYBE_MOMENT, "description": "When it was last read from WhatsApp."},
    },
    description="A template, in Meta's words.",
)

TEMPLATE_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Template": TEMPLATE}

_WABA: Final = "102290129340398"
_BODY: Final = {"type": "BODY", "text": "Your order {{1}} is on its way.", "example": {"body_text": [["1001"]]}}
_ORDER: Final = {"name": "order_sent", "language": "en_US", "category": "UTILITY", "components": [_BODY]}
_CREATED: Final = {**_ORDER, "id": "1689556908129832", "waba_id": _WABA, "status": "PENDING"}
_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 512}

_ID: Final = Parameter("template_id", "path", "WhatsApp's id of it.", {"type": "string"}, example=_CREATED["id"])
_ACCOUNT: Final = Parameter("waba_id", "query", "The account; left out: the default number's.", {"type": "string"})
_CALLS: Final = ("template_refused", "platform_refused", "whatsapp_unreachable", "whatsapp_outcome_unknown")
_CHANGES: Final = {
    "components": _COMPONENTS,
    "category": {"type": "string"},
    "message_send_ttl_seconds": {"type": "integer"},
    "parameter_format": {"type": "string"},
}
_SHOWN: Final = (Answer(200, "The template as it is now.", ref("Template")),)


def _call(method: Any, path: str, id_: str, summary: str, answers: tuple[Answer, ...], **more: Any) -> Operation:
    parameters = (_ID, *more.pop("parameters", ())) if "{" in path else more.pop("parameters", ())
    full = f"/v1/templates{path}"
    return Operation(method, full, id_, "Templates", summary, answers, Scope.TEMPLATES, parameters=parameters, **more)


TEMPLATES: Final = (
    _call(
        "GET",
        "",
        "list_templates",
        "List templates",
        (Answer(200, "A page of templates.", page_of("Template")),),
        description="Those of an account, by name and language. They are read from WhatsApp every while, and when it "
        "tells of a change.",
        parameters=(
            *(
                Parameter(name, "query", f"Only those with this {name}.", _WORD)
                for name in ("name", "language", "status", "category")
            ),
            _ACCOUNT,
            LIMIT,
            CURSOR,
        ),
        errors=("not_found",),
    ),
    _call(
        "POST",
        "",
        "create_template",
        "Make a template",
        (
            Answer(
                201,
                "WhatsApp has it, and reviews it.",
                {"type": "object", "additionalProperties": True},
                (Example("pending", "In review", {name: _CREATED[name] for name in _CREATED if name != "components"}),),
                (("Location", "Where it can be read."),),
            ),
        ),
        description="The body is Meta's own definition.",
        body=Body(
            {
                "type": "object",
                "required": ["name", "language", "category", "components"],
                "properties": {
                    "name": {"type": "string"},
                    "language": {"type": "string"},
                    "waba_id": {"type": "string", "description": "The account; left out: the default number's."},
                    **_CHANGES,
                },
                "additionalProperties": True,
            },
            (Example("order", "An order is on its way", _ORDER),),
        ),
        errors=("not_found", "invalid_request", *_CALLS),
    ),
    _call("GET", "/{template_id}", "get_template", "Read a template", _SHOWN, errors=("not_found",)),
    _call(
        "PATCH",
        "/{template_id}",
        "edit_template",
        "Change a template",
        _SHOWN,
        description="WhatsApp reviews it again.",
        body=Body(
            {"type": "object", "minProperties": 1, "properties": _CHANGES, "additionalProperties": False},
            (Example("body", "Another text", {"components": [_BODY]}),),
        ),
        errors=("not_found", "invalid_request", *_CALLS),
    ),
    _call(
        "DELETE",
        "/{template_id}",
        "delete_template",
        "Remove a template",
        (Answer(200, "This language of it is gone.", object_of({"success": {"const": True}})),),
        errors=("not_found", *_CALLS),
    ),
    _call(
        "POST",
        "/sync",
        "sync_templates",
        "Read the account again",
        (Answer(200, "What has changed.", {"type": "object", "additionalProperties": True}),),
        parameters=(_ACCOUNT,),
        errors=("not_found", "command_pending", "intake_full"),
    ),
)
