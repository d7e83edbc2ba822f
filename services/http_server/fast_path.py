"""The fast path: a whole request of a known kind is answered without Sanic's routing.

Process: worker.

For each request Sanic builds a request, a route, a context and a response. A gateway answers three kinds of requests
nearly all the time: for those the connection asks a `FastRoute` as soon as the bytes come. A fast route that has any
doubt declines before it has any effect, and Sanic handles the same bytes from the beginning. So every unusual request
and every refusal is decided and worded in one place, the handlers.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from services.http_server.header_cache import HeaderCache


class Answer(NamedTuple):
    """``head``: status line and header lines, each with its CR LF, without Content-Length and Connection."""

    status: int
    head: bytes
    body: bytes


class LeaveFastPath(Exception):
    """Raised by ``PendingAnswer.result``: the request had no effect; Sanic is to handle it from the beginning."""


class PendingAnswer(NamedTuple):
    """The answer that a fast route is working on. Call ``result`` once ``done`` is done.

    ``result`` returns the answer. ``LeaveFastPath`` sends the request to Sanic; Sanic's error handler renders any other
    exception. ``key_id`` is the caller's API key, for the access log.
    """

    done: "asyncio.Future[Any]"
    result: Callable[[], Answer]
    key_id: str | None = None


class FastRoute(Protocol):
    """Answers the plain requests of one route."""

    @property
    def method(self) -> str:
        """HTTP method of the route, for metrics and the access log."""
        ...

    @property
    def pattern(self) -> str:
        """The route as the router names it: ``v1/messages/<message_id:str>``."""
        ...

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        """Begin to answer; ``body`` is complete. None: nothing was done, and Sanic's path decides.

        ``PanalError`` means the same as None. Any other exception is logged as a bug, and Sanic's path answers.
        """
        ...


class FindFastRoute(Protocol):
    """Finds the fast route of a request."""

    def __call__(self, first_line: bytes) -> FastRoute | None:
        """Return the fast route for the request line ``first_line`` (without CR LF), or None."""
        ...
