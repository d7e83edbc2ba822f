"""What a worker does with endpoints: checks, lays secrets into the vault, asks the owner, reads what became of it.

Process: worker.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from config.clock import Clock
from config.errors import Fault, RequestRefused, Unavailable
from config.ids import new_id
from services.commands import CommandClient
from services.egress import AddressPolicy, check_url, ensure_reachable
from services.keys import Caller
from services.webhook_endpoints.records import Attempt, DeadLetter, Endpoint, StreamKind, StreamRecord, Target
from services.webhook_endpoints.repository import WebhookRepository
from services.webhook_endpoints.requests import EndpointRequest
from services.webhook_endpoints.signing import new_secret

LONGEST_OVERLAP_S = 7 * 86_400.0
SHOWN_WITHIN_S = 2.0
UNREADABLE = "secret_unreadable"


class NoAnswerYet(Unavailable):
    """The test was sent, and its outcome is not known yet."""

    code = "test_pending"
    default_text = "The test is under way; look at the endpoint's attempts in a moment."


@dataclass(frozen=True, slots=True)
class EndpointView:
    """An endpoint with its real URL, and how far each of its streams has come.

    ``is_readable``: its URL and its secret can be opened. Otherwise ``url`` is the shown one, and nothing is delivered.
    """

    endpoint: Endpoint
    url: str
    streams: tuple[StreamRecord, ...] = ()
    is_readable: bool = True

    @property
    def reason(self) -> str | None:
        """Why nothing is delivered, where we know."""
        return self.endpoint.reason if self.is_readable else UNREADABLE


class WebhookEndpointService:
    """CRUD, test, redelivery and reading, for one worker."""

    def __init__(
        self,
        repository: WebhookRepository,
        commands: CommandClient,
        clock: Clock,
        *,
        policy: AddressPolicy,
        test_wait_s: float,
    ) -> None:
        self._repository = repository
        self._commands = commands
        self._clock = clock
        self._policy = policy
        self._test_wait_s = test_wait_s

    async def create(self, order: EndpointRequest, caller: Caller) -> tuple[EndpointView, str]:
        """Make an endpoint; answers it and its secret, which is never shown again."""
        numbers = _numbers(order.numbers or (), caller)
        endpoint_id, secret = new_id("whe"), order.secret or new_secret()
        placed = await self._place(endpoint_id, order.url or "", order.headers or {})
        data = placed | {
            "endpoint_id": endpoint_id,
            "secret": await self._lay_secret(endpoint_id, secret),
            "format": order.format.value,
            "events": list(order.events or ()),
            "numbers": list(numbers),
            "description": order.description or "",
        }
        return await self._done("create", data, caller), secret

    async def update(self, endpoint_id: str, order: EndpointRequest, caller: Caller) -> EndpointView:
        """Change what the request names, and nothing else. Raises ``RequestRefused`` and ``Unavailable``."""
        view = await self.get(endpoint_id, caller)
        data: dict[str, Any] = {"endpoint_id": endpoint_id}
        if order.events is not None:
            data["events"] = list(order.events)
        if order.numbers is not None:
            data["numbers"] = list(_numbers(order.numbers, caller))
        if order.description is not None:
            data["description"] = order.description
        if order.url is not None or order.headers is not None:
            held = (await self._repository.vault([view.endpoint.target_ref])).get(view.endpoint.target_ref)
            if not isinstance(held, Target):
                if order.url is None:
                    reason = "is required: the one that is stored cannot be opened"
                    raise RequestRefused(code=UNREADABLE, faults=[Fault("url", reason)])
                held = Target(order.url)
            headers = held.headers if order.headers is None else order.headers
            data |= await self._place(endpoint_id, order.url or held.url, headers)
        return await self._done("update", data, caller)

    async def pause(self, endpoint_id: str, caller: Caller) -> EndpointView:
        """Stop deliveries to it; its events stay in the log. Raises ``RequestRefused`` and ``Unavailable``."""
        await self.get(endpoint_id, caller)
        return await self._done("pause", {"endpoint_id": endpoint_id}, caller)

    async def resume(self, endpoint_id: str, caller: Caller) -> EndpointView:
        """Deliver again, from the first event that it has not got. Raises ``RequestRefused`` and ``Unavailable``."""
        await self.get(endpoint_id, caller)
        return await self._done("resume", {"endpoint_id": endpoint_id}, caller)

    async def delete(self, endpoint_id: str, caller: Caller) -> None:
        """Remove it with its secrets and dead letters. Raises ``RequestRefused`` and ``Unavailable``."""
        await self.get(endpoint_id, caller)
        await self._commands.submit("webhook_endpoint.delete", {"endpoint_id": endpoint_id}, by=caller.key_id)

    async def rotate(self, endpoint_id: str, *, overlap_s: float, caller: Caller) -> tuple[EndpointView, str]:
        """A new secret; the old one goes on signing for ``overlap_s`` seconds."""
        if not 0 <= overlap_s <= LONGEST_OVERLAP_S:
            raise RequestRefused(faults=[Fault("overlap_s", f"must be from 0 to {LONGEST_OVERLAP_S:g}")])
        await self.get(endpoint_id, caller)
        secret = new_secret()
        data = {
            "endpoint_id": endpoint_id,
            "secret": await self._lay_secret(endpoint_id, secret),
            "overlap_s": overlap_s,
        }
        return await self._done("rotate_secret", data, caller), secret

    async def test(self, endpoint_id: str, caller: Caller) -> Attempt:
        """Have one event sent now, and wait for what comes back. Raises ``NoAnswerYet``."""
        await self.get(endpoint_id, caller)
        result = await self._commands.submit("webhook_endpoint.test", {"endpoint_id": endpoint_id}, by=caller.key_id)
        until = self._clock.monotonic() + self._test_wait_s
        while self._clock.monotonic() < until:
            await asyncio.sleep(0.2)
            attempt = await self._repository.attempt(result["attempt_id"])
            if attempt is not None:
                return attempt
        raise NoAnswerYet()

    async def redeliver(self, endpoint_id: str, what: Mapping[str, Any], caller: Caller) -> list[dict[str, Any]]:
        """Deliver again; answers the redeliveries that began."""
        await self.get(endpoint_id, caller)
        result = await self._commands.submit(
            "webhook_endpoint.redeliver", {"endpoint_id": endpoint_id, **what}, by=caller.key_id
        )
        return list(result["redeliveries"])

    async def all(self, caller: Caller) -> list[EndpointView]:
        """Every endpoint that this caller may see."""
        endpoints = [one for one in await self._repository.endpoints() if _may_see(caller, one)]
        vault = await self._repository.vault([ref for endpoint in endpoints for ref in _refs(endpoint)])
        return [_view_of(endpoint, vault) for endpoint in endpoints]

    async def get(self, endpoint_id: str, caller: Caller) -> EndpointView:
        """One endpoint with its streams. Raises ``RequestRefused`` (``not_found``)."""
        view = await self._view(endpoint_id)
        if view is None or not _may_see(caller, view.endpoint):
            raise RequestRefused("There is no such endpoint.", code="not_found")
        return view

    async def attempts(self, endpoint_id: str, *, before: int | None, limit: int, caller: Caller) -> list[Attempt]:
        """Up to ``limit`` tries, the newest first; ``before`` is the ``order`` of the last one seen."""
        await self.get(endpoint_id, caller)
        return await self._repository.attempts(endpoint_id, before=before, limit=limit)

    async def letters(self, endpoint_id: str, *, before: int | None, limit: int, caller: Caller) -> list[DeadLetter]:
        """Up to ``limit`` dead letters, the newest first; ``before`` is the ``order`` of the last one seen."""
        await self.get(endpoint_id, caller)
        return await self._repository.letters(endpoint_id, before=before, limit=limit)

    async def _done(self, verb: str, data: Mapping[str, Any], caller: Caller) -> EndpointView:
        """Have the owner do it, and answer once everybody can see it: documents follow an instant after the word."""
        result = await self._commands.submit(f"webhook_endpoint.{verb}", data, by=caller.key_id)
        until = self._clock.monotonic() + SHOWN_WITHIN_S
        while True:
            view = await self._view(result["endpoint_id"])
            is_shown = view is not None and view.endpoint.updated_at >= result["updated_at"]
            if view is not None and (is_shown or self._clock.monotonic() > until):
                return view
            if self._clock.monotonic() > until:
                raise RequestRefused("There is no such endpoint.", code="not_found")
            await asyncio.sleep(0.01)

    async def _view(self, endpoint_id: str) -> EndpointView | None:
        endpoint = await self._repository.endpoint(endpoint_id)
        if endpoint is None:
            return None
        vault = await self._repository.vault(_refs(endpoint))
        streams = await self._repository.streams(endpoint_id)
        live_first = sorted(streams, key=lambda stream: (stream.kind is not StreamKind.LIVE, stream.id))
        return replace(_view_of(endpoint, vault), streams=tuple(live_first))

    async def _place(self, endpoint_id: str, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
        checked = check_url(url, self._policy)
        await ensure_reachable(checked, self._policy)
        ref = new_id("whv")
        await self._repository.put_target(ref, endpoint_id, Target(checked.text, headers))
        return {"target": ref, "shown_url": shown_url(checked.text), "header_names": sorted(headers)}

    async def _lay_secret(self, endpoint_id: str, secret: str) -> str:
        ref = new_id("whv")
        await self._repository.put_secret(ref, endpoint_id, secret)
        return ref


def shown_url(url: str) -> str:
    """A URL for events and logs: its host. Path and query may hold a token, so they are left out."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" + ("/***" if parts.path.strip("/") or parts.query else "/")


def _refs(endpoint: Endpoint) -> list[str]:
    return [endpoint.target_ref, endpoint.secrets[0].ref]


def _view_of(endpoint: Endpoint, vault: Mapping[str, Any]) -> EndpointView:
    held = vault.get(endpoint.target_ref)
    url = held.url if isinstance(held, Target) else endpoint.shown_url
    return EndpointView(endpoint, url, is_readable=all(ref in vault for ref in _refs(endpoint)))


def _numbers(numbers: tuple[str, ...], caller: Caller) -> tuple[str, ...]:
    """A key for some numbers makes endpoints for some of them."""
    if not caller.numbers:
        return numbers
    foreign = [number for number in numbers if number not in caller.numbers]
    if foreign:
        faults = [Fault("numbers", f"{number} is not among the numbers of this API key") for number in foreign]
        raise RequestRefused(code="number_forbidden", faults=faults)
    return numbers or tuple(sorted(caller.numbers))


def _may_see(caller: Caller, endpoint: Endpoint) -> bool:
    return not caller.numbers or (bool(endpoint.numbers) and set(endpoint.numbers) <= caller.numbers)
