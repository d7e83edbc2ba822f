"""Posts owed notifications, signed, many lanes at once, each until it is answered with 200.

Process: sandbox.

Source: Meta, "Webhooks": anything but 200 is a failure and is tried again, less and less often, for up to 7 days. The
first pause is short here (0.5 s), because a test waits for it.
"""

import asyncio
import logging
import time
from typing import Any

import aiohttp

from services.sandbox.hooks.outbox import Hook, Lane, Outbox
from services.sandbox.options import Options
from services.sandbox.wire.notifications import signature

log = logging.getLogger("panal.sandbox")

USER_AGENT = "facebookexternalua"
TURN = 16
"""Notifications of one lane in a row before another lane that waits has its turn."""


class Poster:
    """Counters are for the control API: a test that waits for a webhook wants to know why it does not come."""

    def __init__(self, outbox: Outbox, options: Options) -> None:
        self._outbox = outbox
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self.delivered_count = 0
        self.failed_count = 0
        self.last_failure: dict[str, Any] | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._options.webhook_timeout_s),
        )
        self._outbox.wake = self._pump
        self._pump()

    async def stop(self) -> None:
        """Stop at once: what was not answered is still owed, and is posted again by the next process."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pump(self) -> None:
        while self._outbox.ready and len(self._tasks) < self._options.webhook_parallel and self._session is not None:
            task = asyncio.get_running_loop().create_task(self._run(self._outbox.ready.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("poster broke", extra={"action": "webhook.broken"}, exc_info=task.exception())
        self._pump()

    async def _run(self, lane: Lane) -> None:
        for _ in range(TURN):
            if not lane.hooks:
                break
            hook = lane.hooks[0]
            failure = await self._post(hook)
            if failure is None:
                self.delivered_count += 1
                self._outbox.settle(lane, hook)
            elif time.time() - hook.made_at > self._options.keep_trying_s:
                log.error(f"notification dropped: {failure}", extra={"action": "webhook.dropped", "url": hook.url})
                self._outbox.settle(lane, hook)
            else:
                self._note_failure(hook, failure)
                self._later(lane, hook)
                return
        self._outbox.release(lane)

    async def _post(self, hook: Hook) -> str | None:
        """None when it was answered with 200, else why not."""
        body = self._outbox.body_of(hook)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "X-Hub-Signature-256": signature(self._options.app_secret, body),
        }
        if self._session is None:
            return "the sandbox is stopping"
        try:
            async with self._session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return None if answer.status == 200 else f"answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"

    def _note_failure(self, hook: Hook, failure: str) -> None:
        hook.attempts += 1
        self.failed_count += 1
        self.last_failure = {"at": time.time(), "url": hook.url, "reason": failure, "attempts": hook.attempts}
        level = logging.WARNING if hook.attempts in (1, 10) else logging.DEBUG
        text = f"notification not taken by {hook.url}: {failure}"
        log.log(level, text, extra={"action": "webhook.refused", "attempts": hook.attempts})

    def _later(self, lane: Lane, hook: Hook) -> None:
        pause_s = pause_before(hook.attempts, self._options)
        loop = asyncio.get_running_loop()

        def go_on() -> None:
            self._timers.discard(timer)
            self._outbox.release(lane)

        timer = loop.call_later(pause_s, go_on)
        self._timers.add(timer)


def pause_before(attempts: int, options: Options) -> float:
    """Seconds until the next try after this many failures: doubled each time, up to the limit."""
    return min(options.retry_most_s, options.retry_first_s * 2.0 ** min(attempts - 1, 20))
