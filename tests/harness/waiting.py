"""Wait for a fact with a deadline, and fail with what was waited for. Deadlines stretch while others use this machine.

A broken connection counts as "not yet": it happens while a server starts, dies or is replaced.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx
import psutil

from tests.harness.slack import slack

T = TypeVar("T")

WITHIN_S = 20.0


def until(
    probe: Callable[[], T | None],
    what: str,
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.05,
    context: Callable[[], str] = str,
) -> T:
    """Ask until the answer is true, and return it. AssertionError with `what` and `context()` after the deadline."""
    began = time.monotonic()
    while True:
        answer, fault = _ask(probe)
        if answer:
            return answer
        if time.monotonic() - began > within_s * slack():
            raise AssertionError(_too_late(what, within_s, context)) from fault
        time.sleep(every_s)


def seconds_until(
    probe: Callable[[], object],
    what: str,
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.02,
    context: Callable[[], str] = str,
) -> float:
    """The same; the seconds that it took."""
    began = time.monotonic()
    until(probe, what, within_s=within_s, every_s=every_s, context=context)
    return time.monotonic() - began


async def until_async(
    probe: Callable[[], T | Awaitable[T | None] | None],
    what: str,
    *,
    within_s: float = WITHIN_S,
    every_s: float = 0.05,
    context: Callable[[], str] = str,
) -> T:
    """`until` on an event loop. A probe that blocks is asked on a thread; one may also be a coroutine function."""
    began = time.monotonic()
    while True:
        answer: Any
        answer, fault = await asyncio.to_thread(_ask, probe)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer  # type: ignore[no-any-return]
        if time.monotonic() - began > within_s * slack():
            raise AssertionError(_too_late(what, within_s, context)) from fault
        await asyncio.sleep(every_s)


def gone(pid: int) -> bool:
    """No such process, or a zombie that only waits for its parent to notice."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _ask(probe: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return probe(), None
    except (httpx.HTTPError, StopIteration) as fault:
        return None, fault


def _too_late(what: str, within_s: float, context: Callable[[], str]) -> str:
    return f"not within {within_s * slack():.1f} s: {what}\n{context()}"
