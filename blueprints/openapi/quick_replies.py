"""``/v1/quick-replies`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import ID, MAYBE_TEXT, MOMENT, object_of
from services.console import MAX_SHORTCUT, MAX_TEXT
from services.keys import Scope

QUICK_REPLY: Final = object_of(
    {
        "id": ID,
        "text": {"type": "string", "description": "`{name}` stands for the customer's name in the console."},
        "shortcut": {**MAYBE_TEXT, "description": "What one types after a slash to find it."},
        "phone_number_id": {**MAYBE_TEXT, "description": "Only for this number; null: for every one."},
        "created_at": MOMENT,
        "updated_at": MOMENT,
    },
    description="A sentence that is written often, shared by everybody who answers.",
)

QUICK_REPLY_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"QuickReply": QUICK_REPLY}

_THANKS: Final = {
    "id": "qrp_01M8657J032M89WZC83CMKW26T",
    "text": "Hola {name}, gracias por escribirnos.",
    "shortcut": "hola",
    "phone_number_id": None,
    "created_at": "2026-11-24T06:52:27.010Z",
    "updated_at": "2026-11-24T06:52:27.010Z",
}
_FIELDS: Final = {
    "text": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
    "shortcut": {"type": ["string", "null"], "pattern": rf"^[\w-]{{1,{MAX_SHORTCUT}}}$"},
    "phone_number_id": {"type": ["string", "null"]},
}
_REPLY_ID: Final = Parameter("reply_id", "path", "Its id: `qrp_…`.", {"type": "string"}, example=_THANKS["id"])
_DOES: Final = ("invalid_request", "unknown_number", "command_pending", "intake_full")

QUICK_REPLIES: Final = (
    Operation(
        "GET",
        "/v1/quick-replies",
        "list_quick_replies",
        "Conversations",
        "List quick replies",
        (
            Answer(
                200,
                "Those for every number and for the numbers of this key, oldest first.",
                page_of("QuickReply"),
                (Example("page", "One of them", {"data": [_THANKS], "next_cursor": None}),),
            ),
        ),
        scope=Scope.CONSOLE,
        parameters=(
            Parameter(
                "phone_number_id",
                "query",
                "Only those that serve this number.",
                {"type": "string"},
                example=examples.NUMBER,
            ),
        ),
    ),
    Operation(
        "POST",
        "/v1/quick-replies",
        "create_quick_reply",
        "Conversations",
        "Add a quick reply",
        (Answer(201, "Everybody has it.", ref("QuickReply"), (Example("made", "For every number", _THANKS),)),),
        scope=Scope.CONSOLE,
        body=Body(
            {"type": "object", "required": ["text"], "properties": _FIELDS, "additionalProperties": False},
            (Example("hello", "For every number", {"text": _THANKS["text"], "shortcut": "hola"}),),
        ),
        errors=_DOES,
    ),
    Operation(
        "PATCH",
        "/v1/quick-replies/{reply_id}",
        "update_quick_reply",
        "Conversations",
        "Change a quick reply",
        (Answer(200, "As it is now.", ref("QuickReply"), (Example("changed", "Changed", _THANKS),)),),
        scope=Scope.CONSOLE,
        parameters=(_REPLY_ID,),
        body=Body(
            {"type": "object", "minProperties": 1, "properties": _FIELDS, "additionalProperties": False},
            (Example("text", "Another text", {"text": _THANKS["text"]}),),
        ),
        errors=("not_found", *_DOES),
    ),
    Operation(
        "DELETE",
        "/v1/quick-replies/{reply_id}",
        "delete_quick_reply",
        "Conversations",
        "Delete a quick reply",
        (Answer(200, "Nobody sees it any more.", {"type": "object", "additionalProperties": True}),),
        scope=Scope.CONSOLE,
        parameters=(_REPLY_ID,),
        errors=("not_found", "command_pending", "intake_full"),
    ),
)
