"""Wait for a fact with a deadline, and ask the kernel who is there. Deadlines stretch on a machine that is busy."""

import asyncio
import socket
import time
from collections.abc import Callable

import httpx
import psutil

from tests.harness.slack import slack


def until(fact: Callable[[], bool], what: str, *, limit_s: float, every_s: float = 0.02) -> float:
    """Poll until `fact()` holds; the seconds it took. AssertionError naming `what` after the limit."""
    began = time.monotonic()
    limit_s *= slack()
    while not _holds(fact):
        if time.monotonic() - began > limit_s:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(every_s)
    return time.monotonic() - began


def gone(pid: int) -> bool:
    """No such process, or a zombie that only waits for its parent to notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until_async(fact: Callable[[], bool], what: str, *, limit_s: float, every_s: float = 0.05) -> float:
    """The same on an event loop; `fact` may block, it runs on a thread. A broken connection counts as not yet."""
    began = time.monotonic()
    limit_s *= slack()
    while not await asyncio.to_thread(_holds, fact):
        if time.monotonic() - began > limit_s:
            raise AssertionError(f"not within {limit_s} s: {what}")
        await asyncio.sleep(every_s)
    return time.monotonic() - began


def _holds(fact: Callable[[], bool]) -> bool:
    try:
        return fact()
    except (httpx.HTTPError, StopIteration):
        return False
