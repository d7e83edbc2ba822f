"""What happens to numbers and their account, type by type. Data.

Process: worker.
"""

from typing import Any, Final

from services.events.catalogue.event_type import EventType, fields

_BY: Final = {"by": "key_01KFM3Q4QZ5F5G1H8J2K4M7N9R"}

_NUMBER: Final = """
display_phone_number  text    the number that customers see
waba_id               text    its account
~event                text?   Meta's word for what happened, if known
~meta                 object  Meta's own notification: field and value
"""
_NUMBER_EXAMPLE: Final[dict[str, Any]] = {"display_phone_number": "15550783881", "waba_id": "102290129340398"}


def _number(name: str, meaning: str, more: str, /, **example: Any) -> EventType:
    return EventType(f"number.{name}", meaning, fields(_NUMBER + more), {**_NUMBER_EXAMPLE, **example})


def _quality_meta(event: str, limit: str) -> dict[str, Any]:
    value = {"display_phone_number": "15550783881", "event": event, "current_limit": limit}
    return {"field": "phone_number_quality_update", "value": value}


NUMBER_TYPES: Final = (
    EventType(
        "number.connected",
        "A WhatsApp process owns this number now. It is the first event of every owner.",
        fields("owner  text  host, PID and a random part\nepoch  whole  the number of the owner; it only grows"),
        {"owner": "web-1:4244:9f2c11ab", "epoch": 7},
    ),
    EventType(
        "number.held",
        "WhatsApp limits this number (throughput, a limit, the account): its messages wait.",
        fields(
            """
            reason       text     platform_ and Meta's code, or another reason
            ~held_until  moment?  when the hold ends
            ~error       object   code, title, details and next_step
            ~scope       text     number or account
            """
        ),
        {
            "reason": "platform_130429",
            "held_until": "2026-01-02T03:05:05.000Z",
            "error": {"code": 130429, "title": "Rate limit hit", "next_step": "Nothing to do: it is tried again."},
            "scope": "number",
        },
    ),
    EventType(
        "number.released",
        "A hold ended: messages of this number leave again, unless it is paused.",
        fields(
            """
            reason        text  hold_ended: its time is over; resumed: somebody resumed the number
            ~hold_reason  text  the reason of the hold
            ~by           text  who resumed it
            """
        ),
        {"reason": "hold_ended", "hold_reason": "platform_130429"},
    ),
    EventType(
        "number.paused",
        "Somebody paused it: accepted messages wait.",
        fields("by  text  who\n~reason  text?  why"),
        {**_BY, "reason": "maintenance"},
    ),
    EventType(
        "number.resumed",
        "Somebody resumed it.",
        fields("by  text  who\n~reason  text?  why"),
        {**_BY, "reason": None},
    ),
    EventType(
        "number.settings_changed",
        "Somebody changed the settings of this number. Only changed fields are here; null: as the installation.",
        fields(
            """
            by                 text     who
            ~rate_per_s        number?  limit of messages a second
            ~daily_recipients  whole?   limit of people in 24 h outside the window; 0: none
            ~quiet_hours       text?    when bulk messages wait; empty: never
            """
        ),
        {**_BY, "quiet_hours": "21:00-08:00 America/Mexico_City"},
    ),
    _number(
        "quality_changed",
        "WhatsApp changed the quality rating of the number: GREEN, YELLOW or RED.",
        """
        ~quality           text   the rating now, if known
        ~previous_quality  text?  the rating before
        ~messaging_limit           text   the messaging limit now, if Meta named it
        ~previous_messaging_limit  text?  the limit before
        """,
        quality="RED",
        previous_quality="GREEN",
        event="FLAGGED",
        meta=_quality_meta("FLAGGED", "TIER_2K"),
    ),
    _number(
        "limit_changed",
        "WhatsApp changed how many people the number may write to first in 24 hours, or how fast it may send.",
        """
        ~messaging_limit           text   TIER_250, TIER_2K, TIER_10K, TIER_100K, TIER_UNLIMITED, or a count
        ~previous_messaging_limit  text?  the limit before
        ~throughput                text   STANDARD or HIGH
        ~previous_throughput       text?  the throughput before
        """,
        messaging_limit="TIER_10K",
        previous_messaging_limit="TIER_2K",
        event="UPGRADE",
        meta=_quality_meta("UPGRADE", "TIER_10K"),
    ),
    _number(
        "name_changed",
        "WhatsApp decided about the name that customers see, or changed it.",
        """
        ~verified_name           text   the name now, if it changed
        ~previous_verified_name  text?  the name before
        ~decision                text?  APPROVED or REJECTED
        ~reason                  text?  why
        """,
        verified_name="Lucky Shrub",
        previous_verified_name="Jasper's Market",
        decision="APPROVED",
        reason=None,
        event="APPROVED",
        meta={
            "field": "phone_number_name_update",
            "value": {
                "display_phone_number": "15550783881",
                "decision": "APPROVED",
                "requested_verified_name": "Lucky Shrub",
                "rejection_reason": None,
            },
        },
    ),
    _number(
        "updated",
        "Something else about the number changed: its PIN, its username.",
        "field  text  Meta's name of the notification\n",
        field="security",
        event="PIN_CHANGED",
        meta={
            "field": "security",
            "value": {"display_phone_number": "15550783881", "event": "PIN_CHANGED", "requester": "594425479261596"},
        },
    ),
    _number(
        "error_reported",
        "WhatsApp reported an error that belongs to no single message.",
        "errors  objects  as Meta sent them: code, title, message, error_data\n~meta  object  Meta's own\n",
        errors=[{"code": 130429, "title": "Rate limit hit"}],
    ),
)


