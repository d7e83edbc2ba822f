"""What Meta posts becomes typed changes, in order; JSON of any shape has a reading, and each fact one key."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import RequestRefused
from services.cloud_webhook import (
    AccountUpdate,
    AnyChange,
    InboundMessage,
    NumberUpdate,
    PlatformErrors,
    StatusKind,
    StatusUpdate,
    TemplateUpdate,
    UnknownChange,
    UserPreference,
    parse_notification,
)

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
WABA, NUMBER, DISPLAY = "102290129340398", "106540352242922", "15550783881"
WA_ID, USER_ID = "16505551234", "US.13491208655302741918"
MESSAGE_AT = datetime(2025, 6, 8, 20, 59, 43, tzinfo=UTC)
ENTRY_AT = datetime(2025, 2, 12, 0, 43, 44, tzinfo=UTC)


def changes(name: str) -> tuple[AnyChange, ...]:
    return parse_notification((FIXTURES / f"{name}.json").read_bytes()).changes


def only(name: str) -> AnyChange:
    (change,) = changes(name)
    return change


def inbound(name: str) -> InboundMessage:
    change = only(name)
    assert isinstance(change, InboundMessage)
    return change


def status(name: str) -> StatusUpdate:
    change = only(name)
    assert isinstance(change, StatusUpdate)
    return change


# --- inbound messages


def test_a_text_has_its_sender_time_and_whole_content() -> None:
    text = inbound("in_text")
    assert text.content == {
        "from": WA_ID,
        "from_user_id": USER_ID,
        "id": "wamid.IN001",
        "timestamp": "1749416383",
        "type": "text",
        "text": {"body": "¿Tienen stock? 🍯"},
    }
    assert (text.field, text.waba_id, text.phone_number_id, text.display_phone_number) == (
        "messages",
        WABA,
        NUMBER,
        DISPLAY,
    )
    assert (text.wamid, text.content_key, text.kind, text.at) == ("wamid.IN001", "in:wamid.IN001", "text", MESSAGE_AT)
    assert (text.from_wa_id, text.from_user_id, text.profile_name) == (WA_ID, USER_ID, "Sheena Nelson")
    assert (text.username, text.context, text.target_wamid, text.group_id, text.referral, text.errors) == (
        None,
        None,
        None,
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("name", "kind", "key_of_body"),
    [
        ("in_image", "image", "id"),
        ("in_video", "video", "url"),
        ("in_audio_voice", "audio", "voice"),
        ("in_document", "document", "filename"),
        ("in_sticker", "sticker", "animated"),
        ("in_location", "location", "latitude"),
        ("in_order", "order", "product_items"),
        ("in_template_button", "button", "payload"),
        ("in_button_reply", "interactive", "button_reply"),
        ("in_list_reply", "interactive", "list_reply"),
        ("in_flow_reply", "interactive", "nfm_reply"),
        ("in_call_permission", "interactive", "call_permission_reply"),
        ("in_kind_of_tomorrow", "hologram", "depth"),
    ],
)
def test_each_kind_is_named_and_kept_whole(name: str, kind: str, key_of_body: str) -> None:
    message = inbound(name)
    assert message.kind == kind
    assert key_of_body in message.content[kind]
    assert message.from_wa_id == WA_ID


def test_shared_contacts_are_not_taken_for_the_sender() -> None:
    message = inbound("in_contacts")
    assert (message.kind, message.from_wa_id, message.profile_name) == ("contacts", WA_ID, "Sheena Nelson")


def test_a_reply_names_the_message_it_answers() -> None:
    for name in ("in_text_reply", "in_button_reply", "in_list_reply", "in_flow_reply", "in_template_button"):
        assert inbound(name).context_wamid == "wamid.OUT001", name
    assert inbound("in_text_forwarded").context_wamid is None
    assert inbound("in_text_forwarded").context == {"forwarded": True}
    assert (inbound("in_text_referred_product").context or {})["referred_product"]["product_retailer_id"] == "SKU-1"


def test_a_reaction_an_edit_and_a_deletion_name_their_target() -> None:
    assert inbound("in_reaction").target_wamid == "wamid.OUT001"
    assert inbound("in_reaction_removed").target_wamid == "wamid.OUT001"
    assert inbound("in_edit").target_wamid == "wamid.IN001"
    assert inbound("in_revoke").target_wamid == "wamid.IN001"
    assert inbound("in_text").target_wamid is None


def test_an_ad_and_a_group_come_along() -> None:
    assert (inbound("in_text_referral").referral or {})["source_type"] == "ad"
    assert inbound("in_text_group").group_id == "Y2FwaV9ncm91cDox"


def test_a_customer_with_a_username_and_no_number_is_known_by_user_id() -> None:
    message = inbound("in_text_username_only")
    assert (message.from_wa_id, message.from_user_id, message.username) == (None, USER_ID, "@sheena")
    assert message.from_parent_user_id == "US.ENT.11815799212886844830"


def test_system_messages_come_without_contacts() -> None:
    message = inbound("in_system_number")
    assert (message.kind, message.from_wa_id, message.profile_name) == ("system", WA_ID, None)
    assert message.content["system"]["wa_id"] == "16505559876"
    assert inbound("in_system_user_id").content["system"]["type"] == "user_changed_user_id"


def test_errors_of_a_message_are_read() -> None:
    unsupported = inbound("in_unsupported")
    assert [(error.code, error.details) for error in unsupported.errors] == [
        (131051, "Message type is currently not supported.")
    ]
    assert [error.code for error in inbound("in_media_too_large").errors] == [131052]


# --- statuses


def test_a_status_carries_our_id_and_the_callers_data() -> None:
    sent = status("st_sent")
    assert (sent.status, sent.raw_status, sent.wamid) == (StatusKind.SENT, "sent", "wamid.OUT001")
    assert (sent.message_id, sent.caller_data) == ("msg_01JB4C7K8Q0000000000000000", "order-7")
    assert (sent.recipient_id, sent.recipient_user_id) == (WA_ID, USER_ID)
    assert sent.at == datetime(2025, 6, 15, 23, 27, 53, tzinfo=UTC)
    assert (sent.pricing or {})["category"] == "marketing"
    assert (sent.conversation or {})["id"] == "72b14d1a"
    assert sent.content_key == "st:wamid.OUT001:sent"


@pytest.mark.parametrize("word", ["sent", "delivered", "read", "failed", "played"])
def test_each_status_word_has_its_member(word: str) -> None:
    assert status(f"st_{word}").status is StatusKind(word)


def test_a_failed_status_says_why() -> None:
    (error,) = status("st_failed").errors
    assert (error.code, error.title[:12]) == (131049, "This message")
    assert error.details
    assert error.raw["href"]


def test_a_status_word_that_we_do_not_know_is_kept() -> None:
    strange = status("st_word_of_tomorrow")
    assert (strange.status, strange.raw_status) == (StatusKind.UNKNOWN, "teleported")


def test_the_word_unknown_of_ours_is_no_word_of_meta() -> None:
    raw = (FIXTURES / "st_sent.json").read_text().replace('"status": "sent"', '"status": "unknown"')
    (change,) = parse_notification(raw.encode()).changes
    assert isinstance(change, StatusUpdate)
    assert (change.status, change.raw_status) == (StatusKind.UNKNOWN, "unknown")


def test_a_status_of_another_programs_message_has_no_id_of_ours() -> None:
    foreign = status("st_of_another_program")
    assert (foreign.message_id, foreign.caller_data) == (None, "trk-1")


def test_each_participant_of_a_group_has_a_status_of_its_own() -> None:
    delivered = status("st_group_delivered")
    assert (delivered.recipient_type, delivered.recipient_participant_id) == ("group", "16505550001")
    assert delivered.content_key == "st:wamid.OUT001:delivered:16505550001"
    assert (delivered.message_id, delivered.caller_data) == (None, None)


def test_a_recipient_without_a_number_is_known_by_user_id() -> None:
    sent = status("st_username_only")
    assert (sent.recipient_id, sent.recipient_user_id) == (None, USER_ID)


# --- everything else


def test_errors_without_a_message_are_a_change_of_their_own() -> None:
    change = only("er_value_errors")
    assert isinstance(change, PlatformErrors)
    assert (change.phone_number_id, [error.code for error in change.errors]) == (NUMBER, [130429])


@pytest.mark.parametrize(
    ("name", "event", "category", "reason"),
    [
        ("ac_template_approved", "APPROVED", "UTILITY", None),
        ("ac_template_rejected", "REJECTED", None, "The variables are not in order."),
        ("ac_template_paused", "PAUSED", None, "Paused for 3 hours."),
        ("ac_template_quality", "YELLOW", None, None),
        ("ac_template_category", "MARKETING", "MARKETING", None),
        ("ac_template_components", None, None, None),
    ],
)
def test_a_template_change_names_its_template(
    name: str, event: str | None, category: str | None, reason: str | None
) -> None:
    change = only(name)
    assert isinstance(change, TemplateUpdate)
    assert (change.template_id, change.name, change.language) == ("1689556908129832", "order_1", "en_US")
    assert (change.event, change.category, change.reason, change.at) == (event, category, reason, ENTRY_AT)


def test_a_number_change_names_its_number() -> None:
    quality, name, security = only("ac_number_quality"), only("ac_number_name"), only("ac_number_security")
    for change in (quality, name, security):
        assert isinstance(change, NumberUpdate)
        assert change.display_phone_number == DISPLAY
    assert isinstance(quality, NumberUpdate)
    assert (quality.event, quality.current_limit) == ("THROUGHPUT_UPGRADE", "TIER_UNLIMITED")


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("ac_account_restricted", "ACCOUNT_RESTRICTION"),
        ("ac_account_review", "APPROVED"),
        ("ac_account_alert", "OBA_APPROVED"),
        ("ac_capability", None),
    ],
)
def test_an_account_change_has_its_event_and_value(name: str, event: str | None) -> None:
    change = only(name)
    assert isinstance(change, AccountUpdate)
    assert (change.event, change.at, change.waba_id) == (event, ENTRY_AT, WABA)
    assert change.value


def test_a_customer_who_stops_marketing_messages_is_named() -> None:
    change = only("up_user_preferences")
    assert isinstance(change, UserPreference)
    assert (change.wa_id, change.user_id, change.choice, change.category) == (
        WA_ID,
        USER_ID,
        "stop",
        "marketing_messages",
    )
    assert change.at == datetime(2024, 11, 15, 21, 22, 1, tzinfo=UTC)


@pytest.mark.parametrize(("name", "field"), [("uk_calls", "calls"), ("uk_message_echoes", "smb_message_echoes")])
def test_a_field_that_we_do_not_know_is_kept_whole(name: str, field: str) -> None:
    change = only(name)
    assert isinstance(change, UnknownChange)
    assert change.field == field
    assert change.value["metadata"]["phone_number_id"] == NUMBER


def test_a_batch_is_read_in_order_and_each_message_finds_its_sender() -> None:
    found = changes("batch")
    assert [type(change).__name__ for change in found] == [
        "InboundMessage",
        "InboundMessage",
        "StatusUpdate",
        "StatusUpdate",
        "TemplateUpdate",
        "StatusUpdate",
    ]
    first, second = found[:2]
    assert isinstance(first, InboundMessage)
    assert isinstance(second, InboundMessage)
    assert (first.profile_name, first.from_user_id) == ("Sheena Nelson", USER_ID)
    assert (second.profile_name, second.from_user_id) == ("Bo", None)
    assert found[-1].waba_id == "200000000000002"


# --- the key of a fact


def test_no_two_facts_share_a_key_and_a_redelivery_has_the_same() -> None:
    statuses = [name for name in NAMES if name.startswith("st_")]
    others = [name for name in NAMES if name.startswith(("ac_", "uk_", "up_", "er_"))]
    keys = [only(name).content_key for name in others] + [change.content_key for change in changes("batch")]
    keys += [inbound("in_edit").content_key, inbound("in_revoke").content_key]
    assert len(keys) == len(set(keys))
    for name in statuses + others:
        assert only(name).content_key == only(name).content_key


def test_the_order_of_keys_does_not_make_another_fact() -> None:
    document = json.loads((FIXTURES / "ac_template_approved.json").read_bytes())
    change = document["entry"][0]["changes"][0]
    change["value"] = dict(reversed(change["value"].items()))
    (again,) = parse_notification(json.dumps(document).encode()).changes
    assert again.content_key == only("ac_template_approved").content_key


def test_the_same_event_at_another_time_is_another_fact() -> None:
    document = json.loads((FIXTURES / "ac_template_paused.json").read_bytes())
    document["entry"][0]["time"] += 1
    (again,) = parse_notification(json.dumps(document).encode()).changes
    assert again.content_key != only("ac_template_paused").content_key


# --- any shape


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every node of a JSON document."""
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = replaced(node[path[0]], path[1:], value)
    return copy


