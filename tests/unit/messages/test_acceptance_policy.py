"""At acceptance: who opted out of marketing gets no marketing, at whatever priority it is sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import pytest

from services.contacts import ConsentCache
from services.conversations import ContactRef, ConversationCache
from services.messages import AcceptancePolicy, Content, OptedOut, SendRequest, WindowClosed, parse_content
from services.messages.records import OnWindowClosed, Priority
from services.numbers import Number
from tests.doubles.clock import ManualClock
from tests.doubles.collections import CollectionDatabase

NUMBER = Number("106540352242922", "102290129340398", "15550783881", "sandbox")
ANA = "16505551234"
TEXT = {"to": ANA, "text": {"body": "x"}}


def template(name: str) -> Mapping[str, Any]:
    return {"to": ANA, "type": "template", "template": {"name": name, "language": {"code": "es"}}}


async def has_marketing_template(content: Content, number: Number) -> bool:
    assert number is NUMBER
    return content.kind == "template" and content.payload["template"]["name"] == "offer"


class Window:
    """The customer wrote at ``last``."""

    def __init__(self, last: datetime | None) -> None:
        self.last = last

    async def last_inbound_at(self, _: ContactRef, *, newer_than: datetime) -> datetime | None:
        return self.last


def policy(opted_out: str | None, *, is_open: bool = True) -> AcceptancePolicy:
    database, clock = CollectionDatabase(), ManualClock()
    if opted_out is not None:
        database.put("contacts", {"_id": "con_1", "keys": [f"wa:{ANA}"], "opted_out": opted_out})
    return AcceptancePolicy(
        standings=cast(ConversationCache, Window(clock.now() if is_open else None)),
        consents=ConsentCache(database.real, clock),
        has_marketing_template=has_marketing_template,
        clock=clock,
    )


@pytest.mark.parametrize(
    ("opted_out", "body", "priority", "is_refused"),
    [
        ("marketing", template("offer"), Priority.TRANSACTIONAL, True),
        ("marketing", template("offer"), Priority.BULK, True),
        ("marketing", template("order"), Priority.TRANSACTIONAL, False),
        ("marketing", template("order"), Priority.BULK, True),
        ("marketing", TEXT, Priority.TRANSACTIONAL, False),
        ("marketing", TEXT, Priority.BULK, True),
        ("all", template("order"), Priority.TRANSACTIONAL, True),
        ("all", TEXT, Priority.TRANSACTIONAL, True),
        (None, template("offer"), Priority.TRANSACTIONAL, False),
        (None, TEXT, Priority.BULK, False),
    ],
)
async def test_who_opted_out_of_marketing_gets_none_at_any_priority(
    opted_out: str | None, body: Mapping[str, Any], priority: Priority, is_refused: bool
) -> None:
    order = SendRequest(parse_content(body), priority=priority)
    if not is_refused:
        await policy(opted_out).check(order, NUMBER)
        return
    with pytest.raises(OptedOut):
        await policy(opted_out).check(order, NUMBER)


async def test_outside_the_window_a_template_is_accepted_and_a_text_is_not() -> None:
    closed = policy(None, is_open=False)
    await closed.check(SendRequest(parse_content(template("offer"))), NUMBER)
    await closed.check(SendRequest(parse_content(TEXT)), NUMBER, is_dropin=True)
    with pytest.raises(WindowClosed):
        await closed.check(SendRequest(parse_content(TEXT)), NUMBER)


@pytest.mark.parametrize(
    ("opted_out", "name", "is_open", "is_refused"),
    [
        ("marketing", "offer", False, True),
        ("marketing", "offer", True, False),
        ("marketing", "order", False, False),
        (None, "offer", False, False),
    ],
)
async def test_a_template_that_would_go_instead_is_judged_as_what_it_is(
    opted_out: str | None, name: str, is_open: bool, is_refused: bool
) -> None:
    fallback = template(name)["template"]
    order = SendRequest(parse_content(dict(TEXT)), on_window_closed=OnWindowClosed.TEMPLATE, fallback_template=fallback)
    checking = policy(opted_out, is_open=is_open)
    if not is_refused:
        await checking.check(order, NUMBER)
        return
    with pytest.raises(OptedOut):
        await checking.check(order, NUMBER)
