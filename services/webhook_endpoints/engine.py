"""The delivery engine: a worker for every endpoint, their outcomes written together, changes taken at once.

Process: whatsapp.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aiohttp import ClientSession, DummyCookieJar

from config.clock import Clock
from config.errors import Unavailable
from services.egress import AddressPolicy, guarded_connector
from services.store import Database, Event, Fact, Recorder
from services.vault import SecretBox
from services.webhook_endpoints.backlog import Backlog
from services.webhook_endpoints.cursor import EventCursor
from services.webhook_endpoints.delivery_writer import DeliveryWriter
from services.webhook_endpoints.endpoint_worker import DeliveryOptions, EndpointWorker, Keys
from services.webhook_endpoints.feed import Feed
from services.webhook_endpoints.filters import EVERYTHING
from services.webhook_endpoints.meta_format import NumberNames
from services.webhook_endpoints.records import (
    Endpoint,
    EndpointStatus,
    ParkedLane,
    StreamKind,
    StreamRecord,
    Target,
    TryOutcome,
    public_state,
    stream_id,
)
from services.webhook_endpoints.repository import WebhookRepository
from services.webhook_endpoints.sender import HttpSender, Sender
from services.webhook_endpoints.service import shown_url

log = logging.getLogger(__name__)

MOST_LANES = 100_000
LAST_FLUSH_S = 3.0
LAST_TRIES_S = 1.0
FORGET_AFTER_S = 5.0
LOADED_WITHIN_S = 10.0
STATE_OF = {
    "webhook_endpoint.failing": EndpointStatus.ENABLED,
    "webhook_endpoint.recovered": EndpointStatus.ENABLED,
    "webhook_endpoint.disabled": EndpointStatus.DISABLED,
}


class Deliveries:
    """Everything that is delivered during one term. ``run`` is the loop; the rest may be called while it runs.

    ``endpoints`` is the truth while the term lasts: documents follow it.
    """

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        *,
        box: SecretBox,
        feed: Feed,
        names: Mapping[str, NumberNames],
        is_owner: Callable[[], bool],
        clock: Clock,
        policy: AddressPolicy,
        options: DeliveryOptions,
    ) -> None:
        """``names`` has every number of ours, the default one first."""
        self.endpoints: dict[str, Endpoint] = {}
        self.feed = feed
        self.numbers = list(names)
        self.repository = WebhookRepository(database, box)
        self._recorder = recorder
        self._names = names
        self._is_owner = is_owner
        self._clock = clock
        self._policy = policy
        self._options = options
        self._delivery_writer = DeliveryWriter(database, may_write=is_owner)
        self._vault: dict[str, Any] = {}
        self._workers: dict[str, tuple[EndpointWorker, asyncio.Task[None]]] = {}
        self._probes: set[asyncio.Task[None]] = set()
        self._sender: Sender | None = None
        self._loaded = asyncio.Event()

    async def run(self) -> int:
        """Deliver until cancelled. Raises ``Unavailable`` when the database is away at the beginning."""
        session = ClientSession(
            connector=guarded_connector(self._policy, limit=0), cookie_jar=DummyCookieJar(), auto_decompress=False
        )
        try:
            async with session:
                await self._begin(HttpSender(session, self._policy, timeout_s=self._options.timeout_s))
                await self._flush_forever()
        finally:
            await self._end()
        return 0

    async def _end(self) -> None:
        """What is known is written at once; tries under way get a moment, for each that is cut off comes twice."""
        self._loaded.clear()
        await self._last_flush()
        flights = [flight for worker, _ in self._workers.values() for flight in worker.stop()]
        if flights:
            await asyncio.wait(flights, timeout=LAST_TRIES_S)
        tasks = [task for _, task in self._workers.values()] + list(self._probes)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._workers.clear()
        await self._last_flush()

    async def _last_flush(self) -> None:
        with contextlib.suppress(Unavailable, TimeoutError):
            await asyncio.wait_for(self._delivery_writer.flush(), LAST_FLUSH_S)

    async def loaded(self) -> None:
        """Wait until the endpoints are known. Raises ``Unavailable`` when that takes too long."""
        try:
            await asyncio.wait_for(self._loaded.wait(), LOADED_WITHIN_S)
        except TimeoutError as error:
            raise Unavailable("The endpoints are not read yet.") from error

    # --- changes by people (see commands.py)

    async def keys(self, endpoint: Endpoint) -> Keys:
        """Target and secrets from the vault, remembered; what does not open is missing. Raises ``Unavailable``."""
        refs = [endpoint.target_ref, *(secret.ref for secret in endpoint.secrets)]
        missing = [ref for ref in refs if ref not in self._vault]
        if missing:
            self._vault |= await self.repository.vault(missing)
        target = self._vault.get(endpoint.target_ref, Target(""))
        secrets = {secret.ref: self._vault[secret.ref] for secret in endpoint.secrets if secret.ref in self._vault}
        return Keys(target, secrets)

    def put(self, endpoint: Endpoint, keys: Keys) -> dict[str, int]:
        """A new or changed endpoint; answers where its new streams begin, by number."""
        self.endpoints[endpoint.id] = endpoint
        held = self._workers.get(endpoint.id)
        wanted = endpoint.numbers or self.numbers
        if held is None:
            starts = {number: self.feed.last(number) for number in wanted}
            self._hire(endpoint, keys, [self._live(endpoint, number, cursor) for number, cursor in starts.items()])
            return starts
        worker = held[0]
        starts = {
            number: self.feed.last(number) for number in wanted if stream_id(endpoint.id, number) not in worker.streams
        }
        for number, cursor in starts.items():
            worker.add(self._live(endpoint, number, cursor))
        worker.change(endpoint, keys)
        return starts

    def remove(self, endpoint: Endpoint) -> None:
        """A deleted endpoint: nothing more is tried. What is under way is cut off."""
        self.endpoints.pop(endpoint.id, None)
        worker, task = self._workers.pop(endpoint.id, (None, None))
        if worker is not None and task is not None:
            task.cancel()
            for stream in worker.streams.values():
                self._delivery_writer.drop(stream.record)
        # Its secrets need not lie there until the next owner cleans up. The event comes first.
        forgetting = asyncio.create_task(self._forget(endpoint.id), name=f"forget-{endpoint.id}")
        self._probes.add(forgetting)
        forgetting.add_done_callback(self._probes.discard)

    async def _forget(self, endpoint_id: str) -> None:
        await asyncio.sleep(FORGET_AFTER_S)
        with contextlib.suppress(Unavailable):
            await self.repository.forget(endpoint_id)

    def redeliver(self, record: StreamRecord) -> None:
        """One more stream for an endpoint."""
        worker, _ = self._workers[record.endpoint_id]
        worker.add(_stream(record, ()))

    def redelivery_count(self, endpoint_id: str) -> int:
        """Redeliveries of this endpoint that are not done."""
        worker, _ = self._workers[endpoint_id]
        return sum(1 for stream in worker.streams.values() if stream.record.kind is not StreamKind.LIVE)

    def probe(self, endpoint: Endpoint, event: Event, attempt_id: str) -> None:
        """Send one event at once, whatever the state of the endpoint; its attempt is written under this id."""
        task = asyncio.create_task(self._probe(endpoint.id, event, attempt_id), name=f"probe-{endpoint.id}")
        self._probes.add(task)
        task.add_done_callback(self._probes.discard)

    async def _probe(self, endpoint_id: str, event: Event, attempt_id: str) -> None:
        worker, _ = self._workers[endpoint_id]
        at = self._clock.now()
        answer = await worker.post(event, at)
        outcome = TryOutcome.DELIVERED if answer.is_delivered else TryOutcome.DEAD
        self._delivery_writer.note(
            worker.attempt(event, at, answer, number=1, outcome=outcome, next_at=None, stream="test", id_=attempt_id)
        )

    # --- facts of the engine's own

    def tell(self, kind: str, endpoint: Endpoint, details: dict[str, Any]) -> None:
        """Record an event about an endpoint; some change its state."""
        current = self.endpoints.get(endpoint.id)
        if current is None:
            return
        now = self._clock.now()
        if kind not in STATE_OF:
            data = {"endpoint_id": current.id, "url": current.shown_url, **details}
        else:
            is_disabled = STATE_OF[kind] is EndpointStatus.DISABLED
            if is_disabled and current.status is EndpointStatus.DISABLED:
                return
            since = None if kind == "webhook_endpoint.recovered" else details.get("since")
            current = replace(
                current,
                status=EndpointStatus.DISABLED if is_disabled else current.status,
                reason=details["cause"] if is_disabled else current.reason,
                failing_since=since,
                updated_at=now,
            )
            self.endpoints[current.id] = current
            self._workers[current.id][0].endpoint = current
            data = public_state(current) | details
        log.info(
            "An endpoint changed.",
            extra={"action": kind, "endpoint_id": current.id, "status": details.get("last_status")},
        )
        self._recorder.record([Fact(kind, current.home, now, data)])

    # --- inside

    async def _begin(self, sender: Sender) -> None:
        self._sender = sender
        for endpoint_id in await self.repository.deleted_ids():
            await self.repository.forget(endpoint_id)
        endpoints = await self.repository.endpoints()
        streams: dict[str, list[StreamRecord]] = {}
        for record in await self.repository.streams():
            streams.setdefault(record.endpoint_id, []).append(record)
        lanes: dict[str, list[ParkedLane]] = {}
        for lane in await self.repository.lanes(limit=MOST_LANES):
            lanes.setdefault(lane.stream_id, []).append(lane)
        refs = [ref for one in endpoints for ref in (one.target_ref, *(secret.ref for secret in one.secrets))]
        self._vault = await self.repository.vault(refs)
        for endpoint in endpoints:
            own = [_stream(record, lanes.get(record.id, ())) for record in streams.get(endpoint.id, ())]
            known = {stream.record.number for stream in own if stream.record.kind is StreamKind.LIVE}
            # A number that came after the endpoint: its log is new to everybody, so from its beginning.
            own += [
                self._live(endpoint, number, 0) for number in endpoint.numbers or self.numbers if number not in known
            ]
            keys = await self.keys(endpoint)
            endpoint = self._with_shown_url(endpoint, keys)
            self.endpoints[endpoint.id] = endpoint
            self._hire(endpoint, keys, own)
        self._loaded.set()

    def _with_shown_url(self, endpoint: Endpoint, keys: Keys) -> Endpoint:
        """An earlier version showed the path as well, which may hold a token: it goes, by an event like any other."""
        if not keys.target.url or endpoint.shown_url == (shown := shown_url(keys.target.url)):
            return endpoint
        endpoint = replace(endpoint, shown_url=shown, updated_at=self._clock.now())
        fact = Fact("webhook_endpoint.updated", endpoint.home, endpoint.updated_at, public_state(endpoint))
        self._recorder.record([fact])
        return endpoint

    def _live(self, endpoint: Endpoint, number: str, cursor: int) -> EventCursor:
        record = StreamRecord(stream_id(endpoint.id, number), endpoint.id, number, StreamKind.LIVE, cursor)
        return _stream(record, ())

    def _hire(self, endpoint: Endpoint, keys: Keys, streams: Sequence[EventCursor]) -> None:
        if self._sender is None:
            raise RuntimeError("no worker before the engine runs")
        worker = EndpointWorker(
            endpoint,
            keys,
            streams,
            sender=self._sender,
            feed=self.feed,
            event_writer=self._delivery_writer,
            names=self._name,
            tell=self.tell,
            is_owner=self._is_owner,
            clock=self._clock,
            options=self._options,
        )
        task = asyncio.create_task(worker.run(), name=f"worker-{endpoint.id}")
        self._workers[endpoint.id] = (worker, task)

    def _name(self, number: str) -> NumberNames:
        return self._names.get(number, NumberNames("0", number))

    async def _flush_forever(self) -> None:
        while True:
            await asyncio.sleep(self._options.flush_s)
            was_full = self._delivery_writer.is_full
            try:
                await self._delivery_writer.flush()
            except Unavailable as error:
                log.warning(
                    "Attempts wait for the database.", extra={"action": "delivery.waiting", "detail": str(error)}
                )
                await asyncio.sleep(0.5)
                continue
            except Exception:
                log.exception("Attempts could not be written; it is tried again.", extra={"action": "delivery.bug"})
                await asyncio.sleep(5.0)
                continue
            if was_full:
                for worker, _ in self._workers.values():
                    worker.wake()


def _stream(record: StreamRecord, lanes: Sequence[ParkedLane]) -> EventCursor:
    return EventCursor(record, Backlog(record.cursor, lanes), deque(seq for seq in record.seqs if seq > record.cursor))


def applies_to(endpoint: Endpoint, number: str) -> bool:
    """Does this endpoint listen to this number?"""
    return not endpoint.numbers or number in endpoint.numbers


def test_event(endpoint: Endpoint, event_id: str, at: datetime) -> Event:
    """What the test button sends: no number of the log, and nobody's message."""
    if endpoint.format.value == "meta":
        data: dict[str, Any] = {
            "wamid": "wamid.TEST",
            "from": "16315551181",
            "name": "test user name",
            "sent_at": at,
            "content": {"type": "text", "text": {"body": "this is a text message"}},
        }
        return Event(event_id, "123456123", 0, "message.received", at, data)
    data = {"endpoint_id": endpoint.id, "message": "It works.", "events": list(endpoint.events) or [EVERYTHING]}
    return Event(event_id, endpoint.home, 0, "webhook_endpoint.test", at, data)
