"""What customers do, as facts: contacts that come and change, decisions with their proof, and a state that knows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from services.cloud_webhook import InboundMessage, PlatformError, Sender, StatusKind, StatusUpdate, UserPreference
from services.contacts import (
    ConsentCache,
    ConsentCategory,
    ConsentState,
    ContactEditor,
    ContactEvents,
    ContactState,
    Identity,
    Keywords,
    consents,
    project_contact,
)
from services.conversations import MOST_ADDRESSES
from services.store import Event, Fact
from tests.doubles.clock import START, ManualClock
from tests.doubles.collections import CollectionDatabase

NUMBER, OTHER = "106540352242922", "106540352242923"
ANA = "15550000001"
ANA_ID = "US.13491208655302741918"


def wrote(
    text: str, *, wa_id: str | None = ANA, user_id: str | None = None, name: str | None = "Ana", number: str = NUMBER
) -> InboundMessage:
    return InboundMessage(
        content_key=f"in:{text}",
        field="messages",
        waba_id="1",
        phone_number_id=number,
        display_phone_number=None,
        wamid=f"wamid.{text}",
        from_wa_id=wa_id,
        from_user_id=user_id,
        from_parent_user_id=None,
        profile_name=name,
        username=None,
        at=START,
        kind="text",
        content={"type": "text", "text": {"body": text}},
        context_wamid=None,
        context=None,
        target_wamid=None,
        group_id=None,
        referral=None,
        errors=(),
    )


def preferred(choice: str, *, number: str | None = NUMBER) -> UserPreference:
    return UserPreference(
        "up:1", "user_preferences", "1", number, None, ANA, None, "marketing_messages", choice, "x", START
    )


def failed(code: int) -> StatusUpdate:
    return StatusUpdate(
        content_key="st:1",
        field="messages",
        waba_id="1",
        phone_number_id=NUMBER,
        display_phone_number=None,
        wamid="wamid.out",
        status=StatusKind.FAILED,
        raw_status="failed",
        at=START,
        recipient_id=ANA,
        recipient_user_id=None,
        recipient_type=None,
        recipient_participant_id=None,
        message_id="msg_1",
        caller_data=None,
        pricing=None,
        conversation=None,
        errors=(PlatformError(code, "x", None, {}),),
        raw={},
    )


@dataclass
class Owner:
    database: CollectionDatabase = field(default_factory=CollectionDatabase)
    clock: ManualClock = field(default_factory=ManualClock)
    category: ConsentCategory = ConsentCategory.ALL
    aliases: Any = None

    def __post_init__(self) -> None:
        self.consents = ConsentState(self.database.real)
        self.editor = ContactEditor(ContactState(self.database.real), self.consents, self.aliases)
        self.contact_events = ContactEvents(
            self.editor,
            self.clock,
            keywords=Keywords(opt_out=["STOP"], opt_in=["START"]),
            keyword_category=self.category,
            numbers=[NUMBER, OTHER],
        )

    async def hear(self, *changes: object) -> list[Fact]:
        return await self.contact_events.on_changes(changes)

    def blocks(self, key: str = f"wa:{ANA}") -> tuple[bool, bool]:
        """Is marketing stopped, is everything stopped?"""
        return (
            self.consents.blocks(key, is_marketing=True) is not None,
            self.consents.blocks(key, is_marketing=False) is not None,
        )


def types(facts: Sequence[Fact]) -> list[str]:
    return [fact.type for fact in facts]


async def test_a_contact_is_made_once_and_changed_when_something_is_new() -> None:
    owner = Owner()
    (created,) = await owner.hear(wrote("hello"))
    assert created.type == "contact.created"
    assert created.data["profile_name"] == "Ana"
    assert created.data["key"] == f"wa:{ANA}"
    assert await owner.hear(wrote("again")) == []
    (updated,) = await owner.hear(wrote("again", name="Ana María"))
    assert (updated.type, updated.data["changed"]) == ("contact.updated", ["profile_name"])
    assert updated.data["contact_id"] == created.data["contact_id"]


async def test_a_contact_spans_our_numbers() -> None:
    owner = Owner()
    (created,) = await owner.hear(wrote("hello"))
    (updated,) = await owner.hear(wrote("hello", number=OTHER))
    assert updated.number == OTHER
    assert updated.data["contact_id"] == created.data["contact_id"]
    assert updated.data["changed"] == ["phone_number_ids"]


async def test_somebody_known_by_user_id_alone_gets_the_number_when_it_is_told() -> None:
    owner = Owner()
    (created,) = await owner.hear(wrote("STOPPED", wa_id=None, user_id=ANA_ID))
    assert created.data["key"] == f"user:{ANA_ID}"
    (updated,) = await owner.hear(wrote("hello", user_id=ANA_ID))
    assert updated.data["contact_id"] == created.data["contact_id"]
    assert updated.data["key"] == f"wa:{ANA}"


async def test_an_opt_out_holds_under_every_key_of_the_person() -> None:
    owner = Owner()
    await owner.hear(wrote("hello", user_id=ANA_ID), wrote("STOP"))
    assert owner.blocks(f"wa:{ANA}") == (True, True)
    assert owner.blocks(f"user:{ANA_ID}") == (True, True)
    # …and under one that is learned later.
    other = Owner()
    await other.hear(wrote("STOP"))
    await other.hear(wrote("hi", user_id=ANA_ID))
    assert other.blocks(f"user:{ANA_ID}") == (True, True)


async def test_stop_is_recorded_with_its_proof_once_and_start_undoes_it() -> None:
    owner = Owner()
    facts = await owner.hear(wrote("hello"), wrote("Stop!"))
    assert types(facts) == ["contact.created", "contact.opted_out"]
    data = facts[1].data
    assert (data["category"], data["status"], data["source"], data["opted_out"]) == ("all", "out", "keyword", "all")
    assert data["proof"] == {"message_id": "wamid.Stop!", "text": "Stop!", "at": START}
    assert owner.blocks() == (True, True)
    assert await owner.hear(wrote("STOP")) == []
    (undone,) = await owner.hear(wrote("start"))
    assert (undone.type, undone.data["opted_out"]) == ("contact.opted_in", None)
    assert owner.blocks() == (False, False)


async def test_a_keyword_may_stop_marketing_alone() -> None:
    owner = Owner(category=ConsentCategory.MARKETING)
    await owner.hear(wrote("STOP"))
    assert owner.blocks() == (True, False)
    await owner.hear(wrote("START"))
    assert owner.blocks() == (False, False)


@pytest.mark.parametrize("number", [NUMBER, None, "999"])
async def test_a_preference_told_to_whatsapp_holds_whichever_number_it_names(number: str | None) -> None:
    owner = Owner()
    facts = await owner.hear(preferred("stop", number=number))
    assert types(facts) == ["contact.created", "contact.opted_out"]
    assert facts[1].number == NUMBER
    assert facts[1].data["source"] == "user_preference"
    assert owner.blocks() == (True, False)
    (resumed,) = await owner.hear(preferred("resume", number=number))
    assert resumed.type == "contact.opted_in"
    assert owner.blocks() == (False, False)


async def test_a_preference_does_not_undo_a_stop_of_everything() -> None:
    owner = Owner()
    await owner.hear(wrote("STOP"))
    (fact,) = await owner.hear(preferred("resume"))
    assert fact.data["opted_out"] == "all"
    assert owner.blocks() == (True, True)


async def test_a_word_of_a_preference_that_nobody_knows_changes_nothing() -> None:
    assert await Owner().hear(preferred("pause")) == []


async def test_error_131050_tells_of_a_choice_that_was_missed() -> None:
    owner = Owner()
    assert types(await owner.hear(failed(131026))) == []
    facts = await owner.hear(failed(131050))
    assert types(facts) == ["contact.created", "contact.opted_out"]
    assert facts[1].data["proof"] == {"message_id": "wamid.out", "error": 131050, "at": START}
    assert owner.blocks() == (True, False)


async def test_what_belongs_to_another_program_makes_no_contact() -> None:
    owner = Owner()
    assert await owner.hear(wrote("STOP", number="999"), wrote("x", wa_id=None), object()) == []


async def test_a_new_owner_knows_what_the_last_one_wrote() -> None:
    owner = Owner()
    owner.database.put(
        "contacts",
        {
            "_id": "con_1",
            "key": f"wa:{ANA}",
            "keys": [f"wa:{ANA}", f"user:{ANA_ID}"],
            "wa_id": ANA,
            "user_id": ANA_ID,
            "profile_name": "Ana",
            "numbers": [NUMBER],
            "opted_out": "marketing",
            "consent": {"marketing": {"status": "out"}},
            "order": 1_750_000_000_000 << 20,
        },
    )
    with pytest.raises(RuntimeError):
        owner.consents.blocks(f"wa:{ANA}", is_marketing=True)
    await owner.consents.load([])
    assert owner.blocks(f"wa:{ANA}") == (True, False)
    assert owner.blocks(f"user:{ANA_ID}") == (True, False)
    assert len(owner.consents) == 2
    assert await owner.hear(preferred("stop")) == []
    (fact,) = await owner.hear(wrote("STOP"))
    assert fact.data["contact_id"] == "con_1"
    assert owner.blocks() == (True, True)


async def test_a_worker_reads_the_same_and_remembers_it_for_a_moment() -> None:
    database, clock = CollectionDatabase(), ManualClock()
    database.put("contacts", {"_id": "con_1", "keys": [f"wa:{ANA}"], "opted_out": "marketing"})
    reader = ConsentCache(database.real, clock, fresh_s=3)
    assert await reader.blocks(f"wa:{ANA}", is_marketing=True) == "opted out of marketing messages"
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) is None
    assert len(database.finds) == 1
    database.put("contacts", {"_id": "con_1", "keys": [f"wa:{ANA}"], "opted_out": "all"})
    clock.advance(4)
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) == "opted out of all messages"
    assert await reader.blocks_all([f"wa:{ANA}", "wa:1555"], is_marketing=False) == {
        f"wa:{ANA}": "opted out of all messages"
    }


async def test_while_few_opted_out_a_burst_of_messages_costs_one_read() -> None:
    database, clock = CollectionDatabase(), ManualClock()
    database.put("contacts", {"_id": "con_1", "keys": [f"wa:{ANA}"], "opted_out": "all"})
    reader = ConsentCache(database.real, clock, fresh_s=3)
    answers = await asyncio.gather(
        *(reader.blocks(key, is_marketing=False) for key in (f"wa:{ANA}", *(f"wa:1650555{n:04d}" for n in range(500))))
    )
    assert [bool(answer) for answer in answers] == [True] + [False] * 500
    assert len(database.finds) == 1


async def test_who_is_opted_out_is_read_again_before_somebody_has_to_wait_for_it() -> None:
    database, clock = CollectionDatabase(), ManualClock()
    reader = ConsentCache(database.real, clock, fresh_s=3)
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) is None
    database.put("contacts", {"_id": "con_1", "keys": [f"wa:{ANA}"], "opted_out": "all"})
    clock.advance(2.4)
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) is None
    assert len(database.finds) == 1
    clock.advance(0.3)
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) is None  # answered at once, by what is known
    await asyncio.sleep(0.01)
    assert len(database.finds) == 2
    clock.advance(0.4)  # what was read first would be too old now
    assert await reader.blocks(f"wa:{ANA}", is_marketing=False) == "opted out of all messages"
    assert len(database.finds) == 2


async def test_where_many_opted_out_those_who_are_asked_about_are_read_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(consents, "FEW", 2)
    database, clock = CollectionDatabase(), ManualClock()
    for n in range(5):
        database.put("contacts", {"_id": f"con_{n}", "keys": [f"wa:1555000{n:04d}"], "opted_out": "all"})
    reader = ConsentCache(database.real, clock, fresh_s=3, few=2)
    answers = await asyncio.gather(*(reader.blocks(f"wa:1555000{n:04d}", is_marketing=False) for n in range(10)))
    assert [bool(answer) for answer in answers] == [True] * 5 + [False] * 5
    assert len(database.finds) == 2  # who they are: too many; then these ten
    await reader.blocks("wa:15550000003", is_marketing=False)
    assert len(database.finds) == 2
    clock.advance(4)
    assert await reader.blocks("wa:15550000003", is_marketing=False)
    assert len(database.finds) == 3


async def test_two_contacts_of_one_person_become_one_and_are_stopped_as_one() -> None:
    owner = Owner()
    await owner.hear(wrote("hello"), wrote("hello", wa_id=None, user_id=ANA_ID))
    facts = await owner.hear(replace(wrote("STOP"), from_user_id=ANA_ID))
    assert types(facts) == ["contact.merged", "contact.opted_out"]
    assert owner.blocks(f"wa:{ANA}") == owner.blocks(f"user:{ANA_ID}") == (True, True)


@pytest.mark.parametrize("stopped", [ANA, None])
async def test_when_two_contacts_become_one_what_either_refused_stays_refused(stopped: str | None) -> None:
    owner = Owner()
    by_number, by_id = wrote("hello"), wrote("hello", wa_id=None, user_id=ANA_ID)
    await owner.hear(by_number, by_id)
    words = wrote("STOP") if stopped else wrote("STOP", wa_id=None, user_id=ANA_ID)
    await owner.hear(words)
    assert owner.blocks(f"wa:{ANA}") != owner.blocks(f"user:{ANA_ID}")
    (fact, *_) = await owner.hear(replace(wrote("and now together"), from_user_id=ANA_ID))
    assert fact.type == "contact.merged"
    assert fact.data["opted_out"] == "all"
    assert fact.data["consent"]["all"]["proof"]["text"] == "STOP"
    assert sorted(fact.data["addresses"]) == sorted([f"wa:{ANA}", f"user:{ANA_ID}"])
    assert owner.blocks(f"wa:{ANA}") == owner.blocks(f"user:{ANA_ID}") == (True, True)
    gone, kept = project_contact(Event("evt_1", NUMBER, 5, fact.type, START, fact.data, None))
    assert (gone.id, gone.set["merged_into"], gone.set["keys"]) == (fact.data["merged_id"], kept.id, [])
    assert kept.set["opted_out"] == "all"


async def test_an_opt_out_holds_for_an_address_that_only_a_status_has_named() -> None:
    owner = Owner()
    await owner.hear(wrote("STOP"))
    assert owner.blocks(f"user:{ANA_ID}") == (False, False)
    facts = await owner.contact_events.on_changes([], [(NUMBER, Identity(ANA, ANA_ID))])
    assert types(facts) == ["contact.updated"]
    assert owner.blocks(f"user:{ANA_ID}") == (True, True)
    assert await owner.contact_events.on_changes([], [(NUMBER, Identity(ANA, ANA_ID))]) == []
    assert (
        await owner.contact_events.on_changes([], [(NUMBER, Identity("15550000077", "US.never"))]) == []
    )  # no contact


async def test_somebody_who_is_known_by_a_conversation_alone_opts_out_under_all_of_its_addresses() -> None:
    class Conversations:
        async def load_keys(self, keys: Sequence[str]) -> None:
            self.asked = list(keys)

        def aliases_of(self, key: str) -> tuple[str, ...]:
            return (f"wa:{ANA}", f"user:{ANA_ID}")

    owner = Owner(aliases=Conversations())
    facts = await owner.hear(wrote("STOP", wa_id=None, user_id=ANA_ID))
    assert facts[0].data["wa_id"] == ANA
    assert owner.blocks(f"wa:{ANA}") == owner.blocks(f"user:{ANA_ID}") == (True, True)


async def test_who_moves_to_another_number_stays_the_same_contact_and_stays_stopped() -> None:
    owner = Owner()
    await owner.hear(wrote("STOP", user_id=ANA_ID))
    new = "15550000099"
    moved = replace(wrote("moved", name=None), kind="system", moved_to=Sender(new, None))
    (fact,) = await owner.hear(moved)
    assert (fact.type, fact.data["wa_id"]) == ("contact.updated", new)
    assert set(fact.data["addresses"]) == {f"wa:{ANA}", f"wa:{new}", f"user:{ANA_ID}"}
    assert owner.blocks(f"wa:{new}") == (True, True)
    again = await owner.hear(replace(wrote("id", wa_id=new, name=None), kind="system", moved_to=Sender(None, "US.2")))
    assert (again[0].data["contact_id"], again[0].data["user_id"]) == (fact.data["contact_id"], "US.2")
    assert owner.blocks("user:US.2") == owner.blocks(f"user:{ANA_ID}") == (True, True)
    # What was written from the old number, and comes late, moves nobody back.
    assert await owner.hear(replace(wrote("late", user_id=ANA_ID, name=None), at=START - timedelta(hours=1))) == []
    # Months later the old number is somebody else's.
    left, made = await owner.hear(wrote("who was this?", user_id="US.stranger", name=None))
    assert (left.data["contact_id"], made.type) == (fact.data["contact_id"], "contact.created")
    assert owner.blocks(f"wa:{ANA}") == owner.blocks("user:US.stranger") == (False, False)
    assert owner.blocks(f"wa:{new}") == (True, True)


async def test_the_order_of_decisions_is_part_of_the_fact() -> None:
    facts = await Owner().hear(wrote("STOP"), wrote("START"), wrote("STOP"))
    orders = [fact.data["order"] for fact in facts if fact.type != "contact.created"]
    assert orders == sorted(set(orders))
    assert len(orders) == 3


async def test_at_once_only_those_pass_of_whom_it_is_known() -> None:
    database, clock = CollectionDatabase(), ManualClock()
    for number, category in enumerate(("all", "marketing", None)):
        database.put("contacts", {"_id": f"con_{number}", "keys": [f"wa:{number}"], "opted_out": category})
    few, many = (ConsentCache(database.real, clock, fresh_s=3, few=most) for most in (250, 1))
    for reader in (few, many):
        assert not reader.lets_pass("wa:2", is_marketing=False), "nothing was read yet"
        await reader.blocks_all([f"wa:{number}" for number in range(3)], is_marketing=False)
        assert [reader.lets_pass(f"wa:{number}", is_marketing=False) for number in range(3)] == [False, True, True]
        assert [reader.lets_pass(f"wa:{number}", is_marketing=True) for number in range(3)] == [False, False, True]
    assert few.lets_pass("wa:9", is_marketing=True), "everybody who opted out is known"
    assert not many.lets_pass("wa:9", is_marketing=False), "nobody asked about them yet"
    clock.advance(2.9)
    reads = len(database.finds)
    assert few.lets_pass("wa:2", is_marketing=False), "and is read again before it is too old"
    await asyncio.sleep(0.01)
    assert len(database.finds) == reads + 1
    clock.advance(3)
    assert not few.lets_pass("wa:2", is_marketing=False)
    assert not many.lets_pass("wa:2", is_marketing=False)


async def test_the_addresses_of_one_person_have_an_end_and_those_in_use_stay() -> None:
    owner = Owner()
    for turn in range(3 * MOST_ADDRESSES):
        moved = wrote(f"{turn}", wa_id=f"1202555{turn:04}", user_id=ANA_ID)
        facts = await owner.hear(replace(moved, at=START + timedelta(seconds=turn)))
        addresses = facts[-1].data["addresses"]
        assert len(addresses) <= MOST_ADDRESSES
        assert {f"wa:1202555{turn:04}", f"user:{ANA_ID}"} <= set(addresses)
    assert addresses[-1] == f"wa:1202555{turn:04}"
    assert f"wa:1202555{turn - 1:04}" in addresses
    assert owner.editor.known(Identity(wa_id="12025550000")) is None
