"""The short route: a request that is all there, of a kind that is known, is answered without a task of its own.

Process: worker.

Sanic gives each connection a task, each request an object, a route, a context and a response. A gateway answers three
kinds of requests nearly all the time; for those a connection asks a way, at once, when the bytes come. A way that has
any doubt declines before it has done anything, and Sanic reads the same bytes as if nothing had been: all that is
unusual, and every refusal, is decided and worded there, in one place.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from services.http_server.header_cache import HeaderCache


class Answer(NamedTuple):
    """``head``: status line and header lines, each with its line break, without length and connection."""

    status: int
    head: bytes
    body: bytes


class LeaveFastPath(Exception):
    """Said by ``result``: nothing came of it, and nothing is lost if the request is handled from its beginning."""


class PendingAnswer(NamedTuple):
    """A request on the short route. ``result`` is asked once ``done`` is; what it raises is told on the long route.

    ``key_id`` is the caller's, for the log.
    """

    done: "asyncio.Future[Any]"
    result: Callable[[], Answer]
    key_id: str | None = None


class FastRoute(Protocol):
    """Answers requests of one route."""

    @property
    def method(self) -> str:
        """Its method."""
        ...

    @property
    def route(self) -> str:
        """Its pattern, as the router has it: ``v1/messages/<message_id:str>``."""
        ...

    def begin(self, header: HeaderCache, body: bytes) -> PendingAnswer | None:
        """Begin to answer. None: it has done nothing, Sanic's path is to decide."""
        ...


class FindFastRoute(Protocol):
    """Which way is for a request?"""

    def __call__(self, first_line: bytes) -> FastRoute | None:
        """By its first line, without the line break."""
        ...
