"""Idle conversations and contacts go when the settings say so; what is in use, and every opt-out, stays."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.contacts import ContactState
from services.conversations import ContactRef, ConversationState
from services.retention import Cleaner, IdleCleaner, RetentionOptions, order_at
from services.retention.idle import may_be_forgotten
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.collections import CollectionDatabase
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

DAY = timedelta(days=1)
OLD = START - 100 * DAY


class Bench:
    def __init__(self, *, conversations_days: int = 60, contacts_days: int = 60) -> None:
        self.database = CollectionDatabase()
        self.clock, self.event_writer = ManualClock(), MemoryEventWriter()
        self.directory = ConversationState(self.database.real, numbers=[NUMBER])
        self.message_state = ContactState(self.database.real)
        self.opened = asyncio.Event()
        self.opened.set()
        self.idle = IdleCleaner(
            self.database.real,
            self.event_writer,
            self.clock,
            conversations=self.directory,
            contacts=self.message_state,
            conversations_days=conversations_days,
            contacts_days=contacts_days,
            numbers=[NUMBER],
            opened=self.opened,
        )

    def conversation(self, name: str, *, at: Any = OLD, **more: Any) -> None:
        row = {"_id": f"cnv_{name}", "number": NUMBER, "contact_key": f"wa:{name}", "pair": [f"{NUMBER}:wa:{name}"]}
        self.database.put("conversations", {**row, "activity": order_at(at), **more})

    def contact(self, name: str, *, at: Any = OLD, **more: Any) -> None:
        row = {"_id": f"con_{name}", "key": f"wa:{name}", "keys": [f"wa:{name}"], "opted_out": "", "wa_id": name}
        self.database.put("contacts", {**row, "order": order_at(OLD), "updated_at": at, **more})

    async def a_pass(self) -> None:
        self.idle.begin()
        while await self.idle.step():
            pass

    def left(self, name: str) -> list[str]:
        return sorted(id_.partition("_")[2] for id_ in self.database.rows.get(name, {}))


@virtual_time
async def test_a_conversation_goes_with_its_notes_when_no_message_of_it_is_left() -> None:
    bench = Bench(contacts_days=0)
    for name in ("gone", "talked"):
        bench.conversation(name)
        bench.database.put("notes", {"_id": f"note_{name}", "conversation": f"cnv_{name}"})
    bench.conversation("young", at=START - DAY)
    bench.database.put("messages", {"_id": "msg_1", "conversation": "cnv_talked", "status": "scheduled"})
    bench.contact("gone")
    await bench.a_pass()
    assert bench.left("conversations") == ["talked", "young"]
    assert bench.left("notes") == ["talked"]
    assert bench.left("contacts") == ["gone"], "contacts are kept unless their own setting says so"
    assert bench.idle.deleted == {"conversations": 1}


@virtual_time
async def test_what_the_owner_has_in_mind_stays_until_nobody_asks_for_it() -> None:
    bench = Bench()
    bench.conversation("1650")
    contact = ContactRef(NUMBER, "1650")
    await bench.directory.load([contact])
    await bench.a_pass()
    await bench.directory.load([contact])  # somebody asked between two passes
    await bench.a_pass()
    assert bench.left("conversations") == ["1650"]
    await bench.a_pass()
    assert bench.left("conversations") == []
    standings, facts = await bench.directory.ensure([contact], START)
    assert [fact.type for fact in facts] == ["conversation.opened"], "a person who comes back begins a new conversation"
    assert standings[NUMBER, "wa:1650"].conversation_id != "cnv_1650"


OUT = {"status": "out", "category": "marketing"}


@virtual_time
async def test_a_contact_goes_when_it_is_old_and_talks_with_nobody_and_no_opt_out_is_ever_lost() -> None:
    bench = Bench(conversations_days=0)
    bench.contact("1")
    bench.contact("2", opted_out="all")
    bench.contact("3", opted_out="marketing")
    bench.contact("4", consent={"marketing": OUT})
    bench.contact("5", consent={"marketing": {**OUT, "status": "in"}})
    bench.contact("6", at=START - DAY)
    bench.contact("7")
    bench.conversation("7")
    await bench.a_pass()
    assert bench.left("contacts") == ["2", "3", "4", "6", "7"]
    assert bench.left("conversations") == ["7"]
    await bench.message_state.load(["wa:1"])
    assert bench.message_state.by_key("wa:1") is None, "a person who comes back is a new contact"


class LateEventWriter(MemoryEventWriter):
    """While the cleaner waits for the documents, one of them learns of an opt-out."""

    database: CollectionDatabase

    def record(self, facts: Any, marks: Any = ()) -> Any:
        self.database.rows["contacts"]["con_1"]["opted_out"] = "all"
        return super().record(facts, marks)


@virtual_time
async def test_an_opt_out_that_was_just_recorded_is_seen_before_anything_is_deleted() -> None:
    bench = Bench()
    late = LateEventWriter()
    late.database = bench.database
    bench.idle._recorder = late
    bench.contact("1")
    bench.contact("2")
    await bench.a_pass()
    assert bench.left("contacts") == ["1"]


@virtual_time
async def test_while_nothing_can_be_written_everything_stays_and_the_owner_goes_on() -> None:
    bench = Bench()
    bench.event_writer.is_held_back = True
    for n in range(600):
        bench.conversation(f"{n}", at=OLD + timedelta(seconds=n))
    async with asyncio.timeout(8):
        await bench.a_pass()
        await bench.directory.load([ContactRef(NUMBER, "599")])
    assert len(bench.left("conversations")) == 600
    bench.event_writer.is_held_back = False
    bench.event_writer.let_go()
    await bench.a_pass()
    await bench.a_pass()
    assert bench.left("conversations") == [], "599 was asked for before the first of these passes alone"


@virtual_time
async def test_nothing_goes_before_the_documents_show_what_the_last_owner_left() -> None:
    bench = Bench()
    bench.opened.clear()
    bench.contact("1")
    await bench.a_pass()
    assert bench.left("contacts") == ["1"]
    task = asyncio.create_task(bench.a_pass())
    await asyncio.sleep(10)
    assert bench.left("contacts") == ["1"]
    bench.database.rows["contacts"]["con_1"]["opted_out"] = "all"
    bench.opened.set()
    await task
    assert bench.left("contacts") == ["1"], "the opt-out that stood in the log alone"


@virtual_time
async def test_by_default_everything_is_kept_and_nothing_is_read() -> None:
    bench = Bench(conversations_days=0, contacts_days=0)
    bench.contact("1")
    bench.conversation("1")
    await bench.a_pass()
    assert bench.database.finds == []


@virtual_time
async def test_the_hourly_pass_takes_them_along() -> None:
    bench = Bench()
    for n in range(600):
        bench.conversation(f"{n}", at=OLD + timedelta(seconds=n))
    options = RetentionOptions(messages_days=90, campaigns_days=90, idempotency_s=86_400)
    cleaner = Cleaner(
        bench.database.real, bench.event_writer, bench.clock, is_owner=lambda: True, options=options, idle=bench.idle
    )
    while await cleaner.step():
        pass
    assert bench.left("conversations") == []
    assert max(len(ids) for _, ids in bench.database.deleted) <= 251


@pytest.mark.parametrize(
    ("contact", "may_go"),
    [({}, True), ({"opted_out": None}, True), ({"opted_out": "all"}, False), ({"consent": {"all": OUT}}, False)],
)
def test_who_may_be_forgotten(contact: Mapping[str, Any], may_go: bool) -> None:
    assert may_be_forgotten({"updated_at": OLD, **contact}, START) is may_go
