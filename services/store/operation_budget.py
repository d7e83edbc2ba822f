"""Queues of batches: each waits for a token of the operation budget, or only so that more gathers in it.

Process: worker, whatsapp.

A small Atlas tier allows about 100 operations a second, whatever is in them. So what can gather gathers: a batch waits
for its turn while it grows, and takes one operation for whatever has come meanwhile. Nothing waits while there are
tokens. What cannot gather (a page of a list, the lease) is never held up: it takes its token, and the batches wait the
longer.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 1.0
"""Tokens that may stand ready, in seconds of the rate."""
DEBT_S = 0.5
"""How far single operations may push the batches back, in seconds of the rate."""

GATHER_BURST = 4.0
"""So many batches of a queue that gathers go at once; a lone message never waits."""
MAX_GATHER_S = 0.5
"""However small the budget is."""
REST_OPERATIONS = 4.0
EASY_PER_S = 80.0
"""With so many operations a second of its own the owner polls as if there were no budget."""
MAX_STRETCH = 8.0
OWNER_SHARE = 0.35
"""The owner's part of the budget: it numbers, sends and applies what all workers accept."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Operations a second of the owner and of each worker; 0: there is no budget."""

    owner_per_s: float
    worker_per_s: float


def shares(ops_per_s: float, *, workers: int, instances: int = 1) -> Shares:
    """Divide a budget between the processes of a host; hosts have equal parts."""
    of_host = ops_per_s / max(1, instances)
    return Shares(of_host * OWNER_SHARE, of_host * (1 - OWNER_SHARE) / max(1, workers))


@dataclass(frozen=True, slots=True)
class BatchDelay:
    """How far apart batches of a queue are that follow one another, so that more is in each.

    ``seconds`` without a budget; inside one as long as ``tokens`` take to come, up to ``MAX_GATHER_S``: a batch
    that can wait leaves tokens to those for which a caller waits.
    """

    seconds: float
    tokens: float = 0.0


class OperationBudget:
    """Tokens of one process. ``per_s`` 0: no budget, nobody ever waits.

    Queues share by weight (start-time fair queueing): a queue that rarely asks is served at once, one that always asks
    gets its share and no more.
    """

    def __init__(self, per_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Full at the start: the first burst does not wait."""
        self.per_s = per_s
        self._monotonic = monotonic
        self._tokens = per_s * BURST_S
        self._at = monotonic()
        self._virtual = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_paced(self) -> bool:
        """Is there a budget at all?"""
        return self.per_s > 0

    @property
    def rest_s(self) -> float:
        """How long a change stream rests after it saw something: what comes next gathers. 0 without a budget."""
        return REST_OPERATIONS / self.per_s if self.per_s else 0.0

    @property
    def stretch(self) -> float:
        """How many times longer than usual an idle poll waits: 1 without a budget, or with a wide one."""
        return max(1.0, min(MAX_STRETCH, EASY_PER_S / self.per_s)) if self.per_s else 1.0

    @property
    def waiting_count(self) -> int:
        """Batches that wait for their turn."""
        return len(self._waiting)

    def queue(self, weight: float = 1.0, *, delay: BatchDelay | None = None) -> "BudgetQueue":
        """A queue of batches; one batch of it waits at a time. ``delay``: how far apart those are that follow."""
        apart = delay or BatchDelay(0.0)
        apart_s = min(apart.tokens / self.per_s, MAX_GATHER_S) if self.per_s else apart.seconds
        return BudgetQueue(self, weight, delay_s=apart_s, monotonic=self._monotonic)

    def spend(self) -> None:
        """One operation goes out. Never waits. Change streams call it from threads of their own: nothing can break."""
        if self.per_s:
            self._refill()
            self._tokens = max(self._tokens - 1, -self.per_s * DEBT_S)

    async def wait(self, queue: "BudgetQueue") -> None:
        """Return when it is this queue's turn; the operation that follows takes the token."""
        if not self.per_s:
            return
        self._refill()
        start = max(self._virtual, queue.finish)
        queue.finish = start + 1 / queue.weight
        if not self._waiting and self._tokens >= 1:
            self._virtual = start
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (start, next(self._ticket), future))
        self._arm()
        await future

    def _serve(self) -> None:
        self._timer = None
        self._refill()
        granted = 0
        while self._waiting and self._tokens - granted >= 1:
            start, _, future = heapq.heappop(self._waiting)
            if not future.done():  # a waiter that was cancelled takes nothing
                self._virtual = max(self._virtual, start)
                future.set_result(None)
                granted += 1
        self._arm(granted)

    def _arm(self, granted: int = 0) -> None:
        if self._waiting and self._timer is None:
            missing = 1 + granted - self._tokens
            # What was granted just now is taken a moment later; looking again once a token's time costs nothing.
            delay_s = max(missing, 0.1) / self.per_s
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._serve)

    def _refill(self) -> None:
        now = self._monotonic()
        self._tokens = min(self.per_s * BURST_S, self._tokens + (now - self._at) * self.per_s)
        self._at = now


class BudgetQueue:
    """One kind of batch. ``finish`` is its virtual time: where its share of the budget stands."""

    __slots__ = ("_at", "_budget", "_delay_s", "_monotonic", "_ready", "finish", "weight")

    def __init__(
        self,
        operation_budget: OperationBudget,
        weight: float,
        *,
        delay_s: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``weight`` against those of other queues, when several wait; ``delay_s`` between batches in a row."""
        self._budget = operation_budget
        self._delay_s = delay_s
        self._monotonic = monotonic
        self._ready = GATHER_BURST
        self._at = monotonic()
        self.weight = weight
        self.finish = 0.0

    async def turn(self, *, enough: asyncio.Event | None = None) -> None:
        """Wait for this queue's turn; at once while there are tokens, or while its batches are rare.

        ``enough`` is set once so much is in the batch that it need not gather any longer; inside a budget it is the
        token that counts, and not what is in it.
        """
        if self._delay_s:
            delay_s = self.next_delay_s()
            if delay_s > 0:
                await self._gather(delay_s, enough if enough and not self._budget.per_s else asyncio.Event())
        if self._budget.per_s:
            await self._budget.wait(self)

    async def _gather(self, delay_s: float, enough: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await enough.wait()
        except TimeoutError:
            return
        # It went early, so the next one waits for its own time and no longer.
        self._ready, self._at = 0.0, self._monotonic()

    def next_delay_s(self) -> float:
        """Count one more batch; return how long it gathers before it goes (seconds)."""
        now = self._monotonic()
        self._ready = min(GATHER_BURST, self._ready + (now - self._at) / self._delay_s) - 1
        self._at = now
        return max(0.0, -self._ready * self._delay_s)
