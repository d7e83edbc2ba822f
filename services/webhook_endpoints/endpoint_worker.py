"""The worker of one endpoint: reads its streams, tries what is due, and remembers what became of it.

Process: whatsapp.

Every endpoint has a worker of its own, with its own limit of tries at once: a slow or dead one delays nobody else.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from config.clock import Clock
from config.errors import Unavailable
from config.ids import new_id, new_order
from services.store import Event
from services.webhook_endpoints.backlog import Lane
from services.webhook_endpoints.concealment import Concealer
from services.webhook_endpoints.cursor import EventCursor
from services.webhook_endpoints.delivery_writer import DeliveryWriter
from services.webhook_endpoints.envelope import seal
from services.webhook_endpoints.feed import Feed
from services.webhook_endpoints.filters import wants
from services.webhook_endpoints.health import Health
from services.webhook_endpoints.meta_format import NumberNames
from services.webhook_endpoints.records import Attempt, DeadLetter, Endpoint, EndpointStatus, Target, TryOutcome
from services.webhook_endpoints.schedule import Schedule
from services.webhook_endpoints.sender import Answer, Sender

log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 30.0


@dataclass(frozen=True, slots=True)
class DeliveryOptions:
    """``concurrency`` tries at once for each endpoint; ``disable_after_s`` of failure without a break end it.

    ``on_delivered`` hears how many seconds after its event a live delivery was taken.
    """

    schedule: Schedule
    timeout_s: float = 15.0
    concurrency: int = 16
    disable_after_s: float = 5 * 86_400
    flush_s: float = 0.3
    on_delivered: Callable[[float], None] | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """What the vault has for an endpoint: its target and its secrets by reference."""

    target: Target
    secrets: Mapping[str, str]

    def are_complete(self, endpoint: Endpoint) -> bool:
        """Is there what a delivery needs? Without it nothing is sent: the log waits."""
        return bool(self.target.url) and endpoint.secrets[0].ref in self.secrets


class EndpointWorker:
    """Serves one endpoint until cancelled. ``tell`` records an event about the endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        keys: Keys,
        streams: Sequence[EventCursor],
        *,
        sender: Sender,
        feed: Feed,
        event_writer: DeliveryWriter,
        names: Callable[[str], NumberNames],
        tell: Callable[[str, Endpoint, dict[str, Any]], None],
        is_owner: Callable[[], bool],
        clock: Clock,
        options: DeliveryOptions,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Nothing runs yet."""
        self.endpoint = endpoint
        self.keys = keys
        self._concealer = Concealer(keys.target, keys.secrets.values())
        self.streams = {stream.record.id: stream for stream in streams}
        self.health = _remembered(endpoint)
        self._sender = sender
        self._feed = feed
        self._delivery_writer = event_writer
        self._names = names
        self._tell = tell
        self._is_owner = is_owner
        self._clock = clock
        self._options = options
        self._chance = chance
        self._news = asyncio.Event()
        self._flights: set[asyncio.Task[None]] = set()
        self._turn = 0
        self._is_stopped = False

    # --- what others do to it

    def wake(self) -> None:
        """Something is new: events, a change of the endpoint, room in the event writer."""
        self._news.set()

    def change(self, endpoint: Endpoint, keys: Keys) -> None:
        """The endpoint was changed by a person; one that was enabled again begins with a clean record."""
        if endpoint.status is EndpointStatus.ENABLED and self.endpoint.status is not EndpointStatus.ENABLED:
            self.health = Health()
            for stream in self.streams.values():
                stream.backlog.wake_all()
        self.endpoint = endpoint
        self.keys = keys
        self._concealer = Concealer(keys.target, keys.secrets.values())
        self.wake()

    def stop(self) -> set["asyncio.Task[None]"]:
        """Start no further try; answers those that are under way."""
        self._is_stopped = True
        return set(self._flights)

    def add(self, stream: EventCursor) -> None:
        """One more stream: a number, or a redelivery."""
        self.streams.setdefault(stream.record.id, stream)
        self.wake()

    # --- its life

    async def run(self) -> None:
        """Until cancelled; tries that are under way are cancelled with it, and repeated by the next owner."""
        self._feed.listen(self.wake)
        try:
            while True:
                self._news.clear()
                try:
                    await self.step()
                except Unavailable as error:
                    log.warning(
                        "Deliveries wait for the database.",
                        extra={"action": "delivery.waiting", "endpoint_id": self.endpoint.id, "detail": str(error)},
                    )
                    await asyncio.sleep(0.5)
                    continue
                except Exception:
                    log.exception(
                        "A worker stumbled; it goes on.",
                        extra={"action": "delivery.bug", "endpoint_id": self.endpoint.id},
                    )
                    await asyncio.sleep(5.0)
                    continue
                # Not wait_for: on Python 3.11 it swallows a cancellation that meets its wake-up.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._sleep_s()):
                        await self._news.wait()
        finally:
            self._feed.forget(self.wake)
            for flight in self._flights:
                flight.cancel()
            await asyncio.gather(*self._flights, return_exceptions=True)

    async def step(self) -> None:
        """Read what there is room for, and start what is due."""
        is_enabled = self.endpoint.status is EndpointStatus.ENABLED and self.keys.are_complete(self.endpoint)
        if not is_enabled or self._is_stopped or not self._is_owner():
            return
        now = self._now()
        for stream in list(self.streams.values()):
            stream.backlog.wake(now)
            await self._fill(stream)
            if stream.is_done:
                self._finish(stream)
        await self._launch()

    def _finish(self, stream: EventCursor) -> None:
        del self.streams[stream.record.id]
        self._delivery_writer.touch(stream.record, stream.backlog)
        self._delivery_writer.end(stream.record)
        self._tell("webhook_endpoint.redelivered", self.endpoint, {"redelivery_id": stream.record.id})

    async def _fill(self, stream: EventCursor) -> None:
        """The events of an endpoint that is down stay in the log: only what a probe needs is read."""
        backlog = stream.backlog
        while not (self.health.is_down and backlog.has_ready) and await stream.read(self._feed, self._wants):
            self._delivery_writer.touch(stream.record, backlog)
            for lane in backlog.overlong():
                self._give_up(stream, lane, "lane_overflow")

    def _wants(self, event: Event) -> bool:
        return wants(self.endpoint, event)

    # --- tries

    async def _launch(self) -> None:
        """Streams take turns, so that a long redelivery does not stand before what happens now."""
        while self.health.slots(self._now(), flying=len(self._flights), most=self._options.concurrency) > 0:
            if self._delivery_writer.is_full or self._is_stopped:
                return
            streams = [stream for stream in self.streams.values() if stream.backlog.has_ready]
            if not streams:
                return
            self._turn += 1
            stream = streams[self._turn % len(streams)]
            lane = stream.backlog.pop_ready()
            if lane is None:
                continue
            try:
                event = await stream.event_of(lane, self._feed)
            except BaseException:
                stream.backlog.give_back(lane)
                raise
            if event is None:
                # Retention took it before the endpoint did.
                self._give_up(stream, lane, "expired")
                continue
            flight = asyncio.create_task(self._try(stream, lane, event), name=f"delivery-{self.endpoint.id}")
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        self.wake()

    async def _try(self, stream: EventCursor, lane: Lane, event: Event) -> None:
        at = self._clock.now()
        try:
            answer = await self.post(event, at)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception(
                "A delivery could not be made.",
                extra={"action": "delivery.bug", "endpoint_id": self.endpoint.id, "event_id": event.id},
            )
            answer = Answer(status=None, error="it could not be made; see the log", duration_ms=0)
        self._note(stream, lane, event, at, answer)

    async def post(self, event: Event, at: datetime) -> Answer:
        """One try of one event, whatever the state of the endpoint."""
        endpoint, held = self.endpoint, self.keys.secrets
        if not self.keys.are_complete(endpoint):
            return Answer(status=None, error="its URL or its secret cannot be opened: set it again", duration_ms=0)
        signing = [one.ref for one in endpoint.secrets if one.expires_at is None or one.expires_at > at]
        envelope = seal(
            endpoint,
            event,
            at=at,
            secrets_now=[held[ref] for ref in signing if ref in held],
            custom=self.keys.target.headers,
            names=self._names(event.number),
        )
        answer = await self._sender.send(self.keys.target.url, envelope)
        return replace(answer, body=self._concealer.text(answer.body)) if answer.body else answer

    def _note(self, stream: EventCursor, lane: Lane, event: Event, at: datetime, answer: Answer) -> None:
        now = self._now()
        count = lane.attempt_count + 1
        next_at: datetime | None = None
        if answer.is_delivered:
            outcome = TryOutcome.DELIVERED
            stream.backlog.settle(lane)
            if not stream.is_live:
                self._delivery_writer.revive(f"{self.endpoint.id}:{event.id}")
            elif self._options.on_delivered is not None:
                self._options.on_delivered(max(0.0, (self._clock.now() - event.at).total_seconds()))
        else:
            wait_s = self._options.schedule.delay_s(count, retry_after_s=answer.retry_after_s, chance=self._chance)
            if wait_s is None:
                outcome = TryOutcome.DEAD
            else:
                outcome = TryOutcome.RETRY
                next_at = self._clock.now() + timedelta(seconds=wait_s)
                stream.backlog.postpone(lane, next_at.timestamp())
        self._delivery_writer.note(
            self.attempt(event, at, answer, number=count, outcome=outcome, next_at=next_at, stream=stream.record.id)
        )
        if outcome is TryOutcome.DEAD:
            self._give_up(stream, lane, "schedule_exhausted", event=event, answer=answer, attempts=count)
        self._delivery_writer.touch(stream.record, stream.backlog)
        self._judge(answer, now)

    def _judge(self, answer: Answer, now: float) -> None:
        """What this try says about the endpoint as a whole."""
        if answer.is_delivered:
            if self.health.succeed():
                for stream in self.streams.values():
                    stream.backlog.wake_all()
                self._tell("webhook_endpoint.recovered", self.endpoint, {})
            return
        last = {"last_status": answer.status, "last_error": answer.error}
        if self.health.fail(now, retry_after_s=answer.retry_after_s):
            self._tell("webhook_endpoint.failing", self.endpoint, {"since": self._since(), **last})
        if answer.is_gone:
            self._tell("webhook_endpoint.disabled", self.endpoint, {"cause": "gone", "since": self._since(), **last})
        elif self.health.is_given_up(now, after_s=self._options.disable_after_s):
            self._tell("webhook_endpoint.disabled", self.endpoint, {"cause": "failing", "since": self._since(), **last})

    def _give_up(
        self,
        stream: EventCursor,
        lane: Lane,
        reason: str,
        *,
        event: Event | None = None,
        answer: Answer | None = None,
        attempts: int = 0,
    ) -> None:
        """The head becomes a dead letter (unless there is nothing left to send), and the lane goes on."""
        event = event or stream.backlog.event(lane.head)
        if event is not None:
            letter = DeadLetter(
                endpoint_id=self.endpoint.id,
                event_id=event.id,
                event_type=event.type,
                number=event.number,
                seq=event.seq,
                order=new_order(),
                at=self._clock.now(),
                reason=reason,
                attempt_count=attempts or lane.attempt_count,
                last_status=answer.status if answer else None,
            )
            self._delivery_writer.bury(letter)
            if not event.type.startswith("webhook_endpoint."):
                details = {"event_id": event.id, "event_type": event.type, "event_seq": event.seq, "cause": reason}
                self._tell("webhook_endpoint.dead_letter", self.endpoint, details)
        log.warning(
            "An event was given up for an endpoint.",
            extra={"action": "delivery.dead", "endpoint_id": self.endpoint.id, "seq": lane.head, "reason": reason},
        )
        stream.backlog.settle(lane)
        self._delivery_writer.touch(stream.record, stream.backlog)

    def attempt(
        self,
        event: Event,
        at: datetime,
        answer: Answer,
        *,
        number: int,
        outcome: TryOutcome,
        next_at: datetime | None,
        stream: str,
        id_: str | None = None,
    ) -> Attempt:
        """The record of a try."""
        return Attempt(
            id=id_ or new_id("att"),
            order=new_order(),
            endpoint_id=self.endpoint.id,
            event_id=event.id,
            event_type=event.type,
            number=event.number,
            seq=event.seq,
            attempt=number,
            at=at,
            duration_ms=answer.duration_ms,
            outcome=outcome,
            status=answer.status,
            error=answer.error,
            answer=answer.body,
            stream=stream,
            next_at=next_at,
        )

    # --- time

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _since(self) -> datetime | None:
        since = self.health.failing_since
        return None if since is None else datetime.fromtimestamp(since, UTC)

    def _sleep_s(self) -> float:
        now = self._now()
        times = [due for stream in self.streams.values() if (due := stream.backlog.next_due_at()) is not None]
        if (at := self.health.wakes_at(now)) is not None:
            times.append(at)
        return min(LONGEST_SLEEP_S, max(0.01, min(times) - now)) if times else LONGEST_SLEEP_S


def _remembered(endpoint: Endpoint) -> Health:
    """An endpoint that was down under the last owner starts as down: it gets one probe, not every event that waits."""
    if endpoint.failing_since is None:
        return Health()
    return Health(failing_since=endpoint.failing_since.timestamp(), is_down=True, failures=1, probes=1)
