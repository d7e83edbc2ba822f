"""Lanes: order inside a conversation, side by side otherwise, and a cursor that leaves nothing behind."""

import copy
import random
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.store import Event
from services.webhook_endpoints.backlog import LONGEST_LANE, WINDOW, Backlog, Lane
from services.webhook_endpoints.records import ParkedLane

AT = datetime(2026, 1, 2, tzinfo=UTC)


def event(seq: int, conversation: str | None = "a") -> Event:
    return Event(f"evt_{seq}", "1555", seq, "message.sent", AT, {}, conversation)


def log(*conversations: str) -> list[Event]:
    return [event(seq, conversation) for seq, conversation in enumerate(conversations, 1)]


def take(backlog: Backlog, events: list[Event]) -> None:
    backlog.take(events, events[-1].seq, lambda _: True)


def pop(backlog: Backlog) -> Lane:
    lane = backlog.pop_ready()
    assert lane is not None
    return lane


def test_the_second_of_a_conversation_waits_for_the_first() -> None:
    backlog = Backlog(0)
    take(backlog, log("a", "a", "b"))
    first, other = pop(backlog), pop(backlog)
    assert (first.key, first.head, other.key, other.head) == ("a", 1, "b", 3)
    assert backlog.pop_ready() is None
    backlog.settle(first)
    assert pop(backlog).head == 2


def test_the_cursor_stands_before_the_oldest_that_is_not_settled() -> None:
    backlog = Backlog(0)
    take(backlog, log("a", "b", "c"))
    lanes = {lane.key: lane for lane in (pop(backlog), pop(backlog), pop(backlog))}
    backlog.settle(lanes["b"])
    assert backlog.cursor == 0
    backlog.settle(lanes["a"])
    assert backlog.cursor == 2
    backlog.settle(lanes["c"])
    assert backlog.cursor == 3


def test_a_filter_that_fits_nothing_moves_the_cursor_all_the_same() -> None:
    backlog = Backlog(0)
    backlog.take(log("a", "b"), 2, lambda _: False)
    assert (backlog.cursor, backlog.is_empty) == (2, True)


def test_a_lane_that_failed_twice_is_parked_and_the_cursor_goes_past_it() -> None:
    backlog = Backlog(0)
    take(backlog, log("a", "a", "b"))
    lane, other = pop(backlog), pop(backlog)
    backlog.settle(other)
    backlog.postpone(lane, 10.0)
    assert backlog.cursor == 0
    backlog.wake(10.0)
    backlog.postpone(pop(backlog), 20.0)
    assert backlog.cursor == 3
    assert backlog.event(1) is None
    changes = backlog.take_changes()
    assert list(changes) == ["a"]
    assert list(changes["a"].seqs) == [1, 2]  # type: ignore[union-attr]


def test_what_comes_for_a_parked_lane_stands_behind_it() -> None:
    backlog = Backlog(2, [ParkedLane("s", "e", "a", (1, 2), 3, 50.0)])
    take(backlog, [event(3, "a"), event(4, "b")])
    assert pop(backlog).head == 4
    assert backlog.pop_ready() is None
    backlog.wake(50.0)
    lane = pop(backlog)
    assert list(lane.seqs) == [1, 2, 3]
    assert lane.attempt_count == 3
    for _ in range(3):
        backlog.settle(lane)
        if lane.seqs:
            assert pop(backlog) is lane
    assert backlog.take_changes() == {"a": None}


def test_events_that_a_parked_lane_holds_already_are_not_taken_twice() -> None:
    """The lane was written, the cursor was not: the next owner reads those events again."""
    backlog = Backlog(0, [ParkedLane("s", "e", "a", (2, 3), 2, 0.0)])
    take(backlog, log("a", "a", "a", "a"))
    backlog.wake(0.0)
    assert list(pop(backlog).seqs) == [2, 3, 4]


def test_a_full_window_takes_no_more_until_it_is_relieved() -> None:
    backlog = Backlog(0)
    events = [event(seq, f"c{seq}") for seq in range(1, WINDOW + 1)]
    take(backlog, events)
    assert backlog.room == 0
    for _ in range(WINDOW // 2):
        backlog.postpone(pop(backlog), 100.0)
    backlog.relieve()
    assert backlog.room == WINDOW // 2


def test_a_lane_that_grew_too_long_is_named() -> None:
    backlog = Backlog(0, [ParkedLane("s", "e", "a", (1,), 2, 9e9)])
    take(backlog, [event(seq, "a") for seq in range(2, LONGEST_LANE + 2)])
    assert [lane.key for lane in backlog.overlong()] == ["a"]


def test_when_the_endpoint_is_back_nobody_waits() -> None:
    backlog = Backlog(0)
    take(backlog, log("a", "b"))
    for _ in range(2):
        backlog.postpone(pop(backlog), 1e9)
    assert not backlog.has_ready
    backlog.wake_all()
    assert {pop(backlog).key, pop(backlog).key} == {"a", "b"}


@pytest.mark.parametrize("conversation", [None, ""])
def test_events_without_a_conversation_share_a_lane(conversation: str | None) -> None:
    backlog = Backlog(0)
    take(backlog, [event(1, conversation), event(2, conversation)])
    assert pop(backlog).head == 1
    assert backlog.pop_ready() is None


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9), lanes=st.integers(1, 6), failing=st.floats(0, 0.6), dying=st.floats(0, 0.05))
def test_everything_arrives_in_order_when_tries_fail_and_owners_die(
    seed: int, lanes: int, failing: float, dying: float
) -> None:
    """A model of the engine: tries fail by chance, and now and then the owner dies and begins from what was written."""
    chance = random.Random(seed)
    events = [event(seq, f"c{chance.randrange(lanes)}") for seq in range(1, 120)]
    arrived: dict[str, list[int]] = defaultdict(list)
    written: tuple[int, dict[str, ParkedLane]] = (0, {})
    backlog, now = Backlog(0), 0.0
    for _ in range(20_000):
        if chance.random() < dying:
            backlog = Backlog(written[0], written[1].values())
        room = min(backlog.room, chance.randrange(1, 20))
        coming = [one for one in events if one.seq > backlog.read_to][:room]
        if coming:
            take(backlog, coming)
        now += 1.0
        backlog.wake(now)
        flying = [lane for lane in (backlog.pop_ready() for _ in range(3)) if lane is not None]
        chance.shuffle(flying)
        for lane in flying:
            if chance.random() < failing:
                backlog.postpone(lane, now + chance.randrange(1, 5))
            else:
                arrived[lane.key].append(lane.head)
                backlog.settle(lane)
        if chance.random() < 0.5:
            written = (backlog.cursor, _written_lanes(written[1], backlog))
        if backlog.is_empty and backlog.read_to == len(events):
            break
    else:
        raise AssertionError("it does not end")
    for key in {str(one.conversation_id) for one in events}:
        expected = [one.seq for one in events if one.conversation_id == key]
        first_seen = list(dict.fromkeys(arrived[key]))
        assert first_seen == expected
        # A repetition begins anew from somewhere before: it never skips ahead.
        for before, after in zip(arrived[key], arrived[key][1:], strict=False):
            assert expected.index(after) <= expected.index(before) + 1


def _written_lanes(before: dict[str, ParkedLane], backlog: Backlog) -> dict[str, ParkedLane]:
    lanes = copy.copy(before)
    for key, lane in backlog.take_changes().items():
        if lane is None:
            lanes.pop(key, None)
        else:
            lanes[key] = ParkedLane("s", "e", key, tuple(lane.seqs), lane.attempt_count, lane.due_at)
    return lanes
