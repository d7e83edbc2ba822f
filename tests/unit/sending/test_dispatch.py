"""The head of a lane goes to the link once; what became of it is recorded, and doubt is resolved by evidence."""

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

import pytest

from services.conversations import Standing
from services.graph import classify
from services.links import NotSubmitted, OutcomeUnknown, OutgoingMessage, SendRefused, Submitted
from services.messages import Message, MessageState, MessageStatus, OnUncertain, Tracked
from services.messages.records import Hold
from services.sending import (
    Dispatcher,
    DispatchOptions,
    Lanes,
    LinkAnswers,
    RateLimiter,
    SendLimits,
    SendPolicy,
)
from services.store import Fenced
from tests.doubles.clock import START, LoopClock, virtual_time
from tests.doubles.consents import NoOptOuts
from tests.doubles.event_writer import NUMBER, MemoryEventWriter
from tests.doubles.link import ScriptedLink
from tests.doubles.messages import PHONE, outgoing

S = MessageStatus
UNCHOSEN = DispatchOptions(concurrency=8, evidence_wait_s=20, on_uncertain=OnUncertain.HOLD)


def refusal(code: int) -> SendRefused:
    return SendRefused(classify(code), title=f"error {code}")


@dataclass
class Bench:
    """A dispatcher of its own, with everything around it in the test's hands."""

    options: DispatchOptions = UNCHOSEN
    link: ScriptedLink = field(default_factory=ScriptedLink)
    event_writer: MemoryEventWriter = field(default_factory=MemoryEventWriter)
    lanes: Lanes = field(default_factory=Lanes)
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    is_owner: bool = True
    is_window_open: bool = True
    standings: dict[str, str] = field(default_factory=dict)
    """Conversations by the key of the contact; everybody else has one and the same."""

    def __post_init__(self) -> None:
        clock = LoopClock()
        self.rate_limiter.set_number(
            NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45), hold=None, is_paused=False
        )
        self.message_state = MessageState(None)  # type: ignore[arg-type]  # nothing is read here
        last = clock.now() if self.is_window_open else None
        nobody = Standing("cnv_1", last_inbound_at=last)
        self.known = {key: Standing(id_, last_inbound_at=last, key=key) for key, id_ in self.standings.items()}
        self.dispatcher = Dispatcher(
            lanes=self.lanes,
            message_state=self.message_state,
            recorder=self.event_writer,
            policy=SendPolicy(
                self.rate_limiter,
                standing_of=lambda _number, key: self.known.get(key, nobody),
                consents=NoOptOuts(),
                is_marketing=lambda _message: False,
            ),
            answers=LinkAnswers(),
            link_of=lambda _number: self.link,
            is_owner=lambda: self.is_owner,
            clock=clock,
            options=self.options,
        )
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        """The intake at work: WhatsApp says something every second, about others."""
        while True:
            await asyncio.sleep(1)
            self.dispatcher.read_notifications(count=1)
            self.dispatcher.read_notifications(count=0)

    def offer(self, *messages: Message) -> list[Tracked]:
        tracked = [self.message_state.track(message) for message in messages]
        for message in messages:
            self.dispatcher.offer(message)
        return tracked

    def merge(self, absorbed: str, *, into: str) -> None:
        """The conversations learned that both are one."""
        gone, kept = self.known[absorbed], self.known[into]
        self.dispatcher.merge(NUMBER, into=kept, absorbed=gone)
        self.known[absorbed] = kept

    async def until_idle(self, within_s: float = 3_600) -> None:
        async with asyncio.timeout(within_s):
            while len(self.lanes):  # noqa: ASYNC110 - in virtual time a poll costs nothing
                await asyncio.sleep(0.05)

    def sent(self) -> list[str]:
        return [order.id for order in self.link.sent]

    def tell(self, tracked: Tracked, status: MessageStatus) -> None:
        """Evidence comes in, as the intake brings it."""
        tracked.status = status
        self.dispatcher.settled(tracked.id)


