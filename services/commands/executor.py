"""The owner's executor: takes commands up in order, has them carried out, and writes the outcome with their facts.

Process: whatsapp.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from config.clock import Clock
from config.errors import PanalError, RequestRefused, Unavailable
from services.store import COMMANDS, DONE, FAILED, Database, Fact, Fenced, VersionedWrite, mark, new_commands

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
"""Carries a command out; may raise ``RequestRefused``. It must be safe to repeat: an owner may die before the mark."""


def command_of(document: Mapping[str, Any]) -> Command:
    """The command that a document holds, whoever wrote it: a kind that nobody knows is refused as such, later."""
    data = document.get("data")
    return Command(
        str(document["_id"]),
        str(document.get("kind", "")),
        data if isinstance(data, Mapping) else {},
        str(document.get("by", "")),
    )


class Recorded(Protocol):
    """Facts on their way."""

    @property
    def applied(self) -> Awaitable[None]:
        """Done when documents show them."""
        ...


class Recorder(Protocol):
    """The event writer, as the executor sees it."""

    def record(self, facts: Sequence[Fact], marks: Sequence[VersionedWrite] = ()) -> Recorded:
        """Number the facts and write them soon."""
        ...


class CommandExecutor:
    """Carries commands out, one after the other."""

    def __init__(
        self, database: Database, recorder: Recorder, clock: Clock, *, handlers: Mapping[str, Handler]
    ) -> None:
        """``handlers`` by kind (``message.cancel``)."""
        self._database = database
        self._recorder = recorder
        self._clock = clock
        self._handlers = handlers

    async def step(self) -> int:
        """Carry out one batch of waiting commands; answer how many. Returns when their marks are written."""
        waiting = await new_commands(self._database, limit=BATCH)
        last: Recorded | None = None
        try:
            for document in waiting:
                command = command_of(document)
                outcome, state = await self._carry_out(command)
                last = self._recorder.record(
                    outcome.facts, [*outcome.writes, mark(COMMANDS, command.id, state, dict(outcome.result))]
                )
        except Unavailable:
            # What was done must not look new at the next step, or it would be done twice.
            if last is not None:
                await last.applied
            raise
        if last is not None:
            await last.applied
        return len(waiting)

    async def _carry_out(self, command: Command) -> tuple[Outcome, str]:
        handler = self._handlers.get(command.kind)
        if handler is None:
            return Outcome({"code": "unknown_command", "text": f"There is no command {command.kind}."}), FAILED
        try:
            return await handler(command), DONE
        except RequestRefused as refusal:
            return Outcome(refusal_result(refusal)), FAILED
        except (Unavailable, Fenced):
            raise
        except Exception:
            # One faulty command must not end the term: the next owner would meet it again, and the next.
            log.exception(
                "A command failed.", extra={"action": "command.failed", "command_id": command.id, "kind": command.kind}
            )
            return Outcome({"code": PanalError.code, "text": PanalError.default_text}), FAILED


def refusal_result(refusal: PanalError) -> dict[str, Any]:
    """What a refused command leaves for its caller."""
    return {
        "code": refusal.code,
        "text": refusal.text,
        "errors": [{"path": fault.path, "reason": fault.reason} for fault in refusal.faults],
    }
