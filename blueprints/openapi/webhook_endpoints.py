"""``/v1/webhook-endpoints`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import CURSOR, LIMIT, Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MAYBE_TEXT, MOMENT, object_of
from services.keys import Scope

TAG: Final = "Webhook endpoints"
_COUNT: Final = {"type": "integer"}
_MAYBE_COUNT: Final = {"type": ["integer", "null"]}
_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_FORMAT: Final = {
    "type": "string",
    "enum": ["panal", "meta"],
    "default": "panal",
    "description": "`panal`: our event, signed by Standard Webhooks (`webhook-id`, `webhook-timestamp`, "
    "`webhook-signature`); `meta`: Meta's own envelope with `X-Hub-Signature-256`.",
}

ENDPOINT: Final = object_of(
    {
        "id": ID,
        "url": {"type": "string"},
        "format": _FORMAT,
        "events": _TEXTS,
        "numbers": {**_TEXTS, "description": "Empty: all of them."},
        "header_names": {**_TEXTS, "description": "Your own headers; their values are not shown."},
        "description": {"type": "string"},
        "status": {
            "type": "string",
            "enum": ["enabled", "paused", "disabled", "deleted"],
            "description": "`paused`: a person did it; `disabled`: we did, after days of failure or a 410.",
        },
        "reason": {
            **MAYBE_TEXT,
            "description": "`failing`, `gone`; `secret_unreadable`: PANAL_SECRET_KEY does not open its URL or secret.",
        },
        "failing_since": MAYBE_MOMENT,
        "secrets": {"type": "array", "items": object_of({"id": ID, "expires_at": MAYBE_MOMENT})},
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "created_by": MAYBE_TEXT,
        "streams": {
            "type": "array",
            "items": object_of(
                {
                    "id": ID,
                    "kind": {"type": "string", "enum": ["live", "range", "list"]},
                    "phone_number_id": {"type": "string"},
                    "cursor": {"type": "integer", "description": "Every event up to it is settled."},
                    "until": _MAYBE_COUNT,
                }
            ),
            "description": "How far its deliveries have come, for each number.",
        },
        "secret": {"type": "string", "description": "Shown once, when it is made: it signs what we send."},
    },
    optional=("secret",),
    description="A URL of yours that is told of events.",
)

ATTEMPT: Final = object_of(
    {
        "id": ID,
        "event_id": ID,
        "event_type": {"type": "string"},
        "phone_number_id": {"type": "string"},
        "seq": _MAYBE_COUNT,
        "attempt": _COUNT,
        "at": MOMENT,
        "duration_ms": {"type": ["number", "null"]},
        "outcome": {"type": "string", "enum": ["delivered", "retry", "dead"]},
        "status": {**_MAYBE_COUNT, "description": "The HTTP status that came back."},
        "error": MAYBE_TEXT,
        "response_body": {**MAYBE_TEXT, "description": "The beginning of what came back."},
        "next_at": MAYBE_MOMENT,
        "stream": MAYBE_TEXT,
    },
    description="One try at delivering one event.",
)

DEAD_LETTER: Final = object_of(
    {
        "event_id": ID,
        "event_type": {"type": "string"},
        "phone_number_id": {"type": "string"},
        "seq": _MAYBE_COUNT,
        "at": MOMENT,
        "reason": {"type": "string"},
        "attempts": _COUNT,
        "last_status": _MAYBE_COUNT,
    },
    description="An event that the endpoint did not take.",
)

ENDPOINT_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "WebhookEndpoint": ENDPOINT,
    "WebhookAttempt": ATTEMPT,
    "DeadLetter": DEAD_LETTER,
}

_FIELDS: Final = {
    "url": {"type": "string", "description": "https, and public; http and loopback in development."},
    "events": {
        **_TEXTS,
        "minItems": 1,
        "default": ["*"],
        "description": "Types, families (`message.*`), or `*` for all.",
    },
    "numbers": {**_TEXTS, "default": [], "description": "phone_number_ids; empty: all of them."},
    "headers": {
        "type": "object",
        "maxProperties": 20,
        "additionalProperties": {"type": "string"},
        "description": "Sent with every delivery.",
    },
    "description": {"type": "string", "maxLength": 500},
}
_NEW_FIELDS: Final = {
    **_FIELDS,
    "format": _FORMAT,
    "secret": {"type": "string", "description": "Your own signing secret; left out: one is made."},
}
_AGAIN: Final = {
    "event_id": {"type": "string", "description": "One event."},
    "event_ids": {**_TEXTS, "minItems": 1, "maxItems": 1000, "description": "Several."},
    "from_seq": {"type": "integer", "minimum": 1, "description": "A range, to `to_seq`, of `phone_number_id`."},
    "to_seq": {"type": "integer", "minimum": 1},
    "phone_number_id": {"type": "string"},
    "since": {"type": "string", "format": "date-time", "description": "Everything since then."},
    "dead_letters": {"const": True, "description": "Everything that was given up."},
}

_ENDPOINT_ID: Final = "whe_01M8657J032M89WZC83CMKW26T"
_ONE: Final = {
    "id": _ENDPOINT_ID,
    "url": "https://shop.example/hooks/panal",
    "format": "panal",
    "events": ["message.*"],
    "numbers": [],
    "header_names": [],
    "description": "the shop",
    "status": "enabled",
    "reason": None,
    "failing_since": None,
    "secrets": [{"id": "sec_01M8657J032M89WZC83CMKW26V", "expires_at": None}],
    "created_at": "2026-11-24T06:52:27.010Z",
    "updated_at": "2026-11-24T06:52:27.010Z",
    "created_by": "key_bootstrap",
    "streams": [
        {
            "id": f"{_ENDPOINT_ID}:{examples.NUMBER}",
            "kind": "live",
            "phone_number_id": examples.NUMBER,
            "cursor": 8,
            "until": None,
        }
    ],
}
_TRY: Final = {
    "id": "att_01M8657MAA0BGY9XSW5YXNTZKN",
    "event_id": "evt_01M8657J1A3FQV62BXJC951REM",
    "event_type": "message.delivered",
    "phone_number_id": examples.NUMBER,
    "seq": 6,
    "attempt": 1,
    "at": "2026-11-24T06:52:27.060Z",
    "duration_ms": 41.5,
    "outcome": "delivered",
    "status": 200,
    "error": None,
    "response_body": "ok",
    "next_at": None,
    "stream": "live",
}
_LETTER: Final = {
    "event_id": "evt_01M8657J1A3FQV62BXJC951REM",
    "event_type": "message.delivered",
    "phone_number_id": examples.NUMBER,
    "seq": 6,
    "at": "2026-11-27T06:52:27.060Z",
    "reason": "gave up after the last try",
    "attempts": 8,
    "last_status": 500,
}

_ID: Final = Parameter(
    "endpoint_id", "path", "Our id of the endpoint: `whe_…`.", {"type": "string"}, example=_ENDPOINT_ID
)
_DOES: Final = ("not_found", "command_pending", "intake_full", "invalid_request")


def _schema(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


def _shown(description: str, *, status: int = 200, secret: str | None = None) -> tuple[Answer, ...]:
    value = _ONE if secret is None else {**_ONE, "secret": secret}
    headers = (("Location", "Where it can be read."),) if status == 201 else ()
    return (Answer(status, description, ref("WebhookEndpoint"), (Example("one", "An endpoint", value),), headers),)


def _page(name: str, description: str, item: dict[str, Any]) -> tuple[Answer, ...]:
    value = {"data": [item], "next_cursor": None}
    return (Answer(200, description, page_of(name), (Example("page", "The last page", value),)),)


def _call(method: Any, path: str, id_: str, summary: str, answers: tuple[Answer, ...], **more: Any) -> Operation:
    parameters = (_ID, *more.pop("parameters", ())) if "{" in path else more.pop("parameters", ())
    errors = more.pop("errors", _DOES if method != "GET" else ("not_found",) if "{" in path else ())
    return Operation(
        method,
        f"/v1/webhook-endpoints{path}",
        id_,
        TAG,
        summary,
        answers,
        scope=Scope.WEBHOOK_ENDPOINTS,
        parameters=parameters,
        errors=errors,
        **more,
    )


_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # an example
_EXAMPLE: Final = {"url": "https://shop.example/hooks/panal", "events": ["message.*"], "description": "the shop"}

WEBHOOK_ENDPOINTS: Final = (
    _call(
        "GET",
        "",
        "list_endpoints",
        "List endpoints",
        _page("WebhookEndpoint", "All of them.", _ONE),
    ),
    _call(
        "POST",
        "",
        "create_endpoint",
        "Make an endpoint",
        _shown("It is made; `secret` is shown this once.", status=201, secret=_SECRET),
        description="From now on it is told of every event that it wants, in the order of their numbers. What it does "
        "not take (any status but 2xx) is tried again for days, and then kept as a dead letter.",
        body=Body(_schema(_NEW_FIELDS, "url"), (Example("shop", "An endpoint", _EXAMPLE),)),
        errors=("url_refused", "too_many_endpoints", *_DOES),
    ),
    _call(
        "GET",
        "/{endpoint_id}",
        "get_endpoint",
        "Read an endpoint",
        _shown("The endpoint, and how far its deliveries have come."),
    ),
    _call(
        "PATCH",
        "/{endpoint_id}",
        "update_endpoint",
        "Change an endpoint",
        _shown("The endpoint as it is now."),
        description="What is left out stays.",
        body=Body(_schema(_FIELDS), (Example("events", "Other events", {"events": ["message.received"]}),)),
        errors=("url_refused", *_DOES),
    ),
    _call(
        "DELETE",
        "/{endpoint_id}",
        "delete_endpoint",
        "Remove an endpoint",
        (Answer(204, "It is gone, with its dead letters."),),
    ),
    _call(
        "POST",
        "/{endpoint_id}/pause",
        "pause_endpoint",
        "Pause an endpoint",
        _shown("Nothing is sent to it; events wait."),
    ),
    _call(
        "POST",
        "/{endpoint_id}/resume",
        "resume_endpoint",
        "Let an endpoint go on",
        _shown("It goes on where it stopped."),
        description="After a pause, or after it was disabled.",
    ),
    _call(
        "POST",
        "/{endpoint_id}/rotate-secret",
        "rotate_secret",
        "Change the secret",
        _shown("`secret` is the new one, shown this once.", secret=_SECRET),
        description="The old one signs as well for a while, so that nothing is refused in between.",
        body=Body(
            _schema({"overlap_s": {"type": "number", "default": 86_400, "description": "For how long, in seconds."}}),
            (Example("hour", "An hour of overlap", {"overlap_s": 3600}),),
            is_required=False,
        ),
    ),
    _call(
        "POST",
        "/{endpoint_id}/test",
        "test_endpoint",
        "Test an endpoint",
        (Answer(200, "What came back.", ref("WebhookAttempt"), (Example("try", "It took it", _TRY),)),),
        description="Sends one test event now.",
        errors=("test_pending", *_DOES),
    ),
    _call(
        "GET",
        "/{endpoint_id}/attempts",
        "list_attempts",
        "List attempts",
        _page("WebhookAttempt", "A page of tries, the newest first.", _TRY),
        parameters=(LIMIT, CURSOR),
    ),
    _call(
        "GET",
        "/{endpoint_id}/dead-letters",
        "list_dead_letters",
        "List dead letters",
        _page("DeadLetter", "A page of events that it did not take, the newest first.", _LETTER),
        parameters=(LIMIT, CURSOR),
    ),
    _call(
        "POST",
        "/{endpoint_id}/redeliver",
        "redeliver",
        "Deliver again",
        (
            Answer(
                202,
                "It has begun: one stream a number.",
                object_of(
                    {"redeliveries": {"type": "array", "items": {"type": "object", "additionalProperties": True}}}
                ),
            ),
        ),
        description="In exactly one of these ways: `event_id`, `event_ids`, `from_seq` (with `to_seq` and "
        "`phone_number_id`), `since`, `dead_letters`.",
        body=Body(_schema(_AGAIN), (Example("dead", "Everything that was given up", {"dead_letters": True}),)),
        errors=("nothing_to_redeliver", "too_many_requests", *_DOES),
    ),
)
