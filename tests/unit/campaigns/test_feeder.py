"""The feeder against a database in memory: once each, bounded, held back, and the same after a crash at any page."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from config.errors import RequestRefused
from config.ids import new_order
from services.campaigns import (
    CampaignCommands,
    CampaignFeeder,
    CampaignRepository,
    CampaignState,
    CampaignStatus,
    FeederOptions,
    RecipientLists,
    Settling,
    project_campaign,
)
from services.campaigns.documents import campaign_record
from services.campaigns.requests import Person
from services.commands import Command, Outcome
from services.contacts import ContactRepository
from services.messages import MessageRepository, MessageState, MessageStatus, Priority, Tracked
from services.messages.documents import message_record
from services.store import Event, VersionedWrite
from tests.doubles.clock import ManualClock
from tests.doubles.collections import CollectionDatabase
from tests.doubles.database import Trouble
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

CAMPAIGN = "cmp_1"
TEMPLATE = {
    "name": "promo",
    "language": {"code": "es"},
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}]}],
}


@dataclass
class Blocked:
    """Who opted out, as the owner's state says it."""

    keys: set[str] = field(default_factory=set)

    async def load(self, keys: Iterable[str]) -> None:
        pass

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        return "opted out of all messages" if key in self.keys and is_marketing else None


@dataclass
class Known:
    """Who has which addresses, as the owner's conversations says it."""

    people: list[set[str]] = field(default_factory=list)

    async def load_keys(self, keys: Sequence[str]) -> None:
        pass

    def aliases_of(self, key: str) -> tuple[str, ...]:
        return tuple(sorted(next((keys for keys in self.people if key in keys), set())))


@dataclass
class Term:
    """One owner over a database that outlives it."""

    database: CollectionDatabase = field(default_factory=CollectionDatabase)
    clock: ManualClock = field(default_factory=ManualClock)
    blocked: Blocked = field(default_factory=Blocked)
    known: Known = field(default_factory=Known)
    outstanding: int = 100
    is_owner: bool = True
    nudges: int = 0
    dropped: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.event_writer = MemoryEventWriter()
        self.message_state = MessageState(MessageRepository(self.database.real))
        repository = CampaignRepository(self.database.real)
        self.state = CampaignState(repository)
        self.lists = RecipientLists(self.database.real, most=10_000)
        self.commands = CampaignCommands(
            self.state, repository, self.clock, is_ours=lambda number: number == NUMBER, nudge=self._nudge
        )
        self.feeder = CampaignFeeder(
            self.database.real,
            state=self.state,
            repository=repository,
            contacts=ContactRepository(self.database.real),
            lists=self.lists,
            consents=self.blocked,
            people=self.known,
            settling=Settling(self.message_state, self, self.event_writer, self.clock),
            recorder=self.event_writer,
            is_owner=lambda: self.is_owner,
            clock=self.clock,
            options=FeederOptions(outstanding=self.outstanding),
        )
        self._written = 0

    def _nudge(self) -> None:
        self.nudges += 1

    def drop(self, tracked: Tracked) -> None:
        self.dropped.append(tracked.id)

    async def command(self, kind: str, **data: Any) -> Outcome:
        outcome: Outcome = await getattr(self.commands, kind)(
            Command("cmd_1", f"campaign.{kind}", {"campaign_id": CAMPAIGN, **data}, "key_1")
        )
        self.event_writer.record(outcome.facts)
        self.apply()
        return outcome

    async def create(self, people: int, *, label: str | None = None, **values: Any) -> None:
        full = {
            "name": "Spring",
            "template": TEMPLATE,
            "category": "marketing",
            "rate_per_minute": None,
            "send_at": None,
            **values,
        }
        audience = {"label": label, "numbers": []}
        await self.command("create", number=NUMBER, values=full, audience=audience, digest="d")
        await self.lists.add(CAMPAIGN, [Person(f"wa:1555{at:07d}", {"name": f"N{at}"}) for at in range(people)])

    async def step(self, times: int = 1) -> None:
        for _ in range(times):
            await self.feeder.step()
            self.apply()
            self.clock.advance(0.3)

    def apply(self) -> None:
        """What the event writer would write: marks and projections, onto the same database."""
        for noted in self.event_writer.entries[self._written :]:
            for seq, fact in enumerate(noted.facts, start=1):
                event = Event("evt", fact.number, seq, fact.type, fact.at, fact.data)
                for write in project_campaign(event):
                    self._write(write)
            for mark in noted.marks:
                self._write(mark)
        self._written = len(self.event_writer.entries)

    def _write(self, write: VersionedWrite) -> None:
        rows = self.database.rows.setdefault(write.collection, {})
        if write.id in rows or write.upsert:
            rows.setdefault(write.id, {"_id": write.id}).update(write.set)

    def send(self, count: int, status: MessageStatus = MessageStatus.SENT) -> None:
        """The dispatcher takes the oldest messages that wait."""
        waiting = [row for row in self.messages if row["status"] == "queued"]
        for row in waiting[:count]:
            row["status"] = status.value
            self.message_state.track(message_record(row)).status = status

    @property
    def messages(self) -> list[dict[str, Any]]:
        return sorted(self.database.rows.get("messages", {}).values(), key=lambda row: int(row["order"]))

    @property
    def campaign(self) -> Any:
        return campaign_record(self.database.rows["campaigns"][CAMPAIGN])

    async def run(self, *, limit: int = 400) -> None:
        for _ in range(limit):
            await self.step()
            self.send(10**6)
            if self.campaign.status in (CampaignStatus.COMPLETED, CampaignStatus.PAUSED):
                return
        raise AssertionError(f"it never ended: {self.campaign}")


