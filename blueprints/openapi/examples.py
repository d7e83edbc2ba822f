"""Values as they really went over the wire, for the examples of the reference.

Process: worker. A test validates each against the schema it stands under.
"""

from typing import Any, Final

MESSAGE_ID: Final = "msg_01M8657HZN5ZKQTDD9W5WN2V69"
CONVERSATION_ID: Final = "cnv_01M8657J032M89WZC83CMKW26T"
NUMBER: Final = "106540352242922"
PHONE: Final = "16505551234"
WAMID: Final = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI2Q0NCMzVGMUZFMDkyNEM5OTcA"
INBOUND_WAMID: Final = "wamid.HBgLMTY1MDU1NTEyMzQVAgASGBRCMTk3RDBBMzU5REQ4NzE4MkNEMQA="

TEXT_ORDER: Final = {"to": PHONE, "type": "text", "text": {"body": "Hola desde Panal"}}
TEMPLATE_ORDER: Final = {
    "to": PHONE,
    "type": "template",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
    "metadata": {"order": 1001},
}
BUTTONS_ORDER: Final = {
    "to": PHONE,
    "type": "interactive",
    "interactive": {
        "type": "button",
        "body": {"text": "¿Te lo enviamos mañana?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "yes", "title": "Sí"}},
                {"type": "reply", "reply": {"id": "later", "title": "Otro día"}},
            ]
        },
    },
}
IMAGE_ORDER: Final = {
    "to": PHONE,
    "type": "image",
    "image": {"link": "https://example.com/receipt.png", "caption": "Tu recibo"},
    "context": {"message_id": INBOUND_WAMID},
}

ACCEPTED: Final = {
    "id": MESSAGE_ID,
    "status": "queued",
    "from": NUMBER,
    "to": PHONE,
    "type": "text",
    "created_at": "2026-11-24T06:52:26.997Z",
    "send_at": None,
}

_ITS_PRICE: Final = {
    "billable": False,
    "pricing_model": "PMP",
    "type": "free_customer_service",
    "category": "service",
}

LISTED_MESSAGE: Final[dict[str, Any]] = {
    "id": MESSAGE_ID,
    "direction": "out",
    "status": "read",
    "phone_number_id": NUMBER,
    "from": NUMBER,
    "to": PHONE,
    "conversation_id": CONVERSATION_ID,
    "wamid": WAMID,
    "context": None,
    "created_at": "2026-11-24T06:52:26.997Z",
    "updated_at": "2026-11-24T06:52:27.061Z",
    "attempts": 1,
    "held_reason": None,
    "held_until": None,
    "send_at": None,
    "expires_at": None,
    "error": None,
    "pricing": _ITS_PRICE,
    "metadata": None,
    "priority": "transactional",
    "campaign_id": None,
    "seq": 7,
    "type": "text",
    "text": {"body": "Hola desde Panal"},
}
MESSAGE: Final[dict[str, Any]] = {
    **LISTED_MESSAGE,
    "timeline": [
        {"status": "queued", "at": "2026-11-24T06:52:26.997Z", "seq": None},
        {"status": "sending", "at": "2026-11-24T06:52:27.012Z", "seq": 4, "attempt": 1},
        {"status": "sent", "at": "2026-11-24T06:52:27.028Z", "seq": 5},
        {"status": "delivered", "at": "2026-11-24T06:52:27.050Z", "seq": 6},
        {"status": "read", "at": "2026-11-24T06:52:27.061Z", "seq": 7},
    ],
}

CONVERSATION: Final[dict[str, Any]] = {
    "id": CONVERSATION_ID,
    "phone_number_id": NUMBER,
    "contact": {"wa_id": PHONE, "user_id": "US.42531333576785310336", "name": "Ana", "group_id": None},
    "status": "open",
    "unread_count": 1,
    "assignee": None,
    "labels": [],
    "window_closes_at": "2026-11-25T06:52:29.000Z",
    "created_at": "2026-11-24T06:52:27.010Z",
    "last_inbound_at": "2026-11-24T06:52:29.000Z",
    "last_outbound_at": "2026-11-24T06:52:27.011Z",
    "last_message": {
        "id": "msg_01M8657MAA0BGY9XSW5YXNTZKM",
        "direction": "in",
        "type": "text",
        "text": "Hola, gracias",
        "at": "2026-11-24T06:52:29.386Z",
        "status": "received",
    },
}

EVENTS: Final[dict[str, Any]] = {
    "data": [
        {
            "seq": 6,
            "id": "evt_01M8657J1A3FQV62BXJC951REM",
            "type": "message.delivered",
            "at": "2026-11-24T06:52:27.050Z",
            "phone_number_id": NUMBER,
            "data": {
                "message_id": MESSAGE_ID,
                "conversation_id": CONVERSATION_ID,
                "to": PHONE,
                "status": "delivered",
                "platform_at": "2026-11-24T06:52:27.000Z",
                "pricing": _ITS_PRICE,
                "wamid": WAMID,
            },
        },
        {
            "seq": 8,
            "id": "evt_01M8657MAA0BGY9XSW5YXNTZKN",
            "type": "message.received",
            "at": "2026-11-24T06:52:29.386Z",
            "phone_number_id": NUMBER,
            "data": {
                "message_id": "msg_01M8657MAA0BGY9XSW5YXNTZKM",
                "conversation_id": CONVERSATION_ID,
                "wamid": INBOUND_WAMID,
                "from": PHONE,
                "from_user_id": "US.42531333576785310336",
                "name": "Ana",
                "type": "text",
                "content": {"type": "text", "text": {"body": "Hola, gracias"}},
                "context_wamid": None,
                "sent_at": "2026-11-24T06:52:29.000Z",
                "preview": "Hola, gracias",
            },
        },
    ],
    "next_after": 8,
    "phone_number_id": NUMBER,
}

ONE_NUMBER: Final[dict[str, Any]] = {
    "phone_number_id": NUMBER,
    "waba_id": "102290129340398",
    "display_phone_number": "15550783881",
    "link": "sandbox",
    "is_default": True,
    "is_paused": False,
    "hold_reason": None,
    "hold_until": None,
    "verified_name": "Jasper's Market",
    "quality": "GREEN",
    "messaging_limit": "TIER_UNLIMITED",
    "throughput": "STANDARD",
    "settings": {"rate_per_s": None, "daily_recipients": None, "quiet_hours": "21:00-08:00 America/Mexico_City"},
}
NUMBERS: Final[dict[str, Any]] = {"data": [ONE_NUMBER], "next_cursor": None}

NOTIFICATION: Final[dict[str, Any]] = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "102290129340398",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "messaging_product": "whatsapp",
                        "metadata": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
                        "contacts": [{"profile": {"name": "Ana"}, "wa_id": PHONE}],
                        "messages": [
                            {
                                "from": PHONE,
                                "id": INBOUND_WAMID,
                                "timestamp": "1795416749",
                                "type": "text",
                                "text": {"body": "Hola, gracias"},
                            }
                        ],
                    },
                }
            ],
        }
    ],
}
