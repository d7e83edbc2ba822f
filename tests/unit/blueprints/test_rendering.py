"""Records as JSON: moments with milliseconds, our own fields never posed as, no record that does not render."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from blueprints.rendering import accepted_json, json_response, message_json, page_response
from blueprints.request_reading import cursor_text
from services.events.wire import event_json
from services.messages import Direction, Message, MessageStatus, TimelineEntry
from services.store import Event
from tests.doubles.clock import START
from tests.doubles.event_writer import NUMBER
from tests.doubles.messages import outgoing

MOMENT = "2026-01-02T03:04:05.678Z"


def body_of(value: Any) -> Any:
    body = json_response(value).body
    assert body is not None
    return orjson.loads(body)


def inbound(payload: dict[str, Any]) -> Message:
    return Message(
        id="msg_in",
        order=1,
        direction=Direction.IN,
        phone_number_id=NUMBER,
        kind="text",
        payload=payload,
        status=MessageStatus.RECEIVED,
        created_at=START,
        from_wa_id="16505551234",
        conversation_id="cnv_1",
        wamid="wamid.in",
        seq=7,
    )


def test_moments_have_milliseconds_and_are_utc_wherever_they_stand() -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=-5)))
    assert body_of({"a": START, "list": [elsewhere], "deep": {"b": (START,)}}) == {
        "a": MOMENT,
        "list": [MOMENT],
        "deep": {"b": [MOMENT]},
    }


def test_whole_seconds_have_milliseconds_too() -> None:
    assert body_of(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000Z"


def test_what_has_no_json_form_is_a_bug_that_is_seen() -> None:
    with pytest.raises(TypeError):
        json_response({"a": {1, 2}})
    with pytest.raises(TypeError):
        json_response({"a": START.replace(tzinfo=None)})


def test_a_message_that_waits_is_whole() -> None:
    shown = body_of(message_json(outgoing(1)))
    assert shown["id"] == "msg_1"
    assert (shown["status"], shown["direction"]) == ("queued", "out")
    assert (shown["from"], shown["to"], shown["phone_number_id"]) == (NUMBER, "16505551234", NUMBER)
    assert shown["text"] == {"body": "text 1"}
    assert shown["created_at"] == shown["updated_at"] == MOMENT
    assert shown["timeline"] == [{"status": "queued", "at": MOMENT, "seq": None}]


def test_a_scheduled_message_begins_as_scheduled() -> None:
    message = outgoing(1, status=MessageStatus.SCHEDULED, send_at=START + timedelta(hours=1))
    assert body_of(message_json(message))["timeline"][0]["status"] == "scheduled"
    assert accepted_json(message)["status"] == "scheduled"


def test_the_timeline_tells_each_step_with_its_detail() -> None:
    step = TimelineEntry(MessageStatus.HELD, START, 5, {"reason": "pair_rate", "held_until": START})
    shown = body_of(message_json(outgoing(1, timeline=(step,))))
    assert shown["timeline"][1] == {
        "status": "held",
        "at": MOMENT,
        "seq": 5,
        "reason": "pair_rate",
        "held_until": MOMENT,
    }


def test_a_list_shows_no_timeline() -> None:
    assert "timeline" not in message_json(outgoing(1), has_timeline=False)


def test_a_received_message_comes_from_the_customer_to_us() -> None:
    shown = body_of(message_json(inbound({"type": "text", "text": {"body": "hola"}})))
    assert (shown["from"], shown["to"], shown["status"]) == ("16505551234", NUMBER, "received")
    assert shown["timeline"][0]["status"] == "received"


def test_nothing_that_whatsapp_sends_poses_as_a_field_of_ours() -> None:
    posing = {
        name: "posing"
        for name in ("id", "status", "direction", "seq", "error", "timeline", "metadata", "wamid", "from", "context")
    }
    shown = body_of(message_json(inbound({"type": "text", "text": {"body": "hola"}} | posing)))
    assert "posing" not in [value for value in shown.values() if isinstance(value, str)]
    assert shown["text"] == {"body": "hola"}


@pytest.mark.parametrize("has_timeline", [True, False])
@pytest.mark.parametrize("status", [*MessageStatus])
def test_every_state_renders(status: MessageStatus, has_timeline: bool) -> None:
    message = outgoing(
        1,
        status=status,
        wamid="wamid.1",
        held_reason="paused",
        held_until=START,
        expires_at=START,
        error={"code": 131026, "title": "Message undeliverable"},
        pricing={"billable": True},
        metadata={"order": 7},
        updated_at=START,
    )
    assert body_of(message_json(message, has_timeline=has_timeline))["status"] == status.value


def test_events_show_their_data_with_moments_as_text() -> None:
    event = Event("evt_1", NUMBER, 3, "message.retried", START, {"retry_at": START, "deep": [{"at": START}]}, "cnv_1")
    assert body_of(event_json(event)) == {
        "seq": 3,
        "id": "evt_1",
        "type": "message.retried",
        "at": MOMENT,
        "phone_number_id": NUMBER,
        "data": {"retry_at": MOMENT, "deep": [{"at": MOMENT}]},
    }


def test_a_full_page_says_where_to_go_on_and_a_short_one_is_the_last() -> None:
    def cursor(count: int, last: int | None) -> Any:
        body = page_response([{"n": 1}] * count, limit=2, last=last).body
        assert body is not None
        return orjson.loads(body)["next_cursor"]

    assert cursor(2, 12_345) == cursor_text(12_345)
    assert cursor(1, 12_345) is None
    assert cursor(0, None) is None
    assert int(cursor_text(2**63 - 1), 36) == 2**63 - 1
