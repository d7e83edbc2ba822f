"""A model of a message's life: attempts, refusals, statuses late, twice and out of order, commands, doubt."""

import random
from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.ids import new_id
from services.graph import classify
from services.links import NotSubmitted, SendRefused, Submitted
from services.messages.records import Hold, OnUncertain, Priority
from services.messages.state import MessageState, Tracked
from services.messages.states import MOVES, MessageStatus, may_move, next_status
from services.sending.options import DispatchOptions
from services.sending.outcomes import Outcomes
from services.sending.rate_limiter import RateLimiter, SendLimits
from services.store import Fact, VersionedWrite
from tests.doubles.clock import ManualClock
from tests.doubles.event_check import check_facts
from tests.doubles.event_writer import NUMBER

WAITING = {MessageStatus.QUEUED, MessageStatus.HELD}
AFTER_SENT = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
CODES = [130429, 131056, 131048, 131049, 368, 190, 131000, 131026, 131047, 132001, 100]


class Facts:
    """Keeps facts; nothing is written."""

    def __init__(self) -> None:
        self.all: list[Fact] = []

    def record(self, facts: list[Fact], marks: tuple[VersionedWrite, ...] = ()) -> Any:
        check_facts(facts)
        self.all += facts
        return None


class LifeOfAMessage(RuleBasedStateMachine):
    """Drives the owner's own rules as the dispatcher, the intake and people do."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        random.seed(seed)
        self.clock = ManualClock()
        self.facts = Facts()
        rate_limiter = RateLimiter()
        rate_limiter.set_number(NUMBER, SendLimits(80, 6, 45), hold=None, is_paused=False)
        self.message_state = MessageState(None)  # type: ignore[arg-type]  # nothing is loaded from a database
        self.outcomes = Outcomes(
            message_state=self.message_state,
            recorder=self.facts,
            rate_limiter=rate_limiter,
            clock=self.clock,
            options=DispatchOptions(concurrency=1, evidence_wait_s=1, on_uncertain=OnUncertain.HOLD),
        )
        self.message = Tracked(
            id=new_id("msg"),
            phone_number_id=NUMBER,
            to="16505550001",
            conversation_id="cnv_x",
            status=MessageStatus.QUEUED,
            wamid=None,
            attempt_count=0,
            metadata=None,
            callback_data=None,
            priority=Priority.TRANSACTIONAL,
            contact_key="wa:16505550001",
        )
        self.seen = [MessageStatus.QUEUED]

    def note(self) -> None:
        self.seen.append(self.message.status)

    @precondition(lambda self: self.message.status in WAITING)
    @rule()
    def it_is_sent(self) -> None:
        self.outcomes.sending(self.message, is_fallback=False, pair_tat=None)
        self.note()

    @precondition(lambda self: self.message.status is MessageStatus.SENDING)
    @rule()
    def whatsapp_takes_it(self) -> None:
        self.outcomes.submitted(self.message, Submitted(f"wamid.{self.message.attempt_count}"))
        self.note()

    @precondition(lambda self: self.message.status is MessageStatus.SENDING)
    @rule(code=st.sampled_from(CODES))
    def whatsapp_refuses_it(self, code: int) -> None:
        self.outcomes.refused(self.message, SendRefused(classify(code), title="no"), self.message.contact_key)
        self.note()

    @precondition(lambda self: self.message.status is MessageStatus.SENDING)
    @rule()
    def it_does_not_leave(self) -> None:
        self.outcomes.not_submitted(self.message, NotSubmitted())
        self.note()

    @precondition(lambda self: self.message.status is MessageStatus.SENDING)
    @rule(policy=st.sampled_from(OnUncertain))
    def no_evidence_comes(self, policy: OnUncertain) -> None:
        self.outcomes.without_evidence(self.message, policy)
        self.note()

    @precondition(lambda self: self.message.status in WAITING)
    @rule(seconds=st.floats(1, 1000))
    def it_is_held(self, seconds: float) -> None:
        self.outcomes.held(self.message, Hold("pair_rate", None), due_at=None)
        self.note()

    @rule(word=st.sampled_from(["sent", "delivered", "read", "played", "failed", "warning", ""]))
    def a_status_comes(self, word: str) -> None:
        before = self.message.status
        after = next_status(before, word)
        if after is None:
            return
        assert may_move(before, after)
        if after is MessageStatus.FAILED:
            self.outcomes.failed_later(self.message, classify(131049), {"code": 131049}, self.message.contact_key)
        else:
            self.message.status = after
        self.note()

    @rule(seconds=st.floats(0.1, 4000))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        seen = getattr(self, "seen", [])
        for before, after in pairwise(seen):
            assert before is after or after in MOVES[before], f"{before} -> {after}"

    @invariant()
    def what_was_delivered_never_goes_again(self) -> None:
        seen = getattr(self, "seen", [])
        for name in (MessageStatus.DELIVERED, MessageStatus.READ):
            if name in seen:
                later = seen[seen.index(name) :]
                assert not {MessageStatus.SENDING, MessageStatus.QUEUED, MessageStatus.HELD} & set(later)

    @invariant()
    def ticks_only_grow(self) -> None:
        seen = [status for status in getattr(self, "seen", []) if status in AFTER_SENT]
        if MessageStatus.DELIVERED in seen:
            ranks = [AFTER_SENT.index(status) for status in seen[seen.index(MessageStatus.DELIVERED) :]]
            assert ranks == sorted(ranks)

    @invariant()
    def every_move_was_told(self) -> None:
        if not hasattr(self, "facts"):
            return
        for fact in self.facts.all:
            if fact.type == "message.held":
                assert fact.data["reason"], "a held message says why"
            if fact.type == "message.failed":
                assert fact.data["error"]["next_step"] or fact.data["error"]["title"]


LifeOfAMessage.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestLifeOfAMessage = LifeOfAMessage.TestCase
