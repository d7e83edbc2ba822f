"""What people do with endpoints, carried out by the owner. Repeating a command changes nothing more.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from config.clock import Clock
from config.errors import Fault, RequestRefused
from services.commands import Command, Handler, Outcome
from services.store import EVENTS, Database, Fact
from services.webhook_endpoints.documents import stream_write
from services.webhook_endpoints.engine import Deliveries, applies_to, test_event
from services.webhook_endpoints.feed import seq_before
from services.webhook_endpoints.records import (
    Endpoint,
    EndpointStatus,
    SecretRef,
    StreamKind,
    StreamRecord,
    WebhookFormat,
    public_state,
)
from services.webhook_endpoints.repository import MOST_ENDPOINTS

MOST_REDELIVERIES = 20
MOST_LETTERS = 10_000
NEEDS_KEYS = frozenset({"webhook_endpoint.created", "webhook_endpoint.resumed"})
"""What promises deliveries; a change of one half of lost keys must be possible before the other."""
CHANGEABLE = ("events", "numbers", "description")


class WebhookEndpointCommands:
    """Handlers of ``webhook_endpoint.*``."""

    def __init__(self, deliveries: Deliveries, database: Database, clock: Clock) -> None:
        self._deliveries = deliveries
        self._database = database
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """By the kind of command."""
        return {
            "webhook_endpoint.create": self.create,
            "webhook_endpoint.update": self.update,
            "webhook_endpoint.pause": self.pause,
            "webhook_endpoint.resume": self.resume,
            "webhook_endpoint.rotate_secret": self.rotate_secret,
            "webhook_endpoint.delete": self.delete,
            "webhook_endpoint.test": self.test,
            "webhook_endpoint.redeliver": self.redeliver,
        }

    async def create(self, command: Command) -> Outcome:
        """A new endpoint; its streams begin with what happens next."""
        await self._deliveries.loaded()
        data = command.data
        known = self._deliveries.endpoints.get(data["endpoint_id"])
        if known is not None:
            return _seen(known)
        if len(self._deliveries.endpoints) >= MOST_ENDPOINTS:
            raise RequestRefused(f"There are {MOST_ENDPOINTS} endpoints already.", code="too_many_endpoints")
        self._check_numbers(data["numbers"])
        now = self._clock.now()
        endpoint = Endpoint(
            id=data["endpoint_id"],
            home=(data["numbers"] or self._deliveries.numbers)[0],
            format=WebhookFormat(data["format"]),
            shown_url=data["shown_url"],
            target_ref=data["target"],
            secrets=(SecretRef(data["secret"]),),
            events=tuple(data["events"]),
            numbers=tuple(data["numbers"]),
            header_names=tuple(data["header_names"]),
            description=data["description"],
            status=EndpointStatus.ENABLED,
            created_at=now,
            updated_at=now,
            created_by=command.by,
        )
        return await self._put("webhook_endpoint.created", endpoint, command)

    async def update(self, command: Command) -> Outcome:
        """Another URL, other headers, events, numbers or words."""
        endpoint = await self._endpoint(command)
        data = command.data
        changes: dict[str, Any] = {
            name: tuple(data[name]) if isinstance(data[name], list) else data[name]
            for name in CHANGEABLE
            if name in data
        }
        if "numbers" in data:
            self._check_numbers(data["numbers"])
        if "target" in data:
            changes |= {
                "target_ref": data["target"],
                "shown_url": data["shown_url"],
                "header_names": tuple(data["header_names"]),
            }
        return await self._put("webhook_endpoint.updated", replace(endpoint, **changes), command)

    async def pause(self, command: Command) -> Outcome:
        """Nothing more is tried; the log waits."""
        endpoint = await self._endpoint(command)
        if endpoint.status is EndpointStatus.PAUSED:
            return _seen(endpoint)
        return await self._put("webhook_endpoint.paused", replace(endpoint, status=EndpointStatus.PAUSED), command)

    async def resume(self, command: Command) -> Outcome:
        """Goes on where it stopped, also after it was disabled."""
        endpoint = await self._endpoint(command)
        if endpoint.status is EndpointStatus.ENABLED:
            return _seen(endpoint)
        fresh = replace(endpoint, status=EndpointStatus.ENABLED, reason=None, failing_since=None)
        return await self._put("webhook_endpoint.resumed", fresh, command)

    async def rotate_secret(self, command: Command) -> Outcome:
        """A new secret signs from now on; the old one as well, for a while."""
        endpoint = await self._endpoint(command)
        ref = command.data["secret"]
        if endpoint.secrets[0].ref == ref:
            return _seen(endpoint)
        now = self._clock.now()
        until = now + timedelta(seconds=float(command.data["overlap_s"]))
        old = SecretRef(endpoint.secrets[0].ref, until)
        is_signed_twice = endpoint.format is WebhookFormat.PANAL and until > now
        secrets = (SecretRef(ref), *((old,) if is_signed_twice else ()))
        return await self._put("webhook_endpoint.secret_rotated", replace(endpoint, secrets=secrets), command)

    async def delete(self, command: Command) -> Outcome:
        """Gone, with its dead letters. What it did not get yet it will not get."""
        await self._deliveries.loaded()
        endpoint = self._deliveries.endpoints.get(str(command.data["endpoint_id"]))
        if endpoint is None:
            return Outcome({})
        gone = replace(endpoint, status=EndpointStatus.DELETED, updated_at=self._clock.now())
        self._deliveries.remove(endpoint)
        fact = Fact("webhook_endpoint.deleted", gone.home, gone.updated_at, public_state(gone) | {"by": command.by})
        return Outcome({"endpoint_id": gone.id}, facts=[fact])

    async def test(self, command: Command) -> Outcome:
        """Send one event now; the caller looks for its attempt."""
        endpoint = await self._endpoint(command)
        event = test_event(endpoint, command.id.replace("cmd_", "evt_"), self._clock.now())
        attempt_id = command.id.replace("cmd_", "att_")
        self._deliveries.probe(endpoint, event, attempt_id)
        return Outcome({"attempt_id": attempt_id, "event_id": event.id})

    async def redeliver(self, command: Command) -> Outcome:
        """Chosen events, a range, all since a time, or all dead letters: one stream a number."""
        endpoint = await self._endpoint(command)
        if self._deliveries.redelivery_count(endpoint.id) >= MOST_REDELIVERIES:
            raise RequestRefused("Too many redeliveries are under way for this endpoint.", code="too_many_requests")
        records = await self._records(endpoint, command)
        if not records:
            raise RequestRefused("There is nothing to deliver again.", code="nothing_to_redeliver")
        for record in records:
            self._deliveries.redeliver(record)
        result = [
            {
                "id": record.id,
                "phone_number_id": record.number,
                "after": record.cursor,
                "until": record.until,
                "count": len(record.seqs) or record.until - record.cursor,
            }
            for record in records
        ]
        return Outcome({"redeliveries": result}, writes=[stream_write(record) for record in records])

    async def _records(self, endpoint: Endpoint, command: Command) -> list[StreamRecord]:
        data = command.data
        if "event_ids" in data:
            found = await self._database.find(
                EVENTS,
                {"_id": {"$in": list(data["event_ids"])}},
                projection={"number": 1, "seq": 1},
                limit=len(data["event_ids"]),
            )
            chosen = [(document["number"], int(document["seq"])) for document in found]
            return self._lists(endpoint, command, chosen)
        if data.get("dead_letters"):
            letters = await self._deliveries.repository.letters(endpoint.id, before=None, limit=MOST_LETTERS)
            return self._lists(endpoint, command, [(letter.number, letter.seq) for letter in letters])
        if "since" in data:
            return await self._since(endpoint, command, data["since"])
        number = data["phone_number_id"]
        if not applies_to(endpoint, number):
            raise RequestRefused(faults=[Fault("phone_number_id", "is not a number of this endpoint")])
        until = min(int(data["to_seq"]), self._deliveries.feed.last(number))
        return self._range(endpoint, command, number, int(data["from_seq"]) - 1, until)

    def _lists(self, endpoint: Endpoint, command: Command, chosen: Sequence[tuple[str, int]]) -> list[StreamRecord]:
        by_number: dict[str, list[int]] = {}
        for number, seq in chosen:
            if applies_to(endpoint, number):
                by_number.setdefault(number, []).append(seq)
        return [
            StreamRecord(
                id=f"{command.id}:{number}",
                endpoint_id=endpoint.id,
                number=number,
                kind=StreamKind.LIST,
                cursor=min(seqs) - 1,
                until=max(seqs),
                seqs=tuple(sorted(set(seqs))),
            )
            for number, seqs in by_number.items()
        ]

    async def _since(self, endpoint: Endpoint, command: Command, since: datetime) -> list[StreamRecord]:
        records = []
        for number in endpoint.numbers or self._deliveries.numbers:
            last = self._deliveries.feed.last(number)
            records += self._range(
                endpoint, command, number, await seq_before(self._database, number, since, last=last), last
            )
        return records

    def _range(self, endpoint: Endpoint, command: Command, number: str, after: int, until: int) -> list[StreamRecord]:
        if until <= after:
            return []
        return [
            StreamRecord(f"{command.id}:{number}", endpoint.id, number, StreamKind.RANGE, cursor=after, until=until)
        ]

    async def _endpoint(self, command: Command) -> Endpoint:
        await self._deliveries.loaded()
        endpoint = self._deliveries.endpoints.get(str(command.data["endpoint_id"]))
        if endpoint is None:
            raise RequestRefused("There is no such endpoint.", code="not_found")
        return endpoint

    def _check_numbers(self, numbers: Sequence[str]) -> None:
        unknown = [number for number in numbers if number not in self._deliveries.numbers]
        if unknown:
            raise RequestRefused(faults=[Fault("numbers", f"{number} is not one of our numbers") for number in unknown])

    async def _put(self, kind: str, endpoint: Endpoint, command: Command) -> Outcome:
        now = self._clock.now()
        endpoint = replace(endpoint, updated_at=now)
        keys = await self._deliveries.keys(endpoint)
        if kind in NEEDS_KEYS and not keys.are_complete(endpoint):
            raise RequestRefused(
                "The URL or the secret of this endpoint cannot be opened with PANAL_SECRET_KEY: set it again.",
                code="secret_unreadable",
            )
        starts = self._deliveries.put(endpoint, keys)
        data = public_state(endpoint) | {"by": command.by}
        if starts:
            data["stream_starts"] = starts
        return replace(_seen(endpoint), facts=[Fact(kind, endpoint.home, now, data)])


def _seen(endpoint: Endpoint) -> Outcome:
    return Outcome({"endpoint_id": endpoint.id, "updated_at": endpoint.updated_at})
