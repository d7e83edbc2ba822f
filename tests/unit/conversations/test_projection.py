"""From events to writes on conversations: what was said last, what is unread, when the customer wrote."""

from datetime import timedelta
from typing import Any

from services.conversations import project_conversation
from services.store import Event, VersionedWrite
from tests.doubles.clock import START
from tests.doubles.event_writer import NUMBER


def write_of(kind: str, **data: Any) -> VersionedWrite:
    full = {"message_id": "msg_1", "order": 77, "type": "text", "preview": "hola " * 100, "sent_at": START} | data
    (write,) = project_conversation(Event("evt_1", NUMBER, 5, kind, START, full, "cnv_1"))
    assert (write.id, write.seq) == ("cnv_1", 5)
    return write


def test_an_opened_conversation_is_made_once_with_its_pair() -> None:
    write = write_of("conversation.opened", contact_key="wa:1650", wa_id="1650", user_id=None, name="Ana")
    assert write.upsert
    assert write.set["pair"] == [f"{NUMBER}:wa:1650"]
    named = write_of("conversation.opened", contact_key="wa:1650", contact_keys=["user:U", "wa:1650"], wa_id="1650")
    assert named.set["pair"] == [f"{NUMBER}:user:U", f"{NUMBER}:wa:1650"]
    assert (write.set["unread"], write.set["status"], write.set["name"]) == (0, "open", "Ana")
    assert "user_id" not in write.set


def test_what_a_customer_writes_opens_counts_and_is_shown_short() -> None:
    write = write_of("message.received", name="Ana", **{"from": "1650"})
    assert write.set["status"] == "open"
    assert write.set["activity"] == 77
    assert len(write.set["preview"]["text"]) == 120
    assert write.set["preview"]["direction"] == "in"
    assert "unread" in write.compute
    assert not write.upsert


def test_a_message_that_was_written_earlier_and_comes_later_does_not_close_the_window() -> None:
    """Meta delivers what it could not deliver for up to seven days: the newest message decides, not the last one."""
    write = write_of("message.received", sent_at=START - timedelta(days=3))
    assert "last_inbound_at" not in write.set
    assert "$max" in write.compute["last_inbound_at"]


def test_what_we_send_is_shown_and_is_not_unread() -> None:
    write = write_of("message.queued")
    assert write.set["preview"]["direction"] == "out"
    assert write.set["last_outbound_at"] == START
    assert not write.compute


def test_reading_is_reading_all() -> None:
    assert dict(write_of("conversation.read").set) == {"unread": 0}


def test_events_without_a_conversation_change_none() -> None:
    assert project_conversation(Event("evt_1", NUMBER, 5, "message.received", START, {}, None)) == []


def test_what_the_pace_must_know_after_a_restart_is_kept_with_the_conversation() -> None:
    assert dict(write_of("message.sending", initiated_at=START).set) == {"initiated_at": START}
    assert dict(write_of("message.sending", pair_tat=1.5, initiated_at=START).set) == {
        "pair_tat": 1.5,
        "initiated_at": START,
    }
    assert project_conversation(Event("evt_1", NUMBER, 5, "message.sending", START, {"attempt": 1}, "cnv_1")) == []


def test_other_addresses_of_a_contact_replace_those_before() -> None:
    write = write_of("conversation.linked", contact_keys=["user:U", "wa:2"], wa_id="2", user_id="U")
    assert write.set == {"pair": [f"{NUMBER}:user:U", f"{NUMBER}:wa:2"], "wa_id": "2", "user_id": "U"}


def test_a_message_does_not_say_where_its_writer_is_now() -> None:
    assert not {"wa_id", "user_id"} & set(write_of("message.received", **{"from": "1650", "from_user_id": "U"}).set)


def test_a_conversation_that_becomes_part_of_another_gives_its_addresses_up_before_that_takes_them() -> None:
    data = {"merged_id": "cnv_2", "contact_keys": ["user:U", "wa:1"], "wa_id": "1", "user_id": "U"}
    data |= {"unread_count": 2, "labels": ["vip"], "activity": 9, "last_inbound_at": START, "assignee": "ana"}
    gone, kept, notes = project_conversation(
        Event("evt_1", NUMBER, 5, "conversation.merged", START, {**data, "conversation_id": "cnv_1"}, "cnv_1")
    )
    assert (gone.id, gone.set["merged_into"], gone.set["pair"]) == ("cnv_2", "cnv_1", ["merged:cnv_2"])
    assert "activity" in gone.drop  # so that no list shows it
    assert kept.id == "cnv_1"
    assert kept.set["pair"] == [f"{NUMBER}:user:U", f"{NUMBER}:wa:1"]
    assert {"unread", "labels", "last_inbound_at", "assignee", "activity"} <= set(kept.compute)
    assert (notes.where, dict(notes.set)) == ({"conversation": "cnv_2"}, {"conversation": "cnv_1"})


def test_a_group_has_no_number_and_is_not_called_as_its_members() -> None:
    opened = write_of("conversation.opened", contact_key="group:G1", contact_keys=["group:G1"], group_id="G1")
    assert (opened.set["group_id"], opened.set["pair"]) == ("G1", [f"{NUMBER}:group:G1"])
    said = write_of("message.received", group_id="G1", name="Ana", **{"from": "1650"})
    assert not {"wa_id", "name", "name_tokens"} & set(said.set)
