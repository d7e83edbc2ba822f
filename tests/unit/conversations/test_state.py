"""One conversation for each number and contact, for any caller and however many ask at once."""

import asyncio
from collections import deque
from collections.abc import Iterable
from datetime import timedelta

import pytest

from services.conversations import MOST_ADDRESSES, ContactRef, ConversationState
from services.store import DatabaseUnavailable
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble
from tests.doubles.event_writer import NUMBER

ANA = ContactRef(NUMBER, wa_id="16505550001", name="Ana")
BEN = ContactRef(NUMBER, wa_id=None, user_id="US.abc")


def conversations(database: MemoryDatabase) -> ConversationState:
    return ConversationState(database)  # type: ignore[arg-type]


@virtual_time
async def test_a_new_contact_opens_a_conversation_once() -> None:
    known = conversations(MemoryDatabase())
    standings, facts = await known.ensure([ANA, BEN, ANA], START)
    assert [fact.data["contact_key"] for fact in facts] == ["wa:16505550001", "user:US.abc"]
    assert facts[0].conversation_id == standings[NUMBER, ANA.key].conversation_id
    assert facts[0].data | {"name": "Ana", "wa_id": "16505550001"} == facts[0].data
    again, none = await known.ensure([BEN, ANA], START)
    assert none == []
    assert again[NUMBER, ANA.key] is standings[NUMBER, ANA.key]


@virtual_time
async def test_one_number_does_not_share_its_conversations_with_another() -> None:
    known = conversations(MemoryDatabase())
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
    known = conversations(database)
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
    known = conversations(database)
    asking = [asyncio.create_task(known.ensure([ANA], START)) for _ in range(2)]
    await asyncio.sleep(0.01)
    assert database.gate is not None
    database.gate.set()
    (first, first_facts), (second, second_facts) = await asyncio.gather(*asking)
    assert first[NUMBER, ANA.key] is second[NUMBER, ANA.key]
    assert len(first_facts + second_facts) == 1


@virtual_time
async def test_trouble_while_reading_leaves_nothing_half_opened() -> None:
    known = conversations(MemoryDatabase(trouble=deque([Trouble(DatabaseUnavailable())])))
    with pytest.raises(DatabaseUnavailable):
        await known.ensure([ANA], START)
    _, facts = await known.ensure([ANA], START)
    assert len(facts) == 1


@virtual_time
async def test_loading_opens_nothing_so_that_other_reads_may_follow_and_fail() -> None:
    known = conversations(MemoryDatabase())
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
    counted = await conversations(database).initiated(NUMBER, since=START - 24 * hour)
    assert counted == [("wa:1", START - 23 * hour), ("wa:0", START - 2 * hour)]


BOTH = ContactRef(NUMBER, wa_id=ANA.wa_id, user_id="US.abc", is_current=True)


@virtual_time
async def test_a_contact_has_one_conversation_under_every_address_that_was_seen_with_it() -> None:
    known = conversations(MemoryDatabase())
    by_number, _ = await known.ensure([ANA], START)
    _, facts = await known.ensure([BOTH], START)
    assert [(fact.type, fact.data["contact_keys"]) for fact in facts] == [
        ("conversation.linked", ["user:US.abc", "wa:16505550001"])
    ]
    by_user_id, none = await known.ensure([BEN], START)
    assert none == []
    assert by_user_id[NUMBER, BEN.key] is by_number[NUMBER, ANA.key]
    assert known.key_of(NUMBER, BEN.key) == ANA.key
    assert known.knows(BOTH)
    assert known.link(BOTH, START) == []


@virtual_time
async def test_two_conversations_that_turn_out_to_be_with_one_person_become_one() -> None:
    database, merged = MemoryDatabase(), []
    for id_, key, unread, at in (("cnv_1", ANA.key, 1, 1), ("cnv_2", BEN.key, 2, 5)):
        row = {"_id": id_, "number": NUMBER, "contact_key": key, "pair": f"{NUMBER}:{key}", "unread": unread}
        last = START + timedelta(hours=at)
        database.put(
            "conversations",
            row | {"last_inbound_at": last, "labels": [f"of {id_}"], "activity": at, "text_tokens": [id_]},
        )
    known = conversations(database)
    known.mergers.append(lambda number, *, into, absorbed: merged.append((number, into.key, absorbed.key)))
    standings, facts = await known.ensure([BOTH], START)
    one = standings[NUMBER, ANA.key]
    assert (one.conversation_id, one.last_inbound_at) == ("cnv_1", START + timedelta(hours=5))
    assert merged == [(NUMBER, ANA.key, BEN.key)]
    fact = next(fact for fact in facts if fact.type == "conversation.merged")
    assert (fact.conversation_id, fact.data["merged_id"]) == ("cnv_1", "cnv_2")
    assert (fact.data["unread_count"], fact.data["labels"]) == (2, ["of cnv_2"])
    assert fact.data["text_tokens"] == ["cnv_2"]
    assert known.standing(NUMBER, BEN.key) is one


