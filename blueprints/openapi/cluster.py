"""The cluster in the API reference: every process, the plan, metrics and health.

Process: worker.
"""

from typing import Any, Final

from pydantic import TypeAdapter

from blueprints.openapi.records import Answer, Example, Operation, ref
from blueprints.openapi.schemas import MAYBE_MOMENT, MAYBE_TEXT, MOMENT, object_of
from config.capacity import Plan
from services.keys import Scope

_COUNT: Final = {"type": "integer"}
_MS: Final = {"type": "number", "description": "In milliseconds."}

WHATSAPP_SAYS: Final = (
    "What the WhatsApp process says of its work. Its `state`: `owner`; `standby`, another one owns; `fenced`, its "
    "lease ran out while it was cut off from the database, so it sends nothing; `starting`, `stopped`."
)

PROCESS: Final = object_of(
    {
        "name": {"type": "string", "description": "Sanic's: `Sanic-Server-0-0`, `Sanic-WhatsApp-0` …"},
        "role": {"type": "string"},
        "pid": _COUNT,
        "state": {
            "type": "string",
            "description": "Its own word, or main's. `stalled`: it lives and does not respond; it is replaced soon.",
        },
        "started_at": MAYBE_MOMENT,
        "since": {**MAYBE_MOMENT, "description": "Since when it is in this state."},
        "heartbeat_age_s": {"type": "number", "description": "Since its event loop last turned, in seconds."},
        "restarts": _COUNT,
        "last_exit": {**MAYBE_TEXT, "description": "How the one before it ended."},
        "breaker": {"type": "string", "description": "`open`: it died too often, and its next try is waited for."},
        "rss_bytes": _COUNT,
        "cpu_s": {"type": "number"},
        "cpu_percent": {"type": "number"},
        "requests": _COUNT,
        "in_flight": _COUNT,
        "connections": _COUNT,
        "p50_ms": _MS,
        "p95_ms": _MS,
        "p99_ms": _MS,
        "loop_lag_ms": _MS,
        "pool_checked_out": {"type": "integer", "description": "Database connections in use."},
        "pool_waiting": {"type": "integer", "description": "Operations that wait for one."},
        "pool_max": _COUNT,
        "pool_open": {"type": "integer", "description": "Open database connections, monitors left out."},
        "db_operations": {"type": "integer", "description": "Database operations since it started."},
        "db_operations_per_s": {"type": "number", "description": "Mean of the last minute."},
        "messages_accepted": {"type": "integer", "description": "Messages that it stored and answered with 202."},
        "messages_accepted_per_s": {"type": "number", "description": "Mean of the last minute."},
        "whatsapp": {"type": "object", "description": WHATSAPP_SAYS},
    },
    optional=("whatsapp",),
    additionalProperties=True,
)

CLUSTER: Final = object_of(
    {
        "processes": {"type": "array", "items": ref("Process")},
        "main": {
            "type": "object",
            "additionalProperties": True,
            "description": "The process that starts and watches the others.",
        },
        "events": {
            "type": "array",
            "items": object_of(
                {
                    "at": MOMENT,
                    "kind": {"type": "string"},
                    "name": {"type": "string"},
                    "pid": _COUNT,
                    "reason": {"type": "string"},
                }
            ),
            "description": "What main did lately, newest first.",
        },
        "totals": {
            "type": "object",
            "additionalProperties": {"type": ["number", "null"]},
            "description": "Sums. `db_operations_per_message` is what a message costs the database, all that goes on "
            "beside it included; null when none was accepted in the last minute.",
        },
        "plan": {"anyOf": [ref("Plan"), {"type": "null"}]},
        "answered_by": object_of({"name": MAYBE_TEXT, "pid": _COUNT}),
    },
    description="Every process of this installation, from shared memory: it answers while the database is away.",
)

READINESS: Final = object_of(
    {
        "status": {"type": "string", "enum": ["ready", "not_ready"]},
        "checks": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "`ok` for each part, or what is wrong and what to do.",
        },
    }
)


def plan_schema() -> dict[str, Any]:
    """The capacity plan, from its own record."""
    schema = TypeAdapter(Plan).json_schema(mode="serialization")
    properties = {
        name: {key: value for key, value in field.items() if key != "title"}
        for name, field in schema["properties"].items()
    }
    properties["notes"] = {
        "type": "array",
        "items": {"type": "object", "required": ["code", "text"], "additionalProperties": True},
        "description": "What the operator should know, though the plan fits.",
    }
    return object_of(
        properties, description="Connections are counted over all servers of the replica set; memory is in MB."
    )


_READY: Final = {"status": "ready", "checks": {"database": "ok", "owner": "ok", "secrets": "ok", "cluster": "ok"}}
_NO_OWNER: Final = {
    "status": "not_ready",
    "checks": {
        "database": "ok",
        "owner": "No WhatsApp process owns the numbers; see the log of Sanic-WhatsApp-0.",
        "cluster": "ok",
    },
}

CLUSTER_CALLS: Final = (
    Operation(
        "GET",
        "/v1/cluster",
        "get_cluster",
        "Operating",
        "Read the processes",
        description="Every process: its role, PID, state, restarts, memory, requests, latency and database pool; what "
        "main did lately; and the plan beside it.",
        scope=Scope.CLUSTER_READ,
        answers=(Answer(200, "The cluster now.", ref("Cluster")),),
    ),
    Operation(
        "GET",
        "/v1/capacity",
        "get_capacity",
        "Operating",
        "Read the capacity plan",
        description="Workers, database connections and memory, as they were planned when this cluster started.",
        scope=Scope.CLUSTER_READ,
        answers=(Answer(200, "The plan.", ref("Plan")),),
    ),
    Operation(
        "GET",
        "/metrics",
        "get_metrics",
        "Operating",
        "Metrics",
        description="All processes together, for Prometheus. Open like the health checks: it names no person and no "
        "message.",
        answers=(Answer(200, "Prometheus text.", {"type": "string"}, media_type="text/plain"),),
        needs_database=False,
    ),
    Operation(
        "GET",
        "/livez",
        "is_alive",
        "Operating",
        "Is this worker alive?",
        description="Its event loop runs. It asks nobody else.",
        answers=(
            Answer(
                200,
                "Yes.",
                object_of({"status": {"const": "ok"}}),
                (Example("ok", "Alive", {"status": "ok"}),),
            ),
        ),
        needs_database=False,
    ),
    Operation(
        "GET",
        "/readyz",
        "is_ready",
        "Operating",
        "Can it do its work?",
        description="Is the database there, and does a WhatsApp process own the numbers? The answer comes within two "
        "seconds, whatever hangs, and names what was not heard.",
        answers=(
            Answer(200, "Yes.", ref("Readiness"), (Example("ready", "Ready", _READY),)),
            Answer(
                503,
                "Not now; `checks` says what is missing and what to do.",
                ref("Readiness"),
                (Example("no_owner", "No owner", _NO_OWNER),),
                (("Retry-After", "When to ask again, in seconds."),),
            ),
        ),
        needs_database=False,
    ),
)
