"""Memory, database connections and operations against what was planned.

Process: none of the cluster's; a command.
"""

from collections.abc import Callable

from tools.verify.records import Check, Round
from tools.verify.view import MEGABYTE, ClusterView


def memory_of(found: Round, say: Callable[..., str]) -> Check:
    """All processes together (shared pages counted for each) against the plan, and each worker against its limit."""
    view = found.cluster
    total_mb = max(one.total("rss_bytes") for one in found.all_views) / MEGABYTE
    budget_mb = view.planned("total_memory_mb")
    each_mb = view.planned("worker_memory_mb")
    largest = max(view.of_role("worker"), key=lambda worker: worker.rss_mb, default=None)
    largest_mb = largest.rss_mb if largest is not None else 0.0
    is_ok = (budget_mb is None or total_mb <= budget_mb) and (each_mb is None or largest_mb <= each_mb)
    shown = say("memory.found", total=f"{total_mb:.0f}", largest=f"{largest_mb:.0f}")
    wanted = f"≤ {budget_mb:.0f} / {each_mb:.0f} MB" if budget_mb is not None and each_mb is not None else ""
    next_step = say("memory.next", name=largest.name if largest is not None else "?")
    return Check(say("memory.name"), is_ok if budget_mb is not None else None, shown, wanted, next_step)


def connections_of(found: Round, say: Callable[..., str]) -> Check:
    """The most that were open at once on this host: those of the pools, counted by the driver, and the monitors."""
    counts = [(int(view.total("db_connections")), _monitors(view)) for view in found.all_views]
    pooled, monitors = max(counts, key=sum, default=(0, 0))
    planned = found.cluster.planned("instance_connections")
    shown = say("connections.found", total=pooled + monitors, pooled=pooled, monitors=monitors)
    wanted = f"≤ {planned:.0f}" if planned is not None else ""
    is_ok = None if planned is None else pooled + monitors <= planned
    return Check(say("connections.name"), is_ok, shown, wanted, say("connections.next"))


def operations_of(found: Round, say: Callable[..., str]) -> Check:
    """Operations a second, the mean of the last minute; against the limit of the tier when it was given.

    The last look alone: an earlier one may still have the start in it, which makes indexes.
    """
    rate = found.cluster.total("db_operations_per_s")
    limit = found.options.ops_limit
    per_message = found.cluster.totals.get("db_operations_per_message")
    shown = f"{rate:.1f}/s"
    if isinstance(per_message, int | float):
        shown += say("operations.per_message", count=f"{per_message:.1f}")
    wanted = f"≤ {limit:g}/s" if limit else ""
    return Check(say("operations.name"), rate <= limit if limit else None, shown, wanted, say("operations.next"))


def _monitors(view: ClusterView) -> int:
    """The driver does not count its monitors: each client has so many for each server."""
    clients = len(view.of_role("worker")) + len(view.of_role("whatsapp"))
    each = (view.planned("monitors_per_server") or 0) * (view.planned("servers") or 0)
    return int(clients * each)
