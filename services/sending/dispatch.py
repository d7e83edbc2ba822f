"""Dispatch: the head of every lane passes the send policy, goes to the link once, and its outcome is recorded.

Process: whatsapp.

A send is recorded as ``sending`` before the first byte leaves. An owner that finds a message in ``sending`` with
unknown outcome waits for evidence (a status that carries our id) before it sends the message again.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from config.clock import Clock
from services.conversations import ContactRef, Standing
from services.graph import CodeRule
from services.links import Link, NotSubmitted, OutcomeUnknown, OutgoingMessage, SendRefused, Submitted
from services.messages import Hold, Message, MessageState, MessageStatus, Priority, Tracked
from services.sending.evidence import DeliveryEvidence, LinkAnswers
from services.sending.lanes import LaneKey, Lanes
from services.sending.options import DispatchOptions
from services.sending.outcomes import Outcomes
from services.sending.rate_limiter import Turns
from services.sending.send_policy import Go, Park, Refuse, SendPolicy, Wait, contact_of
from services.store import Fact, Fenced, Recorder

log = logging.getLogger(__name__)

LONGEST_LOOK_S = 60.0
MERGED_LOOK_S = 0.05
MOST_SEEN = 1_000


_WAITING = frozenset({MessageStatus.QUEUED, MessageStatus.HELD})


class Dispatcher:
    """Serves the lanes until stopped: one task for each lane that is not empty, ``concurrency`` of them sending."""

    def __init__(
        self,
        *,
        lanes: Lanes,
        message_state: MessageState,
        recorder: Recorder,
        policy: SendPolicy,
        answers: LinkAnswers,
        link_of: Callable[[str], Link],
        is_owner: Callable[[], bool],
        clock: Clock,
        options: DispatchOptions,
    ) -> None:
        """``offer`` starts the task of a lane; ``failure`` gets the exception that ended one. Call on the loop."""
        self._lanes = lanes
        self._message_state = message_state
        self._policy = policy
        self._answers = answers
        self._link_of = link_of
        self._is_owner = is_owner
        self._clock = clock
        self._options = options
        self._outcomes = Outcomes(
            message_state=message_state,
            recorder=recorder,
            rate_limiter=policy.rate_limiter,
            clock=clock,
            options=options,
        )
        self._evidence = DeliveryEvidence(options.evidence_wait_s)
        self._turns = Turns(options.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()
        self._settled: dict[str, asyncio.Event] = {}
        self._parked: dict[tuple[str, str], set[str]] = {}
        self._released: list[str] = []
        self._seen: list[ContactRef] = []
        self._stopping = asyncio.Event()
        self._nudged = asyncio.Event()
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.in_doubt_count = 0
        self.sending_count = 0

    # --- called by other modules

    def offer(self, message: Message) -> None:
        """Take a message that waits to be sent, or (status ``sending``) one with unknown outcome."""
        if self._lanes.add(message, self._policy.key_of(message)):
            self._serve_soon(Lanes.key(message, self._policy.key_of(message)), message.id)

    def merge(self, number: str, *, into: Standing, absorbed: Standing) -> None:
        """Merge two contacts: they get one lane and one pair rate; messages parked for either wait for both."""
        now = self._clock.now().timestamp()
        self._policy.rate_limiter.merge_pairs(number, into=into.key, absorbed=absorbed.key, now=now)
        parked = self._parked.pop((number, absorbed.key), None)
        if parked:
            self._parked.setdefault((number, into.key), set()).update(parked)
        self._message_state.merge(number, into=into, absorbed=absorbed)
        for key in self._lanes.merge(number, into=into.key, absorbed=absorbed.key, may_move=self._waits):
            self._serve_soon(key, into.conversation_id)
        self.nudge()

    def _waits(self, message: Message) -> bool:
        return self._message_state.track(message).status in _WAITING

    def _serve_soon(self, key: LaneKey, name: str) -> None:
        task = asyncio.create_task(self._serve(key), name=f"lane-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def settled(self, message_id: str) -> None:
        """Evidence came for this message: wake the lane that waits for it."""
        event = self._settled.get(message_id)
        if event is not None:
            event.set()

    def read_notifications(self, *, count: int) -> None:
        """The intake has ingested ``count`` notifications; 0: none was waiting."""
        self._evidence.inbox_read(self._clock.monotonic(), is_empty=count == 0)

    def drop(self, tracked: Tracked) -> None:
        """Remove a canceled message from its lane. A lane skips a canceled head by itself, as soon as it is nudged."""
        key = self._lanes.lane_of(tracked.id)
        head = self._lanes.head(key) if key is not None else None
        if key is None:
            return
        if head is None or head.id != tracked.id:
            self._lanes.finish(key, tracked.id)
        else:
            self.nudge()

    def nudge(self) -> None:
        """Let every lane check again: something that they wait for may have changed (a hold was lifted)."""
        self._nudged.set()
        self._nudged = asyncio.Event()

    def park(self, number: str, key: str, message_id: str) -> None:
        """Keep a message out of its lane until this customer writes."""
        self._parked.setdefault((number, key), set()).add(message_id)

    def customer_wrote(self, number: str, key: str) -> None:
        """The customer service window is open: messages parked for this contact may come back."""
        self._released += sorted(self._parked.pop((number, key), ()))

    def failed_later(self, tracked: Tracked, rule: CodeRule, error: Mapping[str, Any], contact: str) -> list[Fact]:
        """Return the facts of a failure that a status reports; the caller records them."""
        return self._outcomes.failed_later(tracked, rule, error, contact)

    def take_released(self) -> list[str]:
        """Return the ids of messages that may come back to their lanes, each once."""
        released, self._released = self._released, []
        return released

    @property
    def has_seen(self) -> bool:
        """Have answers to sends named several addresses of one contact?"""
        return bool(self._seen)

    def take_seen(self) -> list[ContactRef]:
        """Return contacts for which answers to sends named several addresses, each once. Statuses name them again."""
        seen, self._seen = self._seen, []
        return seen

    async def stop(self, *, within_s: float) -> None:
        """Start no send and wait for those in progress, up to ``within_s`` seconds. The rest stays queued."""
        self._stopping.set()
        self.nudge()
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
            self.failure.exception()  # marks it as retrieved: the term may end for another reason first

    # --- a lane

    async def _serve(self, key: LaneKey) -> None:
        while not self._stopping.is_set() and (message := self._lanes.head(key)) is not None:
            if self._lanes.is_behind(key):
                await self._pause(MERGED_LOOK_S)
                continue
            tracked = self._message_state.track(message)
            if tracked.status is MessageStatus.SENDING:
                stays = await self._resolve(message, tracked)
            elif tracked.status in _WAITING:
                stays = await self._attempt(message, tracked)
            else:
                stays = False
            if not stays and not self._stopping.is_set():
                self._lanes.finish(key, message.id)

    async def _attempt(self, message: Message, tracked: Tracked) -> bool:
        """Try to send the head of a lane once. True: it stays the head."""
        now = self._clock.now()
        if message.expires_at is not None and message.expires_at <= now:
            self._outcomes.expired(tracked)
            return False
        left_s = tracked.not_before - self._clock.monotonic()
        if left_s > 0:
            with self._blocked(message):
                await self._pause(self._until_expiry(message, left_s))
            return True
        verdict = self._policy.evaluate(message, now)
        match verdict:
            case Go():
                async with self._turn(message) as has_waited:
                    if self._stopping.is_set() or (has_waited and not self._may_still_go(message, tracked)):
                        return True
                    return await self._send(message, tracked, verdict)
            case Refuse():
                self._outcomes.refused_by_policy(tracked, verdict)
                return False
            case Park(hold):
                self._outcomes.held(tracked, hold, due_at=hold.until or message.expires_at)
                self.park(message.phone_number_id, self._policy.key_of(message), message.id)
                return False
            case Wait(hold):
                self._outcomes.waits(tracked, hold)
                with self._blocked(message) if self._is_its_own(hold, message, now) else contextlib.nullcontext():
                    await self._pause(self._seconds_until(hold, message))
                return True

    @contextlib.contextmanager
    def _blocked(self, message: Message) -> Iterator[None]:
        """Mark its lane as blocked meanwhile by something that concerns no other lane."""
        key = self._lanes.lane_of(message.id)
        if key is None:
            yield
            return
        self._lanes.set_blocked(key, is_blocked=True)
        try:
            yield
        finally:
            self._lanes.set_blocked(key, is_blocked=False)

    def _is_its_own(self, hold: Hold, message: Message, now: datetime) -> bool:
        is_of_number = self._policy.rate_limiter.number_hold(message.phone_number_id, now) is not None
        return not is_of_number and hold.reason != "quiet_hours"

    def _may_still_go(self, message: Message, tracked: Tracked) -> bool:
        """Check again after the wait for a turn: it may have been canceled, or its number held."""
        if tracked.status not in _WAITING or not self._is_head(message):
            return False
        return isinstance(self._policy.evaluate(message, self._clock.now()), Go)

    def _is_head(self, message: Message) -> bool:
        key = self._lanes.lane_of(message.id)
        head = self._lanes.head(key) if key is not None else None
        return head is not None and head.id == message.id

    def _seconds_until(self, hold: Hold, message: Message) -> float:
        held_s = LONGEST_LOOK_S
        if hold.until is not None:
            held_s = min(held_s, (hold.until - self._clock.now()).total_seconds())
        return self._until_expiry(message, held_s)

    def _until_expiry(self, message: Message, seconds: float) -> float:
        if message.expires_at is not None:
            seconds = min(seconds, (message.expires_at - self._clock.now()).total_seconds())
        return max(0.005, seconds)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()

    @contextlib.asynccontextmanager
    async def _turn(self, message: Message) -> AsyncIterator[bool]:
        """Hold one of the ``concurrency`` turns to send; yields whether it had to wait."""
        token: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        has_waited = not self._turns.ask(token, is_bulk=message.priority is Priority.BULK)
        if has_waited:
            try:
                await token
            except asyncio.CancelledError:
                if not self._turns.forget(token):
                    self._give_back()
                raise
        self.sending_count += 1
        try:
            yield has_waited
        finally:
            self.sending_count -= 1
            self._give_back()

    def _give_back(self) -> None:
        token = self._turns.give_back()
        if isinstance(token, asyncio.Future) and not token.done():
            token.set_result(None)

    # --- one attempt

    async def _send(self, message: Message, tracked: Tracked, go: Go) -> bool:
        """Send it. True: it stays the head of its lane, for a retry or in doubt. Raises ``Fenced``."""
        number, contact = message.phone_number_id, self._policy.key_of(message)
        wait_s = self._policy.rate_limiter.take(
            number, contact, self._clock.now().timestamp(), is_initiation=go.is_initiation
        )
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            if self._stopping.is_set() or tracked.status not in _WAITING or not self._is_head(message):
                return True  # the lane checks again: it may have been canceled or merged into another
            contact = self._policy.key_of(message)
        self._answers.forget(message.id)
        recorded = self._outcomes.sending(
            tracked,
            is_fallback=go.payload is not None,
            pair_tat=self._policy.rate_limiter.pair_tat(number, contact),
            initiated_at=self._policy.rate_limiter.initiated_at(number, contact) if go.is_initiation else None,
        )
        await recorded.durable
        if not self._is_owner():
            raise Fenced("The owner lease ran out before a send.", detail=message.id)
        try:
            submitted = await self._link_of(number).send(_outgoing(message, go))
        except SendRefused as refusal:
            stays = self._outcomes.refused(tracked, refusal, self._policy.key_of(message))
            self.nudge()
            return stays
        except NotSubmitted as error:
            self._outcomes.not_submitted(tracked, error)
            return True
        except OutcomeUnknown as error:
            log.warning(
                "Nobody knows whether a message left; waiting for a status that tells.",
                extra={"action": "message.in_doubt", "message_id": message.id, "detail": error.detail},
            )
            # Still "sending": the lane waits for evidence next, without a turn.
            return True
        except Exception:
            # A bug of ours, and the bytes may have left. If it ended the term, the next owner would fail at the same
            # message: so only this message is in doubt.
            log.exception("A link failed.", extra={"action": "link.failed", "message_id": message.id})
            return True
        self._answers.remember(message.id, submitted)
        self._submitted(tracked, submitted)
        if message.recipient_kind != "group":
            address = contact_of(message).key
            seen = ContactRef(number, submitted.wa_id, submitted.user_id, former=(address,))
            if len(seen.keys) > 1 and len(self._seen) < MOST_SEEN:
                self._seen.append(seen)
        return False

    def _submitted(self, tracked: Tracked, submitted: Submitted) -> None:
        self._policy.rate_limiter.went_well(tracked.phone_number_id)
        self._outcomes.submitted(tracked, submitted)

    async def _resolve(self, message: Message, tracked: Tracked) -> bool:
        """Wait for evidence of a send with unknown outcome. True: it is sent again, by ``on_uncertain``."""
        answer = self._answers.of(message.id)
        if answer is not None:
            self._outcomes.submitted(tracked, answer)
            return False
        event = self._settled.setdefault(message.id, asyncio.Event())
        began = self._clock.monotonic()
        self.in_doubt_count += 1
        try:
            with self._blocked(message):
                while tracked.status is MessageStatus.SENDING and not self._stopping.is_set():
                    if self._evidence.absence_is_proof(began, self._clock.monotonic()):
                        break
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.25):
                            await event.wait()
                    event.clear()
        finally:
            self.in_doubt_count -= 1
            self._settled.pop(message.id, None)
        if tracked.status is not MessageStatus.SENDING or self._stopping.is_set():
            return False
        return self._outcomes.without_evidence(tracked, message.on_uncertain or self._options.on_uncertain)


def _outgoing(message: Message, go: Go) -> OutgoingMessage:
    payload: Iterable[tuple[str, Any]] = (go.payload if go.payload is not None else message.payload).items()
    return OutgoingMessage(
        id=message.id,
        phone_number_id=message.phone_number_id,
        to=message.to or "",
        recipient_kind=message.recipient_kind,  # type: ignore[arg-type]  # stored as one of the literals
        payload=dict(payload),
        context_wamid=message.context_wamid,
        callback_data=message.callback_data,
    )
