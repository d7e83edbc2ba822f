"""What a caller may ask of an endpoint; every fault is named."""

from typing import Any

import pytest

from config.errors import RequestRefused
from services.webhook_endpoints import parse_endpoint, parse_redelivery
from services.webhook_endpoints.records import WebhookFormat

URL = "https://example.com/hook"


def faults_of(body: dict[str, Any], *, is_new: bool = True) -> set[str]:
    with pytest.raises(RequestRefused) as caught:
        parse_endpoint(body, is_new=is_new)
    return {fault.path for fault in caught.value.faults}


def test_a_url_is_enough() -> None:
    order = parse_endpoint({"url": URL}, is_new=True)
    assert (order.events, order.numbers, order.format, order.headers) == (("*",), (), WebhookFormat.PANAL, {})


def test_an_update_says_only_what_changes() -> None:
    order = parse_endpoint({"events": ["message.*"]}, is_new=False)
    assert (order.url, order.events, order.numbers, order.headers, order.description) == (
        None,
        ("message.*",),
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"url"}),
        ({"url": 1}, {"url"}),
        ({"url": URL, "events": []}, {"events"}),
        ({"url": URL, "events": "message.sent"}, {"events"}),
        ({"url": URL, "events": ["message.sent", "message.exploded"]}, {"events[1]"}),
        ({"url": URL, "events": ["nonsense.*"]}, {"events[0]"}),
        ({"url": URL, "events": [{"$ne": ""}]}, {"events"}),
        ({"url": URL, "numbers": "1"}, {"numbers"}),
        ({"url": URL, "format": "xml"}, {"format"}),
        ({"url": URL, "format": {"$gt": ""}}, {"format"}),
        ({"url": URL, "secret": "short"}, {"secret"}),
        ({"url": URL, "format": "meta", "secret": "short"}, {"secret"}),
        ({"url": URL, "description": "x" * 501}, {"description"}),
        ({"url": URL, "colour": "blue", "active": True}, {"colour", "active"}),
        ({"url": 1, "events": 2, "numbers": 3, "headers": 4}, {"url", "events", "numbers", "headers"}),
    ],
)
def test_faults_are_named(body: dict[str, Any], paths: set[str]) -> None:
    assert faults_of(body) == paths


@pytest.mark.parametrize("name", ["url", "events", "numbers", "headers", "description"])
def test_null_in_an_update_means_not_said(name: str) -> None:
    assert getattr(parse_endpoint({name: None}, is_new=False), name) is None


@pytest.mark.parametrize("name", ["format", "secret"])
def test_format_and_secret_are_not_changed_afterwards(name: str) -> None:
    assert name in faults_of({name: "meta"}, is_new=False)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Content-Type",
        "Connection",
        "Transfer-Encoding",
        "TE",
        "Upgrade",
        "webhook-id",
        "Webhook-Signature",
        "X-Hub-Signature-256",
        "User-Agent",
        "X-Forwarded-For",
        "Proxy-Authorization",
        "bad name",
        "bad\r\nname",
        "",
    ],
)
def test_headers_of_the_way_or_of_ours_cannot_be_set(name: str) -> None:
    assert faults_of({"url": URL, "headers": {name: "x"}}) == {f"headers.{name}"}


@pytest.mark.parametrize("value", ["a\r\nb", "a\0b", "ñ" * 3000, "🐝", 5, None, ["x"]])
def test_a_value_that_would_break_out_of_its_header_is_refused(value: Any) -> None:
    assert faults_of({"url": URL, "headers": {"X-Key": value}}) == {"headers.X-Key"}


def test_the_same_header_in_two_spellings_is_refused() -> None:
    assert faults_of({"url": URL, "headers": {"X-Key": "1", "x-key": "2"}}) == {"headers.x-key"}


def test_an_own_authorization_is_welcome() -> None:
    order = parse_endpoint({"url": URL, "headers": {"Authorization": "Bearer abc"}}, is_new=True)
    assert order.headers == {"authorization": "Bearer abc"}


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({"event_id": "evt_1"}, {"event_ids": ["evt_1"]}),
        ({"event_ids": ["evt_1", "evt_2"]}, {"event_ids": ["evt_1", "evt_2"]}),
        ({"dead_letters": True}, {"dead_letters": True}),
        (
            {"from_seq": 5, "to_seq": 9, "phone_number_id": "1"},
            {"from_seq": 5, "to_seq": 9, "phone_number_id": "1"},
        ),
    ],
)
def test_four_ways_to_say_what_is_delivered_again(body: dict[str, Any], data: dict[str, Any]) -> None:
    assert parse_redelivery(body) == data


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event_id": "evt_1", "dead_letters": True},
        {"event_id": {"$ne": ""}},
        {"event_ids": []},
        {"dead_letters": False},
        {"since": "yesterday"},
        {"since": "2026-01-02T03:04:05"},
        {"from_seq": 0, "phone_number_id": "1"},
        {"from_seq": 9, "to_seq": 5, "phone_number_id": "1"},
        {"from_seq": 1},
        {"from_seq": True, "phone_number_id": "1"},
        {"from_seq": "1", "phone_number_id": "1"},
    ],
)
def test_an_unclear_redelivery_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(RequestRefused):
        parse_redelivery(body)
