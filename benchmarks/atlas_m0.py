"""A model of a free Atlas cluster: a proxy in front of any MongoDB that charges for commands as Atlas documents it.

Process: a command: ``python -m benchmarks.atlas_m0 --to 127.0.0.1:27117 --port 27018``.

* Every command costs a round trip (20 ms by default).
* A bucket holds ``ops_per_s`` tokens and fills at that rate; every command takes one. A connection that finds it empty
  rests for a second before its command goes on, and Atlas says so nowhere but in the latency.
* Past 500 connections a new one is refused.
* It counts commands by name and the documents in them. What a driver asks by itself (``hello`` and its kin) goes
  through free and is counted apart, unless told otherwise.

Source: MongoDB, "Atlas M0 (Free Cluster) Limits" (2026): 100 operations a second, a cool-down of 1 s a connection, 500
connections. How Atlas counts a batch is not documented: ``documents`` is the pessimistic reading.
"""

import argparse
import asyncio
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import uvloop
from bson import decode

HEADER: Final = struct.Struct("<iiii")
OP_MSG: Final = 2013
OP_QUERY: Final = 2004
MAX_MESSAGE: Final = 64 * 2**20
DRIVER_COMMANDS: Final = frozenset({"hello", "ismaster", "isMaster", "saslStart", "saslContinue", "endSessions"})
BATCHES: Final = ("documents", "updates", "deletes")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the model allows. ``round_trip_s`` is added to every command, ``cooldown_s`` to one that found no token."""

    ops_per_s: float = 100.0
    round_trip_s: float = 0.020
    cooldown_s: float = 1.0
    max_connections: int = 500
    charges_driver: bool = False


@dataclass(slots=True)
class Tally:
    """What went through since the start, or since ``reset``."""

    commands: int = 0
    documents: int = 0
    driver_commands: int = 0
    throttled: int = 0
    refused_connections: int = 0
    connections: int = 0
    peak_connections: int = 0
    peak_per_s: int = 0
    by_name: Counter[str] = field(default_factory=Counter)
    by_collection: Counter[str] = field(default_factory=Counter)
    by_second: Counter[int] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "commands": self.commands,
            "documents": self.documents,
            "driver_commands": self.driver_commands,
            "throttled": self.throttled,
            "refused_connections": self.refused_connections,
            "connections": self.connections,
            "peak_connections": self.peak_connections,
            "peak_per_s": max(self.by_second.values(), default=0),
            "by_name": dict(self.by_name.most_common()),
            "by_collection": dict(self.by_collection.most_common(20)),
        }


class Bucket:
    """Tokens that come at a constant rate, up to one second's worth."""

    def __init__(self, per_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._monotonic = monotonic
        self._tokens = per_s
        self._at = monotonic()

    def take(self) -> bool:
        """One token, or False when there is none."""
        now = self._monotonic()
        self._tokens = min(self._per_s, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class Command:
    """One request of a client: its name, its collection, and how many documents it writes (or 1)."""

    name: str
    collection: str
    documents: int

    @property
    def is_drivers(self) -> bool:
        """Monitoring and log-in: what a driver does without being asked."""
        return self.name in DRIVER_COMMANDS


def read_command(opcode: int, body: bytes) -> Command:
    """The command in a message without its header. OP_QUERY is a driver's first hello."""
    if opcode != OP_MSG:
        return Command("hello", "", 1)
    at, document, documents = 4, {}, 0
    checksum = 4 if struct.unpack_from("<I", body)[0] & 1 else 0
    while at < len(body) - checksum:
        kind = body[at]
        size = struct.unpack_from("<i", body, at + 1)[0]
        if kind == 0:
            document = decode(body[at + 1 : at + 1 + size])
        elif kind == 1:
            documents += _count(body, at + 1, size)
        at += 1 + size
    name = next(iter(document), "")
    for batch in BATCHES:
        documents += len(document.get(batch) or ())
    collection = document.get("collection") if name == "getMore" else document.get(name)
    return Command(name, collection if isinstance(collection, str) else "", documents or 1)


def _count(body: bytes, at: int, size: int) -> int:
    """How many documents stand in a section of kind 1."""
    end = at + size
    at = body.index(0, at + 4) + 1
    count = 0
    while at < end:
        at += struct.unpack_from("<i", body, at)[0]
        count += 1
    return count


class Proxy:
    """Listens on loopback, and passes on what its limits let through."""

    def __init__(self, host: str, port: int, *, limits: Limits | None = None) -> None:
        """``host`` and ``port`` of the database behind it."""
        self._target = (host, port)
        self._limits = limits or Limits()
        self._bucket = Bucket(self._limits.ops_per_s)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.tally = Tally()

    async def start(self, port: int = 0) -> int:
        """Listen; answer the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=2**20)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            await self._server.wait_closed()

    def reset(self) -> None:
        """Count from here; open connections stay."""
        connections = self.tally.connections
        self.tally = Tally(connections=connections, peak_connections=connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.tally.connections >= self._limits.max_connections:
            self.tally.refused_connections += 1
            writer.close()
            return
        self.tally.connections += 1
        self.tally.peak_connections = max(self.tally.peak_connections, self.tally.connections)
        self._open.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            answers, upstream = await asyncio.open_connection(*self._target, limit=2**20)
            back = asyncio.create_task(_pass_on(answers, writer))
            try:
                await self._commands(reader, upstream)
            finally:
                back.cancel()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self.tally.connections -= 1
            self._open.discard(writer)
            for end in (writer, upstream):
                if end is not None:
                    end.close()

    async def _commands(self, reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
        while True:
            header = await reader.readexactly(HEADER.size)
            length, _, _, opcode = HEADER.unpack(header)
            if not HEADER.size <= length <= MAX_MESSAGE:
                raise ValueError(f"a message of {length} bytes")
            body = await reader.readexactly(length - HEADER.size)
            await self._charge(read_command(opcode, body))
            upstream.write(header + body)
            await upstream.drain()

    async def _charge(self, command: Command) -> None:
        tally, limits = self.tally, self._limits
        if command.is_drivers and not limits.charges_driver:
            tally.driver_commands += 1
            return
        tally.commands += 1
        tally.documents += command.documents
        tally.by_name[command.name] += 1
        tally.by_collection[f"{command.name} {command.collection}".strip()] += 1
        tally.by_second[int(time.monotonic())] += 1
        if not self._bucket.take():
            tally.throttled += 1
            await asyncio.sleep(limits.cooldown_s)
            self._bucket.take()
        await asyncio.sleep(limits.round_trip_s)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _control(proxy: Proxy, port: int) -> None:
    """Answer each line on a second port with the counts; ``reset`` counts from here. For a proxy in its own process."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(orjson.dumps(proxy.tally.as_dict()) + b"\n")
            if line.strip() == b"reset":
                proxy.reset()
            await writer.drain()
        writer.close()

    await asyncio.start_server(answer, "127.0.0.1", port)


async def _run(options: argparse.Namespace) -> None:
    host, _, port = options.to.rpartition(":")
    limits = Limits(options.ops_per_s, options.round_trip_ms / 1000, max_connections=options.max_connections)
    proxy = Proxy(host, int(port), limits=limits)
    print(f"mongodb://127.0.0.1:{await proxy.start(options.port)}/?directConnection=true&retryWrites=false", flush=True)
    if options.control_port:
        await _control(proxy, options.control_port)
    await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.atlas_m0", description=__doc__.partition("\n")[0])
    parser.add_argument("--to", default="127.0.0.1:27017", help="host:port of the database behind it")
    parser.add_argument("--port", type=int, default=27018, help="where it listens")
    parser.add_argument("--control-port", type=int, default=0, help="where it tells what it counted; 0: nowhere")
    parser.add_argument("--ops-per-s", type=float, default=100.0)
    parser.add_argument("--round-trip-ms", type=float, default=20.0)
    parser.add_argument("--max-connections", type=int, default=500)
    uvloop.run(_run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
