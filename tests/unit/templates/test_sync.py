"""The catalogue follows the account; what changed becomes events, once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import pytest

from config.errors import RequestRefused
from services.cloud_webhook import TemplateUpdate
from services.commands import Command
from services.graph import GraphAccess, GraphUnreachable, TemplateInfo
from services.numbers import Number
from services.store import Fact, VersionedWrite
from services.templates.records import Template
from services.templates.repository import TemplateRepository, _record
from services.templates.sync import TemplateSync
from tests.doubles.clock import START, ManualClock
from tests.doubles.event_check import check_facts

NUMBER, WABA = "106540352242922", "102290129340398"


def info(template_id: str = "1", **more: Any) -> TemplateInfo:
    facts = {"name": "order", "language": "es", "status": "APPROVED", "category": "UTILITY"}
    facts |= {"components": [{"type": "BODY", "text": "Hola"}], "raw": {"rejected_reason": "NONE"}}
    return TemplateInfo(id=template_id, **{**facts, **more})


@dataclass
class Account:
    """The Graph API's side, and the documents."""

    infos: list[TemplateInfo] = field(default_factory=lambda: [info()])
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    synced: datetime | None = None
    trouble: Exception | None = None
    reads: int = 0
    management: Any = None

    def __post_init__(self) -> None:
        self.management = self

    def token_of(self, _: str) -> str:
        return "token"

    async def templates(self, _waba_id: str, _token: str) -> list[TemplateInfo]:
        self.reads += 1
        if self.trouble is not None:
            raise self.trouble
        return self.infos

    async def of_account(self, waba_id: str) -> list[Template]:
        found = [_record({"_id": key, "waba": waba_id, **values}) for key, values in self.stored.items()]
        return [template for template in found if template.status != "DELETED"]

    async def synced_at(self, _: str) -> datetime | None:
        return self.synced

    def apply(self, writes: list[VersionedWrite]) -> None:
        for write in writes:
            if write.collection == "templates":
                self.stored[write.id] = dict(write.set)
            else:
                self.synced = write.set["synced_at"]


@dataclass
class EventWriter:
    account: Account
    facts: list[Fact] = field(default_factory=list)

    def record(self, facts: Any, marks: Any = ()) -> Any:
        check_facts(facts)
        self.facts += facts
        self.account.apply(list(marks))

        class Done:
            @property
            def applied(self) -> Any:
                async def nothing() -> None:
                    return None

                return nothing()

        return Done()


@dataclass
class World:
    account: Account = field(default_factory=Account)
    clock: ManualClock = field(default_factory=ManualClock)
    event_writer: EventWriter = field(init=False)
    sync: TemplateSync = field(init=False)

    def __post_init__(self) -> None:
        self.event_writer = EventWriter(self.account)
        self.sync = TemplateSync(
            cast(TemplateRepository, self.account),
            cast(GraphAccess, self.account),
            self.event_writer,
            self.clock,
            numbers=[
                Number(NUMBER, WABA, "15550783881", "sandbox", is_default=True),
                Number("2", WABA, "1", "sandbox"),
            ],
            every_s=600,
        )

    def types(self) -> list[str]:
        return [fact.type for fact in self.event_writer.facts]

    async def again(self, *infos: TemplateInfo) -> list[str]:
        self.account.infos = list(infos)
        self.clock.advance(601)
        before = len(self.event_writer.facts)
        await self.sync.step()
        return self.types()[before:]


def update(event: str = "PAUSED", *, waba_id: str = WABA, **more: Any) -> TemplateUpdate:
    facts = {"template_id": "1", "name": "order", "language": "es", "event": event, "category": None, "reason": None}
    facts |= {"at": START, "value": {"event": event, "message_template_id": 1}}
    return TemplateUpdate("key", "message_template_status_update", waba_id, **{**facts, **more})


async def test_the_first_reading_is_silent_and_kept() -> None:
    world = World()
    await world.sync.step()
    assert world.types() == []
    assert world.account.stored["1"]["raw_status"] == "APPROVED"
    assert world.account.synced == START


async def test_it_is_read_again_when_it_is_due_and_not_before() -> None:
    world = World()
    await world.sync.step()
    await world.sync.step()
    assert world.account.reads == 1
    world.clock.advance(601)
    await world.sync.step()
    assert world.account.reads == 2


