"""The ring that everybody reads, and the filter of types. Pure."""

from datetime import UTC, datetime

import orjson
import pytest

from blueprints.rendering import json_response
from services.events.stream.frames import Frame, Ring, TypeFilter, frame_of
from services.events.wire import event_bytes
from services.events.wire import event_json as rendered
from services.store import Event

AT = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)


def frame(seq: int) -> Frame:
    return frame_of(Event(f"evt_{seq}", "1555", seq, "message.sent", AT, {"n": seq, "at": AT}))


def seqs(frames: list[Frame] | None) -> list[int] | None:
    return None if frames is None else [one.seq for one in frames]


def test_a_frame_is_the_event_as_the_api_shows_it() -> None:
    event = Event("evt_1", "1555", 1, "message.sent", AT, {"text": "ñ", "at": AT, "nested": {"at": AT}, "n": None})
    assert orjson.loads(event_bytes(event)) == orjson.loads(json_response(rendered(event)).body or b"")
    made = frame_of(event)
    assert made.sse == b"id: 1\nevent: message.sent\ndata: " + made.body + b"\n\n"
    assert b"\n" not in made.body


def test_a_ring_answers_what_comes_after_a_position() -> None:
    ring = Ring(10, kept=5)
    assert ring.after(10, limit=9) == []
    assert ring.after(3, limit=9) is None
    assert ring.put(frame(seq) for seq in (11, 12, 13)) is True
    assert seqs(ring.after(10, limit=9)) == [11, 12, 13]
    assert seqs(ring.after(11, limit=1)) == [12]
    assert ring.after(13, limit=9) == []
    assert ring.after(99, limit=9) == []


def test_a_ring_forgets_the_oldest_and_says_so() -> None:
    ring = Ring(0, kept=3)
    ring.put(frame(seq) for seq in range(1, 8))
    assert (ring.start, ring.end) == (5, 7)
    assert ring.after(3, limit=9) is None
    assert seqs(ring.after(4, limit=9)) == [5, 6, 7]


def test_what_is_known_already_changes_nothing() -> None:
    ring = Ring(5, kept=5)
    assert ring.put([frame(4), frame(5)]) is False
    ring.put([frame(6)])
    assert ring.put([frame(6)]) is False
    assert seqs(ring.after(5, limit=9)) == [6]


def test_a_gap_is_never_hidden_inside_a_ring() -> None:
    ring = Ring(5, kept=5)
    ring.put([frame(6), frame(9)])
    assert ring.after(5, limit=9) is None
    assert seqs(ring.after(8, limit=9)) == [9]


@pytest.mark.parametrize(
    ("words", "fits", "refuses"),
    [
        ([], ["message.sent", "x.y"], []),
        (["*"], ["message.sent"], []),
        (["message.sent"], ["message.sent"], ["message.sending", "message.read"]),
        (["message.*"], ["message.sent", "message.read"], ["messages.sent", "conversation.read"]),
        (["message.read", "contact.*"], ["contact.created", "message.read"], ["message.sent"]),
    ],
)
def test_types_and_families_are_filters(words: list[str], fits: list[str], refuses: list[str]) -> None:
    wanted = TypeFilter(words)
    for _ in range(2):  # the second time from memory
        assert all(wanted.fits(one) for one in fits)
        assert not any(wanted.fits(one) for one in refuses)
