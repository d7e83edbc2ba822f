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
    "number.held": "WhatsApp asked for patience: messages of this number wait.",
    "number.released": "They leave again.",
    "number.paused": "Somebody paused it: what is accepted waits.",
    "number.resumed": "Somebody let it go on.",
}

_MEANINGS: Final = "\n".join(f"* `{name}`: {meaning}" for name, meaning in EVENT_TYPES.items())

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
)
