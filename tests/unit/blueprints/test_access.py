"""Every route has a rule for limited keys, and a route without one stops the start and is closed to them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sanic import Request, Sanic, empty

import blueprints
from blueprints.access import REACH, Reach, operation_of, require_reach, setup_access
from blueprints.extension import setup_extension
from services.keys import Caller, NotPermitted

LIMITED = Caller("key_1", "limited", frozenset(), frozenset({"12025550101"}))
UNLIMITED = Caller("key_2", "unlimited", frozenset())


@pytest.fixture
def app() -> Iterator[Sanic[Any, Any]]:
    app = Sanic("panal-access-test")
    for blueprint in blueprints.ALL:
        app.blueprint(blueprint)
    setup_extension(app)
    yield app
    Sanic.unregister_app(app)


def request(**context: object) -> Request:
    return cast(Request, SimpleNamespace(route=SimpleNamespace(ctx=SimpleNamespace(**context))))


def test_every_route_has_a_rule_and_every_rule_a_route(app: Sanic[Any, Any]) -> None:
    setup_access(app)
    routes = [(method, route) for route in app.router.routes for method in route.methods if method != "OPTIONS"]
    assert {operation_of(method, route.path) for method, route in routes} == set(REACH)
    for method, route in routes:
        assert route.ctx.reach is REACH[operation_of(method, route.path)], (method, route.path)


def test_a_new_route_without_a_rule_stops_the_start(app: Sanic[Any, Any]) -> None:
    async def handler(_: Request, thing: str) -> Any:
        return empty()

    app.add_route(handler, "/v1/things/<thing:str>", methods=["POST"], name="things")
    with pytest.raises(LookupError, match=r"POST /v1/things/\{\}"):
        setup_access(app)


@pytest.mark.parametrize(
    "path", ["v1/<node:[0-9]{1,32}>/x", "v1/<node:[^/]+>/x", "/v1/<node:v[0-9]+(?:[.][0-9]+)?>/x", "v1/<n:str>/x"]
)
def test_a_parameter_is_one_whatever_its_pattern(path: str) -> None:
    assert operation_of("GET", path) == "GET /v1/{}/x"


@pytest.mark.parametrize("reach", [Reach.NUMBERS, Reach.SHARED, Reach.OPEN])
def test_a_limited_key_gets_to_routes_that_keep_its_limit(reach: Reach) -> None:
    require_reach(request(reach=reach), LIMITED)


@pytest.mark.parametrize("asked", [request(reach=Reach.UNLIMITED), request()])
def test_what_needs_every_number_or_says_nothing_is_closed_to_a_limited_key(asked: Request) -> None:
    with pytest.raises(NotPermitted):
        require_reach(asked, LIMITED)
    require_reach(asked, UNLIMITED)
