"""A caller gets the outcome of its command, or is told that it is stored and will be done."""

import asyncio
from typing import Any

import pytest

from config.errors import PanalError, RequestRefused
from services.commands import CommandClient, CommandTaken
from services.store import COMMANDS, DatabaseUnavailable, GroupCommit
from tests.doubles.clock import LoopClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble


def bench() -> tuple[CommandClient, MemoryDatabase]:
    database = MemoryDatabase()
    inserts = GroupCommit(database, COMMANDS, max_waiting=10)  # type: ignore[arg-type]
    return CommandClient(database, inserts, LoopClock(), wait_s=5), database  # type: ignore[arg-type]


async def carry_out(database: MemoryDatabase, state: str, result: dict[str, Any], *, after_s: float = 0.5) -> None:
    await asyncio.sleep(after_s)
    (command,) = database.rows[COMMANDS].values()
    command |= {"state": state, "result": result}


@virtual_time
async def test_it_is_stored_with_who_asked_and_answers_the_result() -> None:
    commands, database = bench()
    owner = asyncio.create_task(carry_out(database, "done", {"status": "canceled"}))
    assert await commands.submit("message.cancel", {"message_id": "msg_1"}, by="key_1") == {"status": "canceled"}
    await owner
    (command,) = database.rows[COMMANDS].values()
    assert (command["kind"], command["data"], command["by"]) == ("message.cancel", {"message_id": "msg_1"}, "key_1")


@virtual_time
async def test_a_refusal_comes_back_as_it_was_made() -> None:
    commands, database = bench()
    result = {"code": "wrong_state", "text": "It is read.", "errors": [{"path": "status", "reason": "is read"}]}
    owner = asyncio.create_task(carry_out(database, "failed", result))
    with pytest.raises(RequestRefused) as refused:
        await commands.submit("message.cancel", {}, by="key_1")
    await owner
    assert (refused.value.code, refused.value.text) == ("wrong_state", "It is read.")
    assert [(fault.path, fault.reason) for fault in refused.value.faults] == [("status", "is read")]


@virtual_time
async def test_a_bug_of_ours_is_not_the_callers_fault() -> None:
    commands, database = bench()
    owner = asyncio.create_task(carry_out(database, "failed", {"code": "internal", "text": "Ours."}))
    with pytest.raises(PanalError) as failed:
        await commands.submit("message.cancel", {}, by="key_1")
    await owner
    assert not isinstance(failed.value, RequestRefused)


@virtual_time
async def test_without_an_owner_the_caller_is_told_that_it_is_stored() -> None:
    commands, database = bench()
    began = asyncio.get_running_loop().time()
    with pytest.raises(CommandTaken) as taken:
        await commands.submit("message.cancel", {}, by="key_1")
    assert 5 <= asyncio.get_running_loop().time() - began < 5.2
    assert list(database.rows[COMMANDS]) == [taken.value.extra["command_id"]]
    assert len(database.finds) < 100


@virtual_time
async def test_what_is_stored_is_never_told_as_failed_because_the_outcome_cannot_be_read() -> None:
    commands, database = bench()
    owner = asyncio.create_task(carry_out(database, "done", {"status": "canceled"}, after_s=2))
    database.trouble.extend([None, Trouble(DatabaseUnavailable()), Trouble(DatabaseUnavailable())])
    assert await commands.submit("message.cancel", {}, by="key_1") == {"status": "canceled"}
    await owner
    database.trouble.extend([None, *[Trouble(DatabaseUnavailable())] * 1000])
    with pytest.raises(CommandTaken):
        await commands.submit("message.cancel", {}, by="key_1")
