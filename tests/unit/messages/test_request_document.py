"""An order becomes the document that the record of the same message would become."""

from datetime import timedelta
from typing import Any

import pytest

from services.messages import parse_send_request
from services.messages.documents import message_document, message_record, order_document
from services.messages.records import Direction, Message
from services.messages.requests import SendRequest
from services.messages.states import MessageStatus
from tests.doubles.clock import START

TEXT = {"to": "16505551234", "type": "text", "text": {"body": "Hello"}}
TEMPLATE = {"name": "hello_world", "language": {"code": "en_US"}}
LATER = (START + timedelta(hours=1)).isoformat()
EARLIER = (START - timedelta(hours=1)).isoformat()


def by_the_record(order: SendRequest, **more: Any) -> dict[str, Any]:
    content = order.content
    is_later = order.send_at is not None and order.send_at > START
    message = Message(
        id="msg_1",
        order=1,
        direction=Direction.OUT,
        phone_number_id="106540352242922",
        kind=content.kind,
        payload=content.payload,
        status=MessageStatus.SCHEDULED if is_later else MessageStatus.QUEUED,
        created_at=START,
        to=content.to,
        recipient_kind=content.recipient_kind,
        context_wamid=content.context_wamid,
        callback_data=content.callback_data,
        send_at=order.send_at,
        due_at=order.send_at if is_later else None,
        expires_at=order.expires_at,
        on_window_closed=order.on_window_closed,
        fallback_template=order.fallback_template,
        on_uncertain=order.on_uncertain,
        priority=order.priority,
        metadata=order.metadata,
        key_id="key_1",
        **more,
    )
    return message_document(message)


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"biz_opaque_callback_data": "mine", "context": {"message_id": "wamid.1"}},
        {"send_at": LATER, "expires_at": (START + timedelta(hours=2)).isoformat()},
        {"send_at": EARLIER},
        {"priority": "bulk", "on_uncertain": "resend", "metadata": {"order": 7}},
        {"on_window_closed": "template", "fallback_template": TEMPLATE},
        {"on_window_closed": "hold", "to": "US.13491208655302741918"},
        {"recipient_type": "group", "to": "Y2FwaV9ncm91cA"},
        {"type": "template", "text": None, "template": TEMPLATE},
    ],
    ids=lambda own: ",".join(own) or "plain",
)
def test_an_order_becomes_what_its_record_would(own: dict[str, Any]) -> None:
    order = parse_send_request({**TEXT, **own}, now=START)
    found = order_document(
        order, message_id="msg_1", phone_number_id="106540352242922", created_at=START, key_id="key_1"
    )
    assert "order" not in found  # it gets its place when it is stored
    expected = by_the_record(order)
    assert {**found, "order": 1} == expected
    assert message_record({**found, "order": 1}).created_at == START


def test_a_key_of_idempotency_is_kept_with_what_it_came_with() -> None:
    order = parse_send_request(TEXT, now=START)
    found = order_document(
        order,
        message_id="msg_1",
        phone_number_id="106540352242922",
        created_at=START,
        key_id="key_1",
        idempotency="k",
        digest=b"d",
    )
    assert {**found, "order": 1} == by_the_record(order, idempotency="k", body_digest=b"d")
