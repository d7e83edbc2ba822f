"""One conversation for each number and contact, whoever asks and however many at once."""

import asyncio
from collections import deque
from datetime import timedelta

import pytest

from services.conversations import ContactRef, Directory
from services.store import DatabaseUnavailable
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble
from tests.doubles.journal import NUMBER

ANA = ContactRef(NUMBER, wa_id="16505550001", name="Ana")
BEN = ContactRef(NUMBER, wa_id=None, user_id="US.abc")


def directory(database: MemoryDatabase) -> Directory:
    return Directory(database)  # type: ignore[arg-type]


@virtual_time
async def test_a_new_contact_opens_a_conversation_once() -> None:
    known = directory(MemoryDatabase())
    standings, facts = await known.ensure([ANA, BEN, ANA], START)
    assert [fact.data["contact_key"] for fact in facts] == ["wa:16505550001", "user:US.abc"]
    assert facts[0].conversation_id == standings[NUMBER, ANA.key].conversation_id
    assert facts[0].data | {"name": "Ana", "wa_id": "16505550001"} == facts[0].data
    again, none = await known.ensure([BEN, ANA], START)
    assert none == []
    assert again[NUMBER, ANA.key] is standings[NUMBER, ANA.key]


@virtual_time
async def test_one_number_does_not_share_its_conversations_with_another() -> None:
    known = directory(MemoryDatabase())
    other = ContactRef("106540352242923", wa_id=ANA.wa_id)
    standings, facts = await known.ensure([ANA, other], START)
    assert len(facts) == len({standing.conversation_id for standing in standings.values()}) == 2


@virtual_time
async def test_what_the_database_knows_is_taken_from_there_once() -> None:
    database = MemoryDatabase()
    database.put(
        "conversations",
        {
            "_id": "cnv_old",
            "number": NUMBER,
            "contact_key": ANA.key,
            "pair": f"{NUMBER}:{ANA.key}",
            "last_inbound_at": START,
        },
    )
    known = directory(database)
    standings, facts = await known.ensure([ANA], START)
    assert facts == []
    assert standings[NUMBER, ANA.key].conversation_id == "cnv_old"
    assert standings[NUMBER, ANA.key].last_inbound_at == START
    await known.ensure([ANA], START)
    assert len(database.finds) == 1


@virtual_time
async def test_two_who_ask_at_once_for_a_new_contact_get_the_same_conversation() -> None:
    """A customer writes while the first message to him is on its way in."""
    database = MemoryDatabase(gate=asyncio.Event())
    known = directory(database)
    asking = [asyncio.create_task(known.ensure([ANA], START)) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert database.gate is not None
    database.gate.set()
    (first, first_facts), (second, second_facts) = await asyncio.gather(*asking)
    assert first[NUMBER, ANA.key] is second[NUMBER, ANA.key]
    assert len(first_facts + second_facts) == 1


@virtual_time
async def test_trouble_while_reading_leaves_nothing_half_opened() -> None:
    known = directory(MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable())])))
    with pytest.raises(DatabaseUnavailable):
        await known.ensure([ANA], START)
    _, facts = await known.ensure([ANA], START)
    assert len(facts) == 1


@virtual_time
async def test_loading_opens_nothing_so_that_other_reads_may_follow_and_fail() -> None:
    known = directory(MemoryDatabase())
    await known.load([ANA])
    assert known.standing(NUMBER, ANA.key) is None
    _, facts = known.open([ANA], START)
    assert [fact.type for fact in facts] == ["conversation.opened"]


@virtual_time
async def test_whom_the_daily_limit_counted_in_the_last_day_is_read_again_oldest_first() -> None:
    database, hour = MemoryDatabase(), timedelta(hours=1)
    for position, (number, age) in enumerate([(NUMBER, 2), (NUMBER, 23), (NUMBER, 25), ("other", 1), (NUMBER, None)]):
        row = {"_id": f"cnv_{position}", "number": number, "contact_key": f"wa:{position}"}
        database.put("conversations", row | ({} if age is None else {"initiated_at": START - age * hour}))
    counted = await directory(database).initiated(NUMBER, since=START - 24 * hour)
    assert counted == [("wa:1", START - 23 * hour), ("wa:0", START - 2 * hour)]
