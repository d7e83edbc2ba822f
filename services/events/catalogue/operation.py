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
~previous_status    text    the state before, where it is known
~category           text?   MARKETING, UTILITY or AUTHENTICATION
~previous_category  text?   the category before
~quality            text?   GREEN, YELLOW, RED or UNKNOWN
~event              text?   Meta's word for what happened
~reason             text?   why
~meta               object  Meta's own notification of it: field and value
~phone_number_ids   texts   the numbers of the account: each has this event in its own log
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
    _template("approved", "WhatsApp approved it: it may be sent.", previous_status="PENDING"),
    _template("rejected", "WhatsApp refused it.", status="REJECTED", reason="INCORRECT_CATEGORY"),
    _template("paused", "WhatsApp paused it, because customers block or report it.", status="PAUSED"),
    _template("disabled", "WhatsApp does not take it any more.", status="DISABLED"),
    _template("updated", "Something else about it changed."),
    _template("category_changed", "WhatsApp gave it another category: it costs something else.", category="MARKETING"),
    _template("quality_changed", "WhatsApp rates it otherwise.", quality="YELLOW"),
    _template("deleted", "It is gone from the account.", status="DELETED"),
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
~skipped      whole   recipients that get nothing: opted out, twice in the list
~waiting      whole   messages that wait
~held         whole   messages that are held
~sent         whole   messages that left
~failed       whole   messages that failed
~delivered    whole   messages on a phone
~read         whole   messages that were opened
~results      object  how many messages are in which state
"""


def _campaign(name: str, meaning: str, more: str = "", /, **example: Any) -> EventType:
    table = fields(_CAMPAIGN + "~by  text  who said so\n~reason  text?  why\n~detail  text  why, at length\n" + more)
    return EventType(f"campaign.{name}", meaning, table, {**_CAMPAIGN_EXAMPLE, **example})


CAMPAIGN_TYPES: Final = (
    _campaign(
        "created",
        "A campaign was made; nothing is sent yet.",
        """
        template          object  what it sends
        ~audience         object  to whom
        ~category         text    marketing, utility or authentication
        ~rate_per_minute  whole?  how fast, at most
        ~send_at          moment? when it begins by itself
        ~digest           any     the same for the same request
        """,
        status="draft",
        template={"name": "hello_world", "language": {"code": "en_US"}},
        rate_per_minute=None,
        send_at=None,
        **_BY,
    ),
    _campaign(
        "updated",
        "It was changed before it began, or while it was paused; only what changed is there.",
        """
        ~template         object   what it sends
        ~category         text     marketing, utility or authentication
        ~rate_per_minute  whole?   how fast, at most
        ~send_at          moment?  when it begins by itself
        """,
        status="draft",
        rate_per_minute=60,
    ),
    _campaign(
        "scheduled",
        "It will begin by itself.",
        "~send_at  moment?  when",
        status="scheduled",
        send_at="2026-01-03T09:00:00.000Z",
        **_BY,
    ),
    _campaign("started", "Its messages begin to leave."),
    _campaign(
        "progress", "How far it is; told now and then.", _COUNTS, total=500, handed_over=120, skipped=3, sent=110
    ),
    _campaign("paused", "Nothing more of it leaves for now.", status="paused", reason="requested", **_BY),
    _campaign("resumed", "It goes on.", reason="requested", **_BY),
    _campaign(
        "completed", "All of its recipients are done.", _COUNTS, status="completed", total=500, sent=490, failed=7
    ),
    _campaign("canceled", "The rest of it will not be sent.", _COUNTS, status="canceled", **_BY),
)

_ENDPOINT: Final = """
endpoint_id     text     its id
format          text     panal or meta
url             text     its URL without path and query: they may hold a token
events          texts    what it wants
numbers         texts    of which numbers; empty: all
header_names    texts    names of its custom headers; their values are secret
description     text     in its maker's words
status          text     enabled, paused, disabled or deleted
secrets         objects  ids of the secrets that sign, with expires_at; never the secrets
created_at      moment   since when it exists
updated_at      moment   when it changed
created_by      text     who made it
reason          text?    why it was disabled: gone (it answered 410) or failing
failing_since   moment?  since when it has taken nothing
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
~since        moment?  since when it has taken nothing
~last_status  whole?   the HTTP status of the last try
~last_error   text?    why there was none
"""


def _endpoint(name: str, meaning: str, more: str = "", /, **example: Any) -> EventType:
    return EventType(f"webhook_endpoint.{name}", meaning, fields(_ENDPOINT + more), {**_ENDPOINT_EXAMPLE, **example})


ENDPOINT_TYPES: Final = (
    _endpoint("created", "An endpoint was made; it gets what happens from now on.", **_BY),
    _endpoint("updated", "Its URL, headers, events, numbers or description changed.", **_BY),
    _endpoint("paused", "A person paused it: events wait.", status="paused", **_BY),
    _endpoint("resumed", "It goes on where it stopped.", **_BY),
    _endpoint("secret_rotated", "It has a new secret; the old one signs as well until it ends.", **_BY),
    _endpoint("deleted", "It was removed, with its dead letters.", status="deleted", **_BY),
    _endpoint(
        "failing",
        "It takes nothing any more. It is tried seldom, and its events wait.",
        _LAST,
        failing_since="2026-01-02T03:04:05.000Z",
        since="2026-01-02T03:04:05.000Z",
        last_status=503,
        last_error=None,
    ),
    _endpoint("recovered", "It takes events again, from where it stopped."),
    _endpoint(
        "disabled",
        "It answered 410, or failed for days: nothing is tried any more until somebody resumes it.",
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
        "An event was given up for this endpoint. It stays in its dead letters until it is delivered again.",
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
        "A redelivery is done: everything in it was taken or given up.",
        fields(_SHORT + "redelivery_id  text  which one"),
        {
            "endpoint_id": _ENDPOINT_ID,
            "url": "https://shop.example.com/***",
            "redelivery_id": "cmd_01KFM3Q500B6P2D7A9V5C1X0ZC:106540352242922",
        },
    ),
    EventType(
        "webhook_endpoint.test",
        "What the test button sends, to this endpoint alone. It has no number in the log: its seq is 0.",
        fields("endpoint_id  text  its id\nmessage  text  a friendly word\nevents  texts  what the endpoint wants"),
        {"endpoint_id": _ENDPOINT_ID, "message": "It works.", "events": ["message.*"]},
    ),
)

CLUSTER_TYPES: Final = (
    EventType(
        "cluster.owner_changed",
        "Another process owns the numbers now: after a start, a crash or a deploy.",
        fields("owner  text  host, PID and a random part\nepoch  whole  counts the owners; it never falls"),
        {"owner": "web-1:4244:9f2c11ab", "epoch": 7},
    ),
    EventType(
        "cluster.process_restarted",
        "A process died, stood still or grew too large, and was started again.",
        fields("name  text  which: Sanic-Server-0-0 …\npid  whole  its new PID\nreason  text  why"),
        {"name": "Sanic-Server-1-0", "pid": 4301, "reason": "SIGKILL"},
    ),
    EventType(
        "cluster.dead_letter",
        "Something happened that can never be stored as it is: it is too large, or holds a value of no known type.",
        fields(
            """
            type    text  the event that should stand here
            reason  text  why it does not
            """
        ),
        {"type": "message.received", "reason": "MongoDB can only handle up to 8-byte ints"},
    ),
    EventType(
        "cluster.storage",
        "The database fills up, or has room again.",
        fields(
            """
            level         text    ok, warning or critical
            used_mb       number  how much is used
            limit_mb      number  how much there is
            used_percent  number  the share of it
            ~next_step    text    what to do
            """
        ),
        {"level": "warning", "used_mb": 412, "limit_mb": 512, "used_percent": 80},
    ),
)
