"""A Cloud API message object in: what leaves for WhatsApp, or every path that is wrong with Meta's code."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RequestRefused
from services.links import CALLER_DATA_LIMIT
from services.messages.content.faults import ContentRefused
from services.messages.content.parse import Content, _any_kind, parse_content
from services.messages.content.read_mark import ReadMark, is_read_mark, parse_read_mark

TO = "16505551234"


def message(kind: str, part: Any, **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": TO, "type": kind, kind: part, **more}


def faults(raw: Any) -> tuple[list[str], int]:
    """The faulty paths, and Meta's code."""
    with pytest.raises(RequestRefused) as caught:
        parse_content(raw)
    assert isinstance(caught.value, ContentRefused)
    assert caught.value.extra == {"graph_code": caught.value.graph_code}
    assert all(fault.reason for fault in caught.value.faults)
    return [error["path"] for error in caught.value.errors], caught.value.graph_code


# --- text


def test_text_leaves_as_it_came() -> None:
    content = parse_content(message("text", {"body": "hola ✓", "preview_url": True}))
    assert content == Content(
        kind="text",
        payload={"type": "text", "text": {"body": "hola ✓", "preview_url": True}},
        to=TO,
        recipient_kind="wa_id",
        context_wamid=None,
        callback_data=None,
    )


def test_a_missing_type_means_text() -> None:
    assert parse_content({"to": TO, "text": {"body": "hola"}}).payload == {"type": "text", "text": {"body": "hola"}}


def test_keys_of_our_own_api_are_not_looked_at() -> None:
    raw = message("text", {"body": "x"}, send_at="tomorrow", metadata={"a": [1]}, **{"from": 7})
    assert parse_content(raw).payload == {"type": "text", "text": {"body": "x"}}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT_MESSAGES = st.fixed_dictionaries(
    {
        "to": st.sampled_from([TO, "+16505551234", "+1 650", "", "٠١٢٣٤٥٦٧٨", "US.134"]) | JSON_VALUES,
        "text": st.fixed_dictionaries(
            {"body": st.sampled_from(["x", "", "y" * 4096, "y" * 4097, "a\x00", "\ud800"]) | JSON_VALUES},
            optional={"preview_url": st.booleans() | JSON_VALUES, "more": JSON_VALUES},
        )
        | JSON_VALUES,
    },
    optional={
        "type": st.sampled_from(["text", "TEXT", None, "image"]),
        "messaging_product": st.sampled_from(["whatsapp", "other", None]),
        "recipient_type": st.sampled_from(["individual", "group", None]),
        "context": st.just({"message_id": "wamid.A"}) | JSON_VALUES,
        "biz_opaque_callback_data": st.sampled_from(["", "x" * 472, "x" * 473, "\x00"]) | JSON_VALUES,
        "recipient": JSON_VALUES,
        "recipient_identity_key_hash": JSON_VALUES,
    },
)


def outcome(parse: Any, raw: dict[str, Any]) -> Any:
    try:
        return parse(raw)
    except ContentRefused as refusal:
        return refusal.errors


@given(TEXT_MESSAGES)
def test_the_short_way_and_the_long_way_agree_and_neither_fails_otherwise(raw: dict[str, Any]) -> None:
    assert outcome(parse_content, raw) == outcome(_any_kind, raw)


def test_the_short_way_is_short() -> None:
    raw = message("text", {"body": "Your order 123 has left our house", "preview_url": False})
    best_s = 1.0
    for _ in range(50):
        started = time.perf_counter()
        for _ in range(100):
            parse_content(raw)
        best_s = min(best_s, (time.perf_counter() - started) / 100)
    assert best_s < 20e-6


# --- whom to


@pytest.mark.parametrize(
    ("raw", "to", "kind"),
    [
        ({"to": "16505551234"}, TO, "wa_id"),
        ({"to": "+1 (650) 555-1234"}, TO, "wa_id"),
        ({"to": 16505551234}, TO, "wa_id"),
        ({"to": TO, "recipient": "US.13491208655302741918"}, TO, "wa_id"),
        ({"recipient": "US.13491208655302741918"}, "US.13491208655302741918", "user_id"),
        ({"recipient": "US.ENT.11815799212886844830"}, "US.ENT.11815799212886844830", "user_id"),
        ({"to": "US.13491208655302741918"}, "US.13491208655302741918", "user_id"),
        ({"to": None, "recipient": "US.1"}, "US.1", "user_id"),
        ({"to": "Y2FwaV9ncm91cDox", "recipient_type": "group"}, "Y2FwaV9ncm91cDox", "group"),
        ({"to": TO, "recipient_type": "INDIVIDUAL"}, TO, "wa_id"),
    ],
)
def test_a_recipient_is_normalised(raw: dict[str, Any], to: str, kind: str) -> None:
    content = parse_content({"text": {"body": "x"}, **raw})
    assert (content.to, content.recipient_kind) == (to, kind)


