"""What is done to a server that runs, and measured.

Process: a command.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from benchmarks import wire
from benchmarks.drive import Seen, drive
from benchmarks.load import Order
from benchmarks.servers import APP_SECRET, NUMBER, WABA, Server
from tests.harness.waiting import until

PHONES = 200
CONNECTIONS = 64
OPEN_CONNECTIONS = 256
"""In the open loop nothing may wait for a connection while the server still has time."""

_SEEDS = itertools.count(1)
"""No two loads of a run send the same notification: the second would be recognised, and cost less."""


@dataclass(frozen=True, slots=True)
class LoadShape:
    """How long each part takes (seconds), by how many processes the load is made, and to how many customers it goes."""

    seconds: float = 6.0
    warm_s: float = 1.5
    generators: int = 1
    phones: int = PHONES


@dataclass(slots=True)
class Result:
    """One server in one scenario: saturation, then the open loop at fixed rates."""

    server: str
    scenario: str
    saturation: Seen | None = None
    at_rates: list[Seen] = field(default_factory=list)
    rounds: list[Seen] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For the results file."""
        return {
            "server": self.server,
            "scenario": self.scenario,
            "saturation": self.saturation.as_dict() if self.saturation else None,
            "rounds": [seen.as_dict() for seen in self.rounds],
            "at_rates": [seen.as_dict() for seen in self.at_rates],
        }


def order(server: Server, kind: str, shape: LoadShape, *, rate_per_s: float = 0.0, ids: Sequence[str] = ()) -> Order:
    """An order for this server with the usual recipients and secrets."""
    return Order(
        kind=kind,
        port=server.port,
        key=server.key,
        seconds=shape.seconds + shape.warm_s,
        warm_s=shape.warm_s,
        rate_per_s=rate_per_s,
        connections=OPEN_CONNECTIONS if rate_per_s else CONNECTIONS,
        phones=wire.recipients(shape.phones),
        ids=list(ids),
        secret=APP_SECRET,
        number=NUMBER,
        waba=WABA,
        seed=next(_SEEDS),
    )


def saturate(server: Server, kind: str, shape: LoadShape, *, ids: Sequence[str] = ()) -> Seen:
    """As fast as it answers, over 64 connections; and the CPU time that the server and its database took for each."""
    before = server.cpu_s()
    seen = drive(order(server, kind, shape, ids=ids), processes=shape.generators)
    # The seconds of warming up are in the CPU time, so their requests must be in the count: all take the same.
    requests = seen.achieved_per_s * (shape.seconds + shape.warm_s)
    seen.cpu_us = (server.cpu_s() - before) / max(1.0, requests) * 1e6
    return seen


def at_rate(server: Server, kind: str, shape: LoadShape, rate_per_s: float, *, ids: Sequence[str] = ()) -> Seen:
    """At a constant rate, latency from the moment a request was due."""
    return drive(order(server, kind, shape, rate_per_s=rate_per_s, ids=ids), processes=shape.generators)


def open_windows(server: Server, *, phones: int = PHONES) -> None:
    """Every customer writes once, so that each may be sent free text; wait until the API knows it."""

    async def write_all() -> None:
        limit = asyncio.Semaphore(16)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.sandbox_port}", timeout=20) as client:

            async def write(phone: str) -> None:
                body = {"type": "text", "text": {"body": "Hello"}}
                async with limit:
                    (await client.post(f"/_sandbox/phones/{phone}/messages", json=body)).raise_for_status()

            await asyncio.gather(*(write(phone) for phone in wire.recipients(phones)))

    asyncio.run(write_all())
    with server.client() as client:

        def all_known() -> bool:
            found = client.get("/v1/messages", params={"direction": "in", "limit": 200}).json()
            return len(found["data"]) >= min(200, phones)

        until(all_known, "every customer's window is open", within_s=60, every_s=0.3)


def set_paused(server: Server, is_paused: bool) -> None:
    """Whether the first number of Panal sends what is accepted; wait until it is so."""
    with server.client() as client:

        def is_so() -> bool:
            # 503 says that it is stored and not done yet: the owner has a lot to do just now. Asking again is harmless.
            answer = client.post(f"/v1/numbers/{NUMBER}/{'pause' if is_paused else 'resume'}")
            return answer.status_code == 200

        until(is_so, "the number is paused or goes on", within_s=60)


def wait_until_ingested(server: Server) -> None:
    """Until the owner has understood every notification that was taken in: what follows is measured without it."""
    with server.client() as client:

        def is_done() -> bool:
            answer = client.get("/v1/notifications", params={"state": "new", "limit": 1})
            return answer.status_code == 200 and not answer.json()["data"]

        until(is_done, "every notification is understood", within_s=120, every_s=0.5)
