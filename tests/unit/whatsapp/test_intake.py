"""Notifications in any order, twice, and about strangers: each thing that happened becomes one fact, or none."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest

from services.contacts import Identity
from services.conversations import ContactRef, ConversationState
from services.graph import CodeRule
from services.messages import MessageRepository, MessageState, MessageStatus, Tracked, message_fact
from services.messages.documents import MESSAGES, message_document
from services.numbers import Number, NumberState, NumberSync
from services.store import (
    NOTIFICATIONS,
    DatabaseUnavailable,
    Fact,
    RawNotification,
    VersionedWrite,
    notification_document,
)
from services.whatsapp.intake import Intake
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble
from tests.doubles.event_writer import NUMBER, MemoryEventWriter
from tests.doubles.messages import outgoing

S = MessageStatus
PHONE = "16505551234"


@dataclass
class Listener:
    """The dispatcher as the intake sees it."""

    settled_ids: list[str] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    failures: list[tuple[str, CodeRule, str]] = field(default_factory=list)
    writers: list[tuple[str, str]] = field(default_factory=list)
    nudges: int = 0
    seen: list[ContactRef] = field(default_factory=list)

    def settled(self, message_id: str) -> None:
        self.settled_ids.append(message_id)

    def nudge(self) -> None:
        self.nudges += 1

    @property
    def has_seen(self) -> bool:
        return bool(self.seen)

    def take_seen(self) -> list[ContactRef]:
        seen, self.seen = self.seen, []
        return seen

    def customer_wrote(self, number: str, key: str) -> None:
        self.writers.append((number, key))

    def read_notifications(self, *, count: int) -> None:
        self.looks.append(count)

    def failed_later(self, tracked: Tracked, rule: CodeRule, error: Mapping[str, Any], contact: str) -> list[Fact]:
        self.failures.append((tracked.id, rule, contact))
        tracked.status = S.FAILED
        return [message_fact(tracked, "message.failed", {"error": dict(error)}, ManualClock())]


@dataclass
class ContactEventsDouble:
    """Contacts: one fact for each change that it is shown."""

    shown: list[object] = field(default_factory=list)
    seen: list[tuple[str, Identity]] = field(default_factory=list)

    async def on_changes(self, changes: Sequence[object], seen: Sequence[tuple[str, Identity]] = ()) -> list[Fact]:
        self.shown += changes
        self.seen += seen
        return []


@dataclass
class Templates:
    """Templates: what it has told is told once."""

    is_loaded: bool = False
    told: int = 0

    async def load(self, changes: Sequence[object]) -> None:
        self.is_loaded = True

    async def on_changes(self, changes: Sequence[object]) -> tuple[list[Fact], list[VersionedWrite]]:
        assert self.is_loaded
        self.told += 1
        return [], []


@dataclass
class Bench:
    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    event_writer: MemoryEventWriter = field(default_factory=MemoryEventWriter)
    listener: Listener = field(default_factory=Listener)
    contact_events: ContactEventsDouble = field(default_factory=ContactEventsDouble)
    templates: Templates = field(default_factory=Templates)

    def __post_init__(self) -> None:
        repository = MessageRepository(self.database)  # type: ignore[arg-type]
        self.message_state = MessageState(repository)
        self.intake = Intake(
            database=self.database,  # type: ignore[arg-type]
            event_writer=self.event_writer,  # type: ignore[arg-type]
            message_state=self.message_state,
            conversations=ConversationState(self.database),  # type: ignore[arg-type]
            repository=repository,
            dispatcher=self.listener,  # type: ignore[arg-type]
            contact_events=self.contact_events,  # type: ignore[arg-type]
            templates=self.templates,  # type: ignore[arg-type]
            numbers=NumberSync(
                NumberState([Number(NUMBER, "102290129340398", "15550783881", "cloud")]),
                None,  # type: ignore[arg-type]  # nothing is read here
                self.event_writer,  # type: ignore[arg-type]
                ManualClock(),
                every_s=600,
            ),
            clock=ManualClock(),
        )
        self.count = 0

    async def hear(self, *bodies: bytes | dict[str, Any]) -> None:
        """Meta posts these, and the intake takes them up together."""
        for body in bodies:
            self.count += 1
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            notification = RawNotification(f"ntf_{self.count}", self.count, raw, START)
            self.database.put(NOTIFICATIONS, notification_document(notification))
        await self.intake.ingest_new()
        for mark in self.event_writer.marks:
            if mark.collection == NOTIFICATIONS:
                self.database.rows[NOTIFICATIONS][mark.id].update(mark.set)

    def told(self) -> list[str]:
        return [fact.type for fact in self.event_writer.facts if fact.type.startswith("message.")]


def notification(*, number: str = NUMBER, **value: Any) -> dict[str, Any]:
    metadata = {"phone_number_id": number, "display_phone_number": "15550783881"}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}


def status(word: str, *, of: str = "msg_1", wamid: str = "wamid.1", **more: Any) -> dict[str, Any]:
    entry = {"id": wamid, "status": word, "timestamp": "1767323046", "recipient_id": PHONE}
    return notification(statuses=[entry | {"biz_opaque_callback_data": f"panal:{of}"} | more])


def text(wamid: str, body: str = "hola", **more: Any) -> dict[str, Any]:
    entry = {"id": wamid, "from": PHONE, "timestamp": "1767323046", "type": "text", "text": {"body": body}}
    return notification(contacts=[{"wa_id": PHONE, "profile": {"name": "Ana"}}], messages=[entry | more])


def with_message(state: MessageStatus = S.SENT, **more: Any) -> Bench:
    bench = Bench()
    bench.database.put(MESSAGES, message_document(outgoing(1, status=state, conversation_id="cnv_1", **more)))
    return bench


@virtual_time
async def test_statuses_move_a_message_forward_and_say_whose_it_is() -> None:
    bench = with_message(wamid="wamid.1", metadata={"order": 7})
    await bench.hear(status("delivered"), status("read"))
    assert bench.told() == ["message.delivered", "message.read"]
    fact = bench.event_writer.facts[-1]
    assert fact.conversation_id == "cnv_1"
    assert fact.data["message_id"] == "msg_1"
    assert fact.data["metadata"] == {"order": 7}
    assert fact.data["platform_at"] is not None


@virtual_time
async def test_all_orders_and_duplicates_end_the_same() -> None:
    for words in permutations(["sent", "delivered", "read"]):
        bench = with_message(S.SENDING)
        for word in (*words, *words):
            await bench.hear(status(word))
        assert bench.told()[-1] == "message.read"
        assert len(bench.told()) == len(set(bench.told()))
        tracked = bench.message_state.get("msg_1")
        assert tracked is not None
        assert tracked.status is S.READ


@virtual_time
async def test_a_status_without_our_id_is_found_by_its_wamid() -> None:
    bench = with_message(wamid="wamid.1")
    entry = {"id": "wamid.1", "status": "delivered", "timestamp": "1767323046", "recipient_id": PHONE}
    await bench.hear(notification(statuses=[entry]))
    assert bench.told() == ["message.delivered"]


@pytest.mark.parametrize("state", [S.SENDING, S.UNCERTAIN, S.QUEUED, S.HELD])
@virtual_time
async def test_a_status_is_evidence_for_a_message_in_doubt(state: MessageStatus) -> None:
    bench = with_message(state)
    await bench.hear(status("sent"))
    assert bench.told() == ["message.sent"]
    fact = bench.event_writer.facts[-1]
    assert (fact.data["wamid"], fact.data["evidence"]) == ("wamid.1", "status")
    assert bench.listener.settled_ids == ["msg_1"]
    assert bench.listener.nudges
    assert bench.message_state.by_wamid("wamid.1") is bench.message_state.get("msg_1")


@pytest.mark.parametrize("word", ["sent", "failed"])
@virtual_time
async def test_what_is_said_late_of_a_dead_try_does_not_touch_the_next(word: str) -> None:
    bench = with_message(S.QUEUED, dead_wamid="wamid.dead")
    await bench.hear(status(word, wamid="wamid.dead"))
    assert bench.told() == []
    assert bench.listener.failures == []


@virtual_time
async def test_a_failure_that_comes_before_its_sent_makes_that_no_evidence() -> None:
    bench = with_message(S.QUEUED)
    error = [{"code": 131026, "title": "Message undeliverable"}]
    await bench.hear(status("failed", errors=error), status("sent"))
    assert bench.told() == []


@virtual_time
async def test_a_failure_is_judged_by_its_table_for_the_address_that_was_written_to() -> None:
    bench = with_message(wamid="wamid.1")
    error = [{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "No such phone."}}]
    await bench.hear(status("failed", errors=error))
    ((message_id, rule, contact),) = bench.listener.failures
    assert (message_id, rule.code, contact) == ("msg_1", 131026, f"wa:{PHONE}")
    assert bench.event_writer.facts[-1].data["error"]["details"] == "No such phone."
    assert bench.event_writer.facts[-1].data["error"]["next_step"]


@virtual_time
async def test_statuses_of_strangers_and_unknown_words_change_nothing() -> None:
    bench = with_message()
    await bench.hear(status("delivered", of="msg_other", wamid="wamid.9"), status("deleted"), status(""))
    assert bench.told() == []
    assert bench.database.rows[NOTIFICATIONS]["ntf_1"]["state"] == "done"


@virtual_time
async def test_an_inbound_message_opens_a_conversation_once() -> None:
    bench = Bench()
    await bench.hear(text("wamid.a"), text("wamid.b", "otra"))
    assert [fact.type for fact in bench.event_writer.facts] == [
        "conversation.opened",
        "message.received",
        "message.received",
    ]
    first, second = (fact for fact in bench.event_writer.facts if fact.type == "message.received")
    assert first.conversation_id == second.conversation_id
    assert first.data["order"] < second.data["order"]
    assert first.data["content"]["text"] == {"body": "hola"}
    assert "from" not in first.data["content"]


@virtual_time
async def test_an_inbound_message_is_taken_once_however_often_it_comes() -> None:
    bench = Bench()
    await bench.hear(text("wamid.a"), text("wamid.a"))
    await bench.hear(text("wamid.a"))
    assert bench.told() == ["message.received"]
    # Another owner, whose documents show it.
    successor = Bench(database=bench.database)
    fact = bench.event_writer.facts[-1]
    bench.database.put(MESSAGES, {"_id": fact.data["message_id"], "wamid": "wamid.a"} | _inbound_document(fact))
    await successor.hear(text("wamid.a"))
    assert successor.told() == []


def _inbound_document(fact: Fact) -> dict[str, Any]:
    return {
        "order": fact.data["order"],
        "direction": "in",
        "number": NUMBER,
        "kind": "text",
        "payload": {},
        "status": "received",
        "created_at": START,
    }


@virtual_time
async def test_a_customer_who_wrote_releases_what_waits_for_him() -> None:
    bench = Bench()
    await bench.hear(text("wamid.a"))
    assert bench.listener.writers == [(NUMBER, f"wa:{PHONE}")]


@virtual_time
async def test_a_message_for_a_number_that_is_not_ours_is_left_alone() -> None:
    bench = Bench()
    await bench.hear(notification(number="999", messages=[{"id": "wamid.x", "from": PHONE, "type": "text"}]))
    assert bench.event_writer.facts == []
    assert bench.database.rows[NOTIFICATIONS]["ntf_1"]["state"] == "done"


@virtual_time
async def test_what_is_not_json_is_kept_as_failed_and_stops_nothing() -> None:
    bench = Bench()
    await bench.hear(b"\xff{", text("wamid.a"))
    assert bench.told() == ["message.received"]
    states = {id_: row["state"] for id_, row in bench.database.rows[NOTIFICATIONS].items()}
    assert states == {"ntf_1": "failed", "ntf_2": "done"}


@virtual_time
async def test_facts_and_marks_go_together() -> None:
    bench = with_message()
    await bench.hear(status("delivered"), text("wamid.a"))
    (entry,) = bench.event_writer.entries
    assert len(entry.facts) == 3
    assert {mark.id for mark in entry.marks} == {"ntf_1", "ntf_2"}


@virtual_time
async def test_an_empty_inbox_and_a_full_one_are_told_to_who_waits_for_silence() -> None:
    bench = Bench()
    await bench.intake.ingest_new()
    await bench.hear(text("wamid.a"))
    assert bench.listener.looks == [0, 1]


@pytest.mark.parametrize("calls_that_pass", range(1, 6))
@virtual_time
async def test_trouble_at_any_read_loses_nothing_and_tells_nothing_twice(calls_that_pass: int) -> None:
    bench = with_message()
    bench.database.trouble = deque([*[None] * calls_that_pass, Trouble(DatabaseUnavailable())])
    bodies = [status("delivered"), text("wamid.a", context={"id": "wamid.unknown"})]
    try:
        await bench.hear(*bodies)
    except DatabaseUnavailable:
        assert bench.event_writer.facts == []
        assert bench.templates.told == 0, "what templates told would be lost"
        await bench.hear()
    assert sorted(bench.told()) == ["message.delivered", "message.received"]
    assert sum(fact.type == "conversation.opened" for fact in bench.event_writer.facts) == 1


@virtual_time
async def test_what_meta_tells_of_a_number_is_an_event_of_its_log_once() -> None:
    bench = Bench()
    value = {"display_phone_number": "15550783881", "event": "FLAGGED", "current_limit": "TIER_2K"}
    change = {"field": "phone_number_quality_update", "value": value}
    body = {"entry": [{"id": "102290129340398", "time": 1767323046, "changes": [change]}]}
    await bench.hear(body, body)
    facts = [fact for fact in bench.event_writer.facts if fact.type.startswith("number.")]
    assert [fact.type for fact in facts] == ["number.quality_changed"]
    assert facts[0].number == NUMBER
    assert facts[0].data["quality"] == "RED"
    assert facts[0].data["meta"] == change
    assert bench.intake.stats.unknown == 0


async def test_a_field_that_we_do_not_know_becomes_one_event_however_often_it_comes() -> None:
    bench = Bench()
    value = {"metadata": {"phone_number_id": NUMBER}, "calls": [{"id": "wacid.1"}]}
    body = {"entry": [{"id": "102290129340398", "changes": [{"field": "calls", "value": value}]}]}
    await bench.hear(body, body)
    (fact,) = bench.event_writer.facts
    assert (fact.type, fact.number, fact.data["meta"]["value"]) == ("notification.unknown", NUMBER, value)
    assert bench.intake.stats.by_kind == {"UnknownChange": 2}


USER = "US.13491208655302741918"


@virtual_time
async def test_a_status_that_names_both_addresses_makes_them_one_conversation_and_says_so_once() -> None:
    bench = with_message(S.SENT, wamid="wamid.1")
    pair = {"pair": [f"{NUMBER}:wa:{PHONE}"], "contact_key": f"wa:{PHONE}", "number": NUMBER}
    bench.database.put("conversations", {"_id": "cnv_1", **pair})
    await bench.hear(status("delivered", recipient_user_id=USER), status("read", recipient_user_id=USER))
    linked = [fact for fact in bench.event_writer.facts if fact.type == "conversation.linked"]
    assert [fact.data["contact_keys"] for fact in linked] == [[f"user:{USER}", f"wa:{PHONE}"]]
    assert bench.contact_events.seen == [(NUMBER, Identity(PHONE, USER, (f"wa:{PHONE}",)))] * 2
    await bench.hear(text("wamid.9", **{"from": None, "from_user_id": USER}))
    assert bench.event_writer.facts[-1].conversation_id == "cnv_1"
    assert bench.listener.writers == [(NUMBER, f"wa:{PHONE}")]


@virtual_time
async def test_the_number_that_whatsapp_knows_a_recipient_by_leads_to_the_same_conversation() -> None:
    """A Mexican number is written with a 1 and known without it, or the other way round."""
    bench = with_message(S.SENT, wamid="wamid.1")
    pair = {"pair": f"{NUMBER}:wa:{PHONE}", "contact_key": f"wa:{PHONE}", "number": NUMBER}  # as stored before aliases
    bench.database.put("conversations", {"_id": "cnv_1", **pair})
    await bench.hear(status("delivered", recipient_id="5215500000001"))
    await bench.hear(text("wamid.9", **{"from": "5215500000001"}))
    assert bench.event_writer.facts[-1].conversation_id == "cnv_1"


@virtual_time
async def test_what_the_answer_to_a_send_names_is_taken_up_without_a_notification() -> None:
    bench = with_message()
    pair = {"pair": [f"{NUMBER}:wa:{PHONE}"], "contact_key": f"wa:{PHONE}", "number": NUMBER}
    bench.database.put("conversations", {"_id": "cnv_1", **pair})
    bench.listener.seen.append(ContactRef(NUMBER, PHONE, USER))
    await bench.hear()
    assert [fact.type for fact in bench.event_writer.facts] == ["conversation.linked"]
    await bench.hear()
    assert len(bench.event_writer.facts) == 1


@virtual_time
async def test_a_voice_note_that_was_played_is_told_once_whatever_comes_before() -> None:
    for words in (["read", "played", "played"], ["played", "read"], ["delivered", "played", "delivered", "played"]):
        bench = with_message(wamid="wamid.1")
        for word in words:
            await bench.hear(status(word))
        assert [one for one in bench.told() if one != "message.delivered"] == ["message.read", "message.played"]
    again = with_message(S.READ, wamid="wamid.1", is_played=True)
    await again.hear(status("played"))
    assert again.told() == []


@virtual_time
async def test_what_nobody_here_understands_is_told_as_it_came() -> None:
    bench = with_message(wamid="wamid.1")
    nobody = {"id": "wamid.7", "timestamp": "1767323046", "type": "text", "text": {"body": "from nobody"}}
    await bench.hear(status("teleported"), notification(messages=[nobody]), status("teleported"))
    told = [fact.data["meta"] for fact in bench.event_writer.facts if fact.type == "notification.unknown"]
    assert [one["field"] for one in told] == ["messages", "messages"]
    assert told[0]["value"]["statuses"][0]["status"] == "teleported"
    assert told[1]["value"]["messages"] == [nobody]
    assert told[1]["value"]["metadata"]["phone_number_id"] == NUMBER


@virtual_time
async def test_what_is_said_in_a_group_is_no_part_of_a_private_conversation() -> None:
    bench = Bench()
    await bench.hear(text("wamid.1"), text("wamid.2", group_id="G1"), text("wamid.3", group_id="G1"))
    opened = [fact.data for fact in bench.event_writer.facts if fact.type == "conversation.opened"]
    assert [data["contact_key"] for data in opened] == [f"wa:{PHONE}", "group:G1"]
    assert (opened[1]["group_id"], opened[1]["wa_id"]) == ("G1", None)
    received = [fact for fact in bench.event_writer.facts if fact.type == "message.received"]
    assert [fact.data.get("group_id") for fact in received] == [None, "G1", "G1"]
    assert received[1].conversation_id == received[2].conversation_id != received[0].conversation_id
    assert bench.listener.writers == [(NUMBER, f"wa:{PHONE}"), (NUMBER, "group:G1"), (NUMBER, "group:G1")]
