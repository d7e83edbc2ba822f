"""A capacity plan as a table for people, in Spanish or English.

Process: main, and `python -m config.capacity`.
"""

from config.capacity.records import Plan
from config.locales import text

WIDTH = 64


def render_plan(plan: Plan, locale: str) -> str:
    """Some twenty lines, two columns, no colours: it also has to read well in a log."""

    def word(key: str, **figures: object) -> str:
        return text(locale, f"capacity.{key}", **figures)

    memory_host = plan.memory_mb if plan.memory_mb is not None else word("memory_unknown")
    hosts = plan.instances + plan.overlap_instances
    clients = plan.workers + 1
    lines = [
        word("title"),
        "─" * WIDTH,
        _row(word("cpus"), plan.cpus, indent=0),
        _row(word("cpu_source"), word(f"source.{plan.cpu_source}")),
        _row(word("host_cpus"), plan.host_cpus),
        _row(word("workers"), plan.workers, indent=0),
        _row(word("asked"), f"{plan.workers_asked} ({word(f'asked_by.{plan.asked_by}')})"),
        word("connections"),
        _row(word("worker_pools", workers=plan.workers, pool=plan.pool_per_worker), plan.worker_connections),
        _row(word("worker_margin"), f"({plan.max_connections} - {plan.worker_connections}) {plan.worker_margin}"),
        _row(word("queen_pool"), plan.pool_queen),
        _row(
            word("monitors", clients=clients, servers=plan.servers, monitors=plan.monitors_per_server),
            plan.monitor_connections,
        ),
        _row(word("overlap", count=plan.overlap_workers), plan.overlap_connections),
        _row(word("per_host"), plan.instance_connections),
        _row(word("hosts", instances=plan.instances, overlap=plan.overlap_instances), f"× {hosts}"),
        _row(word("total"), plan.total_connections),
        _row(word("cap"), plan.max_connections),
        _row(word("margin"), plan.margin),
        word("memory"),
        _row(word("memory_workers", workers=plan.workers, each=plan.worker_memory_mb), plan.workers_memory_mb),
        _row(word("memory_overlap", count=plan.overlap_workers), plan.overlap_memory_mb),
        _row(word("memory_queen"), plan.queen_memory_mb),
        _row(word("memory_base"), plan.base_memory_mb),
        _row(word("memory_sandbox"), plan.sandbox_memory_mb),
        _row(word("memory_database"), plan.database_memory_mb),
        _row(word("memory_total"), plan.total_memory_mb),
        _row(word("memory_host"), memory_host),
        "─" * WIDTH,
        *[f"• {note.text(locale)}" for note in plan.notes],
        word("fits"),
    ]
    return "\n".join(lines)


def _row(label: str, value: object, *, indent: int = 2) -> str:
    shown = str(value)
    return " " * indent + label.ljust(WIDTH - indent - len(shown)) + shown