def texts(term: Term) -> Counter[str]:
    return Counter(row["payload"]["template"]["components"][0]["parameters"][0]["text"] for row in term.messages)


async def test_everybody_gets_one_message_and_the_end_is_told() -> None:
    term = Term()
    await term.create(730)
    await term.command("start")
    await term.run()
    assert texts(term) == Counter(f"N{at}" for at in range(730))
    first = term.messages[0]
    assert (first["campaign"], first["priority"], first["metadata"]) == (CAMPAIGN, 1, {"campaign_id": CAMPAIGN})
    assert term.campaign.status is CampaignStatus.COMPLETED
    assert term.campaign.progress.total == term.campaign.progress.seen == 730
    assert term.campaign.results == {"sent": 730}
    assert term.event_writer.types()[:2] == ["campaign.created", "campaign.started"]
    assert term.event_writer.types()[-1] == "campaign.completed"


async def test_no_more_wait_at_once_than_the_setting_allows() -> None:
    term = Term(outstanding=60)
    await term.create(300)
    await term.command("start")
    await term.step(20)
    first = len(term.messages)
    assert 60 - 15 < first <= 60  # a quarter of the limit is the smallest page worth reading
    await term.step(3)
    assert len(term.messages) == first
    term.send(20)
    await term.step(5)
    assert first < len(term.messages) <= 80
    waiting = [row for row in term.messages if row["status"] == "queued"]
    assert 60 - 15 < len(waiting) <= 60


@pytest.mark.parametrize("crash_after", [1, 2, 3, 5, 8])
async def test_a_new_owner_goes_on_and_nobody_gets_it_twice(crash_after: int) -> None:
    first = Term(outstanding=50)
    await first.create(220)
    await first.command("start")
    await first.step(2)
    for _ in range(crash_after):
        await first.feeder.step()
        first.send(50)
    # The last marks never reached the database.
    second = Term(database=first.database, outstanding=50)
    await second.run()
    assert texts(second) == Counter(f"N{at}" for at in range(220))
    assert second.campaign.progress.seen == 220


async def test_a_failed_insert_that_was_applied_all_the_same_changes_nothing() -> None:
    term = Term()
    await term.create(30)
    await term.command("start")
    await term.step()
    lost = RequestRefused("the answer got lost")  # any error: the feeder must not count what it does not know
    term.database.trouble.extend([None, None, Trouble(lost, is_applied=True)])
    with pytest.raises(RequestRefused):
        await term.step(4)
    await term.run()
    assert texts(term) == Counter(f"N{at}" for at in range(30))
    assert term.campaign.results == {"sent": 30}


async def test_who_opted_out_is_skipped_with_the_reason() -> None:
    term = Term(blocked=Blocked({"wa:15550000003"}))
    await term.create(10)
    await term.command("start")
    await term.run()
    assert "N3" not in texts(term)
    row = term.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15550000003"]
    assert row["skipped"] == "opted_out: opted out of all messages"
    assert (term.campaign.progress.skipped, len(term.messages)) == (1, 9)


async def test_who_opts_out_because_of_the_message_was_not_skipped() -> None:
    first = Term(outstanding=1000)
    await first.create(10)
    await first.command("start")
    await first.step()
    await first.feeder.step()
    await first.feeder.step()  # stored; the mark is lost
    assert len(first.messages) == 10
    second = Term(database=first.database, blocked=Blocked({"wa:15550000003"}))
    second.send(10**6)
    await second.run()
    assert "skipped" not in second.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15550000003"]
    assert second.campaign.progress.skipped == 0


async def test_a_missing_variable_is_told_for_that_person_alone() -> None:
    term = Term()
    await term.create(3)
    await term.lists.add(CAMPAIGN, [Person("wa:15559999999", {"nickname": "x"})])
    await term.command("start")
    await term.run()
    row = term.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15559999999"]
    assert row["skipped"] == "missing_variable: name"
    assert len(term.messages) == 3


