"""``/v1/events`` in the API reference, and what each kind of event means.

Process: worker.
"""

from typing import Final

from blueprints.openapi import examples
from blueprints.openapi.records import LIMIT, Answer, Example, Operation, Parameter, ref
from services.keys import Scope

EVENT_TYPES: Final = {
    "message.scheduled": "It was accepted and waits for its `send_at`.",
    "message.queued": "It was accepted and waits to be sent.",
    "message.sending": "It is on its way to WhatsApp; `attempt` counts.",
    "message.sent": "WhatsApp took it; `wamid` is its id there.",
    "message.delivered": "It is on the customer's phone.",
    "message.read": "The customer opened it.",
    "message.retried": "It waits to be sent again: `reason`, and `retry_at` where that is known.",
    "message.held": "It waits: `reason`, and `held_until` where that is known.",
    "message.uncertain": "Nobody can tell whether it left, and no status came that proves it.",
    "message.failed": "It will not be sent: `error` says why, and what to do.",
    "message.expired": "Its `expires_at` came before it could be sent.",
    "message.canceled": "It was canceled before it left.",
    "message.stuck": "It has waited longer than it should; nothing was done about it yet.",
    "message.received": "The customer wrote. `wamid` is what an answer, a reaction or a read mark refers to.",
    "conversation.opened": "The first message between a number and a contact.",
    "conversation.read": "An agent has read everything in it.",
    "conversation.updated": "It was assigned, labelled, closed or opened.",
    "conversation.noted": "An agent left a note for the others.",
    "template.created": "The account has a new template.",
    "template.pending": "WhatsApp reviews it.",
    "template.approved": "WhatsApp approved it: it may be sent.",
    "template.rejected": "WhatsApp refused it: `reason`.",
    "template.paused": "WhatsApp paused it for its quality.",
    "template.disabled": "WhatsApp will not take it any more.",
    "template.updated": "Its state changed, or its content.",
    "template.category_changed": "WhatsApp gave it another category.",
    "template.quality_changed": "WhatsApp rates its quality otherwise.",
    "template.deleted": "It is gone from the account.",
    "campaign.created": "A campaign was made; nothing is sent yet.",
    "campaign.scheduled": "It will start by itself.",
    "campaign.started": "Its messages begin to leave.",
    "campaign.progress": "How many of its recipients are done.",
    "campaign.paused": "Nothing more of it leaves for now.",
    "campaign.resumed": "It goes on.",
    "campaign.completed": "All of its recipients are done.",
    "campaign.canceled": "The rest of it will not be sent.",
    "webhook_endpoint.created": "An endpoint was made.",
    "webhook_endpoint.updated": "An endpoint was changed.",
    "webhook_endpoint.paused": "A person paused it: events wait.",
    "webhook_endpoint.resumed": "It goes on where it stopped.",
    "webhook_endpoint.failing": "It has begun to refuse what is sent to it.",
    "webhook_endpoint.recovered": "It takes events again.",
    "webhook_endpoint.disabled": "It failed for days, or answered 410: nothing is sent to it any more.",
    "webhook_endpoint.dead_letter": "An event was given up after the last try.",
    "webhook_endpoint.redelivered": "Events are delivered to it again.",
    "webhook_endpoint.secret_rotated": "It has a new signing secret.",
    "webhook_endpoint.test": "A test, sent to one endpoint alone.",
    "webhook_endpoint.deleted": "It was removed.",
    "contact.created": "A contact was made, by its first message or by hand.",
    "contact.updated": "Its profile or its attributes changed.",
    "contact.opted_in": "The contact wants messages (again); `by` says who said so.",
    "contact.opted_out": "The contact wants no more messages; `by` says who said so.",
    "contact.imported": "The contact came from an import.",
    "number.connected": "A WhatsApp process began to own this number; `epoch` counts the owners.",
    "cluster.storage": "The database fills up: how much room is left.",
    "number.held": "WhatsApp asked for patience: messages of this number wait.",
    "number.released": "They leave again.",
    "number.paused": "Somebody paused it: what is accepted waits.",
    "number.resumed": "Somebody let it go on.",
}

