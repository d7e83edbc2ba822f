"""``/v1/conversations`` in the API reference.

Process: worker.
"""

from typing import Final

from blueprints.openapi import examples
from blueprints.openapi.records import CURSOR, LIMIT, Answer, Body, Example, Operation, Parameter, page_of, ref
from services.keys import Scope

_WORD: Final = {"type": "string", "minLength": 1, "maxLength": 128}
_CHANGES: Final = {
    "assignee": {"type": ["string", "null"], "minLength": 1, "maxLength": 80},
    "labels": {"type": "array", "maxItems": 20, "items": {"type": "string", "minLength": 1, "maxLength": 40}},
    "status": {"type": "string", "enum": ["open", "closed"]},
}
_NOTE: Final = {
    "id": "note_01M8657J032M89WZC83CMKW26T",
    "text": "prefers the mornings",
    "by": "key_bootstrap",
    "by_name": "bootstrap",
    "at": "2026-11-24T06:52:30.000Z",
}
_OUTCOME: Final = {"type": "object", "required": ["id"], "additionalProperties": True}
_DOES: Final = ("not_found", "command_pending", "intake_full", "invalid_request")
_ID: Final = Parameter(
    "conversation_id",
    "path",
    "Our id of the conversation: `cnv_…`.",
    {"type": "string"},
    example=examples.CONVERSATION_ID,
)

CONVERSATIONS: Final = (
    Operation(
        "GET",
        "/v1/conversations",
        "list_conversations",
        "Conversations",
        "List conversations",
        description="The one with the last message first.",
        scope=Scope.CONVERSATIONS,
        parameters=(
            Parameter(
                "phone_number_id",
                "query",
                "Only those of this number.",
                _WORD,
            ),
            Parameter("q", "query", "Words of the name, or digits of the phone number.", _WORD),
            Parameter("status", "query", "Only these.", {"type": "string", "enum": ["open", "closed"]}),
            Parameter("unread", "query", "Only those with something unread.", {"const": "true"}),
            Parameter("assignee", "query", "Only those of this agent; `none`: of nobody.", _WORD),
            Parameter("label", "query", "Only those with this label.", _WORD),
            Parameter(
                "wa_id",
                "query",
                "Only with the customer of this phone number, old or new.",
                _WORD,
            ),
            Parameter("user_id", "query", "Only with the customer of this business-scoped user id.", _WORD),
            LIMIT,
            CURSOR,
        ),
        answers=(
            Answer(
                200,
                "A page of conversations.",
                page_of("Conversation"),
                (Example("page", "The last page", {"data": [examples.CONVERSATION], "next_cursor": None}),),
            ),
        ),
    ),
    Operation(
        "GET",
        "/v1/conversations/{conversation_id}",
        "get_conversation",
        "Conversations",
        "Read a conversation",
        scope=Scope.CONVERSATIONS,
        parameters=(_ID,),
        answers=(
            Answer(
                200,
                "The conversation.",
                ref("Conversation"),
                (Example("open", "The customer wrote last", examples.CONVERSATION),),
            ),
        ),
        errors=("not_found",),
    ),
    Operation(
        "GET",
        "/v1/conversations/{conversation_id}/messages",
        "list_thread",
        "Conversations",
        "Read its messages",
        description="In both directions, newest first, with their timelines.",
        scope=Scope.CONVERSATIONS,
        parameters=(_ID, LIMIT, CURSOR),
        answers=(
            Answer(
                200,
                "A page of messages.",
                page_of("Message"),
                (Example("page", "The last page", {"data": [examples.MESSAGE], "next_cursor": None}),),
            ),
        ),
        errors=("not_found",),
    ),
    Operation(
        "POST",
        "/v1/conversations/{conversation_id}/read",
        "read_conversation",
        "Conversations",
        "Mark as read by us",
        description="An agent has read everything in it: `unread_count` is 0. The customer sees nothing of it.",
        scope=Scope.CONVERSATIONS,
        parameters=(_ID,),
        answers=(
            Answer(
                200,
                "Nothing in it is unread.",
                {
                    "type": "object",
                    "required": ["id", "unread_count"],
                    "properties": {"id": {"type": "string"}, "unread_count": {"type": "integer"}},
                },
                (Example("read", "Read", {"id": examples.CONVERSATION_ID, "unread_count": 0}),),
            ),
        ),
        errors=("not_found", "command_pending", "intake_full"),
    ),
    Operation(
        "PATCH",
        "/v1/conversations/{conversation_id}",
        "update_conversation",
        "Conversations",
        "Assign, label, close or open",
        (Answer(200, "It is changed.", _OUTCOME),),
        scope=Scope.CONVERSATIONS,
        description="What is left out stays.",
        parameters=(_ID,),
        body=Body(
            {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": _CHANGES},
            (Example("close", "Close it", {"status": "closed"}),),
        ),
        errors=_DOES,
    ),
    Operation(
        "GET",
        "/v1/conversations/{conversation_id}/notes",
        "list_notes",
        "Conversations",
        "Read its notes",
        (
            Answer(
                200,
                "All of them, oldest first.",
                page_of("Note"),
                (Example("one", "One note", {"data": [_NOTE], "next_cursor": None}),),
            ),
        ),
        scope=Scope.CONVERSATIONS,
        description="What agents wrote for each other. The customer never sees it.",
        parameters=(_ID,),
        errors=("not_found",),
    ),
    Operation(
        "POST",
        "/v1/conversations/{conversation_id}/notes",
        "add_note",
        "Conversations",
        "Write a note",
        (Answer(201, "It is kept.", _OUTCOME),),
        scope=Scope.CONVERSATIONS,
        parameters=(_ID,),
        body=Body(
            {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 4000}},
            },
            (Example("note", "A note", {"text": _NOTE["text"]}),),
        ),
        errors=_DOES,
    ),
)