async def test_a_pause_holds_back_what_waits_and_a_resume_lets_it_go() -> None:
    term = Term(outstanding=50)
    await term.create(120)
    await term.command("start")
    await term.step(3)
    message = message_record(term.messages[0])
    assert term.state.hold_of(message, term.clock.now()) is None
    await term.command("pause")
    hold = term.state.hold_of(message, term.clock.now())
    assert hold is not None
    assert (hold.reason, hold.until) == ("campaign_paused", None)
    term.send(50)
    await term.step(5)
    assert len(term.messages) == 50
    await term.command("resume")
    assert term.nudges == 2
    await term.run()
    assert len(term.messages) == 120


async def test_before_the_book_is_read_a_new_owner_sends_nothing_of_a_campaign() -> None:
    first = Term(outstanding=50)
    await first.create(120)
    await first.command("start")
    await first.step(3)
    await first.command("pause")
    message = message_record(first.messages[0])
    second = Term(database=first.database)
    hold = second.state.hold_of(message, second.clock.now())
    assert hold is not None
    assert hold.until is not None
    await second.step()
    hold = second.state.hold_of(message, second.clock.now())
    assert hold is not None
    assert hold.reason == "campaign_paused"


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_cancel_takes_back_what_has_not_left(crashes: bool) -> None:
    term = Term(outstanding=300)
    await term.create(700)
    await term.command("start")
    await term.step(4)
    term.send(20)
    await term.command("cancel")
    if crashes:
        term = Term(database=term.database)
    await term.step(8)
    canceled = [fact.data["message_id"] for fact in term.event_writer.facts if fact.type == "message.canceled"]
    assert len(canceled) == len(set(canceled)) == len(term.dropped) == len(term.messages) - 20
    assert term.campaign.status is CampaignStatus.CANCELED
    assert not term.database.rows["campaigns"][CAMPAIGN]["is_withdrawing"]
    count = len(term.messages)
    await term.step(5)
    assert len(term.messages) == count


async def test_it_waits_for_its_time() -> None:
    term = Term()
    await term.create(5, send_at=term.clock.now() + timedelta(seconds=10))
    await term.command("start")
    assert term.campaign.status is CampaignStatus.SCHEDULED
    await term.step(10)
    assert not term.messages
    term.clock.advance(10)
    await term.run()
    assert len(term.messages) == 5


async def test_a_rate_plan_is_followed() -> None:
    term = Term(outstanding=1000)
    await term.create(100, rate_per_minute=600)
    await term.command("start")
    await term.step(2)
    began_s = term.clock.monotonic()
    while len(term.messages) < 100:
        await term.step()
        term.send(10**6)
        assert len(term.messages) <= 10 * (term.clock.monotonic() - began_s) + 21
    assert 7 < term.clock.monotonic() - began_s < 14


async def test_when_nearly_everything_fails_it_pauses_itself() -> None:
    term = Term(outstanding=40)
    await term.create(400)
    await term.command("start")
    for _ in range(20):
        await term.step()
        term.send(10**6, MessageStatus.FAILED)
    assert term.campaign.status is CampaignStatus.PAUSED
    assert term.campaign.reason == "failures"
    assert len(term.messages) <= 80
    await term.command("resume")
    await term.run()
    assert term.campaign.status is CampaignStatus.COMPLETED


async def test_somebody_put_on_the_list_below_what_was_read_is_found() -> None:
    term = Term(outstanding=1000)
    early = new_order()
    await term.create(20)
    await term.command("start")
    await term.step(3)
    assert len(term.messages) == 20
    late = f"{CAMPAIGN}:wa:15558888888"
    row = {"_id": late, "campaign": CAMPAIGN, "key": "wa:15558888888", "order": early, "message": "msg_late"}
    term.database.put("campaign_recipients", {**row, "variables": {"name": "late"}})
    await term.run()
    assert texts(term)["late"] == 1
    assert sum(texts(term).values()) == 21


async def test_contacts_with_a_label_are_put_on_the_list_once() -> None:
    term = Term(outstanding=1000)
    await term.create(0, label="vip")
    now = term.clock.now()
    for at in range(30):
        contact = {"_id": f"con_{at}", "key": f"wa:1555{at:07d}", "wa_id": f"1555{at:07d}", "name": f"N{at}"}
        labels = ["vip"] if at % 2 else ["other"]
        times = {"order": new_order(), "created_at": now, "updated_at": now}
        term.database.put("contacts", {**contact, **times, "labels": labels})
    await term.command("start")
    await term.run()
    assert texts(term) == Counter(f"N{at}" for at in range(1, 30, 2))
    assert term.campaign.progress.total == 15


