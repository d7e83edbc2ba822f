"""Live streams on the real command: resumed without a seam, filtered, bounded, and ended with a word.

`STREAMS=1000 pytest tests/integration/test_events_stream.py` is the full size.
"""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import orjson
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.slack import slack
from tests.harness.streams import StreamClient
from tests.harness.traffic import recipients
from tests.harness.waiting import until, until_async

pytestmark = pytest.mark.integration

STREAMS = int(os.environ.get("STREAMS", "200"))
P99_S = float(os.environ.get("STREAMS_P99_S", "2"))
"""On two cores of its own: 0.25. Machines that do other things at the same time need more."""

PHONES = recipients(10, first=16505553000)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    limits = {"PANAL_STREAMS_PER_WORKER": str(STREAMS + 20), "PANAL_STREAM_BUFFER": "300"}
    with start_cluster(tmp_path_factory.mktemp("streams"), workers=2, environment=limits) as cluster:
        for phone in PHONES:
            cluster.write_as_customer(phone, "hola")
        until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every window is open")
        yield cluster


@pytest.fixture
async def connect(cluster: Cluster) -> AsyncIterator[Callable[..., StreamClient]]:
    """Makes clients; whatever becomes of the test, their sockets are closed."""
    made: list[StreamClient] = []

    def make(**fields: Any) -> StreamClient:
        made.append(StreamClient(cluster.port, cluster.key, **fields))
        return made[-1]

    yield make
    for client in made:
        await client.close()


def last_seq(cluster: Cluster) -> int:
    return int(cluster.events()[-1]["seq"])


def quiet(cluster: Cluster) -> int:
    """The end of the log once nothing happens any more."""

    def is_still() -> int:
        before = last_seq(cluster)
        time.sleep(1.0)
        return before if last_seq(cluster) == before else 0

    return until(is_still, "nothing happens any more", within_s=60)


def traffic(cluster: Cluster, *, messages: int, pace_s: float) -> threading.Thread:
    """Messages in the background: five events each."""

    def send() -> None:
        for count in range(messages):
            cluster.send(PHONES[count % len(PHONES)], f"m{count}")
            time.sleep(pace_s)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


async def test_many_streams_get_everything_soon_and_without_a_gap(
    cluster: Cluster, connect: Callable[..., StreamClient]
) -> None:
    first = await asyncio.to_thread(quiet, cluster)
    clients = [connect(after=first) for _ in range(STREAMS)]
    for start in range(0, STREAMS, 50):
        await asyncio.gather(*(client.open() for client in clients[start : start + 50]))
    readers = [asyncio.create_task(client.read()) for client in clients]
    sending = traffic(cluster, messages=40, pace_s=0.1)
    await asyncio.to_thread(sending.join)
    last = await asyncio.to_thread(quiet, cluster)
    await until_async(
        lambda: all(client.seqs and client.seqs[-1] >= last for client in clients), "all have all", within_s=60
    )
    for client in clients:
        assert client.seqs == list(range(first + 1, last + 1))
    lags = sorted(lag for client in clients for lag in client.lags_s)
    print(  # noqa: T201 - the figures of the run
        f"{STREAMS} streams, {last - first} events each: p50 {lags[len(lags) // 2] * 1000:.0f} ms, "
        f"p99 {lags[len(lags) * 99 // 100] * 1000:.0f} ms"
    )
    assert lags[len(lags) * 99 // 100] < P99_S * slack()
    for client in clients:
        await client.close()
    await asyncio.gather(*readers)


async def test_a_stream_resumes_anywhere_while_things_happen(
    cluster: Cluster, connect: Callable[..., StreamClient]
) -> None:
    chance = random.Random(7)
    sending = traffic(cluster, messages=60, pace_s=0.05)
    end = await asyncio.to_thread(last_seq, cluster)
    clients = []
    for _ in range(30):
        client = connect(after=chance.randrange(end))
        await client.open()
        clients.append((client, asyncio.create_task(client.read())))
        await asyncio.sleep(chance.random() / 10)
    await asyncio.to_thread(sending.join)
    last = await asyncio.to_thread(quiet, cluster)
    await until_async(
        lambda: all(client.seqs and client.seqs[-1] >= last for client, _ in clients), "all have all", within_s=60
    )
    for client, reading in clients:
        assert client.seqs == list(range((client.after or 0) + 1, last + 1))
        await client.close()
        await reading


async def test_filters_apply_and_the_header_wins_over_the_query(
    cluster: Cluster, connect: Callable[..., StreamClient]
) -> None:
    message = await asyncio.to_thread(cluster.send, PHONES[0], "filtro")
    await asyncio.to_thread(until, lambda: cluster.message(message["id"])["status"] == "read", "it is read")
    client = connect(after=0, query="?types=message.read,conversation.*&after=999999")
    await client.open()
    await asyncio.wait_for(client.read(until_count=11), 20)
    assert {kind.partition(".")[0] for kind in client.types} == {"conversation", "message"}
    assert set(client.types) <= {"message.read"} | {kind for kind in client.types if kind.startswith("conversation.")}


async def test_a_websocket_has_the_same_frames(cluster: Cluster) -> None:
    wanted = cluster.client.get("/v1/events", params={"after": 0, "limit": 50}).json()["data"]
    url = f"http://127.0.0.1:{cluster.port}/v1/events/ws"
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, params={"after": "0", "access_token": cluster.key}) as socket:
            got = [orjson.loads((await socket.receive(timeout=10)).data) for _ in wanted]
            assert got == wanted
            await socket.send_str("hello?")  # ignored
            message = await asyncio.to_thread(cluster.send, PHONES[0], "por el socket")
            while True:
                event = orjson.loads((await socket.receive(timeout=10)).data)
                if event["type"] == "message.read" and event["data"]["message_id"] == message["id"]:
                    break


