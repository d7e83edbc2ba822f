"""Time that a test owns: a clock moved by hand, and an event loop in which waiting takes no time at all."""

import asyncio
import functools
import inspect
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec

P = ParamSpec("P")

START = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


@dataclass
class ManualClock:
    """Stands still until `advance`."""

    at: datetime = START
    ticks_s: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks_s

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks_s += seconds


class LoopClock:
    """Goes with the running event loop; with `virtual_time` that is the test's own time."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Jumps over the time in which nothing happens."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("every task waits for something that nobody will ever do")
        self.now_s += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose sleeps are over at once, in the right order."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


def virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in virtual time. What it leaves running is cancelled."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    del run.__wrapped__  # pytest-asyncio looks through it and would run the test again in a loop of its own
    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run
