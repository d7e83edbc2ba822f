"""Commands are carried out in order, once each; what goes wrong with one is told to its caller and stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from config.errors import Fault, RequestRefused
from services.commands import Command, CommandExecutor, Outcome
from services.store import COMMANDS, DatabaseUnavailable, Fact, Fenced, VersionedWrite
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import MemoryDatabase
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

Handler = Callable[[Command], Awaitable[Outcome]]


def bench(handlers: Mapping[str, Handler], *kinds: str) -> tuple[CommandExecutor, MemoryDatabase, MemoryEventWriter]:
    database, event_writer = MemoryDatabase(), MemoryEventWriter()
    for position, kind in enumerate(kinds):
        database.put(
            COMMANDS,
            {"_id": f"cmd_{position}", "order": position, "state": "new", "kind": kind, "data": {}, "by": "key_1"},
        )
    return CommandExecutor(database, event_writer, handlers=handlers), database, event_writer  # type: ignore[arg-type]


def states(event_writer: MemoryEventWriter) -> dict[str, tuple[str, dict[str, object]]]:
    return {
        mark.id: (mark.set["state"], mark.set.get("result", {}))
        for mark in event_writer.marks
        if mark.collection == COMMANDS
    }


async def fine(command: Command) -> Outcome:
    fact = Fact("number.paused", NUMBER, START, {"by": command.by})
    return Outcome(
        {"done": command.id}, facts=[fact], writes=[VersionedWrite("numbers", NUMBER, None, set={"paused": True})]
    )


@virtual_time
async def test_a_result_its_facts_and_its_writes_go_together() -> None:
    executor, _, event_writer = bench({"number.pause": fine}, "number.pause")
    assert await executor.step() == 1
    (entry,) = event_writer.entries
    assert [fact.type for fact in entry.facts] == ["number.paused"]
    assert [mark.collection for mark in entry.marks] == ["numbers", COMMANDS]
    assert states(event_writer)["cmd_0"] == ("done", {"done": "cmd_0"})


@virtual_time
async def test_commands_are_carried_out_in_the_order_of_submission() -> None:
    seen = []

    async def note(command: Command) -> Outcome:
        seen.append(command.id)
        return Outcome()

    executor, _, _ = bench({"a.b": note}, *["a.b"] * 5)
    assert await executor.step() == 5
    assert seen == [f"cmd_{position}" for position in range(5)]


@virtual_time
async def test_nothing_waiting_is_nothing_done() -> None:
    executor, _, event_writer = bench({})
    assert await executor.step() == 0
    assert event_writer.entries == []


@virtual_time
async def test_a_refusal_is_told_with_its_faults() -> None:
    async def refuse(_: Command) -> Outcome:
        raise RequestRefused("No.", code="wrong_state", faults=[Fault("status", "is read")])

    executor, _, event_writer = bench({"a.b": refuse, "number.pause": fine}, "a.b", "number.pause")
    await executor.step()
    assert states(event_writer)["cmd_0"] == (
        "failed",
        {"code": "wrong_state", "text": "No.", "errors": [{"path": "status", "reason": "is read"}]},
    )
    assert states(event_writer)["cmd_1"][0] == "done"


@virtual_time
async def test_an_unknown_command_is_refused_and_not_met_again() -> None:
    executor, _, event_writer = bench({}, "sing.song")
    assert await executor.step() == 1
    state, result = states(event_writer)["cmd_0"]
    assert (state, result["code"]) == ("failed", "unknown_command")


@virtual_time
async def test_a_bug_in_one_handler_is_told_and_stops_no_other_command() -> None:
    async def stumble(_: Command) -> Outcome:
        raise KeyError("display")

    executor, _, event_writer = bench({"a.b": stumble, "number.pause": fine}, "a.b", "number.pause")
    assert await executor.step() == 2
    state, result = states(event_writer)["cmd_0"]
    assert (state, result["code"]) == ("failed", "internal")
    assert "display" not in str(result)
    assert states(event_writer)["cmd_1"][0] == "done"


@pytest.mark.parametrize("error", [DatabaseUnavailable, Fenced])
@virtual_time
async def test_what_a_later_try_or_another_owner_can_do_is_no_failure_of_the_command(error: type[Exception]) -> None:
    async def wait(_: Command) -> Outcome:
        raise error()

    executor, _, event_writer = bench({"a.b": wait, "number.pause": fine}, "number.pause", "a.b", "number.pause")
    with pytest.raises(error):
        await executor.step()
    assert list(states(event_writer)) == ["cmd_0"]


@virtual_time
async def test_what_was_done_before_trouble_is_marked_before_the_next_look() -> None:
    """Else the next look would find it new, and do it twice."""

    async def wait(_: Command) -> Outcome:
        raise DatabaseUnavailable()

    executor, _, event_writer = bench({"a.b": wait, "number.pause": fine}, "number.pause", "a.b")
    event_writer.is_held_back = True
    step = asyncio.create_task(executor.step())
    await asyncio.sleep(1)
    assert not step.done()
    event_writer.let_go()
    with pytest.raises(DatabaseUnavailable):
        await step
