"""Prometheus metrics of all processes together, and what each of them means.

Process: worker, whatsapp (they count); worker (it renders).

prometheus_client's multiprocess mode decides at import whether values live in files: `files.prepare` has to
have run in main before a process that counts is started. Without it (tests, tools) everything counts in memory.
What the scoreboard already knows is not counted twice: `ScoreboardMetrics` reads it at each scrape.
"""

import os
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from services.telemetry.metrics import preallocated
from services.telemetry.metrics.files import DIRECTORY_VARIABLE, reading
from services.telemetry.metrics.scoreboard import ScoreboardMetrics
from services.telemetry.scoreboard import Scoreboard

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"

preallocated.use()
_memory = CollectorRegistry()
_REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_MESSAGE_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

HTTP_SECONDS = Histogram(
    "panal_http_request_seconds",
    "From the complete header to the answer (to its start, for a stream)",
    ("method", "route", "status"),
    buckets=_REQUEST_S,
    registry=_memory,
)
ACCEPT_TO_SENT_SECONDS = Histogram(
    "panal_accept_to_sent_seconds",
    "From the 202 to WhatsApp's answer, messages scheduled for later counted from their time",
    ("phone_number_id",),
    buckets=_MESSAGE_S,
    registry=_memory,
)
SENT_TO_DELIVERED_SECONDS = Histogram(
    "panal_sent_to_delivered_seconds",
    "From WhatsApp's answer to its `delivered`",
    ("phone_number_id",),
    buckets=_MESSAGE_S,
    registry=_memory,
)
CLOUD_WEBHOOK_LAG_SECONDS = Histogram(
    "panal_cloud_webhook_lag_seconds",
    "From Meta's own timestamp in a notification (whole seconds) to its effect here",
    buckets=_MESSAGE_S,
    registry=_memory,
)
ENDPOINT_LAG_SECONDS = Histogram(
    "panal_webhook_endpoint_lag_seconds",
    "From an event to the subscriber's 2xx",
    buckets=_MESSAGE_S,
    registry=_memory,
)
MESSAGES_ACCEPTED = Counter(
    "panal_messages_accepted", "Messages stored and answered with 202", ("phone_number_id",), registry=_memory
)
MESSAGES = Counter(
    "panal_messages", "Messages by the state they reached", ("phone_number_id", "state"), registry=_memory
)
EVENTS = Counter("panal_events", "Numbered events, by type", ("phone_number_id", "type"), registry=_memory)
DUPLICATES_SUPPRESSED = Counter(
    "panal_duplicates_suppressed",
    "What came twice and had one effect: idempotency_key, insert, inbound, status",
    ("kind",),
    registry=_memory,
)
DB_OPERATIONS = Counter(
    "panal_db_operations", "Operations sent to the database (Atlas M0 allows 100/s)", ("role",), registry=_memory
)
DB_DOCUMENTS = Counter("panal_db_documents", "Documents in those operations", ("role",), registry=_memory)
DB_ERRORS = Counter("panal_db_errors", "Operations that failed in a way that may pass", ("role",), registry=_memory)
DB_POOL_WAITS = Counter(
    "panal_db_pool_waits", "Operations that had to wait for a connection of the pool", ("role",), registry=_memory
)


Adder = Callable[[float], None]


@lru_cache(maxsize=4096)
def _http(method: str, route: str | None, status: int) -> tuple[Adder, list[Adder]]:
    """What adds to the sum of these requests, and to each of their buckets."""
    path = UNMATCHED if route is None else f"/{route}"
    one = HTTP_SECONDS.labels(method if method in _METHODS else "OTHER", path, str(status))
    return preallocated.adder(one._sum), [preallocated.adder(bucket) for bucket in one._buckets]


def observe_request(method: str, route: str | None, status: int, seconds: float) -> None:
    """`route` is the pattern (`v1/messages/<id>`), never the path: a path would make a metric of every message.

    None: no route was found. On the event loop only.
    """
    add_seconds, add_count = _http(method, route, status)
    add_seconds(seconds)
    add_count[bisect_left(_REQUEST_S, seconds)](1)


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


def render(scoreboard: Scoreboard | None = None) -> bytes:
    """The whole page, for all processes, those that were replaced included. It reads files: call it on a thread."""
    registry = CollectorRegistry()
    if scoreboard is not None:
        registry.register(ScoreboardMetrics(scoreboard))
    directory = os.environ.get(DIRECTORY_VARIABLE)
    if not directory:
        return generate_latest(registry) + generate_latest(_memory)
    MultiProcessCollector(registry, path=directory)  # type: ignore[no-untyped-call]
    with reading(directory):
        return generate_latest(registry)