@virtual_time
async def test_a_message_is_recorded_before_it_leaves_and_when_it_has_left() -> None:
    bench = Bench(event_writer=MemoryEventWriter(is_held_back=True))
    (tracked,) = bench.offer(outgoing(1))
    await asyncio.sleep(1)
    assert bench.event_writer.types() == ["message.sending"]
    assert bench.link.asked == []
    bench.event_writer.let_go()
    await asyncio.sleep(1)
    assert bench.event_writer.types() == ["message.sending", "message.sent"]
    assert tracked.status is S.SENT
    assert tracked.wamid == "wamid.msg_1"
    assert bench.message_state.by_wamid("wamid.msg_1") is tracked


@virtual_time
async def test_messages_to_one_recipient_leave_in_order_and_one_at_a_time() -> None:
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()))
    bench.offer(outgoing(2), outgoing(1), outgoing(3))
    await asyncio.sleep(1)
    assert len(bench.link.asked) == 1
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    # 2 was the head before 1 came; nothing goes before a head.
    assert bench.sent() == ["msg_2", "msg_1", "msg_3"]


@virtual_time
async def test_recipients_do_not_wait_for_each_other() -> None:
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()))
    bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"), outgoing(3, to="16505550001"))
    await asyncio.sleep(1)
    assert sorted(order.id for order in bench.link.asked) == ["msg_1", "msg_2"]


@virtual_time
async def test_no_more_go_at_a_time_than_allowed() -> None:
    bench = Bench(options=replace(UNCHOSEN, concurrency=3), link=ScriptedLink(gate=asyncio.Event()))
    bench.offer(*(outgoing(position, to=f"1650555000{position}") for position in range(9)))
    await asyncio.sleep(1)
    assert len(bench.link.asked) == 3
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    assert len(bench.link.sent) == 9


@virtual_time
async def test_a_final_refusal_fails_the_message_and_the_next_one_goes() -> None:
    bench = Bench(link=ScriptedLink(script=deque([refusal(131026)])))
    first, second = bench.offer(outgoing(1), outgoing(2))
    await bench.until_idle()
    assert (first.status, second.status) == (S.FAILED, S.SENT)
    failed = next(fact for fact in bench.event_writer.facts if fact.type == "message.failed")
    assert failed.data["error"]["code"] == 131026
    assert failed.data["error"]["next_step"]


@virtual_time
async def test_a_passing_refusal_is_tried_again_before_anything_else_to_this_recipient() -> None:
    bench = Bench(link=ScriptedLink(script=deque([refusal(131000), refusal(131000)])))
    bench.offer(outgoing(1), outgoing(2))
    await bench.until_idle()
    assert [order.id for order in bench.link.asked] == ["msg_1", "msg_1", "msg_1", "msg_2"]
    assert bench.event_writer.types("msg_1") == ["message.sending", "message.retried"] * 2 + [
        "message.sending",
        "message.sent",
    ]
    retried = [fact for fact in bench.event_writer.facts if fact.type == "message.retried"]
    assert all(fact.data["retry_at"] > fact.at for fact in retried)


@virtual_time
async def test_passing_refusals_without_end_are_a_failure() -> None:
    bench = Bench(link=ScriptedLink(script=deque([refusal(131000)] * 50)))
    (tracked,) = bench.offer(outgoing(1))
    await bench.until_idle(within_s=48 * 3_600)
    assert tracked.status is S.FAILED
    assert len(bench.link.asked) == UNCHOSEN.max_refusals


@virtual_time
async def test_what_did_not_leave_goes_again_as_often_as_it_takes_and_ever_more_slowly() -> None:
    bench = Bench(link=ScriptedLink(script=deque([NotSubmitted()] * 20)))
    (tracked,) = bench.offer(outgoing(1))
    began = asyncio.get_running_loop().time()
    await bench.until_idle()
    assert tracked.status is S.SENT
    assert bench.sent() == ["msg_1"]
    took_s = asyncio.get_running_loop().time() - began
    assert took_s < 20 * UNCHOSEN.retry_max_s * 1.3
    assert took_s > 10 * UNCHOSEN.retry_max_s