async def test_an_owner_that_lost_its_lease_stores_nothing() -> None:
    term = Term()
    await term.create(20)
    await term.command("start")
    term.is_owner = False
    await term.step(5)
    assert not term.messages


async def test_commands_say_what_is_not_possible() -> None:
    term = Term()
    await term.create(0)
    for kind, code in (("start", "empty_audience"), ("pause", "wrong_state"), ("resume", "wrong_state")):
        with pytest.raises(RequestRefused) as refused:
            await term.command(kind)
        assert refused.value.code == code
    with pytest.raises(RequestRefused) as conflict:
        await term.command("create", number=NUMBER, values={}, audience={}, digest="other")
    assert conflict.value.code == "idempotency_conflict"
    assert not (await term.command("create", number=NUMBER, values={}, audience={}, digest="d")).facts
    await term.command("cancel")
    with pytest.raises(RequestRefused):
        await term.command("start")


async def test_only_a_draft_takes_another_template() -> None:
    term = Term()
    await term.create(5)
    await term.command("change", values={"template": {**TEMPLATE, "name": "other"}, "rate_per_minute": 60})
    assert (term.campaign.template["name"], term.campaign.rate_per_minute) == ("other", 60)
    await term.command("start")
    with pytest.raises(RequestRefused):
        await term.command("change", values={"rate_per_minute": None})
    await term.command("pause")
    await term.command("change", values={"rate_per_minute": None})
    with pytest.raises(RequestRefused):
        await term.command("change", values={"template": TEMPLATE})


async def test_what_is_marketing_is_said_by_its_template_its_campaign_or_its_priority() -> None:
    term = Term(outstanding=1000)
    await term.create(1, category="utility")
    await term.command("start")
    await term.step(4)
    of_campaign = message_record(term.messages[0])
    alone = replace(of_campaign, campaign_id=None)
    assert not term.state.is_marketing(of_campaign)
    assert term.state.is_marketing(alone)  # bulk
    single = replace(alone, priority=Priority.TRANSACTIONAL)
    assert not term.state.is_marketing(single)
    term.state.category_of = lambda number, name, language: (
        "MARKETING" if (number, name, language) == (NUMBER, "promo", "es") else None
    )
    assert term.state.is_marketing(single)
    assert term.state.is_marketing(of_campaign)


def by_number_and_id(term: Term, *, first: str) -> tuple[str, str]:
    number, user = "wa:15550000003", "user:US.3"
    term.known.people.append({number, user})
    return (number, user) if first == "number" else (user, number)


@pytest.mark.parametrize("first", ["number", "id"])
@pytest.mark.parametrize("between", [0, 300])
async def test_a_person_who_is_on_the_list_under_two_addresses_gets_it_once(first: str, between: int) -> None:
    term = Term(outstanding=1000)
    await term.create(0)
    one, other = by_number_and_id(term, first=first)
    await term.lists.add(CAMPAIGN, [Person(one, {"name": "first"})])
    await term.lists.add(CAMPAIGN, [Person(f"wa:1556{at:07d}", {"name": f"N{at}"}) for at in range(between)])
    await term.lists.add(CAMPAIGN, [Person(other, {"name": "second"})])
    await term.command("start")
    await term.run()
    assert texts(term) == Counter(["first", *(f"N{at}" for at in range(between))])
    row = term.database.rows["campaign_recipients"][f"{CAMPAIGN}:{other}"]
    assert row["skipped"] == f"same_person: {one.rpartition(':')[2]} is on the list, too"
    assert (term.campaign.progress.seen, term.campaign.progress.skipped) == (between + 2, 1)


async def test_who_gets_nothing_under_one_address_gets_it_under_the_other() -> None:
    term = Term()
    await term.create(0)
    one, other = by_number_and_id(term, first="id")
    await term.lists.add(CAMPAIGN, [Person(one, {}), Person(other, {"name": "second"})])
    await term.command("start")
    await term.run()
    assert texts(term) == Counter(["second"])


async def test_two_addresses_that_came_together_after_both_were_written_to_were_not_skipped() -> None:
    first = Term(outstanding=1000)
    await first.create(0)
    await first.lists.add(CAMPAIGN, [Person("wa:15550000003", {"name": "a"}), Person("user:US.3", {"name": "b"})])
    await first.command("start")
    await first.step()
    await first.feeder.step()
    await first.feeder.step()  # stored; the mark is lost
    assert len(first.messages) == 2
    second = Term(database=first.database)
    by_number_and_id(second, first="number")
    second.send(10**6)
    await second.run()
    assert not any("skipped" in row for row in second.database.rows["campaign_recipients"].values())
    assert second.campaign.progress.skipped == 0
