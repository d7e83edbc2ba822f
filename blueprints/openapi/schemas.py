"""The shapes of the answers, as JSON Schema. A test renders real records and compares them with these.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi.records import ref
from services.messages import Direction, MessageStatus

ID: Final = {"type": "string"}
MOMENT: Final = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, with milliseconds."}
MAYBE_MOMENT: Final = {"type": ["string", "null"], "format": "date-time"}
MAYBE_TEXT: Final = {"type": ["string", "null"]}
FREE: Final = {"type": ["object", "null"], "additionalProperties": True}


def object_of(properties: dict[str, Any], *, optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An object whose properties are always there, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties, **more}


STATUS: Final = {
    "type": "string",
    "enum": [status.value for status in MessageStatus],
    "description": "Where the message is. `held`: it waits for a reason that is told; `uncertain`: nobody can tell "
    "whether it left; `received`: it came from the customer.",
}

TIMELINE_ENTRY: Final = object_of(
    {
        "status": ref("MessageStatus"),
        "at": MOMENT,
        "seq": {
            "type": ["integer", "null"],
            "description": "The event that told it; null for the acceptance itself.",
        },
        "attempt": {"type": "integer", "description": "Which attempt at sending this is, from 1."},
        "reason": {"type": "string", "description": "Why, as a word that does not change."},
        "error": ref("WhatsAppError"),
        "retry_at": {**MOMENT, "description": "When it is tried again."},
        "held_until": {**MOMENT, "description": "Until when it is held, where that is known."},
        "evidence": {"type": "string", "description": "What proved that it left: `status`."},
    },
    optional=("attempt", "reason", "error", "retry_at", "held_until", "evidence"),
)

WHATSAPP_ERROR: Final = object_of(
    {
        "code": {
            "type": ["integer", "null"],
            "description": "WhatsApp's own code: see [the list](/docs/errors#whatsapp).",
        },
        "title": {"type": "string"},
        "details": {"type": "string"},
        "next_step": {"type": "string", "description": "What to do about it."},
        "reason": {"type": "string", "description": "Why Panal itself did not send it: see [the list](/docs/errors)."},
    },
    optional=("details", "next_step", "reason"),
    description="Why a message was not taken, in WhatsApp's code.",
)

ACCEPTED_MESSAGE: Final = object_of(
    {
        "id": {**ID, "description": "Ours: `msg_…`. It sorts by time."},
        "status": {"type": "string", "enum": ["queued", "scheduled"]},
        "from": {"type": "string", "description": "The phone_number_id that it leaves from."},
        "to": {"type": "string", "description": "Digits of a phone number, or a business-scoped user id."},
        "type": {"type": "string"},
        "created_at": MOMENT,
        "send_at": MAYBE_MOMENT,
    },
    description="The message is stored: nothing that is answered so is lost.",
)

MESSAGE: Final = object_of(
    {
        "id": ID,
        "direction": {
            "type": "string",
            "enum": [direction.value for direction in Direction],
            "description": "`out`: from the business to the customer; `in`: the other way.",
        },
        "status": ref("MessageStatus"),
        "phone_number_id": {"type": "string", "description": "The number of ours, in either direction."},
        "from": MAYBE_TEXT,
        "to": MAYBE_TEXT,
        "conversation_id": MAYBE_TEXT,
        "wamid": {"type": ["string", "null"], "description": "WhatsApp's id; null until WhatsApp took the message."},
        "context": {
            "type": ["object", "null"],
            "required": ["message_id"],
            "properties": {"message_id": {"type": "string"}},
            "description": "The wamid of the message that this one answers.",
        },
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "attempts": {"type": "integer", "description": "How often it was handed to WhatsApp."},
        "held_reason": {
            "type": ["string", "null"],
            "description": "Why it waits, as a word that does not change: see [the list](/docs/errors).",
        },
        "held_until": MAYBE_MOMENT,
        "send_at": MAYBE_MOMENT,
        "expires_at": MAYBE_MOMENT,
        "error": {"anyOf": [ref("WhatsAppError"), {"type": "null"}]},
        "pricing": {**FREE, "description": "What WhatsApp says that it costs, as it came."},
        "metadata": {**FREE, "description": "Yours, as you sent it."},
        "priority": {"type": "string", "enum": ["transactional", "bulk"]},
        "campaign_id": MAYBE_TEXT,
        "seq": {"type": "integer", "description": "The last event that changed it; 0: none yet."},
        "type": {"type": "string", "description": "The content stands under the property of this name."},
        "from_user_id": {"type": "string", "description": "The customer's business-scoped user id, where known."},
        "timeline": {
            "type": "array",
            "items": ref("TimelineEntry"),
            "description": "Every step of its life, oldest first. Lists leave it out.",
        },
    },
    optional=("from_user_id", "timeline"),
    additionalProperties=True,
    description="A message in either direction, with its content: `text`, `image`, `template` …",
)

MESSAGE_OUTCOME: Final = object_of({"id": ID, "status": ref("MessageStatus")}, description="What became of it.")

CONVERSATION: Final = object_of(
    {
        "id": ID,
        "phone_number_id": {"type": "string"},
        "contact": object_of(
            {
                "wa_id": MAYBE_TEXT,
                "user_id": MAYBE_TEXT,
                "name": MAYBE_TEXT,
                "group_id": {**MAYBE_TEXT, "description": "A group: it has no number of its own."},
            }
        ),
        "status": {"type": "string", "enum": ["open", "closed"]},
        "unread_count": {"type": "integer"},
        "assignee": MAYBE_TEXT,
        "labels": {"type": "array", "items": {"type": "string"}},
        "window_closes_at": {
            **MAYBE_MOMENT,
            "description": "End of the customer service window; null: the customer never wrote.",
        },
        "created_at": MOMENT,
        "last_inbound_at": MAYBE_MOMENT,
        "last_outbound_at": MAYBE_MOMENT,
        "last_message": {
            "type": ["object", "null"],
            "required": ["id", "direction", "type", "text", "at", "status"],
            "properties": {
                "id": ID,
                "direction": {"type": "string", "enum": ["in", "out"]},
                "type": {"type": "string"},
                "text": {"type": ["string", "null"], "description": "A line of it, for lists."},
                "at": MOMENT,
                "status": {
                    "type": ["string", "null"],
                    "description": "How far it came; `received`: the customer wrote it; null: it is kept no more.",
                },
            },
        },
    },
    description="One number of ours and one contact.",
)

NOTE: Final = object_of(
    {
        "id": ID,
        "text": {"type": "string"},
        "by": {"type": "string", "description": "The id of the key that wrote it."},
        "by_name": {"type": "string"},
        "at": MOMENT,
    },
    description="What agents write for each other.",
)

EVENT: Final = object_of(
    {
        "seq": {"type": "integer", "minimum": 1, "description": "1, 2, 3 … for each phone number, without a gap."},
        "id": ID,
        "type": {"type": "string", "description": "For example `message.delivered`."},
        "at": MOMENT,
        "phone_number_id": {"type": "string"},
        "data": {"type": "object", "additionalProperties": True},
    },
    description="Something that happened, in the order in which it happened.",
)

NUMBER: Final = object_of(
    {
        "phone_number_id": {"type": "string"},
        "waba_id": {"type": "string"},
        "display_phone_number": {"type": "string"},
        "link": {"type": "string", "enum": ["sandbox", "cloud", "web"], "description": "How it reaches WhatsApp."},
        "is_default": {"type": "boolean", "description": "Messages without `from` leave from this one."},
        "is_paused": {"type": "boolean", "description": "Somebody let it rest: nothing leaves."},
        "hold_reason": {**MAYBE_TEXT, "description": "Why the platform holds it: `platform_` and WhatsApp's code."},
        "hold_until": {**MAYBE_MOMENT, "description": "When it is tried again by itself."},
        "verified_name": {**MAYBE_TEXT, "description": "The name that customers see, as WhatsApp approved it."},
        "quality": {**MAYBE_TEXT, "description": "WhatsApp's rating: `GREEN`, `YELLOW`, `RED`."},
        "messaging_limit": {
            **MAYBE_TEXT,
            "description": "People in 24 h whom it may write first: `TIER_250` … `TIER_UNLIMITED`, or a count.",
        },
        "throughput": {**MAYBE_TEXT, "description": "`STANDARD` or `HIGH`."},
        "settings": object_of(
            {
                "rate_per_s": {"type": ["number", "null"]},
                "daily_recipients": {"type": ["integer", "null"]},
                "quiet_hours": MAYBE_TEXT,
            },
            description="Of this number alone; null: as the installation has it.",
        ),
    },
    description="A phone number that we operate.",
)

PROBLEM: Final = object_of(
    {
        "type": {"type": "string", "description": "Where the code is explained: `/docs/errors#<code>`."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request, for people."},
        "code": {"type": "string", "description": "What is wrong, for programs. It never changes its meaning."},
        "errors": {
            "type": "array",
            "items": object_of({"path": {"type": "string"}, "reason": {"type": "string"}}),
            "description": "Every fault of the request, not only the first one.",
        },
        "request_id": {"type": "string", "description": "Quote it when you ask the operator."},
        "may_retry": {"type": "boolean", "description": "May the same request work later?"},
        "graph_code": {"type": "integer", "description": "What Meta's Cloud API would have answered."},
    },
    optional=("may_retry", "graph_code"),
    additionalProperties=True,
    description="RFC 9457. Every answer that is not a success has this shape.",
)

REFUSED_MESSAGE: Final = object_of(
    {
        "error": object_of(
            {name: PROBLEM["properties"][name] for name in ("code", "detail", "errors", "graph_code")},
            optional=("graph_code",),
        )
    },
    description="One message of a batch that was not accepted.",
)

SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "MessageStatus": STATUS,
    "AcceptedMessage": ACCEPTED_MESSAGE,
    "RefusedMessage": REFUSED_MESSAGE,
    "Message": MESSAGE,
    "MessageOutcome": MESSAGE_OUTCOME,
    "TimelineEntry": TIMELINE_ENTRY,
    "WhatsAppError": WHATSAPP_ERROR,
    "Conversation": CONVERSATION,
    "Note": NOTE,
    "Event": EVENT,
    "Number": NUMBER,
    "Problem": PROBLEM,
}
