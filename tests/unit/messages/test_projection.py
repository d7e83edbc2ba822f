"""From events to writes: every step in its place, nothing left over from a state that is past."""

from typing import Any

import pytest

from services.messages import MessageStatus, project_message
from services.messages.projection import _STATUS_OF
from services.store import Event, VersionedWrite
from tests.doubles.clock import START
from tests.doubles.event_writer import NUMBER

MOVED_ON = ["message.sent", "message.delivered", "message.read"]


def event(kind: str, seq: int = 5, **data: Any) -> Event:
    full = {"message_id": "msg_1", "conversation_id": "cnv_1", "status": "x", "reason": "paused", "order": 1} | data
    return Event(f"evt_{seq}", NUMBER, seq, kind, START, full, "cnv_1")


def write_of(kind: str, **data: Any) -> VersionedWrite:
    (write,) = project_message(event(kind, **data))
    return write


def test_every_state_but_received_has_its_event() -> None:
    assert set(_STATUS_OF.values()) == set(MessageStatus) - {MessageStatus.RECEIVED}


@pytest.mark.parametrize("kind", sorted(_STATUS_OF))
def test_each_move_is_guarded_dated_and_told_in_the_timeline_once(kind: str) -> None:
    write = write_of(kind)
    assert (write.collection, write.id, write.seq, write.upsert) == ("messages", "msg_1", 5, False)
    assert write.set["status"] == _STATUS_OF[kind].value
    assert write.set["updated_at"] == START
    assert write.set["conversation"] == "cnv_1"
    if kind == "message.queued":
        assert write.push == {}, "the acceptance is its first step already"
    else:
        assert write.push["timeline"] | {"s": write.set["status"], "at": START, "q": 5} == write.push["timeline"]


@pytest.mark.parametrize("kind", sorted(_STATUS_OF))
def test_the_same_event_projects_the_same_write(kind: str) -> None:
    assert project_message(event(kind)) == project_message(event(kind))


@pytest.mark.parametrize("kind", sorted(set(_STATUS_OF) - {"message.held"}))
def test_what_left_a_hold_shows_none(kind: str) -> None:
    write = write_of(kind)
    assert {"held_reason", "held_until"} <= set(write.drop)
    assert not {"held_reason", "held_until"} & set(write.set)


def test_a_hold_says_why_and_until_when() -> None:
    write = write_of("message.held", held_until=START, due_at=START)
    assert (write.set["held_reason"], write.set["held_until"], write.set["due_at"]) == ("paused", START, START)
    open_end = write_of("message.held")
    assert {"held_until", "due_at"} <= set(open_end.drop)


@pytest.mark.parametrize("kind", MOVED_ON)
def test_a_message_that_arrived_shows_no_error_of_an_earlier_try(kind: str) -> None:
    assert "error" in write_of(kind).drop


def test_a_failure_shows_its_error() -> None:
    write = write_of("message.failed", error={"code": 131026})
    assert write.set["error"] == {"code": 131026}
    assert write.push["timeline"]["d"]["error"] == {"code": 131026}
    assert "error" not in write.drop


@pytest.mark.parametrize("kind", sorted(_STATUS_OF))
def test_a_message_that_moved_on_is_stuck_no_more(kind: str) -> None:
    assert "is_stuck" in write_of(kind).drop


def test_a_stuck_message_keeps_its_state() -> None:
    write = write_of("message.stuck")
    assert dict(write.set) == {"is_stuck": True}
    assert write.push == {}


def test_a_dead_wamid_is_kept_apart() -> None:
    write = write_of("message.retried", dead_wamid="wamid.1")
    assert write.set["dead_wamid"] == "wamid.1"
    assert "wamid" in write.drop


def test_a_received_message_is_made_whole_and_once() -> None:
    data = {"type": "text", "content": {"text": {"body": "hola"}}, "wamid": "wamid.in", "from": "16505551234"}
    write = write_of("message.received", **data)
    assert write.upsert
    assert write.set["status"] == "received"
    assert write.set["payload"] == {"text": {"body": "hola"}}
    assert not {"_id", "seq"} & set(write.set)


def test_events_of_others_change_no_message() -> None:
    for kind in ("conversation.opened", "number.connected", "contact.created", "message.unheard_of"):
        assert project_message(event(kind)) == []
