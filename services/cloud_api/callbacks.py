"""Where a Cloud API client wants its notifications: a subscriber of ours in Meta's format, made by Meta's own calls.

Process: worker.

Meta knows three places, the nearer wins: a phone number, an account, an app. Each is one endpoint with a name of its
own; the numbers that it serves are those that no nearer place serves. Deliveries are signed with the app secret, which
is what such a client checks with.
Source: Meta, "Webhooks, create endpoint" and "Override" (2026-09-11).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.cloud_api.errors import GraphFault
from services.cloud_api.handshake import Handshake
from services.keys import Caller
from services.numbers import Number, NumberCache
from services.webhook_endpoints import (
    EndpointRequest,
    EndpointStatus,
    EndpointView,
    WebhookEndpointService,
    WebhookFormat,
)

VERIFICATION_FAILED: Final = 2200
LABEL: Final = "Cloud API callback of"


@dataclass(frozen=True, slots=True)
class Place:
    """``kind`` is number, account or app; ``id`` is empty for the app: an installation has one."""

    kind: str
    id: str = ""

    @property
    def label(self) -> str:
        """The description by which the endpoint is found again."""
        return f"{LABEL} {self.kind} {self.id}".strip()


APP: Final = Place("app")


class Callbacks:
    """Sets, shows and removes callbacks."""

    def __init__(
        self, endpoints: WebhookEndpointService, numbers: NumberCache, handshake: Handshake, *, app_secret: str
    ) -> None:
        self._endpoints = endpoints
        self._numbers = numbers
        self._handshake = handshake
        self._app_secret = app_secret
        self._changing = asyncio.Lock()

    async def set(self, place: Place, url: str, verify_token: str, caller: Caller) -> None:
        """Have notifications of this place delivered to ``url``, once it has answered Meta's handshake.

        Raises ``GraphFault`` (2200) when it does not.
        """
        fault = await self._handshake.fault(url, verify_token)
        if fault is not None:
            words = f"(#{VERIFICATION_FAILED}) Callback verification failed with the following errors: {fault}"
            raise GraphFault(VERIFICATION_FAILED, message=words)
        async with self._changing:
            found = (await self._found(caller)).get(place.label)
            if found is not None and found.url != url:
                await self._endpoints.update(found.endpoint.id, self._order(url=url), caller)
            await self._settle(caller, {place: url})

    async def remove(self, place: Place, caller: Caller) -> None:
        """Deliver nothing more for this place; a farther one serves its numbers again."""
        async with self._changing:
            found = (await self._found(caller)).get(place.label)
            if found is not None:
                await self._endpoints.delete(found.endpoint.id, caller)
            await self._settle(caller, {})

    async def url_of(self, place: Place, caller: Caller) -> str | None:
        """Where notifications of this place go."""
        found = (await self._found(caller)).get(place.label)
        return found.url if found is not None else None

    async def _settle(self, caller: Caller, new: dict[Place, str]) -> None:
        """Give every number to the nearest place that has a callback, and each place its numbers."""
        found = await self._found(caller)
        numbers = [number for number in await self._numbers.all() if caller.may_use(number.phone_number_id)]
        places = {place.label: place for number in numbers for place in _places(number)}
        taken = found.keys() | {place.label for place in new}
        served: dict[str, list[str]] = {label: [] for label in taken if label in places}
        for number in numbers:
            nearest = next((place.label for place in _places(number) if place.label in taken), None)
            if nearest is not None:
                served[nearest].append(number.phone_number_id)
        for label, ids in served.items():
            view = found.get(label)
            everything = [one.phone_number_id for one in numbers if places[label] in _places(one)]
            if view is None:
                await self._make(label, new[places[label]], ids or everything, caller, is_idle=not ids)
            elif not ids:
                await self._endpoints.pause(view.endpoint.id, caller)
            elif view.endpoint.status is not EndpointStatus.ENABLED:
                # Its turn again: what a nearer place had meanwhile must not come a second time.
                await self._endpoints.delete(view.endpoint.id, caller)
                await self._make(label, view.url, ids, caller)
            elif sorted(view.endpoint.numbers) != sorted(ids):
                await self._endpoints.update(view.endpoint.id, self._order(numbers=ids), caller)

    async def _make(
        self, label: str, url: str, numbers: Sequence[str], caller: Caller, *, is_idle: bool = False
    ) -> None:
        """An endpoint without numbers would serve all of them: one that has none to serve yet is made and paused."""
        order = self._order(url=url, numbers=numbers, label=label, is_new=True)
        view, _ = await self._endpoints.create(order, caller)
        if is_idle:
            await self._endpoints.pause(view.endpoint.id, caller)

    async def _found(self, caller: Caller) -> dict[str, EndpointView]:
        return {
            view.endpoint.description: view
            for view in await self._endpoints.all(caller)
            if view.endpoint.format is WebhookFormat.META and view.endpoint.description.startswith(LABEL)
        }

    def _order(
        self, *, url: str | None = None, numbers: Sequence[str] | None = None, label: str = "", is_new: bool = False
    ) -> EndpointRequest:
        return EndpointRequest(
            url=url,
            events=("*",) if is_new else None,
            numbers=None if numbers is None else tuple(numbers),
            format=WebhookFormat.META,
            headers={} if is_new else None,
            description=label if is_new else None,
            secret=self._app_secret if is_new else None,
        )


def _places(number: Number) -> tuple[Place, ...]:
    """The places that may serve a number, the nearest first."""
    return Place("number", number.phone_number_id), Place("account", number.waba_id), APP
