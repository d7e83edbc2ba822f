"""What happens to numbers and their account, type by type. Data.

Process: worker.
"""

from typing import Any, Final

from services.events.catalogue.event_type import EventType, fields

_BY: Final = {"by": "key_01KFM3Q4QZ5F5G1H8J2K4M7N9R"}

_NUMBER: Final = """
display_phone_number  text    what customers see of it
waba_id               text    its account
~event                text?   Meta's word for what happened, where Meta told it
~meta                 object  Meta's own notification of it: field and value
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
        "A WhatsApp process began to own this number. It is the first event of every owner.",
        fields("owner  text  host, PID and a random part\nepoch  whole  counts the owners; it never falls"),
        {"owner": "web-1:4244:9f2c11ab", "epoch": 7},
    ),
    EventType(
        "number.held",
        "WhatsApp asked for patience (throughput, a limit, the account): messages of this number wait.",
        fields(
            """
            reason       text     platform_ and Meta's code, or what else it was
            ~held_until  moment?  when it goes on by itself
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
        "A hold is over: messages of this number leave again, unless it is paused.",
        fields(
            """
            reason        text  hold_ended: its time was over; resumed: somebody let the number go on
            ~hold_reason  text  what it was held for
            ~by           text  who resumed it
            """
        ),
        {"reason": "hold_ended", "hold_reason": "platform_130429"},
    ),
    EventType(
        "number.paused",
        "Somebody paused it: what is accepted waits.",
        fields("by  text  who\n~reason  text?  why"),
        {**_BY, "reason": "maintenance"},
    ),
    EventType(
        "number.resumed",
        "Somebody let it go on.",
        fields("by  text  who\n~reason  text?  why"),
        {**_BY, "reason": None},
    ),
    EventType(
        "number.settings_changed",
        "Somebody changed the settings of this number; only what changed is there, null is the installation's own.",
        fields(
            """
            by                 text     who
            ~rate_per_s        number?  messages a second, at most
            ~daily_recipients  whole?   people in 24 h outside the window, at most; 0: no limit of ours
            ~quiet_hours       text?    when bulk messages rest; empty: never
            """
        ),
        {**_BY, "quiet_hours": "21:00-08:00 America/Mexico_City"},
    ),
    _number(
        "quality_changed",
        "WhatsApp rates the number otherwise: GREEN, YELLOW or RED.",
        """
        ~quality           text   the rating now, where it is known
        ~previous_quality  text?  the rating before
        ~messaging_limit           text   the messaging limit now, where Meta told it, too
        ~previous_messaging_limit  text?  the limit before
        """,
        quality="RED",
        previous_quality="GREEN",
        event="FLAGGED",
        meta=_quality_meta("FLAGGED", "TIER_2K"),
    ),
    _number(
        "limit_changed",
        "WhatsApp lets it write first to more, or fewer, people in 24 hours, or send faster.",
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
        "WhatsApp decided on the name that customers see, or shows another one.",
        """
        ~verified_name           text   the name now, where it changed
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
        "WhatsApp told something else of it: its PIN, its username.",
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
        "WhatsApp reported trouble that belongs to no single message.",
        "errors  objects  as Meta sent them: code, title, message, error_data\n~meta  object  Meta's own\n",
        errors=[{"code": 130429, "title": "Rate limit hit"}],
    ),
)


def _account(name: str, meaning: str, field: str, value: Any, more: str = "", /, **example: Any) -> EventType:
    table = """
    waba_id  text    the account
    field    text    Meta's name of the notification
    event    text?   Meta's word for what happened
    meta     object  Meta's own notification of it: field and value
    ~phone_number_ids  texts  the numbers of the account: each has this event in its own log
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
        "A customer told WhatsApp whether they want marketing messages. What that changes is an event of the contact.",
        fields(
            """
            wa_id     text?   the customer's phone number
            user_id   text?   the customer's business-scoped id
            category  text?   Meta's word for what it is about
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
        "WhatsApp told something that has no event of its own here (a call, a group, a new field). It is kept whole.",
        fields(
            """
            waba_id            text?   the account, where Meta told it
            field              text?   Meta's name of the notification, where it has one
            ~meta              object  Meta's own notification: field and value
            ~value             any     what came instead, when it has not the form of a notification
            ~phone_number_ids  texts   when it names no number: each of these has this event in its own log
            """
        ),
        {"waba_id": "102290129340398", "field": "calls", "meta": {"field": "calls", "value": _CALL}},
    ),
)

_RESTRICTION: Final = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1767830400}

ACCOUNT_TYPES: Final = (
    _account(
        "restricted",
        "WhatsApp restricts or disables the account: some messages, or all, will not leave.",
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
        "WhatsApp has a warning or a piece of advice for the account.",
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
