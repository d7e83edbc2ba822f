"""Accepted messages come to their lanes once, in order, also those that were written late, and a backlog in slices."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.conversations import ContactRef, ConversationState, Standing
from services.messages import Message, MessageRepository, MessageState, MessageStatus, Priority
from services.messages.documents import MESSAGES, message_document
from services.sending import Lanes, RateLimiter, contact_of
from services.sending.lane_loader import LANE_CAPACITY, LaneLoader
from services.sending.queue_reader import PAGE, Due, Queue, QueueReader
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.consents import NoOptOuts
from tests.doubles.database import MemoryDatabase
from tests.doubles.event_writer import NUMBER, MemoryEventWriter
from tests.doubles.messages import outgoing

SECOND = 1000 << 20


@dataclass
class Offers:
    """The dispatcher as the lane_loader sees it."""

    lanes: Lanes
    conversations: ConversationState
    offered: list[Message] = field(default_factory=list)
    parked: list[tuple[str, str, str]] = field(default_factory=list)

    def offer(self, message: Message) -> None:
        self.offered.append(message)
        contact = contact_of(message)
        self.lanes.add(message, self.conversations.key_of(contact.phone_number_id, contact.key))

    def park(self, number: str, key: str, message_id: str) -> None:
        self.parked.append((number, key, message_id))


@dataclass
class SlowConsents(NoOptOuts):
    """While they are read, something else happens, once."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def load(self, keys: Iterable[str]) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


