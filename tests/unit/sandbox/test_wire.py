"""Ids, refusals, statuses and notifications in Meta's shapes."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sandbox.wire.codes import CODES, row_of
from services.sandbox.wire.faults import GraphFault, missing, status_error, unknown_object
from services.sandbox.wire.ids import IdMaker, country_of, user_id_of, wa_id_of
from services.sandbox.wire.notifications import Person, Sender, inbound_head, message_event, signature, status_event
from services.sandbox.wire.shapes import digits_of, notification_bytes
from services.sandbox.wire.statuses import Price, has_conversations, price_of, status_object

SENDER = Sender("102290129340398", "106540352242922", "15550783881")
ANA = Person("US.123", "16505551234", "Ana")
HIDDEN = Person("US.123", None, "Ana", "ana_n")


def test_a_wamid_is_built_as_metas_samples_are() -> None:
    wamid = IdMaker(b"seed").wamid("16505551234", 1, is_inbound=False)
    raw = base64.b64decode(wamid.removeprefix("wamid."))
    assert raw[:3] == b"\x1c\x18\x0b"
    assert raw[3:14] == b"16505551234"
    assert raw[14:20] == b"\x15\x02\x00\x11\x18\x12"
    assert len(raw) == 20 + 18 + 1
    assert wamid.startswith("wamid.HBgLMTY1MDU1NTEyMzQVAgARGB")
    assert IdMaker(b"seed").wamid("16505551234", 1, is_inbound=True).startswith("wamid.HBgLMTY1MDU1NTEyMzQVAgASGB")


def test_ids_repeat_with_their_seed_and_never_within_it() -> None:
    one, same, other = IdMaker(b"a"), IdMaker(b"a"), IdMaker(b"b")
    made = [one.wamid("16505551234", n, is_inbound=False) for n in range(2000)]
    assert len(set(made)) == 2000
    assert made == [same.wamid("16505551234", n, is_inbound=False) for n in range(2000)]
    assert made[0] != other.wamid("16505551234", 0, is_inbound=False)


@given(st.integers(min_value=0, max_value=10**6))
def test_object_ids_are_15_digits_that_a_javascript_number_holds(number: int) -> None:
    made = IdMaker(b"seed").object_id("media", number)
    assert len(made) == 15
    assert made.isdecimal()
    assert made[0] != "0"
    assert int(made) < 2**53


@given(st.integers(min_value=10**6, max_value=10**15 - 1))
def test_a_user_id_leads_back_to_its_phone(number: int) -> None:
    assert wa_id_of(user_id_of(str(number))) == str(number)


def test_a_foreign_user_id_leads_nowhere() -> None:
    assert wa_id_of("US.ENT.abc") is None
    assert user_id_of(wa_id_of("US.13491208655302741918") or "1") != "US.13491208655302741918"
    assert (country_of("5215512345678"), country_of("34600111222"), country_of("999")) == ("MX", "ES", "US")


@pytest.mark.parametrize(("written", "digits"), [("+1 (650) 555-1234", "16505551234"), (16505551234, "16505551234")])
def test_numbers_are_read_as_people_write_them(written: object, digits: str) -> None:
    assert digits_of(written) == digits


def test_a_refusal_has_metas_envelope() -> None:
    envelope = GraphFault(130429).envelope("A1")
    assert envelope == {
        "error": {
            "message": "(#130429) Rate limit hit",
            "type": "OAuthException",
            "code": 130429,
            "error_data": {
                "messaging_product": "whatsapp",
                "details": "Cloud API message throughput has been reached.",
            },
            "fbtrace_id": "A1",
        }
    }
    assert GraphFault(190).envelope("A")["error"]["message"].startswith("Invalid OAuth access token")
    assert missing("to").message == "(#100) The parameter to is required."
    unknown = unknown_object("7", "DELETE")
    assert (unknown.code, unknown.subcode, unknown.http) == (100, 33, 400)
    assert unknown.message.startswith("Unsupported delete request. Object with ID '7' does not exist")


def test_late_codes_are_those_that_meta_tells_in_a_status() -> None:
    assert {131047, 131026, 131049, 131053, 130472} <= {code for code, row in CODES.items() if row.is_late}
    assert not any(row_of(code).is_late for code in (100, 190, 130429, 131008, 131009, 131056, 132000, 132001))
    assert row_of(999999).http == 400
    assert status_error(131047)["error_data"]["details"].startswith("Message failed to send because more than 24")


def test_a_status_carries_price_and_conversation_where_meta_puts_them() -> None:
    def entry(status: str, **more: object) -> dict[str, object]:
        return status_object(status, wamid="w", at_s=10, person=ANA, price=Price("service", False), **more)  # type: ignore[arg-type]

    assert entry("sent")["conversation"]["expiration_timestamp"] == str(10 + 86400)  # type: ignore[index]
    assert "expiration_timestamp" not in entry("delivered")["conversation"]  # type: ignore[operator]
    assert "pricing" not in entry("read")
    assert "conversation" not in entry("sent", has_conversations=False)
    assert entry("failed", error_code=131026)["errors"][0]["title"] == "Message undeliverable"  # type: ignore[index]
    assert entry("sent")["timestamp"] == "10"


@pytest.mark.parametrize(
    ("kind", "category", "is_open", "expected"),
    [
        ("text", None, True, (False, "free_customer_service", "service")),
        ("template", "UTILITY", True, (False, "free_customer_service", "utility")),
        ("template", "UTILITY", False, (True, "regular", "utility")),
        ("template", "MARKETING", True, (True, "regular", "marketing")),
    ],
)
def test_only_templates_cost(kind: str, category: str | None, is_open: bool, expected: tuple[bool, str, str]) -> None:
    fields = price_of(kind, category, is_window_open=is_open).fields()
    assert (fields["billable"], fields["type"], fields["category"]) == expected


def test_conversations_end_with_version_24() -> None:
    assert has_conversations("v23.0")
    assert not has_conversations("v24.0")


def test_a_hidden_number_stands_nowhere() -> None:
    status = status_object("sent", wamid="w", at_s=1, person=HIDDEN, price=Price("service", False))
    event = status_event(SENDER, HIDDEN, status)
    value = event["entry"][0]["changes"][0]["value"]
    assert value["contacts"] == [{"profile": {"name": "Ana", "username": "ana_n"}, "user_id": "US.123"}]
    assert "recipient_id" not in value["statuses"][0]
    assert "from" not in inbound_head(HIDDEN, "w", 1)


def test_notifications_escape_what_is_not_ascii_and_are_signed_as_they_are() -> None:
    head = inbound_head(ANA, "w", 1)
    body = notification_bytes(message_event(SENDER, {**head, "type": "text", "text": {"body": "ñ🐝"}}, person=ANA))
    assert b"\\u00f1\\ud83d\\udc1d" in body
    assert b", " not in body
    assert json.loads(body)["entry"][0]["id"] == "102290129340398"
    assert signature("secret", body) == "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
