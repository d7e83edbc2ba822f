"""Exactly one owner with a link that works, a queue that moves, and what was sent has left.

Process: none of the cluster's; a command.
"""

from collections.abc import Callable

from tools.verify.process_checks import described, is_well
from tools.verify.records import Check, Round
from tools.verify.view import ClusterView, ProcessView

WORKING = frozenset({"ready", "starting"})


def owners_in(view: ClusterView) -> list[ProcessView]:
    """WhatsApp processes of this host that say they own the numbers, and hold the lease."""
    return [
        one
        for one in view.of_role("whatsapp")
        if one.extra.get("state") == "owner" and is_well(one) and _figure(one, "lease_remaining_s") > 0
    ]


def owner_of(found: Round, say: Callable[..., str]) -> Check:
    """One owner at every look; or this host stands by, and the lease says that another one owns."""
    name, wanted = say("owner.name"), "1"
    most = max((len(owners_in(view)) for view in found.all_views), default=0)
    owners = owners_in(found.cluster)
    if most > 1:
        return Check(name, False, str(most), wanted, say("owner.next_two"))
    if owners:
        shown = say("owner.found", pid=owners[0].pid, epoch=int(_figure(owners[0], "epoch")))
        return Check(name, True, shown, wanted)
    owners = found.cluster.of_role("whatsapp")
    checks = found.ready.body.get("checks")
    if any(one.extra.get("state") == "standby" and is_well(one) for one in owners) and (
        isinstance(checks, dict) and checks.get("owner") == "ok"
    ):
        return Check(name, True, say("owner.standby"), wanted)
    who = "; ".join(described(one) for one in owners) or "Sanic-WhatsApp-0"
    return Check(name, False, who, wanted, say("owner.next"))


def link_of(found: Round, say: Callable[..., str]) -> Check:
    """The state of each number's link, as of the last call to WhatsApp."""
    links: dict[str, str] = {}
    for owner in owners_in(found.cluster):
        given = owner.extra.get("links")
        links |= {str(number): str(state) for number, state in given.items()} if isinstance(given, dict) else {}
    if not links:
        return Check(say("link.name"), None, say("link.elsewhere"))
    bad = [f"{number}: {state}" for number, state in links.items() if state not in WORKING]
    is_new = all(state == "starting" for state in links.values())
    shown = "; ".join(bad) or (say("link.unused") if is_new else say("link.found", count=len(links)))
    return Check(say("link.name"), None if is_new else not bad, shown, "ready", say("link.next"))


def queue_of(found: Round, say: Callable[..., str]) -> Check:
    """How long does the oldest message wait, that nothing holds back on purpose?"""
    owners = owners_in(found.cluster)
    limit_s = found.options.queue_age_s
    if not owners:
        return Check(say("queue.name"), None, say("link.elsewhere"))
    age_s, depth = _figure(owners[0], "queue_age_s"), int(_figure(owners[0], "queue_depth"))
    shown = say("queue.found", age=f"{age_s:.1f}", depth=depth)
    return Check(say("queue.name"), age_s <= limit_s, shown, f"≤ {limit_s:g} s", say("queue.next"))


def sent_of(found: Round, say: Callable[..., str]) -> list[Check]:
    """Only with `--send`: have the messages left?"""
    if not found.options.send_to or found.load is None:
        return []
    left = sum(count for state, count in found.sent.items() if state in ("sent", "delivered", "read"))
    total = sum(found.sent.values())
    states = ", ".join(f"{state} {count}" for state, count in sorted(found.sent.items())) or "0"
    accepted = len(found.load.sent_ids)
    shown = say("sent.found", accepted=accepted, states=states)
    wanted = say("sent.wanted", limit=f"{found.options.sent_within_s:g}")
    return [Check(say("sent.name"), 0 < left == total, shown, wanted, say("sent.next"))]


def events_of(found: Round, say: Callable[..., str]) -> Check:
    """Events per second while the load ran; with `--send` there must have been some."""
    name = say("events.name")
    if found.events_per_s is None:
        return Check(name, None, say("link.elsewhere"))
    is_ok = found.events_per_s > 0 if found.options.send_to else None
    return Check(name, is_ok, f"{found.events_per_s:.1f}/s", "> 0" if found.options.send_to else "", say("events.next"))


def _figure(process: ProcessView, name: str) -> float:
    value = process.extra.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