def _account(name: str, meaning: str, field: str, value: Any, more: str = "", /, **example: Any) -> EventType:
    table = """
    waba_id  text    the account
    field    text    Meta's name of the notification
    event    text?   Meta's word for what happened
    meta     object  Meta's own notification: field and value
    ~phone_number_ids  texts  the numbers of the account; each has this event in its log
    """
    whole = {"waba_id": "102290129340398", "field": field, "event": None, "meta": {"field": field, "value": value}}
    return EventType(f"account.{name}", meaning, fields(table + more), {**whole, **example})


_CALL: Final[dict[str, Any]] = {
    "messaging_product": "whatsapp",
    "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
    "calls": [{"id": "wacid.ABGGFjFVU2AfAgo6V", "from": "16505551234", "event": "connect", "timestamp": "1767323046"}],
}

_PREFERENCE: Final[dict[str, Any]] = {
    "wa_id": "16505551234",
    "detail": "User requested to stop marketing messages",
    "category": "marketing_messages",
    "value": "stop",
    "timestamp": 1767323046,
}

NOTIFICATION_TYPES: Final = (
    EventType(
        "notification.preference",
        "A customer told WhatsApp whether they want marketing messages. A contact event reports the effect.",
        fields(
            """
            wa_id     text?   the customer's phone number
            user_id   text?   the customer's business-scoped id
            category  text?   Meta's word for the category
            choice    text?   Meta's word: stop or resume
            detail    text?   Meta's sentence about it
            meta      object  Meta's own notification: field and value
            """
        ),
        {
            "wa_id": "16505551234",
            "user_id": None,
            "category": "marketing_messages",
            "choice": "stop",
            "detail": _PREFERENCE["detail"],
            "meta": {
                "field": "user_preferences",
                "value": {"messaging_product": "whatsapp", "user_preferences": [_PREFERENCE]},
            },
        },
    ),
    EventType(
        "notification.unknown",
        "A notification without an event type of its own (a call, a group, a new field). `meta` has all of it.",
        fields(
            """
            waba_id            text?   the account, if Meta named it
            field              text?   Meta's name of the notification, if it has one
            ~meta              object  Meta's own notification: field and value
            ~value             any     the content, when it is not shaped like a notification
            ~phone_number_ids  texts   without a number in it: each of these has this event in its log
            """
        ),
        {"waba_id": "102290129340398", "field": "calls", "meta": {"field": "calls", "value": _CALL}},
    ),
)

_RESTRICTION: Final = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1767830400}

ACCOUNT_TYPES: Final = (
    _account(
        "restricted",
        "WhatsApp restricts or disables the account: some or all messages will not leave.",
        "account_update",
        {"event": "ACCOUNT_RESTRICTION", "restriction_info": [_RESTRICTION]},
        "restrictions  objects  what is restricted, and until when (Unix seconds)\nban  object?  state and date\n",
        event="ACCOUNT_RESTRICTION",
        restrictions=[_RESTRICTION],
        ban=None,
    ),
    _account(
        "violated",
        "WhatsApp says that the account broke a rule.",
        "account_update",
        {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}},
        event="ACCOUNT_VIOLATION",
    ),
    _account(
        "reviewed",
        "WhatsApp reviewed the account: APPROVED, REJECTED, PENDING or DEFERRED.",
        "account_review_update",
        {"decision": "APPROVED"},
        event="APPROVED",
    ),
    _account(
        "alerted",
        "WhatsApp has a warning or advice for the account.",
        "account_alerts",
        {"alert_severity": "WARNING", "alert_status": "ACTIVE", "alert_type": "OBA_APPROVED"},
        event="OBA_APPROVED",
    ),
    _account(
        "updated",
        "Something else about the account changed: its capabilities, partners, payment settings.",
        "business_capability_update",
        {"max_daily_conversation_per_phone": 2000, "max_phone_numbers_per_business": 25},
    ),
)