@virtual_time
async def test_evidence_settles_a_message_in_doubt_without_a_second_send() -> None:
    lost = OutcomeUnknown()
    bench = Bench(link=ScriptedLink(script=deque([lost]), arrives=[lost]))
    (tracked, _) = bench.offer(outgoing(1), outgoing(2))
    await asyncio.sleep(5)
    assert tracked.status is S.SENDING
    assert bench.dispatcher.in_doubt_count == 1
    assert len(bench.link.asked) == 1, "the next one waits: it must not overtake"
    bench.tell(tracked, S.SENT)
    await asyncio.sleep(0.1)
    assert bench.sent() == ["msg_1", "msg_2"]
    assert bench.dispatcher.in_doubt_count == 0


@virtual_time
async def test_without_evidence_it_is_uncertain_and_is_not_sent_again() -> None:
    bench = Bench(link=ScriptedLink(script=deque([OutcomeUnknown()])))
    (tracked, second) = bench.offer(outgoing(1), outgoing(2))
    await bench.until_idle()
    assert (tracked.status, second.status) == (S.UNCERTAIN, S.SENT)
    assert [order.id for order in bench.link.asked] == ["msg_1", "msg_2"]
    assert bench.event_writer.types("msg_1") == ["message.sending", "message.uncertain"]


@pytest.mark.parametrize("is_chosen_by", ["message", "settings"])
@virtual_time
async def test_without_evidence_it_goes_again_where_that_was_asked_for(is_chosen_by: str) -> None:
    is_own = is_chosen_by == "message"
    bench = Bench(
        options=replace(UNCHOSEN, on_uncertain=OnUncertain.HOLD if is_own else OnUncertain.RESEND),
        link=ScriptedLink(script=deque([OutcomeUnknown()])),
    )
    (tracked,) = bench.offer(outgoing(1, on_uncertain=OnUncertain.RESEND if is_own else None))
    await bench.until_idle()
    assert tracked.status is S.SENT
    assert tracked.attempt_count == 2
    assert bench.event_writer.types() == ["message.sending", "message.retried", "message.sending", "message.sent"]


@virtual_time
async def test_a_message_found_in_sending_waits_for_evidence_before_anything_else() -> None:
    bench = Bench()
    (tracked, _) = bench.offer(outgoing(1, status=S.SENDING, attempt_count=1), outgoing(2))
    await asyncio.sleep(UNCHOSEN.evidence_wait_s - 1)
    assert bench.link.asked == []
    bench.tell(tracked, S.DELIVERED)
    await bench.until_idle()
    assert bench.sent() == ["msg_2"]
    assert bench.event_writer.types("msg_1") == []


@virtual_time
async def test_a_status_that_is_faster_than_the_answer_is_not_undone_by_it() -> None:
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()))
    (tracked,) = bench.offer(outgoing(1))
    await asyncio.sleep(1)
    bench.tell(tracked, S.DELIVERED)
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    assert tracked.status is S.DELIVERED
    assert bench.event_writer.types() == ["message.sending"]
    assert bench.message_state.by_wamid("wamid.msg_1") is tracked


@pytest.mark.parametrize(
    "answer", [NotSubmitted(), refusal(131000), refusal(131026), refusal(131056), refusal(130429)], ids=str
)
@virtual_time
async def test_a_bad_answer_to_a_second_try_does_not_undo_the_proof_of_the_first(
    answer: NotSubmitted | SendRefused,
) -> None:
    bench = Bench(link=ScriptedLink(script=deque([OutcomeUnknown(), answer])))
    (tracked,) = bench.offer(outgoing(1, on_uncertain=OnUncertain.RESEND))
    await asyncio.sleep(UNCHOSEN.evidence_wait_s - 1)
    bench.link.gate = asyncio.Event()
    await asyncio.sleep(5)
    assert len(bench.link.asked) == 2
    bench.tell(tracked, S.SENT)
    bench.link.gate.set()
    await bench.until_idle()
    assert tracked.status is S.SENT
    assert len(bench.link.asked) == 2
    assert bench.event_writer.types()[-1] == "message.sending"


