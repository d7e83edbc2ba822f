"""The sandbox as a process: bind, serve until a signal comes, leave cleanly.

Process: sandbox.
"""

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from services.sandbox.app import build
from services.sandbox.options import Options

try:
    import uvloop
except ImportError:  # not on Windows
    uvloop = None  # type: ignore[assignment]

log = logging.getLogger("panal.sandbox")

STOP_WITHIN_S = 3.0
PARENT_POLL_S = 0.5


def run_sandbox(
    *,
    port: int,
    token: str,
    app_secret: str,
    verify_token: str,
    number: str,
    display_phone_number: str,
    waba: str,
    webhook_url: str,
    data_dir: str,
    seed: int | None = None,
    host: str = "127.0.0.1",
    beside: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
) -> None:
    """Serve until SIGINT or SIGTERM, then return. SystemExit(1) with one line when port or data folder is not free.

    `webhook_url` is where notifications are posted, signed with `app_secret`; empty keeps them to itself.
    State lies in `data_dir`/sandbox and outlives any death of this process. `beside()` is entered on the event loop for
    as long as it serves.
    """
    options = Options(
        port=port,
        host=host,
        token=token,
        app_secret=app_secret,
        verify_token=verify_token,
        number=number,
        display_phone_number=display_phone_number,
        waba=waba,
        webhook_url=webhook_url,
        data_dir=data_dir,
        seed=seed,
    )
    factory = uvloop.new_event_loop if uvloop is not None else None
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(options, beside))


async def _serve(options: Options, beside: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    runner = web.AppRunner(build(options), access_log=None, shutdown_timeout=STOP_WITHIN_S)
    try:
        await _start(runner, options)
        log.info("sandbox is up", extra={"action": "sandbox.started", "url": options.base_url})
        async with beside():
            await _until_stopped(stopping)
    finally:
        await runner.cleanup()


async def _until_stopped(stopping: asyncio.Event) -> None:
    """Wait for a signal. A managed child also leaves when its parent has gone; started alone, it outlives its parent.

    The parent may have gone while the past was read: who inherited this process then would pass for it by its PID.
    """
    parent = multiprocessing.parent_process()
    while not stopping.is_set() and (parent is None or parent.is_alive()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), PARENT_POLL_S)


async def _start(runner: web.AppRunner, options: Options) -> None:
    """Data folder first, then the port: nothing is answered before the past is read."""
    try:
        await runner.setup()
    except (OSError, sqlite3.Error) as error:
        raise _refused(f"the data folder {options.folder} cannot be used: {error}") from error
    try:
        await web.TCPSite(runner, options.host, options.port, reuse_address=True).start()
    except OSError as error:
        raise _refused(f"port {options.port} on {options.host} is not free: {error.strerror or error}") from error


def _refused(reason: str) -> SystemExit:
    sys.stderr.write(f"Sandbox cannot start: {reason}\n")
    sys.stderr.flush()
    return SystemExit(1)