@given(st.data(), st.sampled_from(NAMES), JSON_VALUES)
def test_anything_in_any_place_of_a_notification_has_a_reading(data: st.DataObject, name: str, value: Any) -> None:
    document = json.loads((FIXTURES / f"{name}.json").read_bytes())
    path = data.draw(st.sampled_from(sorted(places(document), key=repr)))
    raw = json.dumps(replaced(document, path, value)).encode()
    found = parse_notification(raw).changes
    assert [change.content_key for change in found] == [
        change.content_key for change in parse_notification(raw).changes
    ]
    assert all(change.content_key for change in found)


@given(JSON_VALUES)
def test_any_json_document_has_a_reading(document: Any) -> None:
    parse_notification(json.dumps(document).encode())


def test_what_is_no_list_of_entries_is_one_unknown_change() -> None:
    for document in (b"{}", b"[]", b"null", b"7", b'{"entry":{}}', b'{"entry":[7]}', b'{"entry":[{"changes":[7]}]}'):
        (change,) = parse_notification(document).changes
        assert isinstance(change, UnknownChange), document


def test_no_entries_are_no_changes() -> None:
    assert parse_notification(b'{"object":"whatsapp_business_account","entry":[]}').changes == ()


@pytest.mark.parametrize("depth", [200, 400, 1000])
def test_deeply_nested_json_has_a_key_or_is_refused_but_never_fails(depth: int) -> None:
    raw = b'{"entry":[{"changes":[{"field":"new","value":{"a":' + b"[" * depth + b"]" * depth + b"}}]}]}"
    try:
        (change,) = parse_notification(raw).changes
    except RequestRefused:
        assert depth >= 1000
        return
    assert isinstance(change, UnknownChange)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b'{"a":NaN}', b'{"a":Infinity}', b"\xff\xfe", b'{"a":1}x', b"[" * 100_000, b'"\xc3"']
)
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestRefused):
        parse_notification(raw)


