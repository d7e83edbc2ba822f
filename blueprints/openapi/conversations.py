"""``/v1/conversations`` in the API reference.

Process: worker.
"""

from typing import Final

from blueprints.openapi import examples
from blueprints.openapi.records import CURSOR, LIMIT, Answer, Example, Operation, Parameter, page_of, ref
from services.keys import Scope

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
                {"type": "string", "minLength": 1, "maxLength": 128},
            ),
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
)
