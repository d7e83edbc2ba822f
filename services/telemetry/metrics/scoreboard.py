"""What the scoreboard says, as Prometheus gauges: read at each scrape, so no process counts it twice.

Process: worker.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services.telemetry.rss import helpers_rss_bytes
from services.telemetry.scoreboard import ClusterFacts, ProcessRow, Scoreboard, Vitals

MEASURES: tuple[tuple[str, str, Callable[[ProcessRow], float]], ...] = (
    ("panal_process_resident_bytes", "Resident memory", lambda row: row.vitals.rss_bytes),
    ("panal_process_cpu_seconds", "CPU time", lambda row: row.vitals.cpu_s),
    ("panal_process_heartbeat_age_seconds", "Since the last heartbeat", lambda row: row.heartbeat_age_s),
    ("panal_event_loop_lag_seconds", "How late the event loop was", lambda row: row.vitals.loop_lag_ms / 1000),
    ("panal_http_in_flight", "Requests and streams in flight", lambda row: row.vitals.in_flight),
    ("panal_http_connections", "Open client connections", lambda row: row.vitals.connections),
    ("panal_db_pool_checked_out", "Database connections in use", lambda row: row.vitals.pool_checked_out),
    ("panal_db_pool_waiting", "Operations waiting for a connection", lambda row: row.vitals.pool_waiting),
    ("panal_db_pool_max", "Size of the pool", lambda row: row.vitals.pool_max),
    ("panal_db_pool_open", "Open database connections, monitors left out", lambda row: row.vitals.pool_open),
    (
        "panal_db_operations_per_second",
        "Database operations, mean of the last minute",
        lambda row: row.vitals.db_operations_per_s,
    ),
    ("panal_process_restarts", "New processes under this name since the start", lambda row: row.restarts),
)

OWNER = (
    ("panal_queue_depth", "Messages that wait to be sent", "queue_depth"),
    ("panal_queue_age_seconds", "Age of the oldest message that waits", "queue_age_s"),
    ("panal_lease_epoch", "Fencing token of the owner's lease", "epoch"),
)


class ScoreboardMetrics(Collector):
    """One family a measure, labelled by process name and role; never by PID, which would grow without end."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard

    def collect(self) -> Iterator[Metric]:
        facts = self._scoreboard.facts()
        rows = list(_one_a_name(self._scoreboard.rows()).values())
        up = GaugeMetricFamily("panal_process_up", "1 while the process is ready", labels=("name", "role"))
        for row in rows:
            up.add_metric((row.name, row.role), float(row.state == "ready"))
        yield up
        for name, help_, measure in MEASURES:
            family = GaugeMetricFamily(name, help_, labels=("name", "role"))
            for row in rows:
                family.add_metric((row.name, row.role), measure(row))
            yield family
        yield from _of_owner(rows)
        yield from _of_main(facts)
        helpers = helpers_rss_bytes(facts.main_pid, {row.pid for row in rows})
        yield GaugeMetricFamily(
            "panal_helpers_resident_bytes", "Resident memory of Sanic's helpers of main", value=float(helpers)
        )
        per_message = operations_per_message([row.vitals for row in rows])
        if per_message is not None:
            yield GaugeMetricFamily(
                "panal_db_operations_per_message",
                "Database operations of the last minute for each message accepted in it, all processes together",
                value=per_message,
            )


def operations_per_message(vitals: Sequence[Vitals]) -> float | None:
    """What one accepted message costs the database, everything else that goes on included. None without messages."""
    accepted_per_s = sum(one.messages_accepted_per_s for one in vitals)
    return sum(one.db_operations_per_s for one in vitals) / accepted_per_s if accepted_per_s else None


def _one_a_name(rows: Sequence[ProcessRow]) -> dict[str, ProcessRow]:
    """While a worker is replaced two rows have its name: the one that drains gives way."""
    found: dict[str, ProcessRow] = {}
    for row in rows:
        if row.name not in found or found[row.name].state == "draining":
            found[row.name] = row
    return found


def _of_owner(rows: Sequence[ProcessRow]) -> Iterator[Metric]:
    extras: list[Mapping[str, Any]] = [row.extra for row in rows if row.role == "whatsapp"]
    for name, help_, key in OWNER:
        values = [extra[key] for extra in extras if isinstance(extra.get(key), int | float)]
        if values:
            yield GaugeMetricFamily(name, help_, value=float(values[0]))
    if extras:
        is_owner = any(extra.get("state") == "owner" for extra in extras)
        yield GaugeMetricFamily("panal_lease_held", "1 while this instance owns its numbers", value=float(is_owner))


def _of_main(facts: ClusterFacts) -> Iterator[Metric]:
    restarts = CounterMetricFamily("panal_restarts", "Processes replaced, by reason", labels=("reason",))
    for reason, count in facts.restarts_by_reason.items():
        restarts.add_metric((reason,), count)
    yield restarts
    breakers = GaugeMetricFamily("panal_breaker_open", "1 while main does not start this process", labels=("name",))
    for name in facts.open_breakers:
        breakers.add_metric((name,), 1.0)
    yield breakers
    yield GaugeMetricFamily("panal_workers_wanted", "Workers that there should be", value=float(facts.workers_wanted))
    yield GaugeMetricFamily("panal_stopping", "1 while the instance stops", value=float(facts.stopping))