@virtual_time
async def test_what_has_expired_is_not_sent() -> None:
    bench = Bench()
    late = outgoing(1, expires_at=LoopClock().now() - timedelta(seconds=1))
    (tracked, second) = bench.offer(late, outgoing(2))
    await bench.until_idle()
    assert (tracked.status, second.status) == (S.EXPIRED, S.SENT)
    assert bench.sent() == ["msg_2"]
    assert bench.event_writer.types("msg_1") == ["message.expired"]


@virtual_time
async def test_what_expires_while_its_number_waits_is_not_sent_later() -> None:
    bench = Bench()
    bench.rate_limiter.set_paused(NUMBER, is_paused=True)
    (tracked,) = bench.offer(outgoing(1, expires_at=LoopClock().now() + timedelta(seconds=10)))
    await asyncio.sleep(11)
    assert tracked.status is S.EXPIRED


@virtual_time
async def test_what_expires_while_it_waits_for_its_next_try_is_not_kept_until_then() -> None:
    bench = Bench(
        options=replace(UNCHOSEN, retry_s=60, retry_max_s=60), link=ScriptedLink(script=deque([NotSubmitted()]))
    )
    (tracked, _) = bench.offer(outgoing(1, expires_at=LoopClock().now() + timedelta(seconds=10)), outgoing(2))
    await asyncio.sleep(11)
    assert tracked.status is S.EXPIRED
    assert bench.sent() == ["msg_2"]


@virtual_time
async def test_a_stale_owner_sends_nothing() -> None:
    bench = Bench(is_owner=False)
    bench.offer(outgoing(1))
    with pytest.raises(Fenced):
        await bench.dispatcher.failure
    assert bench.link.asked == []
    await bench.dispatcher.stop(within_s=0)


@virtual_time
async def test_a_lease_that_runs_out_while_the_log_is_slow_stops_the_send() -> None:
    bench = Bench(event_writer=MemoryEventWriter(is_held_back=True))
    bench.offer(outgoing(1))
    await asyncio.sleep(1)
    bench.is_owner = False
    bench.event_writer.let_go()
    with pytest.raises(Fenced):
        await bench.dispatcher.failure
    assert bench.link.asked == []
    await bench.dispatcher.stop(within_s=0)


@virtual_time
async def test_a_stop_lets_what_is_under_way_end_and_starts_nothing() -> None:
    bench = Bench(options=replace(UNCHOSEN, concurrency=1), link=ScriptedLink(gate=asyncio.Event()))
    under_way, waiting = bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"))
    await asyncio.sleep(1)
    stopping = asyncio.create_task(bench.dispatcher.stop(within_s=5))
    await asyncio.sleep(1)
    assert bench.link.gate is not None
    bench.link.gate.set()
    await stopping
    assert (under_way.status, waiting.status) == (S.SENT, S.QUEUED)
    assert bench.sent() == ["msg_1"]


@virtual_time
async def test_a_stop_does_not_wait_for_a_send_that_hangs() -> None:
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()))
    (tracked,) = bench.offer(outgoing(1))
    await asyncio.sleep(1)
    began = asyncio.get_running_loop().time()
    await bench.dispatcher.stop(within_s=5)
    assert asyncio.get_running_loop().time() - began < 7
    assert tracked.status is S.SENDING, "the next owner must find it in doubt"


@virtual_time
async def test_a_canceled_message_is_passed_over_at_once_whether_it_is_the_head_or_not() -> None:
    bench = Bench(options=replace(UNCHOSEN, retry_s=60), link=ScriptedLink(script=deque([NotSubmitted()])))
    head, later, last = bench.offer(outgoing(1), outgoing(2), outgoing(3))
    await asyncio.sleep(1)
    for tracked in (later, head):
        tracked.status = S.CANCELED
        bench.dispatcher.drop(tracked)
    await asyncio.sleep(1)
    assert bench.sent() == ["msg_3"]
    assert last.status is S.SENT


