"""What a client asks for: every fault is named with its path, and nothing reaches the database that it cannot keep."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.errors import RequestRefused
from services.messages import OnUncertain, OnWindowClosed, parse_send_request
from tests.doubles.clock import START

TEXT = {"to": "16505551234", "type": "text", "text": {"body": "hola"}}


def paths(refused: pytest.ExceptionInfo[RequestRefused]) -> list[str]:
    return [fault.path for fault in refused.value.faults]


def test_a_plain_message_is_an_order_with_every_default() -> None:
    order = parse_send_request(TEXT, now=START)
    assert order.content.to == "16505551234"
    assert (order.phone_number_id, order.send_at, order.metadata, order.on_uncertain) == (None, None, None, None)
    assert order.on_window_closed is OnWindowClosed.REJECT


def test_every_field_of_ours_is_read() -> None:
    order = parse_send_request(
        TEXT
        | {
            "from": "106540352242922",
            "send_at": "2026-01-03T00:00:00+01:00",
            "expires_at": "2026-01-04T00:00:00Z",
            "on_window_closed": "template",
            "fallback_template": {"name": "hello_world", "language": {"code": "en_US"}},
            "on_uncertain": "resend",
            "metadata": {"order": 7, "deep": {"list": [1, "zwei", None, True, 1.5]}},
        },
        now=START,
    )
    assert order.phone_number_id == "106540352242922"
    assert order.send_at == datetime(2026, 1, 2, 23, tzinfo=UTC)
    assert order.send_at is not None
    assert order.send_at.utcoffset() == timedelta(0)
    assert order.expires_at == datetime(2026, 1, 4, tzinfo=UTC)
    assert order.on_window_closed is OnWindowClosed.TEMPLATE
    assert order.on_uncertain is OnUncertain.RESEND
    assert order.metadata == {"order": 7, "deep": {"list": [1, "zwei", None, True, 1.5]}}


def test_our_fields_do_not_reach_whatsapp() -> None:
    order = parse_send_request(TEXT | {"from": "106540352242922", "metadata": {"a": 1}}, now=START)
    assert order.content.payload == {"type": "text", "text": {"body": "hola"}}


def test_all_faults_are_named_those_of_the_content_too() -> None:
    faulty = {
        "to": "16505551234",
        "type": "text",
        "text": {"body": ""},
        "from": 7,
        "send_at": "tomorrow",
        "expires_at": "2026-01-02T03:04:05",
        "on_window_closed": "wait",
        "on_uncertain": {"$ne": ""},
        "fallback_template": [],
        "metadata": "x",
    }
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(faulty, now=START)
    assert sorted(paths(refused)) == sorted(
        [
            *("from", "send_at", "expires_at", "on_window_closed", "on_uncertain"),
            *("fallback_template", "metadata", "text.body"),
        ]
    )
    assert all(fault.reason for fault in refused.value.faults)


def test_a_batch_names_the_position_of_each_fault() -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_send_request({"to": "x", "type": "text", "send_at": 5}, now=START, path="messages[3].")
    assert set(paths(refused)) == {"messages[3].to", "messages[3].text", "messages[3].send_at"}
    with pytest.raises(RequestRefused) as refused:
        parse_send_request({"type": "text", "text": {"body": "hola"}}, now=START, path="messages[4].")
    assert paths(refused) == ["messages[4].to"]


@pytest.mark.parametrize("name", ["from", "send_at", "expires_at", "on_window_closed", "on_uncertain", "metadata"])
@pytest.mark.parametrize("value", [{"$ne": ""}, [], 7, True, "", "x" * 500], ids=repr)
def test_a_field_of_the_wrong_kind_is_a_fault_of_that_field(name: str, value: object) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(TEXT | {name: value}, now=START)
    assert paths(refused) == [name]


@pytest.mark.parametrize(
    "metadata",
    [
        {"$where": "1"},
        {"a": [{"$gt": 1}]},
        {"": 1},
        {"a\0b": 1},
        {"n": 2**63},
        {"n": [-(2**63) - 1]},
        {"text": "x" * 5_000},
        {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}}}}}},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_metadata_that_cannot_be_kept_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(TEXT | {"metadata": metadata}, now=START)
    assert paths(refused) == ["metadata"]


@pytest.mark.parametrize("metadata", [{}, {"a.b": 1}, {"n": 2**63 - 1}, {"n": -(2**63)}, {"price$": 1}])
def test_metadata_that_can_be_kept_is_kept(metadata: dict[str, Any]) -> None:
    assert parse_send_request(TEXT | {"metadata": metadata}, now=START).metadata == metadata


def test_times_must_make_sense_together() -> None:
    def faulty(**fields: str) -> list[str]:
        with pytest.raises(RequestRefused) as refused:
            parse_send_request(TEXT | fields, now=START)
        return paths(refused)

    assert faulty(expires_at="2026-01-02T03:04:05Z") == ["expires_at"]
    assert faulty(send_at="2026-01-05T00:00:00Z", expires_at="2026-01-04T00:00:00Z") == ["expires_at"]
    assert faulty(send_at="2028-01-05T00:00:00Z") == ["send_at"]


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
@pytest.mark.parametrize("name", ["send_at", "expires_at"])
def test_a_time_that_the_calendar_does_not_have_in_utc_is_refused(name: str, moment: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(TEXT | {name: moment}, now=START)
    assert paths(refused) == [name]


def test_a_template_policy_needs_its_template() -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(TEXT | {"on_window_closed": "template"}, now=START)
    assert paths(refused) == ["fallback_template"]


def test_the_template_for_a_closed_window_is_read_as_one_that_is_sent_by_itself() -> None:
    fallback = {"name": "Not A Name", "language": {}, "components": [{"type": "BODY", "parameters": [{"text": 1}]}]}
    with pytest.raises(RequestRefused) as refused:
        parse_send_request(TEXT | {"on_window_closed": "template", "fallback_template": fallback}, now=START)
    assert set(paths(refused)) >= {"fallback_template.name", "fallback_template.language.code"}
    good = {"name": "hello_world", "language": {"code": "en_US"}, "components": None}
    order = parse_send_request(TEXT | {"on_window_closed": "template", "fallback_template": good}, now=START)
    assert order.fallback_template == {"name": "hello_world", "language": {"code": "en_US"}}
