"""Numbers, the reference itself and Meta's side, in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import CURSOR, LIMIT, Answer, Body, Example, Operation, Parameter, page_of, ref
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MAYBE_TEXT, MOMENT, object_of
from services.keys import Scope

NOTIFICATION: Final = object_of(
    {
        "id": ID,
        "state": {"type": "string", "enum": ["new", "done", "failed"]},
        "received_at": MOMENT,
        "size_bytes": {"type": "integer"},
        "replay_of": MAYBE_TEXT,
    },
    description="What Meta posted, as it was stored.",
)

_WHATSAPPS: Final = object_of(
    {
        "asked_at": MOMENT,
        "verified_name": MAYBE_TEXT,
        "status": {**MAYBE_TEXT, "description": "`CONNECTED`, `FLAGGED`, `RESTRICTED` …"},
        "quality_rating": {**MAYBE_TEXT, "description": "`GREEN`, `YELLOW`, `RED` or `UNKNOWN`."},
        "throughput_level": {**MAYBE_TEXT, "description": "`STANDARD` is 80 messages/s, `HIGH` 1,000."},
        "messaging_limit": {
            **MAYBE_TEXT,
            "description": "`TIER_250`, `TIER_1K` …: people in 24 h to whom we may write first.",
        },
        "error": {
            "type": ["object", "null"],
            "required": ["code", "detail"],
            "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
            "description": "Why WhatsApp said nothing; the fields above are null then.",
        },
    },
    description="WhatsApp's own words, asked at the most once a minute.",
)
NUMBER_LIMITS: Final = object_of(
    {
        "phone_number_id": {"type": "string"},
        "pace": object_of(
            {
                "messages_per_s": {"type": "number"},
                "pair_period_s": {"type": "number", "description": "One message to the same recipient in so long."},
                "pair_burst": {"type": "integer", "description": "So many of them may go at once."},
                "daily_recipients": {"type": ["integer", "null"]},
                "quiet_hours": MAYBE_TEXT,
            },
            description="What the settings of this installation allow each number.",
        ),
        "whatsapp": _WHATSAPPS,
        "hold": {
            "type": ["object", "null"],
            "required": ["reason", "until"],
            "properties": {"reason": {"type": "string"}, "until": MAYBE_MOMENT},
            "description": "Why the platform holds it now, and when it is tried again by itself.",
        },
        "is_paused": {"type": "boolean"},
    },
    description="How fast a number may send.",
)

OPERATING_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Notification": NOTIFICATION, "NumberLimits": NUMBER_LIMITS}

_LIMITS: Final = {
    "phone_number_id": examples.NUMBER,
    "pace": {
        "messages_per_s": 80.0,
        "pair_period_s": 6.0,
        "pair_burst": 45,
        "daily_recipients": None,
        "quiet_hours": None,
    },
    "whatsapp": {
        "asked_at": "2026-11-24T06:52:29.386Z",
        "verified_name": "Panal",
        "status": "CONNECTED",
        "quality_rating": "GREEN",
        "throughput_level": "STANDARD",
        "messaging_limit": "TIER_1K",
        "error": None,
    },
    "hold": None,
    "is_paused": False,
}

_STORED: Final = {
    "id": "ntf_01M8657MAA0BGY9XSW5YXNTZKM",
    "state": "failed",
    "received_at": "2026-11-24T06:52:29.386Z",
    "size_bytes": 1,
    "replay_of": None,
}
_NOTIFICATION_ID: Final = Parameter(
    "notification_id", "path", "Our id of it: `ntf_…`.", {"type": "string"}, example=_STORED["id"]
)

_NUMBER_ID: Final = Parameter(
    "phone_number_id", "path", "A number of this installation.", {"type": "string"}, example=examples.NUMBER
)
_NIGHT: Final = "21:00-08:00 America/Mexico_City"
_SETTINGS: Final = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "rate_per_s": {
            "type": ["number", "null"],
            "exclusiveMinimum": 0,
            "maximum": 1000,
            "description": "Messages a second, at most.",
        },
        "daily_recipients": {
            "type": ["integer", "null"],
            "minimum": 0,
            "maximum": 1_000_000,
            "description": "People in 24 h outside the customer service window, at most. 0: no limit of ours.",
        },
        "quiet_hours": {
            "type": ["string", "null"],
            "description": f"When bulk messages rest, in a time zone: `{_NIGHT}`. Empty: never.",
        },
    },
}
_PAUSED: Final = object_of({"phone_number_id": {"type": "string"}, "is_paused": {"type": "boolean"}})
_RESTS: Final = {"phone_number_id": examples.NUMBER}

OPERATING: Final = (
    Operation(
        "GET",
        "/v1/numbers",
        "list_numbers",
        "Numbers",
        "List the numbers",
        description="Every phone number that this key may use, the default one first.",
        scope=Scope.NUMBERS,
        answers=(Answer(200, "All of them.", page_of("Number"), (Example("one", "One number", examples.NUMBERS),)),),
    ),
    Operation(
        "GET",
        "/v1/numbers/{phone_number_id}",
        "get_number",
        "Numbers",
        "Read a number",
        (Answer(200, "The number.", ref("Number"), (Example("one", "One number", examples.ONE_NUMBER),)),),
        description="Its link, state, holds, quality and limits.",
        scope=Scope.NUMBERS,
        parameters=(_NUMBER_ID,),
        errors=("unknown_number",),
    ),
    Operation(
        "GET",
        "/v1/numbers/{phone_number_id}/limits",
        "get_limits",
        "Numbers",
        "Read a number's limits",
        (Answer(200, "What it may do now.", ref("NumberLimits"), (Example("free", "Nothing holds it", _LIMITS),)),),
        description="Our own pace, what WhatsApp says of its quality, throughput and tier, and what holds it.",
        scope=Scope.NUMBERS,
        parameters=(_NUMBER_ID,),
        errors=("unknown_number",),
    ),
    Operation(
        "PATCH",
        "/v1/numbers/{phone_number_id}",
        "change_number",
        "Numbers",
        "Change the settings of a number",
        (Answer(200, "The number as it is now.", ref("Number"), (Example("one", "Changed", examples.ONE_NUMBER),)),),
        description="Only what the body names changes, at once and for every message that waits. Null gives back what "
        "the installation has (`PANAL_NUMBER_RATE_PER_S`, `PANAL_DAILY_RECIPIENTS` or WhatsApp's messaging limit, "
        "`PANAL_QUIET_HOURS`).",
        scope=Scope.NUMBERS,
        parameters=(_NUMBER_ID,),
        body=Body(_SETTINGS, (Example("quiet", "No bulk messages at night", {"quiet_hours": _NIGHT}),)),
        errors=("unknown_number", "invalid_request", "invalid_json", "command_pending", "intake_full"),
    ),
    Operation(
        "POST",
        "/v1/numbers/{phone_number_id}/pause",
        "pause_number",
        "Numbers",
        "Pause a number",
        (Answer(200, "It rests.", _PAUSED, (Example("paused", "Paused", {**_RESTS, "is_paused": True}),)),),
        description="Nothing leaves from it until it is resumed. Messages are accepted, kept, and go in order then.",
        scope=Scope.NUMBERS,
        parameters=(_NUMBER_ID,),
        errors=("unknown_number", "command_pending", "intake_full"),
    ),
    Operation(
        "POST",
        "/v1/numbers/{phone_number_id}/resume",
        "resume_number",
        "Numbers",
        "Resume a number",
        (Answer(200, "It goes on.", _PAUSED, (Example("resumed", "Resumed", {**_RESTS, "is_paused": False}),)),),
        description="A hold of the platform is lifted, too: the operator knows better.",
        scope=Scope.NUMBERS,
        parameters=(_NUMBER_ID,),
        errors=("unknown_number", "command_pending", "intake_full"),
    ),
    Operation(
        "GET",
        "/openapi.json",
        "get_openapi",
        "Operating",
        "This document",
        answers=(Answer(200, "OpenAPI 3.1.", {"type": "object"}),),
        needs_database=False,
    ),
    Operation(
        "GET",
        "/webhooks/whatsapp",
        "shake_hands",
        "Cloud webhook",
        "Meta's handshake",
        description="Meta asks it when you enter this URL in the app's settings. Not for your own use.",
        parameters=(
            Parameter("hub.mode", "query", "`subscribe`.", {"type": "string"}, is_required=True),
            Parameter("hub.verify_token", "query", "`PANAL_VERIFY_TOKEN`.", {"type": "string"}, is_required=True),
            Parameter("hub.challenge", "query", "What to echo.", {"type": "string"}, is_required=True),
        ),
        answers=(
            Answer(
                200,
                "The challenge.",
                {"type": "string"},
                (Example("challenge", "Echoed", "1158201444"),),
                media_type="text/plain",
            ),
        ),
        errors=("bad_verify_token",),
        needs_database=False,
    ),
    Operation(
        "POST",
        "/webhooks/whatsapp",
        "receive_notification",
        "Cloud webhook",
        "Meta's notifications",
        description="Meta posts statuses and what customers write. The raw bytes are stored, 200 is answered, and then "
        "the WhatsApp process makes sense of them. Not for your own use.",
        parameters=(
            Parameter(
                "X-Hub-Signature-256",
                "header",
                "`sha256=` and the HMAC-SHA256 of the raw body under `PANAL_APP_SECRET`, in hexadecimal.",
                {"type": "string"},
                is_required=True,
            ),
        ),
        body=Body({"type": "object"}, (Example("received", "A customer wrote", examples.NOTIFICATION),)),
        answers=(
            Answer(
                200,
                "It is stored.",
                {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}},
                (Example("stored", "Stored", {"success": True}),),
            ),
        ),
        errors=("bad_signature", "intake_full"),
    ),
    Operation(
        "GET",
        "/v1/notifications",
        "list_notifications",
        "Cloud webhook",
        "List notifications",
        (
            Answer(
                200,
                "Those in one state, the newest first, without their bodies.",
                page_of("Notification"),
                (Example("page", "The last page", {"data": [_STORED], "next_cursor": None}),),
            ),
        ),
        scope=Scope.ADMIN,
        description="What Meta posted, as it was stored. `failed`: it is not JSON, so nothing could be made of it.",
        parameters=(
            Parameter(
                "state",
                "query",
                "Only these.",
                {"type": "string", "enum": ["new", "done", "failed"], "default": "failed"},
            ),
            LIMIT,
            CURSOR,
        ),
    ),
    Operation(
        "GET",
        "/v1/notifications/{notification_id}",
        "get_notification",
        "Cloud webhook",
        "Read a notification",
        (
            Answer(
                200,
                "With its body, as text.",
                {"allOf": [ref("Notification"), object_of({"body": {"type": "string"}})]},
                (Example("failed", "Not JSON", {**_STORED, "body": "{"}),),
            ),
        ),
        scope=Scope.ADMIN,
        parameters=(_NOTIFICATION_ID,),
        errors=("not_found",),
    ),
    Operation(
        "POST",
        "/v1/notifications/{notification_id}/replay",
        "replay_notification",
        "Cloud webhook",
        "Take a notification in again",
        (
            Answer(
                202,
                "A copy of it waits.",
                object_of({"id": ID, "replay_of": {"type": "string"}}),
            ),
        ),
        scope=Scope.ADMIN,
        description="What was understood the first time is recognised and changes nothing.",
        parameters=(_NOTIFICATION_ID,),
        errors=("not_found", "intake_full"),
    ),
)