async def test_what_changed_becomes_an_event_with_metas_own_words() -> None:
    world = World()
    await world.sync.step()
    assert await world.again(info(), info("2", name="new")) == ["template.created"] * 2
    assert await world.again(info(status="PAUSED"), info("2", name="new")) == ["template.paused"] * 2
    meta = world.event_writer.facts[-1].data["meta"]
    assert meta["field"] == "message_template_status_update"
    assert (meta["value"]["event"], meta["value"]["message_template_id"]) == ("PAUSED", 1)
    assert [fact.number for fact in world.event_writer.facts[-2:]] == [NUMBER, "2"], "each number's log tells it"
    assert world.event_writer.facts[-2].data == world.event_writer.facts[-1].data
    assert world.event_writer.facts[-1].data["phone_number_ids"] == [NUMBER, "2"]
    assert (
        await world.again(info(status="PAUSED", category="MARKETING"), info("2", name="new"))
        == ["template.category_changed"] * 2
    )
    assert await world.again(info("2", name="new")) == ["template.deleted"] * 2
    assert world.account.stored["1"]["raw_status"] == "DELETED"
    assert await world.again(info("2", name="new")) == []


async def test_two_readings_at_once_tell_a_change_once() -> None:
    world = World()
    await world.sync.step()
    world.account.infos = []
    first = await world.sync.sync(Command("cmd_1", "template.sync", {"waba_id": WABA}, "key_1"))
    second = await world.sync.sync(Command("cmd_2", "template.sync", {"waba_id": WABA}, "key_1"))
    # Neither outcome has been written yet when the second reading begins.
    assert [fact.type for fact in first.facts] == ["template.deleted"] * 2
    assert list(second.facts) == []


async def test_a_webhook_is_an_event_at_once_and_told_twice_it_is_one() -> None:
    world = World()
    await world.sync.step()
    facts, writes = await world.sync.on_changes([update("PAUSED")])
    assert [fact.type for fact in facts] == ["template.paused"] * 2
    assert writes[0].set["raw_status"] == "PAUSED"
    again, _ = await world.sync.on_changes([update("PAUSED")])
    assert again == []
    assert world.account.reads == 1
    await world.sync.step()
    assert world.account.reads == 2, "the whole account is read soon after"


async def test_a_webhook_about_an_unknown_template_is_kept_without_components() -> None:
    world = World()
    facts, writes = await world.sync.on_changes([update("APPROVED", template_id="9", name="other")])
    assert [fact.type for fact in facts] == ["template.approved"] * 2
    assert "components" not in writes[0].set
    nothing, no_writes = await world.sync.on_changes([update(waba_id="elsewhere"), object()])
    assert (nothing, no_writes) == ([], [])


async def test_an_account_that_cannot_be_read_is_tried_again_soon() -> None:
    world = World()
    world.account.trouble = GraphUnreachable()
    await world.sync.step()
    assert world.account.reads == 1
    world.account.trouble = None
    world.clock.advance(6)
    await world.sync.step()
    assert world.account.stored.keys() == {"1"}


async def test_an_account_of_somebody_else_is_refused() -> None:
    with pytest.raises(RequestRefused) as refused:
        await World().sync.sync(Command("cmd_1", "template.sync", {"waba_id": "1"}, "key_1"))
    assert refused.value.code == "not_found"


async def test_what_a_template_is_and_says_is_known_before_the_account_was_read() -> None:
    world = World()
    await world.sync.step()
    later = World(account=world.account)
    sent = {"name": "order", "language": {"code": "es"}}
    assert later.sync.text_of(NUMBER, sent) is None
    await later.sync.recall()
    assert (later.sync.text_of(NUMBER, sent), later.sync.category_of(NUMBER, "order", "es")) == ("Hola", "UTILITY")
    changed = info(category="MARKETING", components=[{"type": "BODY", "text": "Adiós"}])
    await later.again(changed)
    assert (later.sync.text_of("2", sent), later.sync.category_of("2", "order", "es")) == ("Adiós", "MARKETING")
    assert later.sync.text_of(NUMBER, {**sent, "name": "other"}) is None
    assert later.sync.text_of("unknown", sent) is None
