"""Accepted without a wait when everything that decides is remembered and speaks for it; else nothing has happened."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.contacts import ConsentCache
from services.conversations import ContactRef, ConversationCache, key_at
from services.keys import ALL_SCOPES, Caller
from services.messages import (
    Acceptance,
    AcceptancePolicy,
    Idempotency,
    MessageRepository,
    SendRequest,
    parse_send_request,
)
from services.numbers import Number, NumberCache
from services.store import DatabaseUnavailable, GroupCommit
from tests.doubles.clock import ManualClock, virtual_time
from tests.doubles.collections import CollectionDatabase
from tests.doubles.database import MemoryDatabase, Trouble

NUMBER = Number("106540352242922", "102290129340398", "15550783881", "sandbox")
ANA, BEN = "16505551234", "16505555678"
CALLER = Caller("key_1", "shop", ALL_SCOPES)
STRANGER = Caller("key_2", "other", ALL_SCOPES, frozenset({"1"}))
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Repository:
    """One number."""

    async def all(self) -> list[Number]:
        return [NUMBER]


class Bench:
    """What accepts, with everything that it remembers."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.messages = MemoryDatabase()
        self.inserts = GroupCommit(self.messages, "messages", max_waiting=3)  # type: ignore[arg-type]
        self.contacts = CollectionDatabase()
        self.contacts.put("contacts", {"_id": "con_1", "keys": [f"wa:{BEN}"], "opted_out": "all"})
        self.contacts.put(
            "conversations",
            *({"_id": who, "pair": f"{NUMBER.phone_number_id}:wa:{who}", "last_inbound_at": NOW} for who in (ANA, BEN)),
        )
        self.standings = ConversationCache(self.contacts.real, self.clock)
        self.consents = ConsentCache(self.contacts.real, self.clock)
        self.numbers = NumberCache(Repository(), self.clock)  # type: ignore[arg-type]
        policy = AcceptancePolicy(
            standings=self.standings,
            consents=self.consents,
            has_marketing_template=None,  # type: ignore[arg-type]
            clock=self.clock,
        )
        self.acceptance = Acceptance(
            inserts=self.inserts,
            repository=cast(MessageRepository, None),
            numbers=self.numbers,
            policy=policy,
            clock=self.clock,
        )

    async def remember(self) -> None:
        """As the first requests leave it."""
        await self.numbers.all()
        await self.consents.blocks_all(["wa:1"], is_marketing=False)
        for who in (ANA, BEN):
            contact = ContactRef.at(NUMBER.phone_number_id, who, "wa_id")
            await self.standings.last_inbound_at(contact, newer_than=NOW.replace(year=2025))


def order(to: str = ANA, **more: Any) -> SendRequest:
    raw: Mapping[str, Any] = {"to": to, "type": "text", "text": {"body": "hello"}} | more
    return parse_send_request(raw, now=NOW)


@virtual_time
async def test_a_text_is_stored_at_once_and_answered_when_it_is() -> None:
    bench = Bench()
    await bench.remember()
    storing = bench.acceptance.begin(order(metadata={"a": 1}), CALLER, now=NOW)
    assert storing is not None
    await storing.done
    accepted = storing.result()
    assert accepted is not None
    (stored,) = bench.messages.rows["messages"].values()
    assert (stored["_id"], stored["to"], stored["metadata"]) == (accepted.id, ANA, {"a": 1})
    assert (accepted.created_at, accepted.phone_number_id) == (NOW, NUMBER.phone_number_id)


@pytest.mark.parametrize(
    "declined",
    [
        order(BEN),
        order("16505550000"),
        order(send_at="2026-01-03T00:00:00Z"),
        order(priority="bulk"),
        order(on_window_closed="hold"),
        order(type="image", image={"link": "https://example.com/a.png"}),
        order(**{"from": "2"}),
    ],
    ids=["opted out", "never wrote", "later", "marketing", "hold", "image", "another number"],
)
@virtual_time
async def test_whatever_needs_a_second_look_is_declined(declined: SendRequest) -> None:
    bench = Bench()
    await bench.remember()
    assert bench.acceptance.begin(declined, CALLER, now=NOW) is None
    assert bench.inserts.waiting_count == 0


@virtual_time
async def test_what_is_not_remembered_is_declined() -> None:
    bench = Bench()
    assert bench.acceptance.begin(order(), CALLER, now=NOW) is None
    await bench.remember()
    assert bench.acceptance.begin(order(), STRANGER, now=NOW) is None
    assert bench.acceptance.begin(order(), CALLER, now=NOW.replace(day=4)) is None, "the window has closed"
    bench.clock.advance(60)
    assert bench.acceptance.begin(order(), CALLER, now=NOW) is None


@virtual_time
async def test_a_full_intake_declines() -> None:
    bench = Bench()
    await bench.remember()
    taken = [bench.acceptance.begin(order(), CALLER, now=NOW) for _ in range(4)]
    assert [one is None for one in taken] == [False, False, False, True]


@virtual_time
async def test_a_second_use_of_a_key_is_somebody_elses_to_answer_and_trouble_is_told() -> None:
    bench = Bench()
    await bench.remember()
    once = Idempotency("k", b"digest")
    for expected in (True, False):
        storing = bench.acceptance.begin(order(), CALLER, once, now=NOW)
        assert storing is not None
        await storing.done
        assert (storing.result() is not None) is expected
    bench.messages.trouble.extend([Trouble(DatabaseUnavailable("away"))] * 2)  # it is tried once more
    storing = bench.acceptance.begin(order(), CALLER, now=NOW)
    assert storing is not None
    await bench.inserts.close()
    with pytest.raises(DatabaseUnavailable):
        storing.result()


@pytest.mark.parametrize("kind", ["wa_id", "user_id", "group"])
def test_the_key_of_a_recipient_is_the_key_of_the_contact(kind: str) -> None:
    assert key_at("x1", kind) == ContactRef.at("1", "x1", kind).key