_MEANINGS: Final = "\n".join(f"* `{name}`: {meaning}" for name, meaning in EVENT_TYPES.items())

_SEQ: Final = {"type": "integer", "minimum": 0, "maximum": 2**53}
_STREAM: Final = (
    Parameter("after", "query", "The last `seq` that you have; left out: from now on.", _SEQ),
    Parameter("types", "query", "Only these, separated by commas; `message.*` is a family.", {"type": "string"}),
    Parameter("phone_number_id", "query", "The number; left out: the default number.", {"type": "string"}),
    Parameter("access_token", "query", "The key, where no header can be sent.", {"type": "string"}),
)

EVENTS: Final = (
    Operation(
        "GET",
        "/v1/events",
        "read_events",
        "Events",
        "Read the event log",
        description="Everything that happens to a phone number, numbered 1, 2, 3 … without a gap. Keep `next_after`, "
        "and send it as `after` next time: nothing is missed and nothing comes twice. With `wait_s` the answer waits "
        "until there is something to tell.\n\n"
        f"The events:\n\n{_MEANINGS}",
        scope=Scope.EVENTS_READ,
        parameters=(
            Parameter(
                "after",
                "query",
                "The last `seq` that you have.",
                {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0},
            ),
            Parameter(
                "wait_s",
                "query",
                "How long to wait for the first event, in seconds (at most `PANAL_LONG_POLL_MAX_S`).",
                {"type": "number", "minimum": 0, "maximum": 300, "default": 0},
            ),
            Parameter(
                "types",
                "query",
                "Only these, separated by commas; `message.*` is a whole family.",
                {"type": "string", "minLength": 1, "maxLength": 500},
            ),
            Parameter(
                "phone_number_id",
                "query",
                "The number; left out: the default number.",
                {"type": "string", "minLength": 1, "maxLength": 128},
            ),
            LIMIT,
        ),
        answers=(
            Answer(
                200,
                "The events after `after`, in order.",
                {
                    "type": "object",
                    "required": ["data", "next_after", "phone_number_id"],
                    "properties": {
                        "data": {"type": "array", "items": ref("Event")},
                        "next_after": {"type": "integer", "description": "Send it as `after` next time."},
                        "phone_number_id": {"type": "string"},
                    },
                },
                (Example("two", "Two events, filtered by `types`", examples.EVENTS),),
            ),
        ),
        errors=("unknown_number", "no_number"),
    ),
    Operation(
        "GET",
        "/v1/events/stream",
        "stream_events",
        "Events",
        "Follow events (SSE)",
        answers=(
            Answer(
                200,
                "Server-sent events: `id` is the `seq`, `event` the type, `data` the event. The last one is called "
                "`goodbye`, and says where to go on.",
                {"type": "string"},
                media_type="text/event-stream",
            ),
        ),
        description="As they happen, from now on, or from `after` on. A browser's `EventSource` comes back by itself "
        "and misses nothing. Where no header can be sent, the key may come as `access_token` in the query.",
        scope=Scope.EVENTS_READ,
        parameters=(*_STREAM, Parameter("Last-Event-ID", "header", "What browsers send instead of `after`.", _SEQ)),
        errors=("unknown_number", "no_number", "too_many_streams"),
    ),
    Operation(
        "GET",
        "/v1/events/ws",
        "socket_events",
        "Events",
        "Follow events (WebSocket)",
        answers=(Answer(101, "One event a message; the last one has the type `goodbye` and says where to go on."),),
        description="The same as text messages of a WebSocket. What the client says is ignored. Where no header can be "
        "sent, the key may come as `access_token` in the query.",
        scope=Scope.EVENTS_READ,
        parameters=_STREAM,
        errors=("unknown_number", "no_number", "too_many_streams"),
    ),
)
