"""An open-loop load: requests leave when they are due, whether or not the ones before were answered.

Process: none of the cluster's; a command.

A client that waits for answers slows down together with the server, and then reports that all is well. Here the time
of a request counts from the moment when it was due.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.verify.client import Client
from tools.verify.mix import Call


@dataclass(slots=True)
class LoadResult:
    """Seconds. `late_s`: how far the load itself was behind its plan, at worst (a busy machine here, not there)."""

    latencies_s: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    sent_ids: list[str] = field(default_factory=list)
    late_s: float = 0.0
    took_s: float = 0.0

    @property
    def count(self) -> int:
        """Requests made."""
        return len(self.latencies_s)

    @property
    def failed_count(self) -> int:
        """Requests without a good answer."""
        return self.failures.total()

    def quantile_s(self, share: float) -> float:
        """The smallest time that so many of the requests did not exceed; failures have theirs as well."""
        if not self.latencies_s:
            return 0.0
        ordered = sorted(self.latencies_s)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


async def run_load(client: Client, calls: Sequence[Call], *, rate_per_s: float) -> LoadResult:
    """Make the calls at this rate, wait for all of them."""
    loop = asyncio.get_running_loop()
    result = LoadResult()
    began_at = loop.time()
    under_way: set[asyncio.Task[None]] = set()
    for position, call in enumerate(calls):
        due_at = began_at + position / rate_per_s
        if (wait_s := due_at - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        result.late_s = max(result.late_s, loop.time() - due_at)
        task = asyncio.create_task(_make(client, call, due_at, result))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way)
    result.took_s = loop.time() - began_at
    return result


async def _make(client: Client, call: Call, due_at: float, result: LoadResult) -> None:
    answer = await client.ask(call.path, method=call.method, json_body=call.body, headers=call.headers)
    result.latencies_s.append(asyncio.get_running_loop().time() - due_at)
    if not answer.is_good:
        result.failures[answer.why()] += 1
    elif call.is_send and "id" in answer.body:
        result.sent_ids.append(str(answer.body["id"]))