def test_what_the_database_cannot_hold_becomes_text() -> None:
    value = b'{"a\\u0000b":18446744073709551616,"c":-9223372036854775808,"d":18446744073709551615}'
    (change,) = parse_notification(b'{"entry":[{"id":"1","changes":[{"field":"new","value":' + value + b"}]}]}").changes
    assert isinstance(change, UnknownChange)
    assert change.value == {"a\ufffdb": float(2**64), "c": -(2**63), "d": "18446744073709551615"}


def test_half_an_emoji_in_a_name_does_not_lose_the_notification() -> None:
    raw = (FIXTURES / "in_text.json").read_text().replace("Sheena Nelson", r"Sheena \ud83d")
    (change,) = parse_notification(raw.encode()).changes
    assert isinstance(change, InboundMessage)
    assert change.profile_name == "Sheena \ufffd"
    assert change.content["text"]["body"] == "¿Tienen stock? 🍯"


# --- what is too long, or no text


@pytest.mark.parametrize("text", ["9" * 257, "1" * 1_000_000, "165\x0055501234", "a\r\nb"])
def test_what_cannot_be_an_address_is_none(text: str) -> None:
    raw = json.loads((FIXTURES / "in_text.json").read_bytes())
    message = raw["entry"][0]["changes"][0]["value"]["messages"][0]
    message |= {"from": text, "from_user_id": text, "id": text}
    (change,) = parse_notification(json.dumps(raw).encode()).changes
    assert isinstance(change, InboundMessage)
    assert text not in (change.from_wa_id, change.from_user_id, change.wamid)
    assert len(change.content_key) < 300


def test_a_name_is_cut() -> None:
    raw = json.loads((FIXTURES / "in_text.json").read_bytes())
    raw["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = "A" * 100_000
    (change,) = parse_notification(json.dumps(raw).encode()).changes
    assert isinstance(change, InboundMessage)
    assert change.profile_name == "A" * 200
