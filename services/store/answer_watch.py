"""Does the database answer at all? One that hangs keeps its connections open, so every wait lasts until its limit.

Process: worker, whatsapp.

While operations wait and none is answered, the silence is measured. Past `PATIENCE_S` the watch asks one small
question. If that gets no answer either, the database hangs: operations that wait fail at once, new ones are refused at
once, and the question is repeated until there is an answer. A slow operation beside others that are answered is not
silence. While answers come the watch costs no operation.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
"""Silence past which the watch asks. An embedded database under full load was never silent for longer than 0.4 s."""
QUESTION_S: Final = 1.0
"""How long the question waits for its answer."""
AGAIN_S: Final = 0.5
"""Pause between two questions to a database that hangs."""
TICK_S: Final = 0.25


class Silence:
    """How long operations have waited without any answer. Pure: seconds of a monotonic clock come from outside."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._looked_at: float | None = None
        self._answers = 0

    def look(self, now: float, *, waiting: int, answers: int) -> float:
        """Return the seconds of silence until ``now``. ``answers`` counts all answers so far.

        A step longer than two ticks counts as two: when this process did not run, the answers may be here unread.
        """
        step_s = 0.0 if self._looked_at is None else min(now - self._looked_at, 2 * TICK_S)
        self._looked_at = now
        self.seconds = self.seconds + step_s if waiting and answers == self._answers else 0.0
        self._answers = answers
        return self.seconds


class AnswerWatch:
    """``add`` and ``discard`` around every operation, ``heard`` when the server has answered it."""

    def __init__(self, ask: Callable[[], Awaitable[object]], *, limit_s: float) -> None:
        """``ask`` is the question: it raises when there is no answer within ``QUESTION_S``.

        ``limit_s`` is how long one operation may wait though others are answered, give or take a tick.
        """
        self._ask = ask
        self._limit_s = limit_s
        self._waiting: dict[asyncio.Timeout, float] = {}
        self._answers = 0
        self._silence = Silence()
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._hung_since: float | None = None

    @property
    def is_hung(self) -> bool:
        """The database answers nothing: a new operation fails at once instead of waiting for its limit."""
        return self._hung_since is not None

    @property
    def silent_s(self) -> float:
        """For how long a database that hangs has not answered; 0 when it does not hang."""
        return 0.0 if self._hung_since is None else time.monotonic() - self._hung_since

    def add(self, limit: asyncio.Timeout) -> None:
        """An operation waits, inside ``limit``: that ends when its time is up, and when the database hangs.

        The watch has one timer for all of them: one for each would cost as much again as the rest of the gate.
        """
        loop = asyncio.get_running_loop()
        self._waiting[limit] = loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_later(TICK_S, self._tick)

    def discard(self, limit: asyncio.Timeout) -> None:
        """The operation waits no longer; its outcome does not matter here."""
        self._waiting.pop(limit, None)

    def heard(self) -> None:
        """The server has answered something; a refusal is an answer, too."""
        self._answers += 1

    def stop(self) -> None:
        """End the timer and the question."""
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        silent_s = self._silence.look(loop.time(), waiting=len(self._waiting), answers=self._answers)
        if silent_s >= PATIENCE_S and self._asking is None:
            self._asking = loop.create_task(self._find_out(), name="database-question")
        self._end(until=loop.time())
        self._timer = loop.call_later(TICK_S, self._tick) if self._waiting else None

    async def _find_out(self) -> None:
        try:
            answers = self._answers
            while not await self._answered():
                if self._answers != answers and not self.is_hung:
                    return  # another one was answered meanwhile
                self._say_hung()
                await asyncio.sleep(AGAIN_S)
            self._say_well()
        finally:
            self._asking = None

    async def _answered(self) -> bool:
        try:
            await self._ask()
        except Exception as error:
            log.debug("No answer.", extra={"action": "database.unanswered", "detail": str(error)[:500]})
            return False
        self.heard()
        return True

    def _say_hung(self) -> None:
        if not self.is_hung:
            self._hung_since = time.monotonic() - self._silence.seconds
            log.error(
                "The database has not answered anything for %.1f s: requests are refused at once until it does.",
                self.silent_s,
                extra={"action": "database.hung", "waiting": len(self._waiting)},
            )
        self._end(until=float("inf"))

    def _end(self, *, until: float) -> None:
        """End the wait of all operations whose time is up by ``until``."""
        now = asyncio.get_running_loop().time()
        for limit, ends_at in self._waiting.items():
            if ends_at > until:
                break  # the others came later, and each waits equally long
            if not limit.expired():
                limit.reschedule(now)

    def _say_well(self) -> None:
        if self.is_hung:
            log.warning(
                "The database answers again, after %.1f s.", self.silent_s, extra={"action": "database.answers"}
            )
        self._hung_since = None
