"""The errand executor: commands that call WhatsApp. They run side by side, so that a slow answer keeps nobody waiting.

Process: whatsapp.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from config.errors import PanalError
from services.commands.executor import Command, Handler, Outcome, Recorder, command_of, refusal_result
from services.store import COMMANDS, DONE, ERRAND, FAILED, Database, Fenced, mark, new_commands

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How long a step waits for concurrent commands under way before it looks for new ones."""


class ConcurrentExecutor:
    """Carries concurrent commands out, ``concurrency`` at a time.

    Each is marked done with its facts, repeated after a crash.
    """

    def __init__(
        self, database: Database, recorder: Recorder, *, handlers: Mapping[str, Handler], concurrency: int = 16
    ) -> None:
        """``handlers`` by kind (``message.mark_read``); they may raise any ``PanalError``."""
        self._database = database
        self._recorder = recorder
        self._handlers = handlers
        self._concurrency = concurrency
        self._running: dict[str, asyncio.Task[None]] = {}

    async def step(self) -> int:
        """Start what waits and fits, wait a moment for what runs; answer how many are under way.

        When it is cancelled, so are the concurrent commands: the next owner begins them again.
        """
        try:
            waiting = await new_commands(self._database, limit=2 * self._concurrency, state=ERRAND)
            for document in waiting:
                if document["_id"] not in self._running and len(self._running) < self._concurrency:
                    command = command_of(document)
                    self._running[command.id] = asyncio.create_task(self._run(command), name=f"errand-{command.kind}")
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

    async def _run(self, command: Command) -> None:
        outcome, state = await self._carry_out(command)
        recorded = self._recorder.record(
            outcome.facts, [*outcome.writes, mark(COMMANDS, command.id, state, dict(outcome.result))]
        )
        await recorded.applied

    async def _carry_out(self, command: Command) -> tuple[Outcome, str]:
        handler = self._handlers.get(command.kind)
        if handler is None:
            return Outcome({"code": "unknown_command", "text": f"There is no errand {command.kind}."}), FAILED
        try:
            return await handler(command), DONE
        except Fenced:
            raise
        except PanalError as refusal:
            return Outcome({**refusal_result(refusal), **_platform_facts(refusal)}), FAILED
        except Exception:
            # One faulty errand must not end the term: the next owner would meet it again, and the next.
            log.exception(
                "An errand failed.", extra={"action": "errand.failed", "command_id": command.id, "kind": command.kind}
            )
            return Outcome(refusal_result(PanalError())), FAILED


def _platform_facts(refusal: PanalError) -> dict[str, Any]:
    facts = {"graph_code": refusal.extra.get("graph_code"), "detail": refusal.detail, "may_retry": refusal.may_retry}
    return {name: value for name, value in facts.items() if value}
