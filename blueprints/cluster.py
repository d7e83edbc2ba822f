"""``/v1/cluster`` and ``/metrics``: every process, from shared memory; they answer while the database is away.

Process: worker.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import WATCHED_S, caller_of, needs, services_of
from services.keys import Caller, Scope
from services.telemetry.metrics import definitions
from services.telemetry.metrics.scoreboard import operations_per_message
from services.telemetry.rss import helpers_rss_bytes
from services.telemetry.scoreboard import ProcessRow, Scoreboard

bp = Blueprint("cluster", url_prefix="/cluster")
metrics_bp = Blueprint("metrics")


@bp.get("/")
@needs(Scope.CLUSTER_READ, within_s=WATCHED_S)
async def get_cluster(request: Request) -> HTTPResponse:
    """Processes with their vitals, what main did lately, sums, and the plan beside them."""
    scoreboard: Scoreboard = request.app.ctx.life.scoreboard
    rows, facts = scoreboard.rows(), scoreboard.facts()
    return json_response(
        {
            "processes": [_row(row, caller_of(request)) for row in rows],
            "main": {
                "pid": facts.main_pid,
                "started_at": _moment(facts.started_at),
                "is_stopping": facts.stopping,
                "is_reloading": facts.reloading,
                "workers_wanted": facts.workers_wanted,
                "open_breakers": facts.open_breakers,
                "restarts_by_reason": facts.restarts_by_reason,
            },
            "events": [{**asdict(event), "at": _moment(event.at)} for event in reversed(facts.events)],
            "totals": _totals(rows, main_pid=facts.main_pid),
            "storage": await services_of(request).storage.read(),
            "plan": request.app.ctx.plan,
            "answered_by": {"name": os.environ.get("SANIC_WORKER_NAME"), "pid": os.getpid()},
        }
    )


@metrics_bp.get("/metrics")
async def get_metrics(request: Request) -> HTTPResponse:
    """Prometheus text of all processes together. Open like the health checks: it names no person and no message."""
    page = await asyncio.to_thread(definitions.render, request.app.ctx.life.scoreboard)
    return HTTPResponse(page, content_type=definitions.CONTENT_TYPE)


def _row(row: ProcessRow, caller: Caller) -> dict[str, Any]:
    vitals = asdict(row.vitals)
    vitals.pop("state")
    return {
        "name": row.name,
        "role": row.role,
        "pid": row.pid,
        "state": row.state,
        "started_at": _moment(row.started_at),
        "since": _moment(row.since),
        "heartbeat_age_s": round(row.heartbeat_age_s, 2),
        "restarts": row.restarts,
        "last_exit": row.last_exit or None,
        "breaker": row.breaker,
        **vitals,
        **({"whatsapp": _owner(row.extra, caller)} if row.role == "whatsapp" else {}),
    }


def _owner(facts: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """What the owner says of itself; of the links, those of the caller's numbers."""
    links = {number: state for number, state in dict(facts.get("links") or {}).items() if caller.may_use(number)}
    return {**facts, **({"links": links} if "links" in facts else {})}


def _totals(rows: list[ProcessRow], *, main_pid: int) -> dict[str, Any]:
    workers = [row for row in rows if row.role == "worker"]
    per_message = operations_per_message([row.vitals for row in rows])
    return {
        "processes": len(rows),
        "workers": len(workers),
        "rss_bytes": sum(row.vitals.rss_bytes for row in rows) + helpers_rss_bytes(main_pid, {row.pid for row in rows}),
        "requests": sum(row.vitals.requests for row in workers),
        "in_flight": sum(row.vitals.in_flight for row in workers),
        "db_in_use": sum(row.vitals.pool_checked_out for row in rows),
        "db_waiting": sum(row.vitals.pool_waiting for row in rows),
        "db_pool_max": sum(row.vitals.pool_max for row in rows),
        "db_connections": sum(row.vitals.pool_open for row in rows),
        "db_operations_per_s": round(sum(row.vitals.db_operations_per_s for row in rows), 2),
        "db_operations_per_message": round(per_message, 2) if per_message is not None else None,
        "messages_accepted_per_s": round(sum(row.vitals.messages_accepted_per_s for row in rows), 3),
        "restarts": sum(row.restarts for row in rows),
    }


def _moment(unix_s: float) -> datetime | None:
    return datetime.fromtimestamp(unix_s, UTC) if unix_s else None
