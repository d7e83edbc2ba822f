"""Which numbers a list of messages or of conversations shows."""

from typing import Any, cast

import pytest

from services.conversations import ConversationFilter, ConversationRepository
from services.messages import MessageFilter, MessageRepository
from services.messages.documents import message_document
from services.store import Database
from tests.doubles.clock import START
from tests.doubles.database import MemoryDatabase
from tests.doubles.messages import outgoing

ORDER = int(START.timestamp() * 1000) << 20
NUMBERS = ["111", "222", "333"]

CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["333", "222", "111", "333", "222", "111"]),
    ({"numbers": frozenset({"111", "333"})}, ["333", "111", "333", "111"]),
    ({"numbers": frozenset({"222"})}, ["222", "222"]),
    ({"numbers": frozenset({"111", "333"}), "phone_number_id": "333"}, ["333", "333"]),
    ({"numbers": frozenset({"444"})}, []),
]


def real(database: MemoryDatabase) -> Database:
    return cast(Database, database)


@pytest.mark.parametrize(("wanted", "shown"), CASES)
async def test_messages_of_all_numbers_of_a_key_are_listed_newest_first(
    wanted: dict[str, Any], shown: list[str]
) -> None:
    database = MemoryDatabase()
    for at in range(6):
        message = outgoing(at, order=ORDER + at, number=NUMBERS[at % 3])
        database.put("messages", message_document(message))
    repository, found, before = MessageRepository(real(database)), list[str](), None
    while page := await repository.page(MessageFilter(**wanted, before=before), limit=2):
        found += [message.phone_number_id for message in page]
        before = page[-1].order
    assert found == shown


@pytest.mark.parametrize(("wanted", "shown"), CASES)
async def test_conversations_of_all_numbers_of_a_key_are_listed_the_latest_first(
    wanted: dict[str, Any], shown: list[str]
) -> None:
    database = MemoryDatabase()
    for at in range(6):
        number = NUMBERS[at % 3]
        row = {"_id": f"conv_{at}", "number": number, "activity": ORDER + at, "contact_key": f"wa:{at}"}
        database.put("conversations", row | {"created_at": START, "status": "open"})
    repository, found, before = ConversationRepository(real(database)), list[str](), None
    while page := await repository.page(ConversationFilter(**wanted, before=before), limit=2):
        found += [conversation.phone_number_id for conversation in page]
        before = page[-1].activity
    assert found == shown


async def test_conversations_are_found_by_every_address_and_the_other_filters_hold() -> None:
    database = MemoryDatabase()
    pairs = [f"{NUMBERS[0]}:wa:1555", f"{NUMBERS[0]}:user:US.1"], [f"{NUMBERS[1]}:wa:1555"], [f"{NUMBERS[0]}:wa:1556"]
    for at, pair in enumerate(pairs):
        row = {"_id": f"conv_{at}", "number": pair[0].partition(":")[0], "activity": ORDER + at, "pair": pair}
        database.put("conversations", row | {"created_at": START, "status": "closed" if at == 1 else "open"})
    repository = ConversationRepository(real(database))

    async def found(*pairs: str, also: tuple[tuple[str, ...], ...] = (), **more: Any) -> list[str]:
        wanted = ConversationFilter(addresses=(pairs, *also), **more)
        return [one.id for one in await repository.page(wanted, limit=10)]

    assert await found(f"{NUMBERS[0]}:user:US.1") == ["conv_0"]
    assert await found(f"{NUMBERS[0]}:wa:1555", f"{NUMBERS[1]}:wa:1555") == ["conv_1", "conv_0"]
    assert await found(f"{NUMBERS[0]}:wa:1555", f"{NUMBERS[1]}:wa:1555", is_open=True) == ["conv_0"]
    assert await found(f"{NUMBERS[0]}:wa:1555", before=ORDER) == []
    assert await found(f"{NUMBERS[0]}:wa:9") == []
    assert await found() == []
    number, id_ = f"{NUMBERS[0]}:wa:1555", f"{NUMBERS[0]}:user:US.1"
    assert await found(number, also=((id_,),)) == ["conv_0"]
    assert await found(number, also=((f"{NUMBERS[0]}:user:US.2",),)) == []
