"""Limits of a worker's HTTP connections: how many, how slow; and what happens to them in a drain.

Process: worker.

Sanic's own timers restart with every byte, so a header at one byte a second would stay open for ever. Here the whole
header has a deadline, and the deadline of the body grows only with the bytes that have arrived.
"""

import asyncio
import contextlib
import ipaddress
import logging
import resource
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from sanic.http.constants import Stage

from config.errors import RequestRefused
from config.settings import Settings

SWEEP_S = 0.5
FILES_KEPT_FREE = 128  # the log, the database pool, live files

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds, bytes per second, counts per worker. A limit of 0 is off.

    `address_limit` holds for public addresses only: a private one is a proxy that speaks for many clients.
    `silent_s`: how long a new connection may send nothing.
    `window_s`: how long a draining worker still accepts a request on an idle or new connection.
    """

    header_s: float = 10.0
    silent_s: float = 15.0
    body_s: float = 3.0
    body_bytes_per_s: int = 16 * 1024
    address_limit: int = 200
    limits_private: bool = False
    connection_limit: int = 0
    window_s: float = 1.0

    @classmethod
    def from_settings(cls, settings: Settings) -> "ConnectionLimits":
        """Take from the settings what an operator may change; the rest keeps its default."""
        return cls(
            header_s=settings.request_header_s,
            body_s=settings.request_body_s,
            body_bytes_per_s=settings.request_body_bytes_per_s,
            address_limit=settings.connections_per_address,
            connection_limit=settings.connections_per_worker,
        )

    def total_limit(self) -> int:
        """Connections per worker: the operator's limit, otherwise what the file descriptors of this process allow."""
        if self.connection_limit:
            return self.connection_limit
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return max(64, soft - FILES_KEPT_FREE) if soft != resource.RLIM_INFINITY else 1_000_000


class TooManyConnections(RequestRefused):
    """A client behind a proxy has too many requests in progress, live streams included."""

    code = "too_many_connections"
    may_retry = True
    default_text = "Too many connections from this address; use fewer."


class Connection(Protocol):
    """What the connection tracker needs of a connection; `PanalProtocol` is one.

    `http`: Sanic's state of the request, or None.
    """

    is_expired: bool
    silent_since: float | None
    websocket: Any

    @property
    def http(self) -> Any: ...
    @property
    def awaits_client(self) -> bool:
        """Is it the client's turn? False while a handler still works on data that has come."""
        ...

    def expire(self) -> None: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...
    def answer_and_close(self) -> None: ...
    def close_if_still_idle(self) -> None: ...


class ConnectionTracker:
    """Knows every connection of this worker. The protocol asks it before it accepts; a sweep ends slow ones."""

    def __init__(self, options: ConnectionLimits) -> None:
        self.options = options
        self.is_draining = False
        self.expired_count = 0
        self.refused_count = 0
        self.surplus = 0  # connections to close, as computed by `rebalance.too_many`
        self.connections: set[Connection] = set()
        self._total_limit = options.total_limit()
        self._addresses: Counter[str] = Counter()
        self._swept_at = float("inf")
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the sweep. Call it on the worker's loop before it listens."""
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep_for_ever(), name="connection-sweep")

    async def stop(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper

    def refusal(self, address: str) -> str | None:
        """Return the key of REFUSALS for a connection over a limit; None for one that is accepted."""
        if len(self.connections) >= self._total_limit:
            self.refused_count += 1
            return "connections_full"
        return None if self.has_room_for(address) else "too_many_connections"

    def has_room_for(self, address: str) -> bool:
        """May this address have one more connection, or, behind a proxy, one more request in progress?"""
        limit = self.options.address_limit
        if limit and self._addresses[address] >= limit and (self.options.limits_private or is_public(address)):
            self.refused_count += 1
            return False
        return True

    def opened(self, connection: Connection, address: str) -> None:
        self.connections.add(connection)
        self.count(address, 1)

    def closed(self, connection: Connection, address: str) -> None:
        self.connections.discard(connection)
        self.count(address, -1)

    def count(self, address: str, change: int) -> None:
        """Add ``change`` to the connections and requests of this address."""
        self._addresses[address] += change
        if self._addresses[address] <= 0:
            del self._addresses[address]

    def in_flight(self) -> int:
        """Requests being handled or answered, live streams included."""
        return sum(1 for connection in self.connections if connection.http)

    def connection_count(self) -> int:
        """Connections without streams, which cannot move to another worker and cost little."""
        return len(self.connections) - self.stream_count()

    def stream_count(self) -> int:
        """Answers in progress (nearly always live streams) and WebSockets."""
        return sum(
            1
            for connection in self.connections
            if connection.websocket is not None
            or (connection.http is not None and connection.http.stage is Stage.RESPONSE)
        )

    def release_surplus(self) -> bool:
        """Take one of the surplus: True if the connection being answered should close."""
        if self.surplus <= 0:
            return False
        self.surplus -= 1
        return True

    def begin_drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on every answer closes its connection; idle ones stay for the window, for requests just arriving."""
        if self.is_draining:
            return
        self.is_draining = True
        for connection in list(self.connections):
            connection.answer_and_close()
        loop.call_later(self.options.window_s, self.close_idle)

    def close_idle(self) -> None:
        for connection in list(self.connections):
            connection.close_if_still_idle()

    def sweep(self, now: float) -> None:
        """End connections past a deadline. ``now`` in seconds of the loop's clock."""
        since_last_s, self._swept_at = max(0.0, now - self._swept_at), now
        for connection in list(self.connections):
            if connection.is_expired:
                connection.abort()  # it was sent a 408 at the last sweep
                continue
            if connection.silent_since is not None and now - connection.silent_since > self.options.silent_s:
                self.expired_count += 1
                connection.close()  # it sent no request: there is nothing to answer
                continue
            if not connection.awaits_client and connection.http is not None and connection.http.began_at:
                # The handler reads a long import as fast as the database takes it: that time is not the client's.
                connection.http.began_at += min(since_last_s, now - connection.http.began_at)
            deadline = self._deadline(connection, now)
            if deadline is not None and now > deadline:
                self.expired_count += 1
                connection.expire()

    def _deadline(self, connection: Connection, now: float) -> float | None:
        """Moment by which the header or the body must be complete; None while nothing is expected of the client."""
        http = connection.http
        if http is None or connection.websocket is not None:
            return None
        if http.owed_bytes and http.stage is Stage.IDLE:
            return float(http.owed_since + self.options.header_s)
        is_header = http.stage is Stage.REQUEST
        if not is_header and not (http.stage is Stage.HANDLER and http.request_body):
            return None
        http.began_at = http.began_at or now  # the very first bytes come before Sanic has made its `Http`
        if is_header:
            return float(http.began_at + self.options.header_s)
        arrived = (http.request_bytes or 0) - (http.request_bytes_left or 0)
        allowed = self.options.header_s + self.options.body_s + arrived / self.options.body_bytes_per_s
        return float(http.began_at + allowed)

    async def _sweep_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                self.sweep(loop.time())
            except Exception:
                logger.exception("The sweep of slow connections failed.", extra={"action": "connections.sweep_failed"})


def is_public(address: str) -> bool:
    """Is this a global IP address? False for loopback, private and link-local ones, and for a Unix socket."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
