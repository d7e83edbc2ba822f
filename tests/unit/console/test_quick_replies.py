"""Quick replies are stored by the owner's hand, found by everybody, and their shortcuts mean one thing each."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from config.errors import RequestRefused
from services.commands import Command
from services.console import QuickReplies, quick_reply_commands
from tests.doubles.clock import ManualClock
from tests.doubles.database import MemoryDatabase

NUMBER, OTHER = "106540352242922", "106540352242923"


class Owner:
    """Carries commands out at once, and writes what they ask for into the same database."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database
        self.handlers = quick_reply_commands()

    async def submit(self, kind: str, data: Mapping[str, Any], *, by: str) -> Mapping[str, Any]:
        outcome = await self.handlers[kind](Command("cmd_1", kind, data, by))
        for write in outcome.writes:
            before = self.database.rows.get(write.collection, {}).get(write.id, {"_id": write.id})
            self.database.put(write.collection, {**before, **write.set})
        return outcome.result


@pytest.fixture
def replies() -> QuickReplies:
    database = MemoryDatabase()
    return QuickReplies(database, Owner(database), ManualClock())  # type: ignore[arg-type]


async def test_one_is_made_changed_and_removed(replies: QuickReplies) -> None:
    made = await replies.create(text="Hola {name}", shortcut="hola", phone_number_id=None, by="key_1")
    assert [one.text for one in await replies.all()] == ["Hola {name}"]
    await replies.change(replace(made, text="Buenas, {name}", shortcut=None))
    found = await replies.get(made.id)
    assert found is not None
    assert (found.text, found.shortcut, found.by) == ("Buenas, {name}", None, "key_1")
    await replies.remove(made.id, by="key_1")
    assert await replies.all() == []
    assert await replies.get(made.id) is None


async def test_a_shortcut_means_one_thing(replies: QuickReplies) -> None:
    await replies.create(text="uno", shortcut="pago", phone_number_id=NUMBER, by="key_1")
    await replies.create(text="dos", shortcut="pago", phone_number_id=OTHER, by="key_1")
    for number in (NUMBER, None):
        with pytest.raises(RequestRefused) as refused:
            await replies.create(text="tres", shortcut="pago", phone_number_id=number, by="key_1")
        assert [fault.path for fault in refused.value.faults] == ["shortcut"]


async def test_its_own_shortcut_stays(replies: QuickReplies) -> None:
    made = await replies.create(text="uno", shortcut="pago", phone_number_id=None, by="key_1")
    assert (await replies.change(replace(made, text="otro"))).shortcut == "pago"


async def test_two_without_a_shortcut_do_not_collide(replies: QuickReplies) -> None:
    for text in ("uno", "dos"):
        await replies.create(text=text, shortcut=None, phone_number_id=None, by="key_1")
    assert len(await replies.all()) == 2
