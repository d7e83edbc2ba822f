"""Meta's three places for a callback, the nearer wins; each is one subscriber of ours."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from services.cloud_api.callbacks import APP, Callbacks, Place
from services.cloud_api.errors import GraphFault
from services.cloud_api.handshake import Handshake
from services.keys import Caller
from services.numbers import Number, NumberCache
from services.webhook_endpoints import (
    Endpoint,
    EndpointRequest,
    EndpointStatus,
    EndpointView,
    WebhookEndpointService,
    WebhookFormat,
)
from tests.doubles.clock import START

CALLER = Caller("key_1", "test", frozenset())
FIRST, SECOND, OTHER = (
    Number("11", "1", "15550000011", "sandbox"),
    Number("12", "1", "15550000012", "sandbox"),
    Number("21", "2", "15550000021", "sandbox"),
)


@dataclass
class World:
    """Endpoints, numbers and addresses in memory. ``good``: the verify token that every address takes."""

    views: dict[str, EndpointView] = field(default_factory=dict)
    good: str = "token"
    made: int = 0
    secrets: list[str | None] = field(default_factory=list)

    def callbacks(self) -> Callbacks:
        return Callbacks(
            cast(WebhookEndpointService, self),
            cast(NumberCache, _Numbers()),
            cast(Handshake, self),
            app_secret="app-secret",
        )

    async def fault(self, _url: str, verify_token: str) -> str | None:
        return None if verify_token == self.good else "HTTP Status Code = 403"

    async def all(self, _: Caller) -> list[EndpointView]:
        return list(self.views.values())

    async def create(self, order: EndpointRequest, _: Caller) -> tuple[EndpointView, str]:
        self.made += 1
        self.secrets.append(order.secret)
        assert order.numbers, "an endpoint without numbers would serve all of them"
        endpoint = Endpoint(
            id=f"whe_{self.made}", home="11", format=order.format, shown_url="", target_ref="", secrets=(),
            events=order.events or (), numbers=order.numbers, header_names=(), description=order.description or "",
            status=EndpointStatus.ENABLED, created_at=START, updated_at=START, created_by="key_1",
        )  # fmt: skip
        self.views[endpoint.id] = EndpointView(endpoint, order.url or "")
        return self.views[endpoint.id], "secret"

    async def update(self, endpoint_id: str, order: EndpointRequest, _: Caller) -> EndpointView:
        view = self.views[endpoint_id]
        numbers = view.endpoint.numbers if order.numbers is None else order.numbers
        self.views[endpoint_id] = EndpointView(replace(view.endpoint, numbers=numbers), order.url or view.url)
        return self.views[endpoint_id]

    async def pause(self, endpoint_id: str, _: Caller) -> None:
        view = self.views[endpoint_id]
        self.views[endpoint_id] = EndpointView(replace(view.endpoint, status=EndpointStatus.PAUSED), view.url)

    async def delete(self, endpoint_id: str, _: Caller) -> None:
        del self.views[endpoint_id]

    def served(self) -> dict[str, list[str]]:
        """Which numbers each address gets."""
        enabled = [view for view in self.views.values() if view.endpoint.status is EndpointStatus.ENABLED]
        return {view.url: sorted(view.endpoint.numbers) for view in enabled}


class _Numbers:
    async def all(self) -> list[Number]:
        return [FIRST, SECOND, OTHER]


ACCOUNT, NUMBER = Place("account", "1"), Place("number", "11")


async def test_the_nearest_place_serves_a_number() -> None:
    world = World()
    callbacks = world.callbacks()
    await callbacks.set(APP, "http://app", "token", CALLER)
    assert world.served() == {"http://app": ["11", "12", "21"]}
    await callbacks.set(ACCOUNT, "http://account", "token", CALLER)
    assert world.served() == {"http://app": ["21"], "http://account": ["11", "12"]}
    await callbacks.set(NUMBER, "http://number", "token", CALLER)
    assert world.served() == {"http://app": ["21"], "http://account": ["12"], "http://number": ["11"]}
    await callbacks.remove(ACCOUNT, CALLER)
    assert world.served() == {"http://app": ["12", "21"], "http://number": ["11"]}
    await callbacks.remove(NUMBER, CALLER)
    assert world.served() == {"http://app": ["11", "12", "21"]}


async def test_a_place_that_has_nothing_to_serve_is_idle_and_comes_back_without_the_past() -> None:
    world = World()
    callbacks = world.callbacks()
    await callbacks.set(ACCOUNT, "http://account", "token", CALLER)
    for number in ("11", "12"):
        await callbacks.set(Place("number", number), f"http://{number}", "token", CALLER)
    assert world.served() == {"http://11": ["11"], "http://12": ["12"]}
    idle = next(view.endpoint.id for view in world.views.values() if view.url == "http://account")
    await callbacks.remove(Place("number", "12"), CALLER)
    assert world.served() == {"http://account": ["12"], "http://11": ["11"]}
    assert idle not in world.views, "an endpoint that was only paused would deliver what others have had"


async def test_the_same_place_again_moves_its_address() -> None:
    world = World()
    callbacks = world.callbacks()
    await callbacks.set(ACCOUNT, "http://old", "token", CALLER)
    await callbacks.set(ACCOUNT, "http://new", "token", CALLER)
    assert world.served() == {"http://new": ["11", "12"]}
    assert world.made == 1
    assert await callbacks.url_of(ACCOUNT, CALLER) == "http://new"
    assert await callbacks.url_of(NUMBER, CALLER) is None


async def test_an_address_that_does_not_shake_hands_is_refused_as_meta_does() -> None:
    world = World()
    with pytest.raises(GraphFault, match="Callback verification failed") as refused:
        await world.callbacks().set(APP, "http://app", "wrong", CALLER)
    assert refused.value.graph_code == 2200
    assert world.views == {}


async def test_deliveries_are_in_metas_format_and_signed_with_the_app_secret() -> None:
    world = World()
    await world.callbacks().set(APP, "http://app", "token", CALLER)
    [view] = world.views.values()
    assert view.endpoint.format is WebhookFormat.META
    assert world.secrets == ["app-secret"]


async def test_other_subscribers_are_left_alone() -> None:
    world = World()
    order: dict[str, Any] = {
        "url": "http://theirs",
        "events": ("*",),
        "numbers": ("11",),
        "headers": {},
        "secret": None,
    }
    await world.create(EndpointRequest(**order, format=WebhookFormat.META, description="mine"), CALLER)
    await world.callbacks().set(APP, "http://app", "token", CALLER)
    await world.callbacks().remove(APP, CALLER)
    assert world.served() == {"http://theirs": ["11"]}
