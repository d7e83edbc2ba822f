"""Files of customers, from the events of their messages."""

from datetime import timedelta

from services.media.projection import project_media
from services.media.repository import media_record
from services.store import Event
from tests.doubles.clock import START

SHA = "90f+JOA2cBGIbJEGWh6EX/1E7oc3jOiPKlYJi9EwpKQ="


def received(kind: str, part: object) -> Event:
    data = {"type": kind, "content": {"type": kind, kind: part}, "sent_at": START, "message_id": "msg_1"}
    return Event("evt_1", "106540352242922", 7, "message.received", START, data)


def test_the_facts_of_a_file_are_kept_at_once() -> None:
    [write] = project_media(
        received("document", {"id": "55", "mime_type": "application/pdf", "sha256": SHA, "filename": "a.pdf"})
    )
    assert (write.collection, write.id, write.seq, write.upsert) == ("media", "55", 7, True)
    assert write.set["sha256"] == "f747fe24e0367011886c91065a1e845ffd44ee87378ce88f2a56098bd130a4a4"
    assert write.set["origin"] == "customer"
    assert write.set["expires_at"] == START + timedelta(days=30)
    assert write.set["message"] == "msg_1"


def test_other_messages_and_broken_ones_make_nothing() -> None:
    assert project_media(received("text", {"body": "x"})) == []
    assert project_media(received("image", {"caption": "no id"})) == []
    assert project_media(received("image", "not an object")) == []
    assert project_media(Event("e", "1", 1, "message.sent", START, {})) == []


def test_a_type_that_cannot_stand_in_a_header_is_not_known() -> None:
    for hostile in ("image/png\r\nX-Evil: 1", "image/png\0", "é/png"):
        [write] = project_media(received("image", {"id": "55", "mime_type": hostile}))
        assert write.set["mime_type"] == "application/octet-stream"
        stored = {"_id": "55", "number": "1", "origin": "upload", "kind": "image", "mime_type": hostile}
        assert media_record(stored).mime_type == "application/octet-stream"
