"""The executor of commands that call WhatsApp. They run at the same time: a slow answer delays no other command.

Process: whatsapp.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from config.errors import PanalError
from services.commands.executor import Command, Executor, Handler, command_of, refusal_result
from services.store import ERRAND, Database, Recorder, new_commands

LOOK_S = 0.25
"""How long a step waits for the commands under way before it looks for new ones."""


class ConcurrentExecutor(Executor):
    """Carries commands out, ``concurrency`` at a time. Every refusal, also WhatsApp's, is the caller's to read.

    Each is marked done with its facts; a command that a crash interrupted is run again.
    """

    FAILED_ACTION = "errand.failed"

    def __init__(
        self, database: Database, recorder: Recorder, *, handlers: Mapping[str, Handler], concurrency: int = 16
    ) -> None:
        """``handlers`` by kind (``message.mark_read``); they may raise any ``PanalError``."""
        super().__init__(database, recorder, handlers=handlers)
        self._concurrency = concurrency
        self._running: dict[str, asyncio.Task[None]] = {}

    async def step(self) -> int:
        """Start what waits and fits, wait up to ``LOOK_S`` for what runs; answer how many commands wait or run.

        Cancelling a step cancels its commands: the next owner begins them again.
        """
        try:
            waiting = await new_commands(self._database, limit=2 * self._concurrency, state=ERRAND)
            for document in waiting:
                if document["_id"] not in self._running and len(self._running) < self._concurrency:
                    command = command_of(document)
                    self._running[command.id] = asyncio.create_task(
                        self._run_until_applied(command), name=f"command-{command.kind}"
                    )
            if self._running:
                done, _ = await asyncio.wait(
                    self._running.values(), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED
                )
                self._running = {key: task for key, task in self._running.items() if task not in done}
                for task in done:
                    await task  # raises what no handler should
        except BaseException:
            for task in self._running.values():
                task.cancel()
            self._running.clear()
            raise
        return len(waiting)

    async def _run_until_applied(self, command: Command) -> None:
        recorded = await self._run(command)
        await recorded.applied

    def _result_of(self, refusal: PanalError) -> dict[str, Any]:
        facts = {
            "graph_code": refusal.extra.get("graph_code"),
            "detail": refusal.detail,
            "may_retry": refusal.may_retry,
        }
        return {**refusal_result(refusal), **{name: value for name, value in facts.items() if value}}
