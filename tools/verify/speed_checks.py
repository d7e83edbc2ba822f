"""Was everything answered, how fast, and by whom?

Process: none of the cluster's; a command.
"""

from collections.abc import Callable

from tools.verify.load import LoadResult
from tools.verify.records import Check, Round

P50_S = 0.5
P95_S = 2.0
SHOWN_REASONS = 3
LAGGING_MS = 100.0


def answered_of(found: Round, say: Callable[..., str]) -> list[Check]:
    """Every request of the load had a good answer."""
    load = found.load
    if load is None:
        return []
    shown = say("answered.found", good=load.count - load.failed_count, count=load.count)
    top = load.failures.most_common(SHOWN_REASONS)
    if top:
        shown += ": " + ", ".join(f"{reason} × {count}" for reason, count in top)
    wanted = say("answered.wanted", rate=found.options.rate_per_min, seconds=f"{found.options.duration_s:g}")
    next_step = say(f"answered.next_{_kind(top[0][0])}") if top else ""
    return [Check(say("answered.name"), load.failed_count == 0 and load.count > 0, shown, wanted, next_step)]


def latency_of(found: Round, say: Callable[..., str]) -> list[Check]:
    """p50 and p95 against their limits, p99 to know; counted from the moment when each request was due."""
    load = found.load
    if load is None:
        return []
    why = _why_slow(found, load, say)
    lines = []
    for name, share, limit_s in (("p50", 0.5, P50_S), ("p95", 0.95, P95_S), ("p99", 0.99, None)):
        taken_s = load.quantile_s(share)
        is_ok = None if limit_s is None else taken_s <= limit_s
        wanted = "" if limit_s is None else f"≤ {limit_s * 1000:.0f} ms"
        lines.append(Check(say("latency.name", share=name), is_ok, f"{taken_s * 1000:.0f} ms", wanted, why))
    return lines


def spread_of(found: Round, say: Callable[..., str]) -> Check:
    """Requests by worker since each started: the kernel gives a connection to the worker that accepts it first."""
    counts = [str(worker.requests) for worker in found.cluster.of_role("worker")]
    return Check(say("spread.name"), None, " / ".join(counts))


def _kind(reason: str) -> str:
    """Which advice fits: database, busy, denied, network, other."""
    if "database" in reason:
        return "database"
    if reason.startswith(("401", "403")):
        return "denied"
    if reason.startswith(("429", "503")):
        return "busy"
    return "network" if not reason[:1].isdigit() else "other"


def _why_slow(found: Round, load: LoadResult, say: Callable[..., str]) -> str:
    """The likeliest place, from what the cluster said of itself meanwhile."""
    workers = [worker for view in found.all_views for worker in view.of_role("worker")]
    server_p95_ms = max((worker.p95_ms for worker in workers), default=0.0)
    if load.late_s > P50_S / 2:
        return say("latency.next_here", late=f"{load.late_s * 1000:.0f}")
    if any(worker.pool_waiting for worker in workers):
        return say("latency.next_pool")
    if any(worker.loop_lag_ms > LAGGING_MS for worker in workers):
        return say("latency.next_cpu")
    if server_p95_ms < load.quantile_s(0.95) * 1000 / 2:
        return say("latency.next_way", server=f"{server_p95_ms:.0f}")
    return say("latency.next_database", server=f"{server_p95_ms:.0f}")
