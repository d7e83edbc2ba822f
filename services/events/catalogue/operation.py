"""What happens to templates, campaigns, endpoints and the cluster, type by type. Data.

Process: worker.
"""

from typing import Any, Final

from services.events.catalogue.event_type import EventType, fields

_BY: Final = {"by": "key_01KFM3Q4QZ5F5G1H8J2K4M7N9R"}

_TEMPLATE: Final = """
template_id         text?   Meta's id of it
waba_id             text?   the account it belongs to
name                text?   its name
language            text?   its language
~status             text    Meta's word for its state
~previous_status    text    the state before, if known
~category           text?   MARKETING, UTILITY or AUTHENTICATION
~previous_category  text?   the category before
~quality            text?   GREEN, YELLOW, RED or UNKNOWN
~event              text?   Meta's word for what happened
~reason             text?   why
~meta               object  Meta's own notification: field and value
~phone_number_ids   texts   the numbers of the account; each has this event in its log
"""
_TEMPLATE_EXAMPLE: Final[dict[str, Any]] = {
    "template_id": "594425479261596",
    "waba_id": "102290129340398",
    "name": "order_confirmation",
    "language": "en_US",
    "status": "APPROVED",
    "category": "UTILITY",
    "reason": None,
}


def _template(name: str, meaning: str, **example: Any) -> EventType:
    return EventType(f"template.{name}", meaning, fields(_TEMPLATE), {**_TEMPLATE_EXAMPLE, **example})


TEMPLATE_TYPES: Final = (
    _template("created", "The account has a new template.", status="PENDING"),
    _template("pending", "WhatsApp reviews it.", status="PENDING"),
    _template("approved", "WhatsApp approved it: you may send it.", previous_status="PENDING"),
    _template("rejected", "WhatsApp refused it.", status="REJECTED", reason="INCORRECT_CATEGORY"),
    _template("paused", "WhatsApp paused it, because customers block or report it.", status="PAUSED"),
    _template("disabled", "WhatsApp does not accept it any more.", status="DISABLED"),
    _template("updated", "Something else about it changed."),
    _template("category_changed", "WhatsApp gave it another category, so its price changes.", category="MARKETING"),
    _template("quality_changed", "WhatsApp changed its quality rating.", quality="YELLOW"),
    _template("deleted", "The account does not have it any more.", status="DELETED"),
)

_CAMPAIGN: Final = """
campaign_id  text  its id
name         text  its name
status       text  draft, scheduled, running, paused, completed or canceled
"""
_CAMPAIGN_EXAMPLE: Final[dict[str, Any]] = {
    "campaign_id": "cmp_01KFM3Q4X0B6P2D7A9V5C1X0ZY",
    "name": "Spring",
    "status": "running",
}
_COUNTS: Final = """
~total        whole?  recipients
~handed_over  whole   messages that were accepted for them
~skipped      whole   recipients that get nothing: opted out, or twice in the list
~waiting      whole   messages that wait
~held         whole   messages that are held
~sent         whole   messages that left
~failed       whole   messages that failed
~delivered    whole   messages on a phone
~read         whole   messages that were opened
~results      object  how many messages are in each state
"""


def _campaign(name: str, meaning: str, more: str = "", /, **example: Any) -> EventType:
    table = fields(
        _CAMPAIGN + "~by  text  who did it\n~reason  text?  why, as a code\n~detail  text  why, in words\n" + more
    )
    return EventType(f"campaign.{name}", meaning, table, {**_CAMPAIGN_EXAMPLE, **example})


CAMPAIGN_TYPES: Final = (
    _campaign(
        "created",
        "A campaign exists; it sends nothing yet.",
        """
        template          object  its template
        ~audience         object  its recipients
        ~category         text    marketing, utility or authentication
        ~rate_per_minute  whole?  its limit of messages a minute
        ~send_at          moment? when it begins by itself
        ~digest           any     digest of the request
        """,
        status="draft",
        template={"name": "hello_world", "language": {"code": "en_US"}},
        rate_per_minute=None,
        send_at=None,
        **_BY,
    ),
    _campaign(
        "updated",
        "Somebody changed it before its start or in a pause; the event has only the changed fields.",
        """
        ~template         object   its template
        ~category         text     marketing, utility or authentication
        ~rate_per_minute  whole?   its limit of messages a minute
        ~send_at          moment?  when it begins by itself
        """,
        status="draft",
        rate_per_minute=60,
    ),
    _campaign(
        "scheduled",
        "It will begin by itself.",
        "~send_at  moment?  when it begins",
        status="scheduled",
        send_at="2026-01-03T09:00:00.000Z",
        **_BY,
    ),
    _campaign("started", "Its messages begin to leave."),
    _campaign(
        "progress",
        "Its progress, reported from time to time.",
        _COUNTS,
        total=500,
        handed_over=120,
        skipped=3,
        sent=110,
    ),
    _campaign("paused", "It sends nothing until somebody resumes it.", status="paused", reason="requested", **_BY),
    _campaign("resumed", "It sends again.", reason="requested", **_BY),
    _campaign(
        "completed", "All of its recipients are done.", _COUNTS, status="completed", total=500, sent=490, failed=7
    ),
    _campaign("canceled", "It will not send the rest.", _COUNTS, status="canceled", **_BY),
)

