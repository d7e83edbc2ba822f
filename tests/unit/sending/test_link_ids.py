"""Ids that only we know become ids that WhatsApp knows, just before the send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from config.errors import Unavailable
from config.ids import new_id
from services.links import LinkKind, LinkState, NotSubmitted, OutgoingMessage, SendRefused, Submitted
from services.messages import MessageState, client_wamid
from services.sending.link_ids import PreparedLink

WAMID = "wamid.HBgLMTY1MDU1NTEyMzQVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA"
OURS = new_id("msg")


@dataclass
class Tracked:
    wamid: str | None


@dataclass
class Memory:
    """A message_state that knows these messages."""

    known: dict[str, Tracked] = field(default_factory=lambda: {OURS: Tracked(WAMID)})
    loaded: list[str] = field(default_factory=list)

    async def load(self, ids: list[str], _wamids: list[str]) -> None:
        self.loaded += ids

    def get(self, message_id: str) -> Tracked | None:
        return self.known.get(message_id)


@dataclass
class Inner:
    kind: LinkKind = LinkKind.SANDBOX
    state: LinkState = LinkState.READY
    sent: list[OutgoingMessage] = field(default_factory=list)

    async def send(self, order: OutgoingMessage) -> Submitted:
        self.sent.append(order)
        return Submitted("wamid.x")

    async def mark_read(self, phone_number_id: str, wamid: str, *, shows_typing: bool = False) -> None:
        raise AssertionError("not in these tests")


class Files:
    async def prepared(self, phone_number_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {**payload, "seen_by": phone_number_id}


def order(payload: dict[str, Any], context: str | None = None) -> OutgoingMessage:
    return OutgoingMessage(new_id("msg"), "106540352242922", "16505551234", "wa_id", payload, context_wamid=context)


async def sent(payload: dict[str, Any], context: str | None = None, memory: Memory | None = None) -> OutgoingMessage:
    inner = Inner()
    link = PreparedLink(inner, message_state=cast(MessageState, memory or Memory()), media=Files())
    await link.send(order(payload, context))
    return inner.sent[0]


TEXT = {"type": "text", "text": {"body": "x"}}


@pytest.mark.parametrize("name", [OURS, client_wamid(OURS), WAMID], ids=["our id", "wamid of it", "wamid"])
async def test_a_quote_may_name_the_message_in_three_ways(name: str) -> None:
    assert (await sent(TEXT, name)).context_wamid == WAMID


async def test_a_quote_of_what_never_left_costs_the_quote_alone() -> None:
    memory = Memory({OURS: Tracked(None)})
    assert (await sent(TEXT, OURS, memory)).context_wamid is None
    assert (await sent(TEXT, new_id("msg"))).context_wamid is None


async def test_without_a_quote_nothing_is_looked_up() -> None:
    memory = Memory()
    assert (await sent(TEXT, None, memory)).payload == {**TEXT, "seen_by": "106540352242922"}
    assert memory.loaded == []


async def test_a_reaction_is_translated_and_keeps_the_rest() -> None:
    reaction = {"type": "reaction", "reaction": {"message_id": client_wamid(OURS), "emoji": "👍"}}
    assert (await sent(reaction)).payload["reaction"] == {"message_id": WAMID, "emoji": "👍"}
    assert reaction["reaction"] == {"message_id": client_wamid(OURS), "emoji": "👍"}


async def test_a_reaction_to_what_never_left_is_refused_as_meta_does() -> None:
    reaction = {"type": "reaction", "reaction": {"message_id": new_id("msg"), "emoji": "👍"}}
    with pytest.raises(SendRefused) as refused:
        await sent(reaction)
    assert refused.value.rule.code == 131009


class Broken:
    """A part of the preparation that fails in a way nobody thought of."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def load(self, _ids: list[str], _wamids: list[str]) -> None:
        raise self._error

    async def prepared(self, phone_number_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        raise self._error


@pytest.mark.parametrize("error", [Unavailable(), ValueError("a header"), OSError(), KeyError("x"), RecursionError()])
async def test_what_fails_before_the_link_is_asked_is_never_doubt(error: Exception) -> None:
    inner, broken = Inner(), Broken(error)
    for link, context in (
        (PreparedLink(inner, message_state=cast(MessageState, Memory()), media=broken), None),
        (PreparedLink(inner, message_state=cast(MessageState, broken), media=Files()), OURS),
    ):
        with pytest.raises(NotSubmitted):
            await link.send(order(TEXT, context))
    assert inner.sent == []