@virtual_time
async def test_a_message_that_is_canceled_while_it_waits_for_its_turn_is_not_sent() -> None:
    bench = Bench(options=replace(UNCHOSEN, concurrency=1), link=ScriptedLink(gate=asyncio.Event()))
    _, waiting = bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"))
    await asyncio.sleep(1)
    waiting.status = S.CANCELED
    bench.dispatcher.drop(waiting)
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    assert bench.sent() == ["msg_1"]
    assert bench.event_writer.types("msg_2") == []


@pytest.mark.parametrize("status", [S.CANCELED, S.SENT])
@virtual_time
async def test_a_message_that_is_settled_while_it_waits_for_the_numbers_rate_is_not_sent(
    status: MessageStatus,
) -> None:
    bench = Bench()
    bench.rate_limiter.set_number(
        NUMBER, SendLimits(per_s=1, pair_period_s=6, pair_burst=45), hold=None, is_paused=False
    )
    _, waiting = bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"))
    await asyncio.sleep(0.5)
    assert bench.sent() == ["msg_1"]
    waiting.status = status
    bench.dispatcher.drop(waiting)
    await bench.until_idle()
    assert bench.sent() == ["msg_1"]
    assert waiting.status is status


@virtual_time
async def test_a_stop_while_a_message_waits_for_the_numbers_rate_leaves_it_queued() -> None:
    bench = Bench()
    bench.rate_limiter.set_number(
        NUMBER, SendLimits(per_s=1, pair_period_s=6, pair_burst=45), hold=None, is_paused=False
    )
    _, waiting = bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"))
    await asyncio.sleep(0.5)
    await bench.dispatcher.stop(within_s=5)
    assert waiting.status is S.QUEUED
    assert bench.sent() == ["msg_1"]


@virtual_time
async def test_a_hold_that_is_lifted_lets_the_lane_go_at_once() -> None:
    bench = Bench()
    bench.rate_limiter.hold_number(NUMBER, Hold("platform_190", None))
    (tracked,) = bench.offer(outgoing(1))
    await asyncio.sleep(30)
    assert tracked.status is S.HELD
    assert bench.event_writer.types() == ["message.held"], "told once, not at every look"
    bench.rate_limiter.release_number(NUMBER)
    bench.dispatcher.nudge()
    await asyncio.sleep(0.1)
    assert bench.sent() == ["msg_1"]


@virtual_time
async def test_a_message_that_waits_for_its_pair_tells_it_once_however_often_its_lane_looks() -> None:
    loop, looks = asyncio.get_running_loop(), count()
    # Wall clock and steady clock are read one after the other: never the same few microseconds apart.
    bench = Bench(rate_limiter=RateLimiter(lambda: loop.time() + 1e-6 * (next(looks) % 7)))
    bench.rate_limiter.set_number(
        NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=1), hold=None, is_paused=False
    )
    bench.offer(outgoing(1), outgoing(2), outgoing(3))
    for _ in range(70):
        await asyncio.sleep(0.07)
        bench.dispatcher.nudge()  # a doubt of somebody else is settled
    assert bench.sent() == ["msg_1"]
    held = [fact for fact in bench.event_writer.facts if fact.type == "message.held"]
    assert [fact.data["message_id"] for fact in held] == ["msg_2"]
    await asyncio.sleep(10)
    assert bench.sent() == ["msg_1", "msg_2", "msg_3"]
    assert bench.event_writer.types().count("message.held") == 2


class Faulty(ScriptedLink):
    """A link with a bug."""

    async def send(self, order: OutgoingMessage) -> Submitted:
        self.asked.append(order)
        if order.id == "msg_1":
            raise KeyError("messages")
        return await super().send(order)


