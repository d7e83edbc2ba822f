"""Outcomes of attempts: moves the message to its next state and records a fact.

Process: whatsapp.
"""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from config.clock import Clock
from services.graph import CodeRule, ErrorClass, HoldScope
from services.links import NotSubmitted, SendRefused, Submitted
from services.messages import (
    Hold,
    MessageState,
    MessageStatus,
    OnUncertain,
    Tracked,
    error_data,
    may_move,
    message_fact,
)
from services.sending.options import DispatchOptions
from services.sending.rate_limiter import RateLimiter
from services.sending.send_policy import Refuse
from services.store import Fact, Recorded, Recorder

PARK_AFTER_S = 120.0
"""If the platform holds a single message for longer, its lane goes on without it."""

BORROWED_WORTH_KEEPING_S = 60.0

UNNOTICED_S = 1.0
"""A shorter wait gets no event."""


class Outcomes:
    """Turns outcomes into moves. Each move is checked against the table of allowed moves."""

    def __init__(
        self,
        *,
        message_state: MessageState,
        recorder: Recorder,
        rate_limiter: RateLimiter,
        clock: Clock,
        options: DispatchOptions,
    ) -> None:
        self._message_state = message_state
        self._recorder = recorder
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._options = options

    def sending(
        self, tracked: Tracked, *, is_fallback: bool, pair_tat: float | None, initiated_at: float | None = None
    ) -> Recorded:
        """The message is about to leave: await ``durable`` of the result before it does.

        ``pair_tat``: see ``RateLimiter.pair_tat``; ``initiated_at``: when the daily limit counted the contact. Both in
        seconds since 1970.
        """
        tracked.attempt_count += 1
        data: dict[str, Any] = {"attempt": tracked.attempt_count}
        if is_fallback:
            data["fallback_template"] = True
        # A restart may lose a few messages of a pair's bucket, but not one that is filling up.
        if pair_tat is not None and pair_tat - self._clock.now().timestamp() > BORROWED_WORTH_KEEPING_S:
            data["pair_tat"] = pair_tat
        if initiated_at is not None:
            data["initiated_at"] = datetime.fromtimestamp(initiated_at, UTC)
        return self._move(tracked, MessageStatus.SENDING, "message.sending", data)

    def submitted(self, tracked: Tracked, submitted: Submitted) -> None:
        """WhatsApp accepted it. If a status was faster than the answer, the message keeps its later state."""
        self._message_state.learn_wamid(tracked, submitted.wamid)
        if tracked.status is MessageStatus.SENDING:
            self._move(tracked, MessageStatus.SENT, "message.sent", {"wamid": submitted.wamid})

    def expired(self, tracked: Tracked) -> None:
        """Its ``expires_at`` passed before it could leave."""
        self._move(tracked, MessageStatus.EXPIRED, "message.expired", {"reason": "expires_at has passed"})

    def refused_by_policy(self, tracked: Tracked, refusal: Refuse) -> None:
        """The send policy refuses it for good."""
        error = error_data(refusal.graph_code, refusal.title, None, refusal.next_step)
        self._move(tracked, MessageStatus.FAILED, "message.failed", {"error": {**error, "reason": refusal.code}})

    def held(
        self, tracked: Tracked, hold: Hold, *, due_at: datetime | None, error: Mapping[str, Any] | None = None
    ) -> None:
        """It is held, for a reason and, where known, until a time. ``due_at``: when it comes back to its lane."""
        data: dict[str, Any] = {"reason": hold.reason, "held_until": hold.until, "due_at": due_at}
        if error is not None:
            data["error"] = dict(error)
        self._move(tracked, MessageStatus.HELD, "message.held", data)
        tracked.held_reason, tracked.held_until = hold.reason, hold.until

    def waits(self, tracked: Tracked, hold: Hold) -> None:
        """It waits at the head of its lane: recorded once, however often the lane checks."""
        is_long = hold.until is None or (hold.until - self._clock.now()).total_seconds() > UNNOTICED_S
        if is_long and not _is_recorded(tracked, hold):
            self.held(tracked, hold, due_at=None)

    def not_submitted(self, tracked: Tracked, error: NotSubmitted) -> None:
        """It provably did not leave: retry after a back-off, without a limit of attempts."""
        if tracked.status is not MessageStatus.SENDING:
            return  # a status of an earlier attempt came meanwhile
        options = self._options
        wait_s = min(options.retry_max_s, options.retry_s * 2 ** min(tracked.attempt_count - 1, 16))
        self._retry(tracked, error.code, wait_s)

    def refused(self, tracked: Tracked, refusal: SendRefused, contact: str) -> bool:
        """The platform refused it; the table of codes decides. True: the message stays the head of its lane."""
        if tracked.status is not MessageStatus.SENDING:
            return False  # a status of an earlier attempt came meanwhile
        rule = refusal.rule
        error = error_data(rule.code, refusal.title, refusal.details, rule.next_step)
        is_own = rule.scope is HoldScope.MESSAGE
        gives_up = rule.klass is ErrorClass.FAIL or (is_own and tracked.attempt_count >= self._options.max_refusals)
        if gives_up:
            self._move(tracked, MessageStatus.FAILED, "message.failed", {"error": error})
            return False
        number = tracked.phone_number_id
        tries = self._rate_limiter.refusals_of(number) if rule.is_wide else tracked.attempt_count - 1
        wait_s = max(self._options.retry_s, rule.wait_s(tries, retry_after_s=refusal.retry_after_s))
        hold = Hold(f"platform_{rule.code}", self._clock.now() + timedelta(seconds=self._spread(wait_s)))
        if rule.is_wide:
            self._hold_number(number, hold, rule, error)
        elif rule.scope is HoldScope.PAIR:
            self._rate_limiter.hold_pair(number, contact, hold)
        elif rule.klass is ErrorClass.RETRY:
            self._retry(tracked, refusal.code, wait_s, error=error)
            return True
        parks = is_own and wait_s > PARK_AFTER_S
        self.held(tracked, hold, due_at=hold.until if parks else None, error=error)
        if is_own and not parks:
            tracked.not_before = self._clock.monotonic() + wait_s
        return not parks

    def failed_later(self, tracked: Tracked, rule: CodeRule, error: Mapping[str, Any], contact: str) -> list[Fact]:
        """A status says that an accepted message failed: for good, or until it is sent again, by the table of codes.

        Returns the facts without recording them: the caller records them in the order of the notifications.
        """
        gives_up = rule.klass is ErrorClass.FAIL or tracked.attempt_count >= self._options.max_refusals
        if gives_up or not may_move(tracked.status, MessageStatus.HELD):
            return [self._moved(tracked, MessageStatus.FAILED, "message.failed", {"error": dict(error)})]
        number, now = tracked.phone_number_id, self._clock.now()
        wait_s = max(self._options.retry_s, rule.wait_s(tracked.attempt_count - 1))
        hold = Hold(f"platform_{rule.code}", now + timedelta(seconds=self._spread(wait_s)))
        facts = []
        if rule.is_wide and self._rate_limiter.hold_number(number, hold):
            data = {"reason": hold.reason, "held_until": hold.until, "error": dict(error), "scope": rule.scope.value}
            facts.append(Fact("number.held", number, now, data))
        elif rule.scope is HoldScope.PAIR:
            self._rate_limiter.hold_pair(number, contact, hold)
        # A late copy of this failure must not count for the next attempt: its wamid is dead.
        dead, tracked.wamid = tracked.wamid, None
        tracked.dead_wamid = dead
        data = {"reason": hold.reason, "held_until": hold.until, "due_at": hold.until, "error": dict(error)}
        facts.append(self._moved(tracked, MessageStatus.HELD, "message.held", {**data, "dead_wamid": dead}))
        tracked.held_reason, tracked.held_until = hold.reason, hold.until
        return facts

    def without_evidence(self, tracked: Tracked, policy: OnUncertain) -> bool:
        """There is no proof that it left. True: it is sent again, by the ``on_uncertain`` of its sender."""
        if policy is OnUncertain.RESEND:
            self._retry(tracked, "no_evidence", 0.0)
            return True
        data = {"reason": "no_evidence", "waited_s": self._options.evidence_wait_s}
        self._move(tracked, MessageStatus.UNCERTAIN, "message.uncertain", data)
        return False

    def _hold_number(self, number: str, hold: Hold, rule: CodeRule, error: Mapping[str, Any]) -> None:
        if not self._rate_limiter.hold_number(number, hold):
            return
        data = {"reason": hold.reason, "held_until": hold.until, "error": dict(error), "scope": rule.scope.value}
        self._recorder.record([Fact("number.held", number, self._clock.now(), data)])

    def _retry(self, tracked: Tracked, reason: str, wait_s: float, *, error: Mapping[str, Any] | None = None) -> None:
        wait_s = self._spread(wait_s)
        tracked.not_before = self._clock.monotonic() + wait_s
        data: dict[str, Any] = {"reason": reason, "retry_at": self._clock.now() + timedelta(seconds=wait_s)}
        if error is not None:
            data["error"] = dict(error)
        self._move(tracked, MessageStatus.QUEUED, "message.retried", data)

    def _spread(self, wait_s: float) -> float:
        """Up to a quarter longer, so that lanes do not retry in step. It need not be unpredictable."""
        return wait_s * (1 + random.random() / 4)  # noqa: S311

    def _move(self, tracked: Tracked, status: MessageStatus, event: str, data: Mapping[str, Any]) -> Recorded:
        return self._recorder.record([self._moved(tracked, status, event, data)])

    def _moved(self, tracked: Tracked, status: MessageStatus, event: str, data: Mapping[str, Any]) -> Fact:
        if status is not tracked.status and not may_move(tracked.status, status):
            raise RuntimeError(f"no move from {tracked.status} to {status} ({tracked.id}, {event})")
        tracked.status = status
        tracked.held_reason = tracked.held_until = None
        return message_fact(tracked, event, data, self._clock)


def _is_recorded(tracked: Tracked, hold: Hold) -> bool:
    """Was this hold recorded already? A time that is computed anew at each check differs a little."""
    if tracked.held_reason != hold.reason:
        return False
    if tracked.held_until is None or hold.until is None:
        return tracked.held_until is hold.until
    return abs((tracked.held_until - hold.until).total_seconds()) < UNNOTICED_S
