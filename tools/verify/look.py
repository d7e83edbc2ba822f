"""One round: ask, load, look at the cluster meanwhile, and follow what was sent.

Process: none of the cluster's; a command.
"""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Sequence

from tools.verify.client import Answer, Client
from tools.verify.load import LoadResult, run_load
from tools.verify.mix import calls
from tools.verify.options import Options
from tools.verify.records import Round
from tools.verify.view import ClusterView, cluster_view

SAMPLE_EVERY_S = 2.0
SENT_STATES = frozenset({"sent", "delivered", "read"})
LAST_WORDS = frozenset({"failed", "expired", "canceled", "uncertain"})
FOLLOWED = 50
SETTLE_S = 1.5  # a heartbeat, so that the last look has seen the whole load


async def look(options: Options) -> Round:
    """Everything that one round can see. It raises nothing: what does not answer is a finding."""
    async with Client(options.url, options.key, timeout_s=options.timeout_s) as client:
        found = Round(options, await client.ask("/livez"))
        if not found.alive.status:
            return found
        before = await client.ask("/v1/cluster")
        if before.status in (401, 403):
            found.seen = before
            return found
        found.load, found.samples = await _load_and_watch(client, options)
        found.sent = await _follow(client, found.load.sent_ids, options)
        await asyncio.sleep(SETTLE_S)
        found.ready = await client.ask("/readyz")
        found.seen = await client.ask("/v1/cluster")
        found.cluster = cluster_view(found.seen.body)
        found.events_per_s = _events_per_s(before, found.seen, found.load.took_s)
    return found


async def _load_and_watch(client: Client, options: Options) -> tuple[LoadResult, list[ClusterView]]:
    plan = calls(
        options.request_count,
        run_id=os.urandom(4).hex(),
        send_to=options.send_to,
        send_share=options.send_share,
    )
    samples: list[ClusterView] = []
    watching = asyncio.create_task(_watch(client, samples))
    try:
        result = await run_load(client, plan, rate_per_s=options.rate_per_min / 60)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return result, samples


async def _watch(client: Client, samples: list[ClusterView]) -> None:
    while True:
        await asyncio.sleep(SAMPLE_EVERY_S)
        answer = await client.ask("/v1/cluster")
        if answer.is_good:
            samples.append(cluster_view(answer.body))


async def _follow(client: Client, ids: Sequence[str], options: Options) -> Counter[str]:
    """The states of up to `FOLLOWED` of the messages that were sent, once they have left or the time is over."""
    some = ids[:: max(1, len(ids) // FOLLOWED)][:FOLLOWED] if ids else []
    states: dict[str, str] = {}
    until = asyncio.get_running_loop().time() + options.sent_within_s
    while True:
        for message_id in some:
            if states.get(message_id) not in SENT_STATES | LAST_WORDS:
                answer = await client.ask(f"/v1/messages/{message_id}")
                states[message_id] = str(answer.body.get("status", answer.why()))
        waiting = [one for one in states.values() if one not in SENT_STATES | LAST_WORDS]
        if not waiting or asyncio.get_running_loop().time() > until:
            return Counter(states.values())
        await asyncio.sleep(1.0)


def _events_per_s(before: Answer, after: Answer, took_s: float) -> float | None:
    """From the owner's own counter. None when there was no owner to ask, or another one took over meanwhile."""
    numbers = []
    for answer in (before, after):
        owners = [row for row in cluster_view(answer.body).of_role("whatsapp") if row.extra.get("state") == "owner"]
        if not owners or not isinstance(owners[0].extra.get("events"), int):
            return None
        numbers.append((owners[0].extra.get("epoch"), int(owners[0].extra["events"])))
    (first_epoch, first), (last_epoch, last) = numbers
    return (last - first) / took_s if first_epoch == last_epoch and took_s > 0 else None