@virtual_time
async def test_a_bug_in_the_link_leaves_its_message_in_doubt_and_stops_nobody_else() -> None:
    """Else the next owner meets the same message, and the next: nobody sends any more."""
    bench = Bench(link=Faulty())
    poison, fine = bench.offer(outgoing(1, to="16505550001"), outgoing(2, to="16505550002"))
    await bench.until_idle()
    assert not bench.dispatcher.failure.done()
    assert (poison.status, fine.status) == (S.UNCERTAIN, S.SENT)


@virtual_time
async def test_a_message_is_offered_twice_and_sent_once() -> None:
    bench = Bench()
    message = outgoing(1)
    bench.offer(message, message)
    await bench.until_idle()
    bench.offer(message)
    await bench.until_idle()
    assert bench.sent() == ["msg_1"]


@virtual_time
async def test_a_message_outside_the_window_says_when_its_contact_was_counted() -> None:
    bench = Bench(is_window_open=False)
    template = {"type": "template", "template": {"name": "order", "language": {"code": "es"}}}
    bench.rate_limiter.set_limits(NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45, daily_recipients=1))
    began = LoopClock().now()
    bench.offer(replace(outgoing(1, payload=template), kind="template"))
    await bench.until_idle()
    (sending,) = [fact for fact in bench.event_writer.facts if fact.type == "message.sending"]
    assert abs(sending.data["initiated_at"] - began) < timedelta(seconds=2)

    # The next owner reads it from the conversation: the day goes on with its count.
    successor = RateLimiter()
    successor.set_number(
        NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45, daily_recipients=1), hold=None, is_paused=False
    )
    assert successor.daily_hold(NUMBER, "wa:other", began) is None
    counted = sending.data["initiated_at"]
    successor.remember_initiated(NUMBER, [(f"wa:{PHONE}", counted.timestamp())])
    assert successor.daily_hold(NUMBER, "wa:other", began) == Hold("daily_recipients", counted + timedelta(days=1))
    assert successor.daily_hold(NUMBER, f"wa:{PHONE}", began) is None


@virtual_time
async def test_inside_the_window_nobody_is_counted() -> None:
    bench = Bench()
    bench.rate_limiter.set_limits(NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45, daily_recipients=1))
    bench.offer(outgoing(1))
    await bench.until_idle()
    assert [fact.data.get("initiated_at") for fact in bench.event_writer.facts] == [None, None]


def test_who_was_counted_yesterday_is_counted_again_today() -> None:
    rate_limiter, now = RateLimiter(), START
    rate_limiter.set_number(
        NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45, daily_recipients=1), hold=None, is_paused=False
    )
    for day in range(3):
        at = now + timedelta(days=day, hours=day)
        assert rate_limiter.daily_hold(NUMBER, "wa:ana", at) is None
        rate_limiter.take(NUMBER, "wa:ana", at.timestamp(), is_initiation=True)
        assert rate_limiter.initiated_at(NUMBER, "wa:ana") == at.timestamp()
        assert rate_limiter.daily_hold(NUMBER, "wa:ben", at) is not None


def test_buckets_do_not_notice_that_the_clock_was_set() -> None:
    monotonic = 1000.0
    rate_limiter, wall = RateLimiter(lambda: monotonic), START
    pace = SendLimits(per_s=1, pair_period_s=6, pair_burst=1)
    rate_limiter.set_number(NUMBER, pace, hold=None, is_paused=False)
    assert rate_limiter.take(NUMBER, "wa:ana", wall.timestamp(), is_initiation=False) == 0
    for step in (timedelta(hours=-1), timedelta(hours=2), timedelta(seconds=-10)):
        wall += step
        hold = rate_limiter.pair_hold(NUMBER, "wa:ana", wall)
        assert hold is not None
        assert hold.until == wall + timedelta(seconds=6)
        assert rate_limiter.pair_tat(NUMBER, "wa:ana") == wall.timestamp() + 6
        assert rate_limiter.take(NUMBER, "wa:ben", wall.timestamp(), is_initiation=False) <= 3
    monotonic += 6
    assert rate_limiter.pair_hold(NUMBER, "wa:ana", wall) is None


