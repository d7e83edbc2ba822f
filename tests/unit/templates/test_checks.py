"""Before a template message is accepted: there is such a template, and the message fits."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import pytest

from config.errors import Unavailable
from services.commands import CommandClient
from services.keys import Caller
from services.messages import Content, ContentRefused, parse_content
from services.numbers import Number
from services.templates.checks import TemplateCheck
from services.templates.records import Template, TemplateStatus
from services.templates.repository import TemplateRepository
from tests.doubles.clock import START, ManualClock

NUMBER = Number("106540352242922", "102290129340398", "15550783881", "sandbox")
CALLER = Caller("key_1", "test", frozenset())


def template(name: str = "order", category: str = "UTILITY") -> Template:
    body = [{"type": "BODY", "text": "Hola {{1}}"}]
    return Template("1", NUMBER.waba_id, name, "es", TemplateStatus.APPROVED, "APPROVED", category, body)


@dataclass
class Catalogue:
    known: list[Template] = field(default_factory=list)
    appears: list[Template] = field(default_factory=list)
    synced: datetime | None = START
    reads: int = 0
    syncs: int = 0
    trouble: Exception | None = None

    async def find(self, _waba_id: str, name: str, language: str) -> Template | None:
        self.reads += 1
        return next((one for one in self.known if (one.name, one.language) == (name, language)), None)

    async def synced_at(self, _: str) -> datetime | None:
        return self.synced

    async def submit(self, kind: str, data: dict[str, Any], *, by: str, runs_concurrently: bool) -> dict[str, Any]:
        assert (kind, data, by, runs_concurrently) == ("template.sync", {"waba_id": NUMBER.waba_id}, "key_1", True)
        self.syncs += 1
        if self.trouble is not None:
            raise self.trouble
        self.known += self.appears
        return {}


@dataclass
class World:
    catalogue: Catalogue = field(default_factory=Catalogue)
    clock: ManualClock = field(default_factory=ManualClock)

    def check(self) -> TemplateCheck:
        return TemplateCheck(cast(TemplateRepository, self.catalogue), cast(CommandClient, self.catalogue), self.clock)


def message(name: str = "order", *parameters: str) -> Content:
    given = [{"type": "text", "text": text} for text in parameters]
    body = {"name": name, "language": {"code": "es"}, "components": [{"type": "body", "parameters": given}]}
    return parse_content({"to": "16505551234", "type": "template", "template": body})


async def refusal(check: TemplateCheck, content: Content) -> int:
    with pytest.raises(ContentRefused) as refused:
        await check.check(content, NUMBER, CALLER)
    return refused.value.graph_code


async def test_a_fitting_message_costs_one_look_in_ten_seconds() -> None:
    world = World(Catalogue([template()]))
    check = world.check()
    for _ in range(20):
        await check.check(message("order", "Ana"), NUMBER, CALLER)
    assert world.catalogue.reads == 1
    world.clock.advance(11)
    await check.check(message("order", "Ana"), NUMBER, CALLER)
    assert (world.catalogue.reads, world.catalogue.syncs) == (2, 0)


async def test_other_kinds_are_not_looked_at() -> None:
    world = World()
    text = parse_content({"to": "16505551234", "text": {"body": "x"}})
    await world.check().check(text, NUMBER, CALLER)
    assert world.catalogue.reads == 0


async def test_an_unknown_template_is_refused_after_the_account_was_read_again() -> None:
    world = World()
    assert await refusal(world.check(), message()) == 132001
    assert world.catalogue.syncs == 1


async def test_one_that_was_made_a_moment_ago_is_found_that_way() -> None:
    world = World(Catalogue(appears=[template()]))
    await world.check().check(message("order", "Ana"), NUMBER, CALLER)
    assert world.catalogue.syncs == 1


async def test_guessing_names_does_not_make_us_read_the_account_again_and_again() -> None:
    world = World()
    check = world.check()
    for number in range(10):
        assert await refusal(check, message(f"name_{number}")) == 132001
    assert world.catalogue.syncs == 1
    world.clock.advance(16)
    await refusal(check, message("name_11"))
    assert world.catalogue.syncs == 2


async def test_wrong_parameters_are_refused_with_metas_code() -> None:
    assert await refusal(World(Catalogue([template()])).check(), message("order", "Ana", "too many")) == 132000


async def test_an_account_that_was_never_read_refuses_nothing() -> None:
    world = World(Catalogue(synced=None))
    await world.check().check(message(), NUMBER, CALLER)
    assert world.catalogue.syncs == 0


async def test_when_it_cannot_be_read_again_the_catalogue_decides() -> None:
    world = World(Catalogue(trouble=Unavailable()))
    assert await refusal(world.check(), message()) == 132001


async def test_marketing_is_what_the_catalogue_says_and_costs_no_further_look() -> None:
    world = World(Catalogue([template(), template("offer", "MARKETING")]))
    check = world.check()
    await check.check(message("offer", "Ana"), NUMBER, CALLER)
    assert await check.is_marketing(message("offer", "Ana"), NUMBER)
    assert world.catalogue.reads == 1
    assert not await check.is_marketing(message("order", "Ana"), NUMBER)
    assert not await check.is_marketing(message("unknown"), NUMBER)
    assert not await check.is_marketing(parse_content({"to": "16505551234", "text": {"body": "x"}}), NUMBER)
    assert world.catalogue.syncs == 0


async def test_who_asks_while_the_account_is_read_waits_for_it_and_is_not_refused() -> None:
    world = World(Catalogue(appears=[template("new")]))
    check = world.check()
    await asyncio.gather(*(check.check(message("new", "Ana"), NUMBER, CALLER) for _ in range(20)))
    assert world.catalogue.syncs == 1
    world.clock.advance(5)
    assert await refusal(check, message("unknown", "Ana")) == 132001
    assert world.catalogue.syncs == 1