@pytest.mark.parametrize("path", ["/v1/events/stream", "/v1/events/ws"])
def test_a_key_in_the_query_opens_these_two_paths_and_no_other(cluster: Cluster, path: str) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}", timeout=10) as anonymous:
        assert anonymous.get(path).status_code == 401
        assert anonymous.get(path, params={"access_token": "wrong"}).status_code == 401
        for other in ("/v1/events", "/v1/messages", "/v1/webhook-endpoints"):
            assert anonymous.get(other, params={"access_token": cluster.key}).status_code == 401
    assert cluster.key not in cluster.log


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?phone_number_id=1", "?types=" + "x" * 2000])
def test_a_stream_that_cannot_be_is_refused_before_it_begins(cluster: Cluster, query: str) -> None:
    for path in ("/v1/events/stream", "/v1/events/ws"):
        answer = cluster.client.get(path + query)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_long_poll_answers_when_something_happens(cluster: Cluster) -> None:
    after = quiet(cluster)
    began = time.monotonic()
    sending = threading.Timer(1.0, lambda: cluster.send(PHONES[0], "despierta"))
    sending.start()
    page = cluster.client.get("/v1/events", params={"after": after, "wait_s": 9}).json()
    took = time.monotonic() - began
    sending.join()
    assert page["data"][0]["seq"] == after + 1
    assert 0.9 < took < 6 * slack()


async def test_a_client_that_stops_reading_is_cut_and_comes_back_without_a_gap(
    cluster: Cluster, connect: Callable[..., StreamClient]
) -> None:
    first = await asyncio.to_thread(quiet, cluster)
    lazy = connect(after=first, receive_buffer=8192)
    await lazy.open()
    assert lazy.reader is not None
    assert lazy.writer is not None
    lazy.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a plain TCP transport has it
    sending = [traffic(cluster, messages=65, pace_s=0.0) for _ in range(6)]
    for thread in sending:
        await asyncio.to_thread(thread.join)
    await asyncio.to_thread(until, lambda: last_seq(cluster) > first + 1500, "much has happened")
    await asyncio.sleep(4)  # overtaken for two seconds, and a tick of the streams' clock
    lazy.writer.transport.resume_reading()  # type: ignore[attr-defined]
    await asyncio.wait_for(lazy.read(), 60)
    assert lazy.is_ended, "its buffers held everything: send more events"
    # On a slow machine it may come back too late for its goodbye; the number of its last event is enough.
    assert lazy.goodbye is None or lazy.goodbye["reason"] == "slow_reader"
    assert lazy.goodbye is None or lazy.goodbye["after"] == lazy.seqs[-1]
    last = await asyncio.to_thread(quiet, cluster)
    assert lazy.seqs[-1] < last
    again = connect(after=lazy.seqs[-1])
    await again.open()
    await asyncio.wait_for(again.read(until_count=last - lazy.seqs[-1]), 30)
    seqs = lazy.seqs + again.seqs
    assert seqs == list(range(first + 1, first + 1 + len(seqs)))  # what comes after the last look comes, too
    assert seqs[-1] >= last


async def test_a_stream_over_the_limit_is_told_to_come_later(
    cluster: Cluster, connect: Callable[..., StreamClient]
) -> None:
    clients = [connect() for _ in range(2 * (STREAMS + 20) + 10)]
    for start in range(0, len(clients), 50):
        await asyncio.gather(*(client.open() for client in clients[start : start + 50]))
    assert {client.status for client in clients} == {200, 503}
    refused = [client for client in clients if client.status == 503]
    assert len(refused) >= 10
    for client in clients:
        await client.close()


async def test_a_stream_ends_after_its_life_with_a_word(tmp_path: Path) -> None:
    with start_cluster(tmp_path, workers=1, environment={"PANAL_STREAM_MAX_S": "17"}) as cluster:
        # Nothing of this kind happens: only a silent stream has a heartbeat.
        client = StreamClient(cluster.port, cluster.key, query="?types=campaign.*")
        await client.open()
        try:
            await asyncio.wait_for(client.read(), 30)
        finally:
            await client.close()
        assert client.goodbye is not None
        assert client.goodbye["reason"] == "max_life"
        assert client.beats >= 1