@virtual_time
async def test_two_contacts_that_turn_out_to_be_one_share_a_lane_and_keep_their_order() -> None:
    """What is on its way stays on its way; the rest of both goes in the order of acceptance, one at a time."""
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()), standings={"wa:1": "cnv_1", "user:U": "cnv_2"})
    to_user = {"to": "U", "recipient_kind": "user_id"}
    bench.offer(outgoing(1, **to_user), outgoing(2, to="1"), outgoing(3, **to_user), outgoing(4, to="1"))
    bench.offer(outgoing(5, **to_user), outgoing(6, to="1"))
    await asyncio.sleep(1)
    assert sorted(order.id for order in bench.link.asked) == ["msg_1", "msg_2"]
    bench.merge("user:U", into="wa:1")
    bench.offer(outgoing(7, **to_user))
    await asyncio.sleep(1)
    assert len(bench.link.asked) == 2
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    assert bench.sent()[2:] == ["msg_3", "msg_4", "msg_5", "msg_6", "msg_7"]
    assert sorted(bench.sent()[:2]) == ["msg_1", "msg_2"]
    assert {bench.message_state.get(f"msg_{position}").conversation_id for position in range(1, 7)} <= {"cnv_1", None}  # type: ignore[union-attr]


@virtual_time
async def test_a_head_that_waits_goes_to_the_lane_of_both_and_leaves_once() -> None:
    bench = Bench(standings={"wa:1": "cnv_1", "user:U": "cnv_2"})
    bench.rate_limiter.hold_pair(NUMBER, "user:U", Hold("platform_131056", START + timedelta(seconds=30)))
    bench.offer(outgoing(1, to="U", recipient_kind="user_id"), outgoing(2, to="U", recipient_kind="user_id"))
    await asyncio.sleep(1)
    assert bench.sent() == []
    bench.merge("user:U", into="wa:1")
    bench.offer(outgoing(3, to="1"))
    await asyncio.sleep(10)
    assert bench.sent() == [], "the pair rate is one, too"
    await bench.until_idle()
    assert bench.sent() == ["msg_1", "msg_2", "msg_3"]


@virtual_time
async def test_what_waits_for_a_customer_to_write_comes_back_whichever_address_they_write_from() -> None:
    bench = Bench(standings={"wa:1": "cnv_1", "user:U": "cnv_2"})
    bench.dispatcher.park(NUMBER, "user:U", "msg_1")
    bench.dispatcher.park(NUMBER, "wa:1", "msg_2")
    bench.merge("user:U", into="wa:1")
    bench.dispatcher.customer_wrote(NUMBER, "wa:1")
    assert bench.dispatcher.take_released() == ["msg_1", "msg_2"]


@virtual_time
async def test_addresses_that_an_answer_names_together_are_given_once() -> None:
    bench = Bench(link=ScriptedLink(names={"525500000001": "5215500000001"}))
    bench.offer(outgoing(1, to="525500000001"))
    await bench.until_idle()
    assert bench.dispatcher.has_seen
    (seen,) = bench.dispatcher.take_seen()
    assert seen.keys == ("wa:5215500000001", "wa:525500000001")
    assert bench.dispatcher.take_seen() == []


@virtual_time
async def test_what_is_on_its_way_under_one_address_is_waited_for_under_the_other() -> None:
    bench = Bench(link=ScriptedLink(gate=asyncio.Event()), standings={"wa:1": "cnv_1", "user:U": "cnv_2"})
    bench.offer(*(outgoing(at, to="U", recipient_kind="user_id") for at in (1, 2)))
    await asyncio.sleep(1)
    bench.merge("user:U", into="wa:1")
    bench.offer(outgoing(3, to="1"))
    await asyncio.sleep(5)
    assert [order.id for order in bench.link.asked] == ["msg_1"]
    assert bench.link.gate is not None
    bench.link.gate.set()
    await bench.until_idle()
    assert bench.sent() == ["msg_1", "msg_2", "msg_3"]
