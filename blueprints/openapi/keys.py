"""``/v1/keys`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MOMENT, object_of
from services.keys import Scope

_SCOPES: Final = {"type": "array", "items": {"type": "string", "enum": [scope.value for scope in Scope]}}
_NUMBERS: Final = {
    "type": "array",
    "items": {"type": "string"},
    "description": "The phone_number_ids that it may use and see; empty: every one. A key that is limited itself "
    "makes keys for some of its numbers; empty: for all of them.",
}

KEY: Final = object_of(
    {
        "id": ID,
        "name": {"type": "string"},
        "scopes": _SCOPES,
        "numbers": _NUMBERS,
        "created_at": MOMENT,
        "expires_at": MAYBE_MOMENT,
        "revoked_at": MAYBE_MOMENT,
        "last_used_at": MAYBE_MOMENT,
        "key": {"type": "string", "description": "Its text, in the answer to its creation and nowhere else."},
    },
    optional=("key",),
    description="An API key. Its hash is stored, not its text.",
)

KEY_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Key": KEY}

_SHOP: Final = {
    "id": "key_01M8657J032M89WZC83CMKW26T",
    "name": "shop",
    "scopes": ["messages:read", "messages:send"],
    "numbers": [examples.NUMBER],
    "created_at": "2026-11-24T06:52:27.010Z",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": None,
}
_ORDER: Final = {"name": "shop", "scopes": ["messages:send", "messages:read"], "numbers": [examples.NUMBER]}

KEYS: Final = (
    Operation(
        "GET",
        "/v1/keys",
        "list_keys",
        "Keys",
        "List keys",
        (
            Answer(
                200,
                "All of them, ended ones too, the newest first. A limited key sees those for its numbers alone.",
                page_of("Key"),
                (Example("page", "One key", {"data": [_SHOP], "next_cursor": None}),),
            ),
        ),
        scope=Scope.ADMIN,
    ),
    Operation(
        "POST",
        "/v1/keys",
        "create_key",
        "Keys",
        "Make a key",
        (
            Answer(
                201,
                "`key` is its text, shown this once.",
                ref("Key"),
                (Example("made", "Made", {**_SHOP, "key": "panal_EXAMPLE-of-a-key-that-opens-nothing"}),),
            ),
        ),
        scope=Scope.ADMIN,
        description="A key gives no more than it has: scopes, numbers, end. What is left out is as the maker has it.",
        body=Body(
            {
                "type": "object",
                "required": ["name", "scopes"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "scopes": {**_SCOPES, "minItems": 1},
                    "numbers": {**_NUMBERS, "default": []},
                    "expires_at": {"type": ["string", "null"], "format": "date-time"},
                },
            },
            (Example("shop", "May send and read", _ORDER),),
        ),
        errors=("invalid_request", "command_pending", "intake_full"),
    ),
    Operation(
        "DELETE",
        "/v1/keys/{key_id}",
        "revoke_key",
        "Keys",
        "End a key",
        (Answer(200, "It has ended.", {"type": "object", "additionalProperties": True}),),
        scope=Scope.ADMIN,
        description="It is refused everywhere within 5 s; live streams that use it end.",
        parameters=(Parameter("key_id", "path", "Its id: `key_…`.", {"type": "string"}, example=_SHOP["id"]),),
        errors=("not_found", "command_pending", "intake_full"),
    ),
)
