"""Are all processes there, and do they stay?

Process: none of the cluster's; a command.
"""

from collections.abc import Callable

from tools.verify.records import Check, Round
from tools.verify.view import ProcessView

SILENT_S = 5.0
"""A heartbeat comes every second; main itself waits `PANAL_STALL_S` (10 s) before it ends a silent process."""


def workers_of(found: Round, say: Callable[..., str]) -> Check:
    """As many as are wanted (the plan, or what `make scale` made of it), each ready and heard of lately."""
    workers = found.cluster.of_role("worker")
    planned = int(found.cluster.planned("workers") or 0)
    wanted = found.cluster.workers_wanted or planned
    ready = [worker for worker in workers if is_well(worker)]
    others = [worker for worker in workers if not is_well(worker) and worker.state != "draining"]
    shown = say("workers.found", ready=len(ready), wanted=wanted)
    if wanted != planned:
        shown += say("workers.scaled", planned=planned)
    next_step = say("workers.next", who="; ".join(described(one) for one in others) or say("workers.missing"))
    return Check(say("workers.name"), len(ready) == wanted > 0, shown, say("workers.wanted", wanted=wanted), next_step)


def processes_of(found: Round, say: Callable[..., str]) -> list[Check]:
    """Main, and in development the database and the emulated WhatsApp."""
    others = [one for one in found.cluster.processes if one.role not in ("worker", "whatsapp")]
    bad = [one for one in others if not is_well(one)]
    shown = "; ".join(described(one) for one in bad) or ", ".join(one.role for one in others)
    next_step = say("processes.next", names=", ".join(one.name for one in bad))
    return [Check(say("processes.name"), not bad, shown, "ready", next_step)] if others else []


def ready_of(found: Round, say: Callable[..., str]) -> Check:
    """`/readyz`: it says itself what is missing."""
    checks = found.ready.body.get("checks")
    parts = checks if isinstance(checks, dict) else {}
    faults = [f"{name}: {word}" for name, word in parts.items() if word != "ok"]
    shown = "; ".join(faults) or found.ready.why()
    return Check(say("ready.name"), found.ready.is_good, shown, "200", say("ready.next"))


def steady_of(found: Round, say: Callable[..., str]) -> Check:
    """Nothing died or was replaced while we looked."""
    counts = [view.total("restarts") for view in found.all_views]
    count = int(max(counts) - min(counts)) if counts else 0
    return Check(say("steady.name"), count == 0, str(count), "0", say("steady.next"))


def is_well(process: ProcessView) -> bool:
    return process.state == "ready" and process.heartbeat_age_s < SILENT_S


def described(process: ProcessView) -> str:
    """`Sanic-Server-1-0: broken, SIGKILL`"""
    parts = [process.state]
    if process.state == "ready":
        parts = [f"silent {process.heartbeat_age_s:.0f} s"]
    if process.last_exit:
        parts.append(process.last_exit)
    return f"{process.name}: {', '.join(parts)}"
