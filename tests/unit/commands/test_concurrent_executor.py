"""Concurrent commands run at the same time, and each is marked with its outcome."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from config.errors import RequestRefused, Unavailable
from services.commands import Command, ConcurrentExecutor, Outcome
from services.graph import classify
from services.links import SendRefused
from services.store import Database
from tests.doubles.clock import virtual_time
from tests.doubles.database import MemoryDatabase
from tests.doubles.event_check import check_facts


@dataclass
class EventWriter:
    marks: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    database: MemoryDatabase = field(default_factory=MemoryDatabase)

    def record(self, facts: Any, marks: Any = ()) -> Any:
        check_facts(facts)
        for mark in marks:
            self.marks.append((mark.id, mark.set["state"], dict(mark.set.get("result", {}))))
            self.database.rows["commands"].pop(mark.id, None)

        class Done:
            @property
            def applied(self) -> Any:
                return asyncio.sleep(0)

        return Done()


def executor(event_writer: EventWriter, **handlers: Any) -> ConcurrentExecutor:
    return ConcurrentExecutor(cast(Database, event_writer.database), event_writer, handlers=handlers, concurrency=3)


def put(event_writer: EventWriter, *kinds: str) -> None:
    for number, kind in enumerate(kinds):
        event_writer.database.put(
            "commands",
            {"_id": f"cmd_{number}", "order": number, "state": "errand", "kind": kind, "data": {}, "by": "key_1"},
        )


async def until_empty(event_writer: EventWriter, executor: ConcurrentExecutor) -> None:
    while event_writer.database.rows.get("commands"):
        await executor.step()


@virtual_time
async def test_a_slow_one_keeps_no_other_waiting() -> None:
    event_writer = EventWriter()

    async def slow(_: Command) -> Outcome:
        await asyncio.sleep(20)
        return Outcome({"slow": True})

    async def quick(_: Command) -> Outcome:
        return Outcome({"quick": True})

    put(event_writer, "slow", "quick", "quick", "quick", "quick")
    await until_empty(event_writer, executor(event_writer, slow=slow, quick=quick))
    assert [id_ for id_, _, _ in event_writer.marks] == ["cmd_1", "cmd_2", "cmd_3", "cmd_4", "cmd_0"]
    assert {state for _, state, _ in event_writer.marks} == {"done"}


@virtual_time
async def test_no_more_run_at_once_than_allowed_and_each_runs_once() -> None:
    event_writer = EventWriter()
    running: list[int] = [0, 0]
    runs: list[str] = []

    async def busy(command: Command) -> Outcome:
        runs.append(command.id)
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(1)
        running[0] -= 1
        return Outcome()

    put(event_writer, *["busy"] * 10)
    await until_empty(event_writer, executor(event_writer, busy=busy))
    assert running[1] == 3
    assert sorted(runs) == sorted({f"cmd_{number}" for number in range(10)})


@virtual_time
async def test_a_failure_is_the_callers_to_read() -> None:
    event_writer = EventWriter()
    rule = classify(131009)

    async def fails(_: Command) -> Outcome:
        raise SendRefused(rule, title=rule.title, details="no such message")

    async def away(_: Command) -> Outcome:
        raise Unavailable("WhatsApp is away.")

    async def refuses(_: Command) -> Outcome:
        raise RequestRefused("There is none.", code="not_found")

    async def breaks(_: Command) -> Outcome:
        raise ZeroDivisionError

    put(event_writer, "fails", "away", "refuses", "breaks", "unknown")
    await until_empty(event_writer, executor(event_writer, fails=fails, away=away, refuses=refuses, breaks=breaks))
    found = {id_: (state, result) for id_, state, result in event_writer.marks}
    assert {state for state, _ in found.values()} == {"failed"}
    assert found["cmd_0"][1]["graph_code"] == 131009
    assert (found["cmd_1"][1]["may_retry"], found["cmd_1"][1]["text"]) == (True, "WhatsApp is away.")
    assert found["cmd_2"][1]["code"] == "not_found"
    assert found["cmd_3"][1]["code"] == "internal"
    assert found["cmd_4"][1]["code"] == "unknown_command"


@virtual_time
async def test_a_term_that_ends_cancels_its_commands() -> None:
    event_writer = EventWriter()
    ended: list[str] = []

    async def endless(command: Command) -> Outcome:
        try:
            await asyncio.sleep(10_000)
        finally:
            ended.append(command.id)
        return Outcome()

    put(event_writer, "endless")
    step = asyncio.create_task(executor(event_writer, endless=endless).step())
    await asyncio.sleep(0.1)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    await asyncio.sleep(0)
    assert ended == ["cmd_0"]
    assert event_writer.marks == []
