"""Meta's envelope: what Meta's own clients read, from our events; and the same bytes whenever it is asked for."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.cloud_webhook import InboundMessage, StatusUpdate, parse_notification
from services.messages import client_wamid
from services.store import Event
from services.webhook_endpoints.meta_format import NumberNames, has_meta_form, meta_body

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
NAMES = NumberNames("102290129340398", "15550783881")
NUMBER = "106540352242922"

INBOUND = {
    "message_id": "msg_1",
    "order": 1,
    "conversation_id": "cnv_1",
    "wamid": "wamid.IN",
    "from": "16505551234",
    "from_user_id": "US.123",
    "name": "Zoë",
    "type": "text",
    "content": {
        "from_user_id": "US.123",
        "type": "text",
        "text": {"body": "¿Qué tal? 🐝"},
        "context": {"id": "wamid.X"},
    },
    "sent_at": datetime(2026, 1, 2, 3, 4, 1, tzinfo=UTC),
}
OUTBOUND = {"message_id": "msg_2", "to": "16505551234", "wamid": "wamid.OUT", "status": "sent"}


def event(type_: str, data: dict[str, Any]) -> Event:
    return Event("evt_1", NUMBER, 7, type_, AT, data, "cnv_1")


def value_of(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    document = json.loads(meta_body(event(type_, data), NAMES))
    assert document["object"] == "whatsapp_business_account"
    assert document["entry"][0]["id"] == NAMES.waba_id
    change = document["entry"][0]["changes"][0]
    assert change["field"] == "messages"
    value: dict[str, Any] = change["value"]
    assert value["metadata"] == {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    return value


def test_an_inbound_message_is_metas_own_object_again() -> None:
    value = value_of("message.received", INBOUND)
    assert value["messages"] == [
        {
            "from": "16505551234",
            "from_user_id": "US.123",
            "id": "wamid.IN",
            "timestamp": "1767323041",
            "type": "text",
            "text": {"body": "¿Qué tal? 🐝"},
            "context": {"id": "wamid.X"},
        }
    ]
    assert value["contacts"] == [{"profile": {"name": "Zoë"}, "wa_id": "16505551234", "user_id": "US.123"}]


def test_the_body_is_ascii_and_the_same_every_time() -> None:
    bodies = {meta_body(event("message.received", INBOUND), NAMES) for _ in range(3)}
    assert len(bodies) == 1
    assert bodies.pop().isascii()


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_a_status_has_the_callers_own_data_and_contacts(status: str) -> None:
    data = OUTBOUND | {
        "biz_opaque_callback_data": "order-17",
        "recipient_user_id": "US.123",
        "pricing": {"billable": True, "pricing_model": "PMP", "category": "service"},
        "platform_at": datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC),
    }
    value = value_of(f"message.{status}", data)
    assert value["statuses"] == [
        {
            "id": client_wamid("msg_2"),
            "status": status,
            "timestamp": "1767323040",
            "recipient_id": "16505551234",
            "recipient_user_id": "US.123",
            "biz_opaque_callback_data": "order-17",
            "pricing": {"billable": True, "pricing_model": "PMP", "category": "service"},
        }
    ]
    assert value["contacts"] == [{"wa_id": "16505551234", "user_id": "US.123"}]


def test_our_own_tracking_never_shows() -> None:
    assert b"panal" not in meta_body(event("message.sent", OUTBOUND), NAMES)


def test_a_failure_has_metas_error_object_and_contacts_all_the_same() -> None:
    error = {"code": 131026, "title": "Message undeliverable", "details": "Not on WhatsApp.", "next_step": "ours"}
    value = value_of("message.failed", OUTBOUND | {"error": error})
    assert value["contacts"] == [{"wa_id": "16505551234"}]
    assert value["statuses"][0]["errors"] == [
        {
            "code": 131026,
            "title": "Message undeliverable",
            "message": "Message undeliverable",
            "error_data": {"details": "Not on WhatsApp."},
            "href": "/documentation/business-messaging/whatsapp/support/error-codes",
        }
    ]


def test_a_customer_without_a_phone_number_is_known_by_his_user_id() -> None:
    data = {key: value for key, value in INBOUND.items() if key != "from"}
    value = value_of("message.received", data)
    assert "from" not in value["messages"][0]
    assert value["contacts"] == [{"profile": {"name": "Zoë"}, "user_id": "US.123"}]
    status = value_of("message.sent", OUTBOUND | {"to": "US.123"})["statuses"][0]
    assert (status.get("recipient_id"), status["recipient_user_id"]) == (None, "US.123")


@pytest.mark.parametrize(
    "type_", ["message.queued", "message.sending", "message.held", "conversation.opened", "webhook_endpoint.created"]
)
def test_steps_of_our_own_have_no_form_there(type_: str) -> None:
    assert not has_meta_form(event(type_, OUTBOUND))


def test_a_message_that_failed_before_it_left_is_told_as_well() -> None:
    error = {"code": 131047, "title": "Re-engagement message"}
    value = value_of("message.failed", {"message_id": "msg_3", "to": "16505551234", "error": error})
    assert value["statuses"][0]["id"] == client_wamid("msg_3")
    assert value["statuses"][0]["errors"][0]["code"] == 131047


def test_our_own_reader_of_metas_notifications_understands_it() -> None:
    (inbound,) = parse_notification(meta_body(event("message.received", INBOUND), NAMES)).changes
    assert isinstance(inbound, InboundMessage)
    assert (inbound.wamid, inbound.profile_name, inbound.from_user_id) == ("wamid.IN", "Zoë", "US.123")
    (status,) = parse_notification(meta_body(event("message.read", OUTBOUND), NAMES)).changes
    assert isinstance(status, StatusUpdate)
    assert status.raw_status == "read"


def test_a_notification_that_we_do_not_know_leaves_as_it_came() -> None:
    value = {"metadata": {"phone_number_id": NUMBER}, "calls": [{"id": "wacid.1"}]}
    unknown = event("notification.unknown", {"field": "calls", "meta": {"field": "calls", "value": value}})
    assert has_meta_form(unknown)
    (change,) = json.loads(meta_body(unknown, NAMES))["entry"][0]["changes"]
    assert change == {"field": "calls", "value": value}
    assert not has_meta_form(event("notification.unknown", {"field": None, "value": {"hello": 1}}))