@virtual_time
async def test_what_contacts_know_of_a_person_counts_when_a_conversation_begins() -> None:
    """Both addresses were seen at another number of ours, or before there was a conversation."""

    class People:
        async def load(self, keys: Iterable[str]) -> None:
            self.asked = list(keys)

        def aliases_of(self, key: str) -> tuple[str, ...]:
            return (ANA.key, BEN.key) if key in (ANA.key, BEN.key) else ()

    known = ConversationState(MemoryDatabase(), aliases=People())  # type: ignore[arg-type]
    first, facts = await known.ensure([BEN], START)
    assert facts[0].data["contact_keys"] == sorted([ANA.key, BEN.key])
    second, none = await known.ensure([ANA], START)
    assert (second[NUMBER, ANA.key], none) == (first[NUMBER, BEN.key], [])


@virtual_time
async def test_who_has_moved_keeps_the_conversation_and_somebody_else_on_the_old_number_gets_their_own() -> None:
    known = conversations(MemoryDatabase())
    old, _ = await known.ensure([BOTH], START)
    now = {"is_current": True, "seen_at": START}
    moved = ContactRef(NUMBER, wa_id="16505550009", user_id="US.abc", former=(ANA.key,), **now)  # type: ignore[arg-type]
    new, facts = await known.ensure([moved], START)
    assert new[NUMBER, moved.key] is old[NUMBER, ANA.key]
    assert [fact.data["wa_id"] for fact in facts] == ["16505550009"]
    late = ContactRef(NUMBER, wa_id=ANA.wa_id, user_id="US.abc")
    assert known.link(late, START) == []  # a status of before names the old number: it is not news
    before = ContactRef(NUMBER, ANA.wa_id, "US.abc", is_current=True, seen_at=START - timedelta(hours=1))
    assert (await known.ensure([before], START))[1] == []  # written before they moved, and comes late
    assert new[NUMBER, moved.key].wa_id == "16505550009"
    stranger = ContactRef(NUMBER, wa_id=ANA.wa_id, user_id="US.other", is_current=True)
    theirs, facts = await known.ensure([stranger], START)
    assert [fact.type for fact in facts] == ["conversation.linked", "conversation.opened"]
    assert ANA.key not in facts[0].data["contact_keys"]
    assert theirs[NUMBER, ANA.key] is not new[NUMBER, moved.key]
    assert facts[1].data["contact_key"] == "user:US.other"  # two conversations never go by one name


@virtual_time
async def test_a_stored_conversation_is_found_by_any_of_its_addresses_and_held_once() -> None:
    database = MemoryDatabase()
    pair = [f"{NUMBER}:{ANA.key}", f"{NUMBER}:{BEN.key}"]
    database.put("conversations", {"_id": "cnv_1", "number": NUMBER, "contact_key": ANA.key, "pair": pair})
    known = conversations(database)
    standings, facts = await known.ensure([BEN, ANA], START)
    assert facts == []
    assert standings[NUMBER, BEN.key] is standings[NUMBER, ANA.key]


@virtual_time
async def test_the_addresses_of_one_conversation_have_an_end_and_those_in_use_stay() -> None:
    known = conversations(MemoryDatabase())
    for turn in range(3 * MOST_ADDRESSES):
        contact = ContactRef(
            NUMBER,
            wa_id=f"1202555{turn:04}",
            user_id="US.abc",
            is_current=True,
            seen_at=START + timedelta(seconds=turn),
        )
        standings, _ = await known.ensure([contact], START)
        standing = standings[NUMBER, contact.key]
        assert len(standing.keys) <= MOST_ADDRESSES
        assert {standing.key, f"wa:1202555{turn:04}", "user:US.abc"} <= standing.keys
        assert known.standing(NUMBER, f"wa:1202555{turn:04}") is standing
