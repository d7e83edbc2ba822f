"""Commands are carried out in order, once each; what goes wrong with one is told to its caller and stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from config.errors import Fault, RequestRefused
from services.commands import Command, CommandExecutor, Outcome
from services.store import COMMANDS, DatabaseUnavailable, Fact, Fenced, VersionedWrite
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.database import MemoryDatabase
from tests.doubles.event_writer import NUMBER, NotedJournal

Handler = Callable[[Command], Awaitable[Outcome]]


def bench(handlers: Mapping[str, Handler], *kinds: str) -> tuple[CommandExecutor, MemoryDatabase, NotedJournal]:
    database, journal = MemoryDatabase(), NotedJournal()
    for position, kind in enumerate(kinds):
        database.put(
            COMMANDS,
            {"_id": f"cmd_{position}", "order": position, "state": "new", "kind": kind, "data": {}, "by": "key_1"},
        )
    return CommandExecutor(database, journal, ManualClock(), handlers=handlers), database, journal  # type: ignore[arg-type]


def states(journal: NotedJournal) -> dict[str, tuple[str, dict[str, object]]]:
    return {
        mark.id: (mark.set["state"], mark.set.get("result", {}))
        for mark in journal.marks
        if mark.collection == COMMANDS
    }


async def fine(command: Command) -> Outcome:
    fact = Fact("number.paused", NUMBER, START, {"by": command.by})
    return Outcome(
        {"done": command.id}, facts=[fact], writes=[VersionedWrite("numbers", NUMBER, None, set={"paused": True})]
    )


@virtual_time
async def test_a_result_its_facts_and_its_writes_go_together() -> None:
    desk, _, journal = bench({"number.pause": fine}, "number.pause")
    assert await desk.step() == 1
    (entry,) = journal.entries
    assert [fact.type for fact in entry.facts] == ["number.paused"]
    assert [mark.collection for mark in entry.marks] == ["numbers", COMMANDS]
    assert states(journal)["cmd_0"] == ("done", {"done": "cmd_0"})


@virtual_time
async def test_commands_are_carried_out_in_the_order_of_submission() -> None:
    seen = []

    async def note(command: Command) -> Outcome:
        seen.append(command.id)
        return Outcome()

    desk, _, _ = bench({"a.b": note}, *["a.b"] * 5)
    assert await desk.step() == 5
    assert seen == [f"cmd_{position}" for position in range(5)]


@virtual_time
async def test_nothing_waiting_is_nothing_done() -> None:
    desk, _, journal = bench({})
    assert await desk.step() == 0
    assert journal.entries == []


@virtual_time
async def test_a_refusal_is_told_with_its_faults() -> None:
    async def refuse(_: Command) -> Outcome:
        raise RequestRefused("No.", code="wrong_state", faults=[Fault("status", "is read")])

    desk, _, journal = bench({"a.b": refuse, "number.pause": fine}, "a.b", "number.pause")
    await desk.step()
    assert states(journal)["cmd_0"] == (
        "failed",
        {"code": "wrong_state", "text": "No.", "errors": [{"path": "status", "reason": "is read"}]},
    )
    assert states(journal)["cmd_1"][0] == "done"


@virtual_time
async def test_an_unknown_command_is_refused_and_not_met_again() -> None:
    desk, _, journal = bench({}, "sing.song")
    assert await desk.step() == 1
    state, result = states(journal)["cmd_0"]
    assert (state, result["code"]) == ("failed", "unknown_command")


@virtual_time
async def test_a_bug_in_one_handler_is_told_and_stops_no_other_command() -> None:
    async def stumble(_: Command) -> Outcome:
        raise KeyError("display")

    desk, _, journal = bench({"a.b": stumble, "number.pause": fine}, "a.b", "number.pause")
    assert await desk.step() == 2
    state, result = states(journal)["cmd_0"]
    assert (state, result["code"]) == ("failed", "internal")
    assert "display" not in str(result)
    assert states(journal)["cmd_1"][0] == "done"


@pytest.mark.parametrize("error", [DatabaseUnavailable, Fenced])
@virtual_time
async def test_what_a_later_try_or_another_owner_can_do_is_no_failure_of_the_command(error: type[Exception]) -> None:
    async def wait(_: Command) -> Outcome:
        raise error()

    desk, _, journal = bench({"a.b": wait, "number.pause": fine}, "number.pause", "a.b", "number.pause")
    with pytest.raises(error):
        await desk.step()
    assert list(states(journal)) == ["cmd_0"]


@virtual_time
async def test_what_was_done_before_trouble_is_marked_before_the_next_look() -> None:
    """Else the next look would find it new, and do it twice."""

    async def wait(_: Command) -> Outcome:
        raise DatabaseUnavailable()

    desk, _, journal = bench({"a.b": wait, "number.pause": fine}, "number.pause", "a.b")
    journal.is_held_back = True
    step = asyncio.create_task(desk.step())
    await asyncio.sleep(1)
    assert not step.done()
    journal.let_go()
    with pytest.raises(DatabaseUnavailable):
        await step
