"""The owner's executor: runs commands in order and writes each outcome together with its facts.

Process: whatsapp.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from config.errors import PanalError, RequestRefused, Unavailable
from services.store import (
    COMMANDS,
    DONE,
    FAILED,
    Database,
    Fact,
    Fenced,
    Recorded,
    Recorder,
    VersionedWrite,
    mark,
    new_commands,
)

log = logging.getLogger(__name__)

BATCH = 100


@dataclass(frozen=True, slots=True)
class Command:
    """One command as its handler sees it. ``by`` is the id of the key that asked."""

    id: str
    kind: str
    data: Mapping[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What carrying it out means: facts for the log, writes beside them, and the caller's result (JSON-able)."""

    result: Mapping[str, Any] = field(default_factory=dict)
    facts: Sequence[Fact] = ()
    writes: Sequence[VersionedWrite] = ()


Handler = Callable[[Command], Awaitable[Outcome]]
"""Carries a command out; may raise any ``PanalError``. It must be safe to repeat: an owner may die before the mark."""


def command_of(document: Mapping[str, Any]) -> Command:
    """The command that a document holds, even a faulty one: an unknown kind is refused when it is carried out."""
    data = document.get("data")
    return Command(
        str(document["_id"]),
        str(document.get("kind", "")),
        data if isinstance(data, Mapping) else {},
        str(document.get("by", "")),
    )


class Executor:
    """What both executors share: one command becomes its outcome, and the outcome is recorded with a mark.

    Subclasses say which errors are the caller's to read (``ANSWERED``) and which end the step (``RAISED``).
    """

    ANSWERED: ClassVar[type[PanalError]] = PanalError
    RAISED: ClassVar[tuple[type[PanalError], ...]] = (Fenced,)
    FAILED_ACTION: ClassVar[str] = "command.failed"

    def __init__(self, database: Database, recorder: Recorder, *, handlers: Mapping[str, Handler]) -> None:
        """``handlers`` by kind (``message.cancel``)."""
        self._database = database
        self._recorder = recorder
        self._handlers = handlers

    async def _run(self, command: Command) -> Recorded:
        """Carry a command out and record its facts, its writes and its result. Raises ``RAISED``."""
        outcome, state = await self._carry_out(command)
        written = mark(COMMANDS, command.id, state, dict(outcome.result))
        return self._recorder.record(outcome.facts, [*outcome.writes, written])

    async def _carry_out(self, command: Command) -> tuple[Outcome, str]:
        handler = self._handlers.get(command.kind)
        if handler is None:
            return Outcome({"code": "unknown_command", "text": f"There is no command {command.kind}."}), FAILED
        try:
            return await handler(command), DONE
        except self.RAISED:
            raise
        except Exception as error:
            if isinstance(error, self.ANSWERED):
                return Outcome(self._result_of(error)), FAILED
            # One faulty command must not end the term: the next owner would meet it again, and the next.
            log.exception(
                "A command failed.",
                extra={"action": self.FAILED_ACTION, "command_id": command.id, "kind": command.kind},
            )
            return Outcome(refusal_result(PanalError())), FAILED

    def _result_of(self, refusal: PanalError) -> dict[str, Any]:
        return refusal_result(refusal)


class CommandExecutor(Executor):
    """Carries commands out, one after the other. ``Unavailable`` ends the step: the command waits for the next one."""

    ANSWERED = RequestRefused
    RAISED = (Unavailable, Fenced)

    async def step(self) -> int:
        """Carry out one batch of waiting commands; answer how many. Returns when their marks are written."""
        waiting = await new_commands(self._database, limit=BATCH)
        last: Recorded | None = None
        try:
            for document in waiting:
                last = await self._run(command_of(document))
        except Unavailable:
            # What was done must not look new at the next step, or it would be done twice.
            if last is not None:
                await last.applied
            raise
        if last is not None:
            await last.applied
        return len(waiting)


def refusal_result(refusal: PanalError) -> dict[str, Any]:
    """What a refused command leaves for its caller."""
    return {
        "code": refusal.code,
        "text": refusal.text,
        "errors": [{"path": fault.path, "reason": fault.reason} for fault in refusal.faults],
    }
