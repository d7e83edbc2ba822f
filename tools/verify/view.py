"""What `GET /v1/cluster` says, as far as the check needs it. A field that is missing counts as nothing.

Process: none of the cluster's; a command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One process. `extra` is what the WhatsApp process says of its work."""

    name: str
    role: str
    state: str
    pid: int
    last_exit: str
    breaker: str
    heartbeat_age_s: float
    rss_mb: float
    requests: int
    p95_ms: float
    loop_lag_ms: float
    pool_waiting: int
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The table at one moment. `plan` is the capacity plan; empty where there is none."""

    processes: Sequence[ProcessView] = ()
    workers_wanted: int = 0
    open_breakers: Sequence[str] = ()
    totals: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)

    def of_role(self, role: str) -> list[ProcessView]:
        return [process for process in self.processes if process.role == role]

    def total(self, name: str) -> float:
        value = self.totals.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    def planned(self, name: str) -> float | None:
        value = self.plan.get(name)
        return float(value) if isinstance(value, int | float) else None


def cluster_view(body: Mapping[str, Any]) -> ClusterView:
    """The JSON of `/v1/cluster`."""
    main = _mapping(body.get("main"))
    return ClusterView(
        processes=[_process(_mapping(row)) for row in _list(body.get("processes"))],
        workers_wanted=int(_number(main.get("workers_wanted"))),
        open_breakers=[str(name) for name in _list(main.get("open_breakers"))],
        totals=_mapping(body.get("totals")),
        plan=_mapping(body.get("plan")),
    )


def _process(row: Mapping[str, Any]) -> ProcessView:
    return ProcessView(
        name=str(row.get("name", "")),
        role=str(row.get("role", "")),
        state=str(row.get("state", "")),
        pid=int(_number(row.get("pid"))),
        last_exit=str(row.get("last_exit") or ""),
        breaker=str(row.get("breaker", "")),
        heartbeat_age_s=_number(row.get("heartbeat_age_s")),
        rss_mb=_number(row.get("rss_bytes")) / MEGABYTE,
        requests=int(_number(row.get("requests"))),
        p95_ms=_number(row.get("p95_ms")),
        loop_lag_ms=_number(row.get("loop_lag_ms")),
        pool_waiting=int(_number(row.get("pool_waiting"))),
        extra=_mapping(row.get("whatsapp")),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
