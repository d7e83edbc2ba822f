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
from tests.doubles.event_writer import NUMBER, NotedJournal

CAMPAIGN = "cmp_1"
TEMPLATE = {
    "name": "promo",
    "language": {"code": "es"},
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{name}}"}]}],
}


@dataclass
class Blocked:
    """Who opted out, as the owner's book says it."""

    keys: set[str] = field(default_factory=set)

    async def load(self, keys: Iterable[str]) -> None:
        pass

    def blocks(self, key: str, *, is_marketing: bool, number: str | None = None) -> str | None:
        return "opted out of all messages" if key in self.keys and is_marketing else None


@dataclass
class Known:
    """Who has which addresses, as the owner's directory says it."""

    people: list[set[str]] = field(default_factory=list)

    async def load_keys(self, keys: Sequence[str]) -> None:
        pass

    def aliases_of(self, key: str) -> tuple[str, ...]:
        return tuple(sorted(next((keys for keys in self.people if key in keys), set())))


@dataclass
class Reign:
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
        self.journal = NotedJournal()
        self.ledger = MessageState(MessageRepository(self.database.real))
        repository = CampaignRepository(self.database.real)
        self.book = CampaignState(repository)
        self.lists = RecipientLists(self.database.real, most=10_000)
        self.commands = CampaignCommands(
            self.book, repository, self.clock, is_ours=lambda number: number == NUMBER, nudge=self._nudge
        )
        self.feeder = CampaignFeeder(
            self.database.real,
            book=self.book,
            repository=repository,
            contacts=ContactRepository(self.database.real),
            lists=self.lists,
            consents=self.blocked,
            people=self.known,
            settling=Settling(self.ledger, self, self.journal, self.clock),
            recorder=self.journal,
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
        self.journal.record(outcome.facts)
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
        """What the journal would write: marks and projections, onto the same database."""
        for noted in self.journal.entries[self._written :]:
            for seq, fact in enumerate(noted.facts, start=1):
                event = Event("evt", fact.number, seq, fact.type, fact.at, fact.data)
                for write in project_campaign(event):
                    self._write(write)
            for mark in noted.marks:
                self._write(mark)
        self._written = len(self.journal.entries)

    def _write(self, write: VersionedWrite) -> None:
        rows = self.database.rows.setdefault(write.collection, {})
        if write.id in rows or write.upsert:
            rows.setdefault(write.id, {"_id": write.id}).update(write.set)

    def send(self, count: int, status: MessageStatus = MessageStatus.SENT) -> None:
        """The dispatcher takes the oldest messages that wait."""
        waiting = [row for row in self.messages if row["status"] == "queued"]
        for row in waiting[:count]:
            row["status"] = status.value
            self.ledger.track(message_record(row)).status = status

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


def texts(reign: Reign) -> Counter[str]:
    return Counter(row["payload"]["template"]["components"][0]["parameters"][0]["text"] for row in reign.messages)


async def test_everybody_gets_one_message_and_the_end_is_told() -> None:
    reign = Reign()
    await reign.create(730)
    await reign.command("start")
    await reign.run()
    assert texts(reign) == Counter(f"N{at}" for at in range(730))
    first = reign.messages[0]
    assert (first["campaign"], first["priority"], first["metadata"]) == (CAMPAIGN, 1, {"campaign_id": CAMPAIGN})
    assert reign.campaign.status is CampaignStatus.COMPLETED
    assert reign.campaign.progress.total == reign.campaign.progress.seen == 730
    assert reign.campaign.results == {"sent": 730}
    assert reign.journal.types()[:2] == ["campaign.created", "campaign.started"]
    assert reign.journal.types()[-1] == "campaign.completed"


async def test_no_more_wait_at_once_than_the_setting_allows() -> None:
    reign = Reign(outstanding=60)
    await reign.create(300)
    await reign.command("start")
    await reign.step(20)
    first = len(reign.messages)
    assert 60 - 15 < first <= 60  # a quarter of the limit is the smallest page worth reading
    await reign.step(3)
    assert len(reign.messages) == first
    reign.send(20)
    await reign.step(5)
    assert first < len(reign.messages) <= 80
    waiting = [row for row in reign.messages if row["status"] == "queued"]
    assert 60 - 15 < len(waiting) <= 60


@pytest.mark.parametrize("crash_after", [1, 2, 3, 5, 8])
async def test_a_new_owner_goes_on_and_nobody_gets_it_twice(crash_after: int) -> None:
    first = Reign(outstanding=50)
    await first.create(220)
    await first.command("start")
    await first.step(2)
    for _ in range(crash_after):
        await first.feeder.step()
        first.send(50)
    # The last marks never reached the database.
    second = Reign(database=first.database, outstanding=50)
    await second.run()
    assert texts(second) == Counter(f"N{at}" for at in range(220))
    assert second.campaign.progress.seen == 220


async def test_a_failed_insert_that_was_applied_all_the_same_changes_nothing() -> None:
    reign = Reign()
    await reign.create(30)
    await reign.command("start")
    await reign.step()
    lost = RequestRefused("the answer got lost")  # any error: the feeder must not count what it does not know
    reign.database.trouble.extend([None, None, Trouble(lost, is_applied=True)])
    with pytest.raises(RequestRefused):
        await reign.step(4)
    await reign.run()
    assert texts(reign) == Counter(f"N{at}" for at in range(30))
    assert reign.campaign.results == {"sent": 30}


async def test_who_opted_out_is_skipped_with_the_reason() -> None:
    reign = Reign(blocked=Blocked({"wa:15550000003"}))
    await reign.create(10)
    await reign.command("start")
    await reign.run()
    assert "N3" not in texts(reign)
    row = reign.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15550000003"]
    assert row["skipped"] == "opted_out: opted out of all messages"
    assert (reign.campaign.progress.skipped, len(reign.messages)) == (1, 9)


async def test_who_opts_out_because_of_the_message_was_not_skipped() -> None:
    first = Reign(outstanding=1000)
    await first.create(10)
    await first.command("start")
    await first.step()
    await first.feeder.step()
    await first.feeder.step()  # stored; the mark is lost
    assert len(first.messages) == 10
    second = Reign(database=first.database, blocked=Blocked({"wa:15550000003"}))
    second.send(10**6)
    await second.run()
    assert "skipped" not in second.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15550000003"]
    assert second.campaign.progress.skipped == 0


async def test_a_missing_variable_is_told_for_that_person_alone() -> None:
    reign = Reign()
    await reign.create(3)
    await reign.lists.add(CAMPAIGN, [Person("wa:15559999999", {"nickname": "x"})])
    await reign.command("start")
    await reign.run()
    row = reign.database.rows["campaign_recipients"][f"{CAMPAIGN}:wa:15559999999"]
    assert row["skipped"] == "missing_variable: name"
    assert len(reign.messages) == 3


async def test_a_pause_holds_back_what_waits_and_a_resume_lets_it_go() -> None:
    reign = Reign(outstanding=50)
    await reign.create(120)
    await reign.command("start")
    await reign.step(3)
    message = message_record(reign.messages[0])
    assert reign.book.hold_of(message, reign.clock.now()) is None
    await reign.command("pause")
    hold = reign.book.hold_of(message, reign.clock.now())
    assert hold is not None
    assert (hold.reason, hold.until) == ("campaign_paused", None)
    reign.send(50)
    await reign.step(5)
    assert len(reign.messages) == 50
    await reign.command("resume")
    assert reign.nudges == 2
    await reign.run()
    assert len(reign.messages) == 120


async def test_before_the_book_is_read_a_new_owner_sends_nothing_of_a_campaign() -> None:
    first = Reign(outstanding=50)
    await first.create(120)
    await first.command("start")
    await first.step(3)
    await first.command("pause")
    message = message_record(first.messages[0])
    second = Reign(database=first.database)
    hold = second.book.hold_of(message, second.clock.now())
    assert hold is not None
    assert hold.until is not None
    await second.step()
    hold = second.book.hold_of(message, second.clock.now())
    assert hold is not None
    assert hold.reason == "campaign_paused"


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_cancel_takes_back_what_has_not_left(crashes: bool) -> None:
    reign = Reign(outstanding=300)
    await reign.create(700)
    await reign.command("start")
    await reign.step(4)
    reign.send(20)
    await reign.command("cancel")
    if crashes:
        reign = Reign(database=reign.database)
    await reign.step(8)
    canceled = [fact.data["message_id"] for fact in reign.journal.facts if fact.type == "message.canceled"]
    assert len(canceled) == len(set(canceled)) == len(reign.dropped) == len(reign.messages) - 20
    assert reign.campaign.status is CampaignStatus.CANCELED
    assert not reign.database.rows["campaigns"][CAMPAIGN]["is_withdrawing"]
    count = len(reign.messages)
    await reign.step(5)
    assert len(reign.messages) == count


async def test_it_waits_for_its_time() -> None:
    reign = Reign()
    await reign.create(5, send_at=reign.clock.now() + timedelta(seconds=10))
    await reign.command("start")
    assert reign.campaign.status is CampaignStatus.SCHEDULED
    await reign.step(10)
    assert not reign.messages
    reign.clock.advance(10)
    await reign.run()
    assert len(reign.messages) == 5


async def test_a_rate_plan_is_followed() -> None:
    reign = Reign(outstanding=1000)
    await reign.create(100, rate_per_minute=600)
    await reign.command("start")
    await reign.step(2)
    began_s = reign.clock.monotonic()
    while len(reign.messages) < 100:
        await reign.step()
        reign.send(10**6)
        assert len(reign.messages) <= 10 * (reign.clock.monotonic() - began_s) + 21
    assert 7 < reign.clock.monotonic() - began_s < 14


async def test_when_nearly_everything_fails_it_pauses_itself() -> None:
    reign = Reign(outstanding=40)
    await reign.create(400)
    await reign.command("start")
    for _ in range(20):
        await reign.step()
        reign.send(10**6, MessageStatus.FAILED)
    assert reign.campaign.status is CampaignStatus.PAUSED
    assert reign.campaign.reason == "failures"
    assert len(reign.messages) <= 80
    await reign.command("resume")
    await reign.run()
    assert reign.campaign.status is CampaignStatus.COMPLETED


async def test_somebody_put_on_the_list_below_what_was_read_is_found() -> None:
    reign = Reign(outstanding=1000)
    early = new_order()
    await reign.create(20)
    await reign.command("start")
    await reign.step(3)
    assert len(reign.messages) == 20
    late = f"{CAMPAIGN}:wa:15558888888"
    row = {"_id": late, "campaign": CAMPAIGN, "key": "wa:15558888888", "order": early, "message": "msg_late"}
    reign.database.put("campaign_recipients", {**row, "variables": {"name": "late"}})
    await reign.run()
    assert texts(reign)["late"] == 1
    assert sum(texts(reign).values()) == 21


async def test_contacts_with_a_label_are_put_on_the_list_once() -> None:
    reign = Reign(outstanding=1000)
    await reign.create(0, label="vip")
    now = reign.clock.now()
    for at in range(30):
        contact = {"_id": f"con_{at}", "key": f"wa:1555{at:07d}", "wa_id": f"1555{at:07d}", "name": f"N{at}"}
        labels = ["vip"] if at % 2 else ["other"]
        times = {"order": new_order(), "created_at": now, "updated_at": now}
        reign.database.put("contacts", {**contact, **times, "labels": labels})
    await reign.command("start")
    await reign.run()
    assert texts(reign) == Counter(f"N{at}" for at in range(1, 30, 2))
    assert reign.campaign.progress.total == 15


async def test_an_owner_that_lost_its_lease_stores_nothing() -> None:
    reign = Reign()
    await reign.create(20)
    await reign.command("start")
    reign.is_owner = False
    await reign.step(5)
    assert not reign.messages


async def test_commands_say_what_is_not_possible() -> None:
    reign = Reign()
    await reign.create(0)
    for kind, code in (("start", "empty_audience"), ("pause", "wrong_state"), ("resume", "wrong_state")):
        with pytest.raises(RequestRefused) as refused:
            await reign.command(kind)
        assert refused.value.code == code
    with pytest.raises(RequestRefused) as conflict:
        await reign.command("create", number=NUMBER, values={}, audience={}, digest="other")
    assert conflict.value.code == "idempotency_conflict"
    assert not (await reign.command("create", number=NUMBER, values={}, audience={}, digest="d")).facts
    await reign.command("cancel")
    with pytest.raises(RequestRefused):
        await reign.command("start")


async def test_only_a_draft_takes_another_template() -> None:
    reign = Reign()
    await reign.create(5)
    await reign.command("change", values={"template": {**TEMPLATE, "name": "other"}, "rate_per_minute": 60})
    assert (reign.campaign.template["name"], reign.campaign.rate_per_minute) == ("other", 60)
    await reign.command("start")
    with pytest.raises(RequestRefused):
        await reign.command("change", values={"rate_per_minute": None})
    await reign.command("pause")
    await reign.command("change", values={"rate_per_minute": None})
    with pytest.raises(RequestRefused):
        await reign.command("change", values={"template": TEMPLATE})


async def test_what_is_marketing_is_said_by_its_template_its_campaign_or_its_priority() -> None:
    reign = Reign(outstanding=1000)
    await reign.create(1, category="utility")
    await reign.command("start")
    await reign.step(4)
    of_campaign = message_record(reign.messages[0])
    alone = replace(of_campaign, campaign_id=None)
    assert not reign.book.is_marketing(of_campaign)
    assert reign.book.is_marketing(alone)  # bulk
    single = replace(alone, priority=Priority.TRANSACTIONAL)
    assert not reign.book.is_marketing(single)
    reign.book.category_of = lambda number, name, language: (
        "MARKETING" if (number, name, language) == (NUMBER, "promo", "es") else None
    )
    assert reign.book.is_marketing(single)
    assert reign.book.is_marketing(of_campaign)


def by_number_and_id(reign: Reign, *, first: str) -> tuple[str, str]:
    number, user = "wa:15550000003", "user:US.3"
    reign.known.people.append({number, user})
    return (number, user) if first == "number" else (user, number)


@pytest.mark.parametrize("first", ["number", "id"])
@pytest.mark.parametrize("between", [0, 300])
async def test_a_person_who_is_on_the_list_under_two_addresses_gets_it_once(first: str, between: int) -> None:
    reign = Reign(outstanding=1000)
    await reign.create(0)
    one, other = by_number_and_id(reign, first=first)
    await reign.lists.add(CAMPAIGN, [Person(one, {"name": "first"})])
    await reign.lists.add(CAMPAIGN, [Person(f"wa:1556{at:07d}", {"name": f"N{at}"}) for at in range(between)])
    await reign.lists.add(CAMPAIGN, [Person(other, {"name": "second"})])
    await reign.command("start")
    await reign.run()
    assert texts(reign) == Counter(["first", *(f"N{at}" for at in range(between))])
    row = reign.database.rows["campaign_recipients"][f"{CAMPAIGN}:{other}"]
    assert row["skipped"] == f"same_person: {one.rpartition(':')[2]} is on the list, too"
    assert (reign.campaign.progress.seen, reign.campaign.progress.skipped) == (between + 2, 1)


async def test_who_gets_nothing_under_one_address_gets_it_under_the_other() -> None:
    reign = Reign()
    await reign.create(0)
    one, other = by_number_and_id(reign, first="id")
    await reign.lists.add(CAMPAIGN, [Person(one, {}), Person(other, {"name": "second"})])
    await reign.command("start")
    await reign.run()
    assert texts(reign) == Counter(["second"])


async def test_two_addresses_that_came_together_after_both_were_written_to_were_not_skipped() -> None:
    first = Reign(outstanding=1000)
    await first.create(0)
    await first.lists.add(CAMPAIGN, [Person("wa:15550000003", {"name": "a"}), Person("user:US.3", {"name": "b"})])
    await first.command("start")
    await first.step()
    await first.feeder.step()
    await first.feeder.step()  # stored; the mark is lost
    assert len(first.messages) == 2
    second = Reign(database=first.database)
    by_number_and_id(second, first="number")
    second.send(10**6)
    await second.run()
    assert not any("skipped" in row for row in second.database.rows["campaign_recipients"].values())
    assert second.campaign.progress.skipped == 0
