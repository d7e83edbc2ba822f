"""The model of a small Atlas tier counts, charges and refuses as it says."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bson import encode

from benchmarks.atlas_m0 import HEADER, OP_MSG, OP_QUERY, Bucket, Limits, Proxy, read_command
from tests.harness.waiting import until_async


def message(
    document: dict[str, Any], *, batch: tuple[str, list[dict[str, Any]]] | None = None, flags: int = 0
) -> bytes:
    """An OP_MSG as a driver writes it, with its header."""
    body = struct.pack("<I", flags) + b"\0" + encode(document)
    if batch is not None:
        name, documents = batch
        section = name.encode() + b"\0" + b"".join(encode(one) for one in documents)
        body += b"\1" + struct.pack("<i", len(section) + 4) + section
    if flags & 1:
        body += b"\0\0\0\0"
    return HEADER.pack(HEADER.size + len(body), 1, 0, OP_MSG) + body


def read(data: bytes) -> Any:
    return read_command(HEADER.unpack_from(data)[3], data[HEADER.size :])


@asynccontextmanager
async def behind(limits: Limits) -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy in front of something that answers every message with its own bytes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy("127.0.0.1", server.sockets[0].getsockname()[1], limits=limits)
    port = await proxy.start()
    try:
        yield proxy, port
    finally:
        await proxy.stop()
        server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*serving, return_exceptions=True), 10)
        await asyncio.sleep(0.01)  # what they closed is let go by the next turns of the loop


async def ask(port: int, *messages: bytes) -> float:
    """Send these one after the other on one connection; answer how many seconds it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    for one in messages:
        writer.write(one)
        assert await reader.readexactly(len(one)) == one
    took = time.monotonic() - began
    writer.close()
    await writer.wait_closed()
    return took


PING_LIKE = message({"find": "messages", "$db": "panal"})


def test_a_batch_is_one_command_and_as_many_documents_as_it_holds() -> None:
    inserted = read(
        message({"insert": "messages", "$db": "panal"}, batch=("documents", [{"_id": n} for n in range(7)]))
    )
    assert (inserted.name, inserted.collection, inserted.documents) == ("insert", "messages", 7)
    inline = read(message({"update": "events", "updates": [{"q": {}, "u": {}}] * 3, "$db": "panal"}))
    assert (inline.name, inline.documents) == ("update", 3)
    more = read(message({"getMore": 1, "collection": "events", "$db": "panal"}, flags=1))
    assert (more.name, more.collection, more.documents) == ("getMore", "events", 1)


@pytest.mark.parametrize("document", [{"hello": 1}, {"isMaster": 1}])
def test_what_a_driver_asks_by_itself_is_its_own_affair(document: dict[str, Any]) -> None:
    assert read(message(document)).is_drivers
    assert read_command(OP_QUERY, b"").is_drivers


def test_the_bucket_gives_its_rate_and_no_more() -> None:
    now = [0.0]
    bucket = Bucket(10, monotonic=lambda: now[0])
    assert sum(bucket.take() for _ in range(50)) == 10
    now[0] = 0.5
    assert sum(bucket.take() for _ in range(50)) == 5
    now[0] = 60.0
    assert sum(bucket.take() for _ in range(50)) == 10


async def test_every_command_costs_a_round_trip_and_is_counted() -> None:
    async with behind(Limits(round_trip_s=0.03)) as (proxy, port):
        took = await ask(port, PING_LIKE, PING_LIKE, message({"hello": 1}))
    assert 0.06 <= took < 1.0
    assert (proxy.tally.commands, proxy.tally.documents, proxy.tally.driver_commands) == (2, 2, 1)
    assert proxy.tally.by_collection == {"find messages": 2}
    assert proxy.tally.throttled == 0


async def test_a_connection_that_finds_no_token_rests_and_loses_nothing() -> None:
    async with behind(Limits(ops_per_s=3, round_trip_s=0.0, cooldown_s=0.3)) as (proxy, port):
        took = await ask(port, *[PING_LIKE] * 4)
    assert took >= 0.3
    assert (proxy.tally.commands, proxy.tally.throttled) == (4, 1)


async def test_connections_past_the_limit_are_refused_and_a_place_that_is_free_again_is_given() -> None:
    async with behind(Limits(round_trip_s=0.0, max_connections=2)) as (proxy, port):
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await until_async(lambda: proxy.tally.connections == 2, "two are connected", every_s=0.005)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read(1) == b""
        writer.close()
        assert proxy.tally.refused_connections == 1
        kept[0][1].close()
        await until_async(lambda: proxy.tally.connections == 1, "one has left", every_s=0.005)
        await ask(port, PING_LIKE)
        kept[1][1].close()
        assert proxy.tally.peak_connections == 2


async def test_nonsense_ends_its_own_connection_alone() -> None:
    async with behind(Limits(round_trip_s=0.0)) as (proxy, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEADER.pack(-5, 0, 0, 0))
        assert await reader.read(1) == b""
        writer.close()
        await ask(port, PING_LIKE)
        assert proxy.tally.commands == 1