_ENDPOINT: Final = """
endpoint_id     text     its id
format          text     panal or meta
url             text     its URL without path and query: they may hold a token
events          texts    the types and families that it gets
numbers         texts    only events of these numbers; empty: all
header_names    texts    names of its custom headers; their values are secret
description     text     a note for people
status          text     enabled, paused, disabled or deleted
secrets         objects  ids of the secrets that sign, with expires_at; never the secrets
created_at      moment   when it was created
updated_at      moment   when it changed
created_by      text     who created it
reason          text?    why it was disabled: gone (it answered 410) or failing
failing_since   moment?  when its failures began
~by             text     who did this
"""
_SHORT: Final = "endpoint_id  text  its id\nurl  text  its URL without path and query: they may hold a token\n"
_ENDPOINT_ID: Final = "whe_01KFM3Q4Y0B6P2D7A9V5C1X0ZZ"
_ENDPOINT_EXAMPLE: Final[dict[str, Any]] = {
    "endpoint_id": _ENDPOINT_ID,
    "format": "panal",
    "url": "https://shop.example.com/***",
    "events": ["message.*"],
    "numbers": [],
    "header_names": ["authorization"],
    "description": "The shop",
    "status": "enabled",
    "secrets": [{"id": "whv_01KFM3Q4Y1B6P2D7A9V5C1X0ZA", "expires_at": None}],
    "created_at": "2026-01-02T03:04:05.000Z",
    "updated_at": "2026-01-02T03:04:05.000Z",
    "created_by": "key_01KFM3Q4QZ5F5G1H8J2K4M7N9R",
    "reason": None,
    "failing_since": None,
}
_LAST: Final = """
~since        moment?  when its failures began
~last_status  whole?   the HTTP status of the last attempt
~last_error   text?    why there was no answer
"""


def _endpoint(name: str, meaning: str, more: str = "", /, **example: Any) -> EventType:
    return EventType(f"webhook_endpoint.{name}", meaning, fields(_ENDPOINT + more), {**_ENDPOINT_EXAMPLE, **example})


ENDPOINT_TYPES: Final = (
    _endpoint("created", "Somebody created an endpoint; it gets events from now on.", **_BY),
    _endpoint("updated", "Its URL, headers, events, numbers or description changed.", **_BY),
    _endpoint("paused", "Somebody paused it: events wait.", status="paused", **_BY),
    _endpoint("resumed", "Somebody resumed it: deliveries continue where they stopped.", **_BY),
    _endpoint("secret_rotated", "It has a new secret; the old one also signs until its end.", **_BY),
    _endpoint("deleted", "Somebody deleted it, with its dead letters.", status="deleted", **_BY),
    _endpoint(
        "failing",
        "It accepts nothing any more. It gets one probe every few minutes, and its events wait.",
        _LAST,
        failing_since="2026-01-02T03:04:05.000Z",
        since="2026-01-02T03:04:05.000Z",
        last_status=503,
        last_error=None,
    ),
    _endpoint("recovered", "It accepts events again; deliveries continue where they stopped."),
    _endpoint(
        "disabled",
        "It answered 410, or failed for days: it gets nothing until somebody resumes it.",
        _LAST + "cause  text  gone or failing",
        status="disabled",
        reason="failing",
        cause="failing",
        since="2025-12-28T03:04:05.000Z",
        last_status=None,
        last_error="the connection was refused",
    ),
    EventType(
        "webhook_endpoint.dead_letter",
        "This endpoint never took the event. The event stays in its dead letters until a redelivery.",
        fields(
            _SHORT
            + """
            event_id    text   the event
            event_type  text   its type
            event_seq   whole  its number
            cause       text   schedule_exhausted, lane_overflow or expired
            """
        ),
        {
            "endpoint_id": _ENDPOINT_ID,
            "url": "https://shop.example.com/***",
            "event_id": "evt_01KFM3Q4Z0B6P2D7A9V5C1X0ZB",
            "event_type": "message.read",
            "event_seq": 41,
            "cause": "schedule_exhausted",
        },
    ),
    EventType(
        "webhook_endpoint.redelivered",
        "A redelivery is finished: each event was accepted or became a dead letter.",
        fields(_SHORT + "redelivery_id  text  its id"),
        {
            "endpoint_id": _ENDPOINT_ID,
            "url": "https://shop.example.com/***",
            "redelivery_id": "cmd_01KFM3Q500B6P2D7A9V5C1X0ZC:106540352242922",
        },
    ),
    EventType(
        "webhook_endpoint.test",
        "The event of the test button, for this endpoint alone. It is not in the log: its `seq` is 0.",
        fields(
            "endpoint_id  text  its id\nmessage  text  a short text\nevents  texts  the types that the endpoint gets"
        ),
        {"endpoint_id": _ENDPOINT_ID, "message": "It works.", "events": ["message.*"]},
    ),
)

CLUSTER_TYPES: Final = (
    EventType(
        "cluster.owner_changed",
        "Another process owns the numbers: after a start, a crash or a deploy.",
        fields("owner  text  host, PID and a random part\nepoch  whole  the number of the owner; it only grows"),
        {"owner": "web-1:4244:9f2c11ab", "epoch": 7},
    ),
    EventType(
        "cluster.process_restarted",
        "A process died, stalled or grew too large; Panal started it again.",
        fields("name  text  its name: Sanic-Server-0-0 …\npid  whole  its new PID\nreason  text  the reason"),
        {"name": "Sanic-Server-1-0", "pid": 4301, "reason": "SIGKILL"},
    ),
    EventType(
        "cluster.dead_letter",
        "The database cannot store an event: it is too large, or has a value of an unknown type.",
        fields(
            """
            type    text  the type of that event
            reason  text  why the database refused it
            """
        ),
        {"type": "message.received", "reason": "MongoDB can only handle up to 8-byte ints"},
    ),
    EventType(
        "cluster.storage",
        "The database is nearly full, or has room again.",
        fields(
            """
            level         text    ok, warning or critical
            used_mb       number  the space in use
            limit_mb      number  the space in all
            used_percent  number  the share in use
            ~next_step    text    what to do
            """
        ),
        {"level": "warning", "used_mb": 412, "limit_mb": 512, "used_percent": 80},
    ),
)
