"""``/v1/messages`` in the API reference.

Process: worker.
"""

from typing import Final

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
from services.keys import Scope
from services.messages import Direction, MessageStatus

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 128}
_ID: Final = Parameter(
    "message_id", "path", "Our id of the message: `msg_…`.", {"type": "string"}, example=examples.MESSAGE_ID
)
_SENDING: Final = (
    "invalid_request",
    "window_closed",
    "opted_out",
    "unknown_number",
    "number_forbidden",
    "no_number",
    "intake_full",
)
_BATCH: Final = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "array", "items": {"anyOf": [ref("AcceptedMessage"), ref("RefusedMessage")]}}},
}
_REFUSED: Final = {
    "error": {
        "code": "invalid_request",
        "detail": "The message is not valid.",
        "errors": [{"path": "messages[1].text.body", "reason": "must not be empty"}],
        "graph_code": 100,
    }
}
_ONCE: Final = ("idempotency_conflict", "idempotency_in_progress")

MESSAGES: Final = (
    Operation(
        "POST",
        "/v1/messages",
        "send_message",
        "Messages",
        "Send a message",
        description="Accepts one message. **202** is answered when it is stored, before it is sent: from then on it is "
        "not lost, and it is sent once. Messages to one recipient leave in the order in which they were accepted. Read "
        "the message, or follow the events, to see what became of it.\n\n"
        "Outside the customer service window (24 hours from the customer's last message) WhatsApp takes templates "
        "only; `on_window_closed` says what to do with other messages.",
        scope=Scope.MESSAGES_SEND,
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(
            ref("SendRequest"),
            (
                Example("template", "Template: possible at any time", examples.TEMPLATE_ORDER),
                Example("text", "Text: within 24 hours of the customer's last message", examples.TEXT_ORDER),
                Example("buttons", "Reply buttons", examples.BUTTONS_ORDER),
                Example("image", "A picture, as an answer", examples.IMAGE_ORDER),
            ),
        ),
        answers=(
            Answer(
                202,
                "It is stored.",
                ref("AcceptedMessage"),
                (Example("accepted", "Accepted", examples.ACCEPTED),),
                (
                    ("Location", "Where the message can be read."),
                    ("Idempotency-Replayed", "`true`: this is the first answer to this Idempotency-Key again."),
                ),
            ),
        ),
        errors=(*_SENDING, *_ONCE),
    ),
    Operation(
        "POST",
        "/v1/messages/batch",
        "send_batch",
        "Messages",
        "Send several messages",
        description="Accepts up to 1,000 messages (`PANAL_MAX_BATCH`). Each has its own answer, in their order: the "
        "accepted message, or why it was refused. The others are accepted all the same.",
        scope=Scope.MESSAGES_SEND,
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(
            {
                "type": "object",
                "required": ["messages"],
                "properties": {"messages": {"type": "array", "minItems": 1, "items": ref("SendRequest")}},
            },
            (Example("two", "Two messages", {"messages": [examples.TEXT_ORDER, examples.TEMPLATE_ORDER]}),),
        ),
        answers=(
            Answer(
                202,
                "At least one is stored.",
                _BATCH,
                (Example("accepted", "One accepted, one refused", {"data": [examples.ACCEPTED, _REFUSED]}),),
            ),
            Answer(422, "None of them is stored.", _BATCH, (Example("refused", "All refused", {"data": [_REFUSED]}),)),
        ),
        errors=("batch_too_large", *_SENDING, *_ONCE),
    ),
    Operation(
        "GET",
        "/v1/messages",
        "list_messages",
        "Messages",
        "List messages",
        description="In both directions, newest first.",
        scope=Scope.MESSAGES_READ,
        parameters=(
            Parameter("from", "query", "Only of this phone_number_id, in either direction.", _TEXT),
            Parameter("to", "query", "Only to this recipient.", _TEXT),
            Parameter(
                "status",
                "query",
                "Only those that are there now.",
                {"type": "string", "enum": [status.value for status in MessageStatus]},
            ),
            Parameter(
                "direction",
                "query",
                "`out`: from the business; `in`: from the customer.",
                {"type": "string", "enum": [direction.value for direction in Direction]},
            ),
            Parameter("conversation_id", "query", "Only those of this conversation.", _TEXT),
            Parameter("campaign_id", "query", "Only those of this campaign.", _TEXT),
            LIMIT,
            CURSOR,
        ),
        answers=(
            Answer(
                200,
                "A page of messages, without their timelines.",
                page_of("Message"),
                (Example("page", "The last page", {"data": [examples.LISTED_MESSAGE], "next_cursor": None}),),
            ),
        ),
        errors=("unknown_number", "no_number"),
    ),
    Operation(
        "GET",
        "/v1/messages/{message_id}",
        "get_message",
        "Messages",
        "Read a message",
        description="With its timeline: every step, when it happened, and the number of the event that told it.",
        scope=Scope.MESSAGES_READ,
        parameters=(_ID,),
        answers=(Answer(200, "The message.", ref("Message"), (Example("read", "It was read", examples.MESSAGE),)),),
        errors=("not_found",),
    ),
    Operation(
        "DELETE",
        "/v1/messages/{message_id}",
        "cancel_message",
        "Messages",
        "Cancel a message",
        description="Possible until it is handed to WhatsApp. Canceling it again changes nothing.",
        scope=Scope.MESSAGES_SEND,
        parameters=(_ID,),
        answers=(
            Answer(
                200,
                "It is canceled and will not be sent.",
                ref("MessageOutcome"),
                (Example("canceled", "Canceled", {"id": examples.MESSAGE_ID, "status": "canceled"}),),
            ),
        ),
        errors=("not_found", "wrong_state", "command_pending", "intake_full"),
    ),
    Operation(
        "PATCH",
        "/v1/messages/{message_id}",
        "change_message",
        "Messages",
        "Change when a scheduled message is sent",
        scope=Scope.MESSAGES_SEND,
        parameters=(_ID,),
        body=Body(
            {
                "type": "object",
                "required": ["send_at"],
                "properties": {
                    "send_at": {"type": "string", "format": "date-time", "description": "At most a year off."}
                },
            },
            (Example("later", "Later", {"send_at": "2026-12-24T18:00:00Z"}),),
        ),
        answers=(
            Answer(
                200,
                "It will be sent then.",
                ref("MessageOutcome"),
                (Example("scheduled", "Scheduled", {"id": examples.MESSAGE_ID, "status": "scheduled"}),),
            ),
        ),
        errors=("not_found", "wrong_state", "command_pending", "intake_full"),
    ),
    Operation(
        "POST",
        "/v1/messages/{message_id}/retry",
        "retry_message",
        "Messages",
        "Send a message again",
        description="For a message that is `failed`, `held`, `expired` or `uncertain`. An uncertain message may have "
        "reached the customer: sending it again can show it twice.",
        scope=Scope.MESSAGES_SEND,
        parameters=(_ID,),
        answers=(
            Answer(
                202,
                "It waits to be sent again.",
                ref("MessageOutcome"),
                (Example("queued", "Queued", {"id": examples.MESSAGE_ID, "status": "queued"}),),
            ),
        ),
        errors=("not_found", "wrong_state", "command_pending", "intake_full"),
    ),
)
