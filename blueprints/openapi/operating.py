"""Numbers, the reference itself and Meta's side, in the API reference.

Process: worker.
"""

from typing import Final

from blueprints.openapi import examples
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, page_of
from services.keys import Scope

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
)
