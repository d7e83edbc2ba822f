"""What WhatsApp tells of numbers and accounts becomes facts, and the owner knows it from then on."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from services.cloud_webhook import parse_notification
from services.graph import NumberInfo
from services.numbers import Number, NumberState, NumberSync, project_number, recipients_of
from services.numbers.events import facts_of
from services.store import Event, Fact
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.event_writer import NUMBER, MemoryEventWriter

WABA, OTHER = "102290129340398", "106540352242923"
MINE = Number(NUMBER, WABA, "15550783881", "cloud")
SECOND = Number(OTHER, WABA, "+1 555-078-3882", "cloud", verified_name="Second")


def told(field: str, value: dict[str, Any], *, state: NumberState, waba: str = WABA) -> list[Fact] | None:
    body = {"entry": [{"id": waba, "time": 1767323046, "changes": [{"field": field, "value": value}]}]}
    (change,) = parse_notification(orjson.dumps(body)).changes
    return facts_of(change, state, START)  # type: ignore[arg-type]


def book_of(*numbers: Number) -> tuple[NumberState, list[Number]]:
    changed: list[Number] = []
    return NumberState(numbers or (MINE, SECOND), on_change=changed.append), changed


@pytest.mark.parametrize(
    ("word", "recipients"),
    [("TIER_250", 250), ("TIER_2K", 2000), ("TIER_100K", 100_000), ("2000", 2000), ("TIER_UNLIMITED", 0), ("?", None)],
)
def test_a_limit_is_a_count_of_people(word: str, recipients: int | None) -> None:
    assert recipients_of(word) == recipients


def test_a_number_is_known_by_what_customers_see_of_it() -> None:
    state, changed = book_of()
    value = {"display_phone_number": "15550783882", "event": "UPGRADE", "current_limit": "TIER_10K"}
    (fact,) = told("phone_number_quality_update", value, state=state) or []
    assert (fact.type, fact.number) == ("number.limit_changed", OTHER)
    assert fact.data["messaging_limit"] == "TIER_10K"
    assert [number.messaging_limit for number in changed] == ["TIER_10K"]
    (write,) = project_number(Event("evt_1", fact.number, 9, fact.type, fact.at, fact.data))
    assert (write.id, write.seq, dict(write.set)) == (OTHER, 9, {"messaging_limit": "TIER_10K"})


def test_an_upgrade_of_the_throughput_is_told_as_a_limit() -> None:
    state, _ = book_of()
    value = {"display_phone_number": "15550783881", "event": "THROUGHPUT_UPGRADE"}
    (fact,) = told("phone_number_quality_update", value, state=state) or []
    assert fact.data["throughput"] == "HIGH"
    known = state.get(NUMBER)
    assert known is not None
    assert known.throughput == "HIGH"


def test_a_name_counts_when_it_was_approved() -> None:
    state, _ = book_of()
    value = {"display_phone_number": "15550783882", "requested_verified_name": "New", "rejection_reason": None}
    (no,) = told("phone_number_name_update", value | {"decision": "REJECTED"}, state=state) or []
    assert "verified_name" not in no.data
    assert project_number(Event("evt_1", OTHER, 1, no.type, START, no.data)) == []
    (yes,) = told("phone_number_name_update", value | {"decision": "APPROVED"}, state=state) or []
    assert (yes.data["verified_name"], yes.data["previous_verified_name"]) == ("New", "Second")


def test_a_field_that_we_do_not_know_is_told_whole_by_the_number_that_it_names() -> None:
    state, changed = book_of()
    value = {"metadata": {"phone_number_id": OTHER}, "calls": [{"id": "wacid.1", "event": "connect"}]}
    (fact,) = told("calls", value, state=state) or []
    assert (fact.type, fact.number, changed) == ("notification.unknown", OTHER, [])
    assert fact.data == {"waba_id": WABA, "field": "calls", "meta": {"field": "calls", "value": value}}
    assert told("calls", {"metadata": {"phone_number_id": "1"}}, state=state) is None


def test_a_field_that_we_do_not_know_and_that_names_no_number_is_told_by_each_of_its_account() -> None:
    state, _ = book_of()
    facts = told("group_lifecycle_update", {"groups": [7]}, state=state) or []
    assert [(fact.type, fact.number) for fact in facts] == [("notification.unknown", n) for n in (NUMBER, OTHER)]
    assert {tuple(fact.data["phone_number_ids"]) for fact in facts} == {(NUMBER, OTHER)}
    assert told("group_lifecycle_update", {"groups": [7]}, state=state, waba="2") is None


@pytest.mark.parametrize(
    "body", [{"hello": [1]}, {"entry": [7]}, {"entry": [{"changes": [{"field": "new", "value": 7}]}]}]
)
def test_what_has_not_the_form_of_a_notification_is_told_by_the_default_number_and_not_as_metas(body: Any) -> None:
    state, _ = book_of()
    (change,) = parse_notification(orjson.dumps(body)).changes
    (fact,) = facts_of(change, state, START) or []  # type: ignore[arg-type]
    assert (fact.type, fact.number) == ("notification.unknown", NUMBER)
    assert "meta" not in fact.data
    assert fact.data["value"] == change.value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"a": 1}]}, "account.restricted"),
        (
            "account_update",
            {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}},
            "account.restricted",
        ),
        ("account_update", {"event": "ACCOUNT_VIOLATION"}, "account.violated"),
        ("account_update", {"event": "VERIFIED_ACCOUNT"}, "account.updated"),
        ("account_alerts", {"alert_type": "X"}, "account.alerted"),
        ("account_review_update", {"decision": "APPROVED"}, "account.reviewed"),
        ("payment_configuration_update", {"a": 1}, "account.updated"),
    ],
)
def test_an_account_is_told_of_in_the_log_of_each_of_its_numbers(field: str, value: dict[str, Any], kind: str) -> None:
    state, _ = book_of(MINE, SECOND, replace(MINE, phone_number_id="3", waba_id="another"))
    first, second = told(field, value, state=state) or []
    assert [(fact.type, fact.number) for fact in (first, second)] == [(kind, NUMBER), (kind, OTHER)]
    assert first.data == second.data
    assert first.data["phone_number_ids"] == [NUMBER, OTHER]
    assert first.data["meta"] == {"field": field, "value": value}


def test_a_capability_changes_the_limit_of_every_number_of_the_account() -> None:
    state, _ = book_of(MINE, SECOND, replace(MINE, phone_number_id="3", waba_id="another"))
    facts = told("business_capability_update", {"max_daily_conversation_per_phone": 2000}, state=state) or []
    assert [(fact.type, fact.number) for fact in facts] == [
        ("account.updated", NUMBER),
        ("account.updated", OTHER),
        ("number.limit_changed", NUMBER),
        ("number.limit_changed", OTHER),
    ]
    assert [number.messaging_limit for number in state] == ["2000", "2000", None]


def test_strangers_make_no_fact() -> None:
    state, changed = book_of()
    assert told("security", {"display_phone_number": "999", "event": "PIN_CHANGED"}, state=state) is None
    assert told("account_update", {"event": "X"}, state=state, waba="777") is None
    assert changed == []


class Management:
    def __init__(self, *infos: NumberInfo) -> None:
        self.infos = list(infos)
        self.asked: list[str] = []

    async def numbers(self, waba_id: str, token: str) -> list[NumberInfo]:
        self.asked.append(waba_id)
        return self.infos


def info(quality: str = "GREEN", limit: str = "TIER_2K") -> NumberInfo:
    return NumberInfo(NUMBER, "+1 555-078-3881", "Mine", quality, "CONNECTED", "STANDARD", limit, {})


@virtual_time
async def test_a_reading_tells_what_changed_and_only_writes_what_was_unknown() -> None:
    management, clock, event_writer = Management(info()), ManualClock(), MemoryEventWriter()
    state, _ = book_of(MINE)
    graph = SimpleNamespace(management=management, token_of=lambda number: "token")
    sync = NumberSync(state, graph, event_writer, clock, every_s=600)  # type: ignore[arg-type]
    await sync.step()
    await sync.step()
    assert management.asked == [WABA]
    assert event_writer.facts == []
    assert [dict(mark.set)["messaging_limit"] for mark in event_writer.marks] == ["TIER_2K"]
    management.infos = [info("YELLOW", "2000")]
    clock.advance(601)
    await sync.step()
    (fact,) = event_writer.facts
    assert fact.type == "number.quality_changed"
    assert (fact.data["quality"], fact.data["previous_quality"]) == ("YELLOW", "GREEN")


@virtual_time
async def test_a_copy_of_an_unknown_notification_is_told_once_and_no_account_is_read_for_it() -> None:
    management = Management(info())
    graph = SimpleNamespace(management=management, token_of=lambda number: "token")
    sync = NumberSync(book_of(MINE)[0], graph, MemoryEventWriter(), ManualClock(), every_s=600)  # type: ignore[arg-type]
    await sync.step()
    body = {"entry": [{"id": WABA, "changes": [{"field": "calls", "value": {"calls": [1]}}]}]}
    changes = parse_notification(orjson.dumps(body)).changes
    assert [len(sync.on_changes(changes)) for _ in range(2)] == [1, 0]
    await sync.step()
    assert management.asked == [WABA]


def owner(state: NumberState) -> NumberSync:
    graph = SimpleNamespace(management=Management(info()), token_of=lambda number: "token")
    return NumberSync(state, graph, MemoryEventWriter(), ManualClock(), every_s=600)  # type: ignore[arg-type]


def changes_of(field: str, value: dict[str, Any], *, at: int = 1767323046) -> list[Any]:
    body = {"entry": [{"id": WABA, "time": at, "changes": [{"field": field, "value": value}]}]}
    return list(parse_notification(orjson.dumps(body)).changes)


def remembered(facts: list[Fact], rows: dict[str, list[str]]) -> None:
    """What the documents know once these facts are applied."""
    for seq, fact in enumerate(facts, start=1):
        for write in project_number(Event("evt", fact.number, seq, fact.type, fact.at, fact.data)):
            if write.collection == "meta":
                assert (write.seq, write.upsert) == (seq, True)
                new, _ = write.compute["keys"]["$slice"][0]["$concatArrays"]
                rows[fact.number] = [*new["$literal"], *rows.get(fact.number, [])]


class Remembered:
    def __init__(self, rows: dict[str, list[str]]) -> None:
        self.rows = rows

    async def notices(self, numbers: list[str]) -> dict[str, list[str]]:
        return {number: self.rows[number] for number in numbers if number in self.rows}


async def test_another_owner_does_not_tell_again_what_stands_in_the_log() -> None:
    rows: dict[str, list[str]] = {}
    flagged = changes_of("phone_number_quality_update", {"display_phone_number": "15550783881", "event": "FLAGGED"})
    banned = changes_of("account_update", {"event": "DISABLED_UPDATE"})
    first = owner(book_of()[0])
    facts = first.on_changes([*flagged, *banned])
    assert [fact.type for fact in facts] == ["number.quality_changed", "account.restricted", "account.restricted"]
    remembered(facts, rows)
    later = replace(MINE, quality="GREEN")  # it was mended since, and the notification comes once more
    state, _ = book_of(later, SECOND)
    second = owner(state)
    await second.recall(Remembered(rows))  # type: ignore[arg-type]
    assert second.on_changes([*flagged, *banned]) == []
    assert state.get(NUMBER) == later
    again = changes_of("account_update", {"event": "DISABLED_UPDATE"}, at=1767323047)
    assert len(second.on_changes(again)) == 2, "the same words at another time are another fact"


async def test_a_log_that_was_cut_off_is_completed_and_only_completed() -> None:
    rows: dict[str, list[str]] = {}
    banned = changes_of("account_update", {"event": "DISABLED_UPDATE"})
    facts = owner(book_of()[0]).on_changes(banned)
    remembered([fact for fact in facts if fact.number == NUMBER], rows)
    second = owner(book_of()[0])
    await second.recall(Remembered(rows))  # type: ignore[arg-type]
    assert [fact.number for fact in second.on_changes(banned)] == [OTHER]
    assert second.on_changes(banned) == []


def test_what_a_customer_prefers_is_told_as_it_came() -> None:
    state, _ = book_of()
    entry = {"wa_id": "16505551234", "category": "marketing_messages", "value": "stop", "timestamp": 1767323046}
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "user_preferences": [entry]}
    (fact,) = told("user_preferences", value, state=state) or []
    assert (fact.type, fact.number, fact.data["choice"]) == ("notification.preference", NUMBER, "stop")
    assert fact.data["meta"] == {"field": "user_preferences", "value": value}
    elsewhere = {**value, "metadata": {"phone_number_id": "1"}}
    assert not told("user_preferences", elsewhere, state=state)


def test_errors_of_no_message_keep_the_form_that_meta_gave_them() -> None:
    state, _ = book_of()
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    errors = [{"code": 130429, "title": "Rate limit hit"}]
    value = {"messaging_product": "whatsapp", "metadata": metadata, "errors": errors}
    (fact,) = told("messages", value, state=state) or []
    assert fact.data["meta"] == {"field": "messages", "value": value}
