"""A worker asks the owner to do something, and waits a moment for the outcome.

Process: worker.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from config.clock import Clock
from config.errors import Fault, PanalError, RequestRefused, Unavailable
from config.ids import new_id, new_order
from services.store import COMMANDS, DONE, ERRAND, FAILED, NEW, Database, DatabaseUnavailable, GroupCommit

FIRST_LOOK_S = 0.01
LONGEST_LOOK_S = 0.1


class CommandTaken(Unavailable):
    """The command is stored and will be carried out; nobody did it yet (no owner right now, or it is busy)."""

    code = "command_pending"
    default_text = "It is stored and will be done; the WhatsApp process has not answered yet. Look again in a moment."


class CommandClient:
    """Submits commands. Stored means it will be carried out, once, in the order of submission."""

    def __init__(self, database: Database, inserts: GroupCommit, clock: Clock, *, wait_s: float = 5.0) -> None:
        """``wait_s`` is how long a caller waits for an outcome."""
        self._database = database
        self._inserts = inserts
        self._clock = clock
        self._wait_s = wait_s

    async def submit(
        self, kind: str, data: Mapping[str, Any], *, by: str, runs_concurrently: bool = False
    ) -> dict[str, Any]:
        """Store a command and answer its result.

        ``by`` is the key that asks; ``runs_concurrently``: it calls WhatsApp, so it must not delay the others.
        Raises what the owner refused it with (``RequestRefused``, or ``Unavailable`` where it may work later),
        ``CommandTaken`` when the outcome takes longer than the caller may wait, ``Unavailable`` when it could not be
        stored.
        """
        command_id = new_id("cmd")
        document = {
            "_id": command_id,
            "order": new_order(),
            "state": ERRAND if runs_concurrently else NEW,
            "kind": kind,
            "data": dict(data),
            "by": by,
            "at": self._clock.now(),
        }
        await self._inserts.insert(document)
        until = self._clock.monotonic() + self._wait_s
        pause_s = FIRST_LOOK_S
        while self._clock.monotonic() < until:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_LOOK_S)
            try:
                found = await self._database.find_one(COMMANDS, {"_id": command_id}, {"state": 1, "result": 1})
            except DatabaseUnavailable:
                continue  # it is stored, so its caller must not be told that it failed
            if found is not None and found["state"] == DONE:
                return dict(found.get("result") or {})
            if found is not None and found["state"] == FAILED:
                raise _refusal(found.get("result") or {})
        raise CommandTaken(extra={"command_id": command_id})


def _refusal(result: Mapping[str, Any]) -> PanalError:
    if result.get("code") == PanalError.code:
        return PanalError(result.get("text"))  # a bug of ours, not the caller's fault
    faults = [Fault(fault["path"], fault["reason"]) for fault in result.get("errors", ())]
    extra = {"graph_code": result["graph_code"]} if result.get("graph_code") is not None else {}
    if result.get("may_retry"):
        return Unavailable(result.get("text"), code=result.get("code"), detail=result.get("detail"), extra=extra)
    return RequestRefused(
        result.get("text"), code=result.get("code", "refused"), detail=result.get("detail"), faults=faults, extra=extra
    )