@dataclass
class Bench:
    database: MemoryDatabase = field(default_factory=MemoryDatabase)
    clock: ManualClock = field(default_factory=ManualClock)
    event_writer: MemoryEventWriter = field(default_factory=MemoryEventWriter)
    lanes: Lanes = field(default_factory=Lanes)
    rate_per_s: float = 10_000.0
    troubles: int = 0
    consents: NoOptOuts = field(default_factory=NoOptOuts)
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)

    def __post_init__(self) -> None:
        self.now = (time.time_ns() // 1_000_000) << 20
        self.repository = MessageRepository(self.database)  # type: ignore[arg-type]
        self.message_state = MessageState(self.repository)
        self.conversations = ConversationState(self.database)  # type: ignore[arg-type]
        self.dispatcher = Offers(self.lanes, self.conversations)
        self.lane_loader = LaneLoader(
            event_writer=self.event_writer,  # type: ignore[arg-type]
            message_state=self.message_state,
            lanes=self.lanes,
            conversations=self.conversations,
            dispatcher=self.dispatcher,  # type: ignore[arg-type]
            rate_limiter=self.rate_limiter,
            consents=self.consents,
            clock=self.clock,
        )
        self.queue_reader = QueueReader(
            NUMBER,
            Priority.TRANSACTIONAL,
            repository=self.repository,
            lane_loader=self.lane_loader,
            clock=self.clock,
            rate_per_s=lambda: self.rate_per_s,
            troubles=lambda: self.troubles,
        )

    def merge(self, number: str, *, into: Standing, absorbed: Standing) -> None:
        """What the dispatcher does when two contacts are one."""
        self.lanes.merge(number, into=into.key, absorbed=absorbed.key, may_move=lambda _message: True)

    def accept(self, *seconds_ago: float, first: int = 0, recipients: int = 10_000) -> list[str]:
        """Store messages as workers do; each has its order from so long ago."""
        messages = [
            outgoing(
                first + position, order=self.now - int(ago * SECOND) + position, to=f"1650555{position % recipients:04}"
            )
            for position, ago in enumerate(seconds_ago)
        ]
        for message in messages:
            self.database.put(MESSAGES, message_document(message))
        return [message.id for message in messages]

    def offered(self) -> list[str]:
        return [message.id for message in self.dispatcher.offered]

    def send(self, ids: Iterable[str]) -> None:
        """They left: out of the lanes, and the documents say so a little later."""
        for message in list(self.dispatcher.offered):
            if message.id in ids:
                tracked = self.message_state.get(message.id)
                assert tracked is not None
                tracked.status = MessageStatus.SENT
                self.lanes.finish(Lanes.key(message, contact_of(message).key), message.id)


@virtual_time
async def test_what_waits_is_offered_in_order_and_told_once() -> None:
    bench = Bench()
    ids = bench.accept(3, 2, 1)
    assert await bench.queue_reader.load() == 3
    assert bench.offered() == ids
    assert bench.event_writer.types() == ["conversation.opened"] * 3 + ["message.queued"] * 3
    assert await bench.queue_reader.load() == 0
    assert bench.offered() == ids


@virtual_time
async def test_what_is_new_is_found_at_the_next_look() -> None:
    bench = Bench()
    bench.accept(2)
    await bench.queue_reader.load()
    late = bench.accept(1, first=10)
    assert await bench.queue_reader.load() == 1
    assert bench.offered()[-1:] == late


@virtual_time
async def test_a_backlog_that_is_older_than_anything_late_is_not_read_again() -> None:
    bench = Bench(rate_per_s=10.0)
    bench.accept(*(600 + n / 1000 for n in range(3_000, 0, -1)))
    await bench.queue_reader.load()
    reached = bench.offered()[-1]
    bench.send(bench.offered())
    bench.database.finds.clear()
    await bench.queue_reader.load()
    first = bench.database.finds[0][1]["order"]["$gt"]
    assert first == bench.database.rows[MESSAGES][reached]["order"]
    assert len(bench.offered()) > 500


@virtual_time
async def test_a_document_that_is_behind_is_not_offered_again() -> None:
    bench = Bench()
    ids = bench.accept(1)
    await bench.queue_reader.load()
    bench.send(ids)
    for _ in range(5):
        bench.clock.advance(100)
        assert await bench.queue_reader.load() == 0
    assert bench.offered() == ids


@pytest.mark.parametrize(("late_by_s", "within_s"), [(0.2, 0), (20, 3), (45, 120), (600, 120)])
@virtual_time
async def test_what_was_written_late_below_what_was_read_is_found(late_by_s: float, within_s: float) -> None:
    """A worker draws the order when it accepts, and may wait long for its database; clocks of hosts differ."""
    bench = Bench()
    bench.accept(1)
    await bench.queue_reader.load()
    late = bench.accept(1 + late_by_s, first=10)
    waited_s = 0.0
    while await bench.queue_reader.load() == 0:
        assert waited_s < within_s
        bench.clock.advance(1)
        waited_s += 1
    assert bench.offered()[-1:] == late


@virtual_time
async def test_a_backlog_comes_whole_in_order_and_in_slices() -> None:
    bench = Bench()
    count = 4 * PAGE + 123
    ids = bench.accept(*(3_600 - position * 1.5 for position in range(count)))
    assert await bench.queue_reader.load() == count
    assert bench.offered() == ids
    widths = [
        query["order"]["$lte"] - query["order"]["$gt"] for name, query in bench.database.finds if name == MESSAGES
    ]
    assert len(widths) < 40
    assert min(widths) < 3_600 * SECOND, "the whole range would be read again and again"


@virtual_time
async def test_a_backlog_with_a_hole_of_days_is_found_on_both_sides() -> None:
    bench = Bench()
    day = 86_400
    ids = bench.accept(*(3 * day - position * 0.01 for position in range(PAGE)), *(1 - p * 0.001 for p in range(PAGE)))
    assert await bench.queue_reader.load() == 2 * PAGE
    assert bench.offered() == ids


@virtual_time
async def test_full_lanes_leave_the_rest_in_the_database_until_there_is_room() -> None:
    bench = Bench()
    count = 20 * PAGE
    ids = bench.accept(*(3_600 - position * 0.1 for position in range(count)))
    loaded = await bench.queue_reader.load()
    assert 7_500 <= loaded < 7_500 + PAGE
    assert await bench.queue_reader.load() == 0
    bench.send(ids[:5_000])
    sent = set(ids[:5_000])
    for row in bench.database.rows[MESSAGES].values():
        row["status"] = "sent" if row["_id"] in sent else row["status"]
    await bench.queue_reader.load()
    assert bench.offered() == ids[: len(bench.offered())]
    assert len(bench.offered()) == count


@virtual_time
async def test_messages_of_another_priority_or_number_are_left_to_their_own_reader() -> None:
    bench = Bench()
    bench.database.put(
        MESSAGES,
        message_document(outgoing(1, order=bench.now - SECOND, priority=Priority.BULK)),
        message_document(outgoing(2, order=bench.now - SECOND, number="106540352242923")),
        message_document(outgoing(3, order=bench.now - SECOND, status=MessageStatus.SCHEDULED)),
    )
    assert await bench.queue_reader.load() == 0


class Meddling(MemoryDatabase):
    """Somebody else works while the lane_loader reads contacts."""

    bench: "Bench | None" = None
    what: str = ""

    async def find(self, name: str, query: dict, **more: object) -> list:  # type: ignore[type-arg]
        found = await super().find(name, query, **more)  # type: ignore[arg-type]
        if name == "conversations" and self.bench is not None:
            bench, self.bench = self.bench, None
            (message,) = [message async for message in _queued(bench)]
            if self.what == "cancel":
                bench.message_state.track(message).status = MessageStatus.CANCELED
            else:
                await bench.lane_loader.admit([message])
        return found


async def _queued(bench: Bench):  # type: ignore[no-untyped-def]
    found = await bench.repository.queued(NUMBER, Priority.TRANSACTIONAL, above=0, up_to=2**62, limit=10)
    for message in found:
        yield message


@pytest.mark.parametrize("what", ["cancel", "admit"])
@virtual_time
async def test_what_others_did_meanwhile_is_respected(what: str) -> None:
    database = Meddling()
    bench = Bench(database=database)
    bench.accept(1)
    database.bench, database.what = bench, what
    await bench.queue_reader.load()
    if what == "cancel":
        assert bench.offered() == []
        assert bench.event_writer.types() == []
    else:
        assert len(bench.offered()) == 1
        assert sorted(bench.event_writer.types()) == ["conversation.opened", "message.queued"]


def conversation(phone: str, *, wrote_hours_ago: float) -> dict[str, object]:
    return {
        "_id": f"cnv_{phone}",
        "number": NUMBER,
        "contact_key": f"wa:{phone}",
        "pair": f"{NUMBER}:wa:{phone}",
        "last_inbound_at": START - timedelta(hours=wrote_hours_ago),
    }


@virtual_time
async def test_a_new_owner_takes_up_what_is_in_doubt_first_and_then_what_is_held() -> None:
    bench = Bench()
    held = MessageStatus.HELD
    bench.database.put("conversations", conversation("16505550001", wrote_hours_ago=30))
    bench.database.put("conversations", conversation("16505550002", wrote_hours_ago=1))
    bench.database.put(
        MESSAGES,
        message_document(outgoing(1, status=held, held_reason="window_closed", to="16505550001", seq=9)),
        message_document(outgoing(2, status=held, held_reason="window_closed", to="16505550002", seq=9)),
        message_document(outgoing(3, status=held, held_reason="platform_131049", due_at=START, seq=9)),
        message_document(outgoing(4, status=held, held_reason="paused", seq=9)),
        message_document(outgoing(5, status=MessageStatus.SENDING, seq=9)),
        message_document(outgoing(6, status=MessageStatus.QUEUED, seq=9)),
    )
    due = Due(NUMBER, repository=bench.repository, lane_loader=bench.lane_loader, clock=bench.clock)
    assert await due.recover() == 1
    # 2: its customer wrote while there was no owner. 3 comes back when its time has come, 6 from the queue.
    assert bench.offered() == ["msg_5", "msg_2", "msg_4"]
    assert bench.dispatcher.parked == [(NUMBER, "wa:16505550001", "msg_1")]
    assert "message.queued" not in bench.event_writer.types()
    assert await due.load() == 1
    assert bench.offered()[-1] == "msg_3"


class Counted:
    """A reader that finds what it is told to find."""

    def __init__(self, *found: int) -> None:
        self.found = list(found)
        self.looks = 0

    async def load(self) -> int:
        self.looks += 1
        return self.found.pop(0) if self.found else 0


async def test_an_empty_bulk_queue_is_looked_at_less_often_where_operations_are_scarce() -> None:
    quick, bulk = Counted(1, 1, 1), Counted(0, 5, 2)
    queue = Queue({Priority.TRANSACTIONAL: [quick], Priority.BULK: [bulk]}, bulk_every=4)  # type: ignore[list-item]
    found = [await queue.load() for _ in range(10)]
    assert quick.looks == 10
    # Empty at the first look, so the next is four later; where something came, the next look follows at once.
    assert found == [1, 1, 1, 0, 5, 2, 0, 0, 0, 0]
    assert bulk.looks == 4


@virtual_time
async def test_only_so_much_is_read_ahead_as_can_leave_soon() -> None:
    bench = Bench(rate_per_s=80.0)
    bench.accept(*(60 - position * 0.01 for position in range(5_000)))
    loaded = await bench.queue_reader.load()
    assert 480 <= loaded < 480 + PAGE
    assert await bench.queue_reader.load() == 0
    bench.send(bench.offered())
    assert await bench.queue_reader.load() >= 480


@virtual_time
async def test_one_recipient_with_thousands_takes_no_place_from_others_and_keeps_his_order() -> None:
    bench = Bench(rate_per_s=80.0)
    many = bench.accept(*(60 - position * 0.001 for position in range(3_000)), recipients=1)
    last, *others = bench.accept(*(30 - position * 0.01 for position in range(100)), first=5_000, recipients=101)
    await bench.queue_reader.load()
    assert bench.offered()[:LANE_CAPACITY] == many[:LANE_CAPACITY]
    assert set(others) <= set(bench.offered())
    assert len(bench.lanes) == LANE_CAPACITY + len(others)
    assert await bench.lane_loader.refill(bench.repository) == 0, "the lane is full"

    got = many[:LANE_CAPACITY]
    while len(got) <= len(many):
        bench.send(got)
        before = len(bench.offered())
        assert await bench.lane_loader.refill(bench.repository)
        got += bench.offered()[before:]
    assert got == [*many, last]
    bench.send(got)
    await bench.lane_loader.refill(bench.repository)
    assert bench.lane_loader.unloaded_count == 0


@virtual_time
async def test_what_comes_after_those_left_behind_waits_behind_them() -> None:
    bench = Bench()
    first = bench.accept(*(60 - position * 0.01 for position in range(LANE_CAPACITY + 8)), recipients=1)
    await bench.queue_reader.load()
    later = bench.accept(1.0, first=5_000, recipients=1)
    await bench.queue_reader.load()
    assert bench.offered() == first[:LANE_CAPACITY]
    bench.send(bench.offered())
    await bench.lane_loader.refill(bench.repository)
    assert bench.offered() == [*first, *later]


@virtual_time
async def test_left_behind_and_canceled_is_not_asked_for_again_and_again() -> None:
    bench = Bench()
    ids = bench.accept(*(60 - position * 0.01 for position in range(LANE_CAPACITY + 8)), recipients=1)
    await bench.queue_reader.load()
    for message_id in ids[LANE_CAPACITY:]:
        bench.database.rows[MESSAGES][message_id]["status"] = "canceled"
    bench.send(bench.offered())
    assert await bench.lane_loader.refill(bench.repository) == 0
    assert bench.lane_loader.unloaded_count == 0


@virtual_time
async def test_lanes_that_stand_still_do_not_keep_others_from_being_read() -> None:
    bench = Bench(rate_per_s=80.0)
    bench.accept(*(60 - position * 0.01 for position in range(500)))
    await bench.queue_reader.load()
    fresh = bench.accept(1.0, first=5_000, recipients=10_000)
    assert await bench.queue_reader.load() == 0
    for key in list(bench.lanes.keys()):
        bench.lanes.set_blocked(key, is_blocked=True)
    await bench.queue_reader.load()
    assert set(fresh) <= set(bench.offered())


@virtual_time
async def test_what_is_new_does_not_overtake_what_is_just_being_fetched() -> None:
    slow = SlowConsents()
    bench = Bench(consents=slow)
    first = bench.accept(*(3_600 - 60 * position for position in range(LANE_CAPACITY + 8)), recipients=1)
    await bench.queue_reader.load()
    bench.send(bench.offered())

    async def accept_and_load() -> None:
        bench.accept(1.0, first=5_000, recipients=1)
        await bench.queue_reader.load()

    slow.meanwhile = accept_and_load
    await bench.lane_loader.refill(bench.repository)
    await bench.lane_loader.refill(bench.repository)
    assert bench.offered() == [*first, "msg_5000"]
    assert bench.lane_loader.unloaded_count == 0


@virtual_time
async def test_after_trouble_what_was_stored_late_is_found_before_what_came_after_it() -> None:
    bench = Bench()
    bench.accept(20, 10)
    await bench.queue_reader.load()
    await bench.queue_reader.load()  # the sweep that is due every few seconds is done
    bench.troubles += 1
    late = bench.accept(12, first=5_000, recipients=1)  # its insert hung, and others were read meanwhile
    after = bench.accept(1, first=6_000, recipients=1)
    await bench.queue_reader.load()
    assert bench.offered()[2:] == [*late, *after]


@virtual_time
async def test_a_box_whose_clock_is_an_hour_ahead_is_heard_within_a_sweep_and_then_at_once() -> None:
    bench = Bench()
    (ahead,) = bench.accept(-3600)
    assert await bench.queue_reader.load() == 0
    bench.clock.advance(31)
    assert await bench.queue_reader.load() == 1
    assert bench.offered() == [ahead]
    (next_,) = bench.accept(-3601, first=10)
    assert await bench.queue_reader.load() == 1
    (ours,) = bench.accept(0, first=20)  # of a host whose clock is right
    assert await bench.queue_reader.load() == 1
    assert bench.offered() == [ahead, next_, ours]


@virtual_time
async def test_what_was_left_behind_under_either_address_of_a_person_goes_in_order() -> None:
    bench = Bench()
    both = ContactRef(NUMBER, wa_id="16505550000", user_id="US.1")
    await bench.lane_loader.admit([outgoing(1, to="US.1", recipient_kind="user_id"), outgoing(2, to="16505550000")])
    bench.conversations.mergers += [bench.merge, bench.lane_loader.merge]
    await bench.conversations.load([both])
    bench.conversations.link(both, START)
    later = [
        outgoing(at, to="US.1", recipient_kind="user_id") if at % 2 else outgoing(at, to="16505550000")
        for at in range(3, 3 + 2 * LANE_CAPACITY)
    ]
    bench.database.put(MESSAGES, *(message_document(message) for message in later))
    await bench.lane_loader.admit(later)
    assert bench.lanes.lane_count() == 1
    assert len(bench.lanes) == LANE_CAPACITY
    assert bench.lane_loader.unloaded_addresses(NUMBER, Priority.TRANSACTIONAL) == {"US.1", "16505550000"}
    (key,) = bench.lanes.keys()
    left = []
    while (head := bench.lanes.head(key)) is not None:
        left.append(head.id)
        bench.lanes.finish(key, head.id)
        tracked = bench.message_state.get(head.id)
        assert tracked is not None
        tracked.status = MessageStatus.SENT
        await bench.lane_loader.refill(bench.repository)
    assert left == [f"msg_{at}" for at in range(1, 3 + 2 * LANE_CAPACITY)]
