"""``/v1/events`` in the API reference, and what each kind of event means.

Process: worker.
"""

from typing import Final

from blueprints.openapi import examples
from blueprints.openapi.records import LIMIT, Answer, Example, Operation, Parameter, ref
from services.events import CATALOGUE
from services.keys import Scope

EVENT_TYPES: Final = {one.name: one.meaning for one in CATALOGUE}

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
        errors=("unknown_number", "no_number", "too_many_streams", "http_426"),
    ),
)