@pytest.mark.parametrize(
    ("raw", "paths", "code"),
    [
        ({}, ["to"], 131008),
        ({"to": ""}, ["to"], 131008),
        ({"to": None}, ["to"], 131008),
        ({"to": "123456"}, ["to"], 131009),
        ({"to": "1234567890123456"}, ["to"], 131009),
        ({"to": "16505551234@s.whatsapp.net"}, ["to"], 131009),
        ({"to": "١٦٥٠٥٥٥١٢٣٤"}, ["to"], 131009),
        ({"to": {"$ne": ""}}, ["to"], 100),
        ({"to": True}, ["to"], 100),
        ({"to": 1.5}, ["to"], 100),
        ({"to": [TO]}, ["to"], 100),
        ({"to": "1650555\x001234"}, ["to"], 100),
        ({"recipient": "someone"}, ["recipient"], 131009),
        ({"recipient": "US." + "1" * 129}, ["recipient"], 131009),
        ({"to": "a group", "recipient_type": "group"}, ["to"], 131009),
        ({"to": TO, "recipient_type": "channel"}, ["recipient_type"], 100),
        ({"to": TO, "messaging_product": "sms"}, ["messaging_product"], 100),
    ],
)
def test_a_faulty_recipient_is_told(raw: dict[str, Any], paths: list[str], code: int) -> None:
    assert faults({"text": {"body": "x"}, **raw}) == (paths, code)


# --- what goes with it


def test_a_reply_keeps_the_quoted_wamid() -> None:
    content = parse_content(message("text", {"body": "x"}, context={"message_id": "wamid.Q"}))
    assert content.context_wamid == "wamid.Q"
    assert "context" not in content.payload


@pytest.mark.parametrize(
    ("context", "paths", "code"),
    [
        ({}, ["context.message_id"], 131008),
        ({"message_id": ""}, ["context.message_id"], 131008),
        ({"message_id": {"$ne": 1}}, ["context.message_id"], 100),
        ("wamid.Q", ["context"], 100),
    ],
)
def test_a_faulty_context_is_told(context: Any, paths: list[str], code: int) -> None:
    assert faults(message("text", {"body": "x"}, context=context)) == (paths, code)


def test_a_reaction_is_no_reply() -> None:
    part = {"message_id": "wamid.A", "emoji": "👍"}
    assert faults(message("reaction", part, context={"message_id": "wamid.A"})) == (["context"], 131009)


def test_callback_data_of_the_caller_is_kept_up_to_its_limit() -> None:
    raw = message("text", {"body": "x"}, biz_opaque_callback_data="x" * CALLER_DATA_LIMIT)
    assert parse_content(raw).callback_data == "x" * CALLER_DATA_LIMIT
    raw["biz_opaque_callback_data"] += "x"
    assert faults(raw) == (["biz_opaque_callback_data"], 131009)


def test_an_identity_hash_goes_along() -> None:
    raw = message("text", {"body": "x"}, recipient_identity_key_hash="DF2lS5v2W6x=")
    assert parse_content(raw).payload["recipient_identity_key_hash"] == "DF2lS5v2W6x="


def test_every_fault_is_told_and_the_first_gives_the_code() -> None:
    raw = {
        "to": "nobody",
        "type": "image",
        "image": {"link": "ftp://x", "caption": 7 * ["x"]},
        "context": {},
        "biz_opaque_callback_data": "x" * 500,
    }
    paths = ["to", "image.link", "image.caption", "context.message_id", "biz_opaque_callback_data"]
    code = 131009
    found, found_code = faults(raw)
    assert (sorted(found), found_code) == (sorted(paths), code)


@pytest.mark.parametrize("raw", [None, [], "text", 5, True])
def test_what_is_no_object_is_refused(raw: Any) -> None:
    assert faults(raw) == ([""], 100)


# --- read marks


def test_a_read_mark_is_told_from_a_message() -> None:
    assert is_read_mark({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"})
    assert not is_read_mark(message("text", {"body": "x"}))
    assert not is_read_mark({"status": "read", "to": TO})


def test_a_read_mark_has_a_wamid_and_may_show_typing() -> None:
    raw = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.IN"}
    assert parse_read_mark(raw) == ReadMark("wamid.IN", shows_typing=False)
    assert parse_read_mark({**raw, "typing_indicator": {"type": "text"}}) == ReadMark("wamid.IN", shows_typing=True)


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({"status": "delivered"}, ["status", "message_id"]),
        ({"status": "read", "message_id": {"$ne": 1}}, ["message_id"]),
        ({"status": "read", "message_id": "a\x00"}, ["message_id"]),
        ({"status": "read", "message_id": "wamid.IN", "typing_indicator": "text"}, ["typing_indicator"]),
    ],
)
def test_a_faulty_read_mark_is_told(raw: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(ContentRefused) as caught:
        parse_read_mark(raw)
    assert [fault.path for fault in caught.value.faults] == paths
