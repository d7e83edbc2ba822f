"""Sanic Extensions (sanic-ext) with one extension of ours: HEAD for every GET, and OPTIONS for every path.

Process: main, worker.

Its built-in extensions stay off:
* HEAD and OPTIONS: it adds routes one at a time after the worker has started, and Sanic compiles all routers again for
  each, seven seconds of CPU a worker with our routes (measured). Ours adds them before the first compilation.
* OpenAPI: its reference loads scripts from another host and knows no OpenAPI 3.1; ``blueprints/openapi`` makes ours.
* Injection and CORS: they cost every request, and Panal needs neither.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any

import sanic_ext  # loads pydantic, too: Sanic itself would only shrug when either is missing
from sanic import HTTPResponse, Request, Sanic
from sanic.response import empty
from sanic_ext.extensions.base import Extension

Handler = Callable[..., Any]


class AutomaticMethods(Extension):  # type: ignore[no-untyped-call]  # sanic-ext left its hook untyped
    """Adds the two methods to every path that lacks them."""

    name = "methods"

    def startup(self, _: Any) -> None:
        """Called by ``app.extend``, when every blueprint is registered."""
        for group in list(self.app.router.groups.values()):
            methods = set(group.methods)
            place = {"uri": group.uri, "strict_slashes": group.strict, "unquote": group.unquote}
            name = next(iter(group)).name
            if "GET" in methods and "HEAD" not in methods:
                get = next(route for route in group if "GET" in route.methods)
                self.app.add_route(partial(_head, get.handler), methods=["HEAD"], name=f"{name}_head", **place)
                self._share_middleware(get.name, f"{name}_head")
                methods.add("HEAD")
            if "OPTIONS" not in methods:
                allow = ",".join(sorted({*methods, "OPTIONS"}))
                self.app.add_route(partial(_options, allow), methods=["OPTIONS"], name=f"{name}_options", **place)

    def _share_middleware(self, name: str, name_of_head: str) -> None:
        """What a blueprint asks before its GET (who calls?) is asked before HEAD, too. Sanic goes by a route's name."""
        for named in (self.app.named_request_middleware, self.app.named_response_middleware):
            if name in named:
                named[name_of_head] = named[name]

    def label(self) -> str:
        """What Sanic's own start-up table would say."""
        return "HEAD, OPTIONS"


async def _head(get: Callable[..., Awaitable[HTTPResponse] | HTTPResponse], request: Request, **kwargs: Any) -> Any:
    answer = get(request, **kwargs)
    return await answer if isawaitable(answer) else answer


async def _options(allow: str, _: Request, **__: Any) -> HTTPResponse:
    return empty(headers={"allow": allow})


def setup_extension(app: Sanic[Any, Any]) -> None:
    """Extend the application, when all its routes are known and before it starts.

    Raises ``RuntimeError`` when sanic-ext did not load: Sanic itself ignores that.
    """
    app.extend(
        extensions=[AutomaticMethods],
        built_in_extensions=False,
        config=sanic_ext.Config(
            oas=False,
            cors=False,
            health=False,
            http_all_methods=False,
            http_auto_head=False,
            http_auto_options=False,
            http_auto_trace=False,
        ),
    )
    if getattr(app, "_ext", None) is None:
        raise RuntimeError("sanic-ext did not load: pip install 'sanic-ext==25.12.*' pydantic")
