"""One line a recipient: in the order of acceptance, never overtaking the head, each message once."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from services.messages import Message, Priority
from services.sending import Lanes
from tests.doubles.messages import outgoing

PHONES = ["16505550001", "16505550002", "16505550003"]
LANE = Lanes.key(outgoing(0, to=PHONES[0]))

orders = st.lists(st.integers(0, 1_000_000), min_size=1, max_size=40, unique=True)
traffic = st.lists(
    st.tuples(st.sampled_from(PHONES), st.sampled_from([*Priority])), min_size=1, max_size=60
)  # each at its own order
steps = st.lists(st.one_of(st.integers(0, 30), st.just("finish"), st.just("again")), max_size=80)


def drain(lanes: Lanes) -> dict[tuple[str, str], list[Message]]:
    """Serve every lane to its end."""
    left = defaultdict(list)
    for key in list(lanes.keys()):
        while (head := lanes.head(key)) is not None:
            left[key].append(head)
            lanes.finish(key, head.id)
    return left


@given(traffic)
def test_each_recipient_gets_all_of_its_messages_in_order(sent: list[tuple[str, Priority]]) -> None:
    lanes = Lanes()
    messages = [outgoing(position, to=to, priority=priority) for position, (to, priority) in enumerate(sent)]
    for message in messages:
        lanes.add(message)
    assert len(lanes) == len(messages)
    assert lanes.lane_count() == len({Lanes.key(message) for message in messages})
    oldest = lanes.oldest()
    assert oldest is not None
    assert oldest.id == messages[0].id
    served = drain(lanes)
    for key, got in served.items():
        assert got == [message for message in messages if Lanes.key(message) == key]
    assert sum(map(len, served.values())) == len(messages)
    assert len(lanes) == lanes.lane_count() == 0


@given(orders)
def test_what_comes_late_is_sorted_in_but_never_before_the_head(found: list[int]) -> None:
    lanes = Lanes()
    for order in found:
        lanes.add(outgoing(order))
    (served,) = drain(lanes).values()
    assert [message.order for message in served] == [found[0], *sorted(found[1:])]


@given(steps)
def test_a_head_stays_the_head_until_it_is_finished(walk: list[int | str]) -> None:
    lanes = Lanes()
    key = Lanes.key(outgoing(0))
    head: Message | None = None
    seen: list[str] = []
    for step in walk:
        if step == "finish":
            if head is not None:
                seen.append(head.id)
                lanes.finish(key, head.id)
                head = lanes.head(key)
        elif step == "again":
            if head is not None:
                assert not lanes.add(head)
        elif f"msg_{step}" not in seen:
            is_first = lanes.add(outgoing(int(step)))
            assert is_first == (head is None)
            head = head or lanes.head(key)
        assert lanes.head(key) == head
    assert len(seen) == len(set(seen))


@given(orders, st.data())
def test_one_that_is_taken_out_leaves_the_others_in_order(found: list[int], data: st.DataObject) -> None:
    lanes = Lanes()
    for order in sorted(found):
        lanes.add(outgoing(order))
    gone = data.draw(st.sets(st.sampled_from(found)))
    for order in gone:
        lanes.finish(Lanes.key(outgoing(0)), f"msg_{order}")
        assert f"msg_{order}" not in lanes
    served = drain(lanes)
    assert [message.order for got in served.values() for message in got] == sorted(set(found) - gone)


def test_a_message_is_added_once_however_often_it_is_offered() -> None:
    lanes = Lanes()
    assert lanes.add(outgoing(1))
    assert not lanes.add(outgoing(1))
    assert not lanes.add(outgoing(2))
    assert not lanes.add(outgoing(2))
    assert len(lanes) == 2


def test_a_lane_that_ran_empty_must_be_served_anew() -> None:
    lanes = Lanes()
    assert lanes.add(outgoing(1))
    lanes.finish(Lanes.key(outgoing(1)), "msg_1")
    assert lanes.add(outgoing(2))


def test_finishing_what_is_not_there_changes_nothing() -> None:
    lanes = Lanes()
    lanes.finish(LANE, "msg_9")
    lanes.add(outgoing(1, to=PHONES[0]))
    lanes.finish(LANE, "msg_9")
    lanes.finish(("other", "lane"), "msg_1")
    assert "msg_1" in lanes


def test_numbers_and_priorities_have_lanes_of_their_own() -> None:
    keys = {
        Lanes.key(outgoing(1)),
        Lanes.key(outgoing(1, number="106540352242923")),
        Lanes.key(outgoing(1, priority=Priority.BULK)),
        Lanes.key(outgoing(1, to=PHONES[1])),
    }
    assert len(keys) == 4
