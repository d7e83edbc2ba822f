"""Dispatch: the head of every lane goes to the link, once, and what became of it is recorded.

Process: whatsapp.

A send is recorded as ``sending`` before the first byte leaves. Whoever finds a message in ``sending`` without knowing
the outcome waits for evidence (a status that carries our id) before anything is sent again.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from config.clock import Clock
from services.graph import ErrorClass
from services.links import Link, NotSubmitted, OutcomeUnknown, OutgoingMessage, SendRefused, Submitted
from services.messages.lanes import Lanes
from services.messages.ledger import Ledger, Tracked
from services.messages.records import Message, OnUncertain
from services.messages.states import MessageStatus, may_move
from services.store import Fact, Fenced, Write

log = logging.getLogger(__name__)


class Recorded(Protocol):
    """Facts on their way into the log."""

    @property
    def durable(self) -> "asyncio.Future[None]":
        """Done when the facts stand in the log."""
        ...


class Recorder(Protocol):
    """The journal, as this noun sees it."""

    def record(self, facts: Sequence[Fact], marks: Sequence[Write] = ()) -> Recorded:
        """Number the facts and write them soon."""
        ...


@dataclass(frozen=True, slots=True)
class DispatchOptions:
    """``concurrency`` sends at a time; ``evidence_wait_s`` for an unknown outcome; back-off from ``retry_s``."""

    concurrency: int
    evidence_wait_s: float
    on_uncertain: OnUncertain
    retry_s: float = 0.25
    retry_max_s: float = 30.0
    max_refusals: int = 8


class Dispatcher:
    """Serves lanes until cancelled. One task a lane that holds something, ``concurrency`` of them sending."""

    def __init__(
        self,
        *,
        lanes: Lanes,
        ledger: Ledger,
        recorder: Recorder,
        link_of: Callable[[str], Link],
        is_owner: Callable[[], bool],
        clock: Clock,
        options: DispatchOptions,
    ) -> None:
        """Nothing runs yet; ``offer`` starts a lane's task."""
        self._lanes = lanes
        self._ledger = ledger
        self._recorder = recorder
        self._link_of = link_of
        self._is_owner = is_owner
        self._clock = clock
        self._options = options
        self._slots = asyncio.Semaphore(options.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._settled: dict[str, asyncio.Event] = {}
        self._stopping = asyncio.Event()
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.in_doubt_count = 0

    def offer(self, message: Message) -> None:
        """Take a message that waits to be sent, or (status ``sending``) one whose outcome nobody knows."""
        if self._lanes.add(message):
            task = asyncio.create_task(self._serve(Lanes.key(message)), name=f"lane-{message.to}")
            self._tasks.add(task)
            task.add_done_callback(self._on_done)

    def settled(self, message_id: str) -> None:
        """Evidence came for this message: whoever waits for it may look at the ledger again."""
        event = self._settled.get(message_id)
        if event is not None:
            event.set()

    def drop(self, tracked: Tracked) -> None:
        """Take a canceled message out of its lane; a head that waits for its retry is passed over by its lane."""
        key = (tracked.phone_number_id, tracked.to)
        head = self._lanes.head(key)
        if head is None or head.id != tracked.id:
            self._lanes.finish(key, tracked.id)

    async def stop(self, *, within_s: float) -> None:
        """Let sends that are under way end; start none. What has not left stays queued for the next owner."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None and not self.failure.done():
            self.failure.set_exception(task.exception() or Fenced())

    async def _serve(self, key: tuple[str, str]) -> None:
        while not self._stopping.is_set() and (message := self._lanes.head(key)) is not None:
            tracked = self._ledger.track(message)
            if tracked.status is MessageStatus.SENDING:
                wait_s = 0.0 if await self._resolve(message, tracked) else None
            elif tracked.status is MessageStatus.QUEUED:
                async with self._slots:
                    # Waiting for a slot takes time; the stop may have come.
                    if self._stopping.is_set():
                        return
                    wait_s = await self._send(message, tracked)
            else:
                wait_s = None
            if wait_s is None:
                self._lanes.finish(key, message.id)
            elif wait_s:
                await self._pause(wait_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _send(self, message: Message, tracked: Tracked) -> float | None:
        """One attempt. None: this message is done with. Seconds: try it again after them."""
        now = self._clock.now()
        if message.expires_at is not None and message.expires_at <= now:
            self._move(tracked, MessageStatus.EXPIRED, "message.expired", {"reason": "expires_at has passed"})
            return None
        tracked.attempt_count += 1
        recorded = self._move(tracked, MessageStatus.SENDING, "message.sending", {"attempt": tracked.attempt_count})
        await recorded.durable
        if not self._is_owner():
            raise Fenced("The owner lease ran out before a send.", detail=message.id)
        order = OutgoingMessage(
            id=message.id,
            phone_number_id=message.phone_number_id,
            to=message.to or "",
            recipient_kind=message.recipient_kind,  # type: ignore[arg-type]  # stored as one of the literals
            payload=dict(message.payload),
            context_wamid=message.context_wamid,
            callback_data=message.callback_data,
        )
        try:
            submitted = await self._link_of(message.phone_number_id).send(order)
        except SendRefused as refusal:
            return self._on_refused(tracked, refusal)
        except NotSubmitted as error:
            return self._again(tracked, error.code, self._backoff(tracked.attempt_count))
        except OutcomeUnknown as error:
            log.warning(
                "Nobody knows whether a message left; waiting for a status that tells.",
                extra={"action": "message.in_doubt", "message_id": message.id, "detail": error.detail},
            )
            # Still "sending": the lane comes back and waits for evidence, without keeping others from their slot.
            return 0.0
        self._on_submitted(tracked, submitted)
        return None

    def _on_submitted(self, tracked: Tracked, submitted: Submitted) -> None:
        self._ledger.learn_wamid(tracked, submitted.wamid)
        # A status may have been faster than the answer: then the message is further on already.
        if may_move(tracked.status, MessageStatus.SENT):
            self._move(tracked, MessageStatus.SENT, "message.sent", {"wamid": submitted.wamid})

    def _on_refused(self, tracked: Tracked, refusal: SendRefused) -> float | None:
        rule = refusal.rule
        error = error_data(rule.code, refusal.title, refusal.details, rule.next_step)
        gives_up = rule.klass is ErrorClass.FAIL or (
            rule.klass is ErrorClass.RETRY and tracked.attempt_count >= self._options.max_refusals
        )
        if gives_up:
            self._move(tracked, MessageStatus.FAILED, "message.failed", {"error": error})
            return None
        wait_s = rule.wait_s(tracked.attempt_count - 1, retry_after_s=refusal.retry_after_s)
        return self._again(tracked, refusal.code, self._spread(max(wait_s, self._options.retry_s)), error=error)

    def _again(self, tracked: Tracked, reason: str, wait_s: float, *, error: Mapping[str, Any] | None = None) -> float:
        retry_at = self._clock.now() + timedelta(seconds=wait_s)
        data: dict[str, Any] = {"reason": reason, "retry_at": retry_at}
        if error is not None:
            data["error"] = dict(error)
        self._move(tracked, MessageStatus.QUEUED, "message.retried", data)
        return wait_s

    def _backoff(self, attempt: int) -> float:
        return self._spread(min(self._options.retry_max_s, self._options.retry_s * 2 ** min(attempt - 1, 16)))

    def _spread(self, wait_s: float) -> float:
        """Up to a quarter longer, so that lanes do not come back in step. Not a secret."""
        return wait_s * (1 + random.random() / 4)  # noqa: S311

    async def _resolve(self, message: Message, tracked: Tracked) -> bool:
        """Wait for evidence of a send whose outcome is unknown. True: send it again, by policy."""
        event = self._settled.setdefault(message.id, asyncio.Event())
        self.in_doubt_count += 1
        try:
            until = self._clock.monotonic() + self._options.evidence_wait_s
            while tracked.status is MessageStatus.SENDING and not self._stopping.is_set():
                left = until - self._clock.monotonic()
                if left <= 0:
                    break
                try:
                    await asyncio.wait_for(event.wait(), min(left, 0.5))
                except TimeoutError:
                    continue
                event.clear()
        finally:
            self.in_doubt_count -= 1
            self._settled.pop(message.id, None)
        if tracked.status is not MessageStatus.SENDING or self._stopping.is_set():
            return False
        policy = message.on_uncertain or self._options.on_uncertain
        if policy is OnUncertain.RESEND:
            self._again(tracked, "no_evidence", 0.0)
            return True
        self._move(
            tracked,
            MessageStatus.UNCERTAIN,
            "message.uncertain",
            {"reason": "no_evidence", "waited_s": self._options.evidence_wait_s},
        )
        return False

    def _move(self, tracked: Tracked, status: MessageStatus, event: str, data: dict[str, Any]) -> Recorded:
        tracked.status = status
        return self._recorder.record([message_fact(tracked, event, data, self._clock)])


def message_fact(tracked: Tracked, event: str, data: Mapping[str, Any], clock: Clock) -> Fact:
    """A fact about an outbound message, with what every subscriber wants to know of it."""
    full: dict[str, Any] = {
        "message_id": tracked.id,
        "conversation_id": tracked.conversation_id,
        "to": tracked.to,
        "status": tracked.status.value,
        **data,
    }
    if tracked.wamid and "wamid" not in full:
        full["wamid"] = tracked.wamid
    if tracked.metadata is not None:
        full["metadata"] = dict(tracked.metadata)
    return Fact(event, tracked.phone_number_id, clock.now(), full, tracked.conversation_id)


def error_data(code: int | None, title: str, details: str | None, next_step: str) -> dict[str, Any]:
    """What an event and a message say of a platform error: code, title, details, and what to do next."""
    data: dict[str, Any] = {"code": code, "title": title}
    if details:
        data["details"] = details
    if next_step:
        data["next_step"] = next_step
    return data
