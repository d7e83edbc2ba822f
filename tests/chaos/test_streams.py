"""kill -9 of workers under live streams: every reader comes back with its last number, and misses nothing.

`STREAMS=1000 pytest tests/chaos/test_streams.py` is the full size.
"""

import asyncio
import os
import random
from pathlib import Path

import psutil
import pytest

from tests.chaos.figures import note
from tests.harness import Cluster, start_cluster
from tests.harness.streams import StreamClient
from tests.harness.traffic import recipients
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

STREAMS = int(os.environ.get("STREAMS", "150"))
PHONES = recipients(10, first=16505559000)


async def follow(cluster: Cluster, first: int, seqs: list[int], done: asyncio.Event) -> None:
    """A reader as a browser is: it reads until the stream ends, waits a moment, and comes back with its last number."""
    while not done.is_set():
        client = StreamClient(cluster.port, cluster.key, after=seqs[-1] if seqs else first)
        try:
            await client.open()
            if client.status == 200:
                reading = asyncio.create_task(client.read())
                ending = asyncio.create_task(done.wait())
                await asyncio.wait([reading, ending], return_when=asyncio.FIRST_COMPLETED)
                ending.cancel()
                await client.close()
                await reading
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            await client.close()
        seqs += client.seqs
        await asyncio.sleep(0.05 + random.random() / 5)


async def test_readers_miss_nothing_when_their_workers_are_killed(tmp_path: Path) -> None:
    with start_cluster(tmp_path / "cluster", workers=2, environment={"PANAL_STREAMS_PER_WORKER": "2000"}) as cluster:
        for phone in PHONES:
            cluster.write_as_customer(phone, "hola")
        until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every window is open")
        first = cluster.events()[-1]["seq"]
        logs: list[list[int]] = [[] for _ in range(STREAMS)]
        done = asyncio.Event()
        readers = [asyncio.create_task(follow(cluster, first, seqs, done)) for seqs in logs]
        await asyncio.sleep(1)
        for round_ in range(3):
            for count in range(10):
                await asyncio.to_thread(send, cluster, PHONES[count], f"r{round_}-{count}")
            await asyncio.to_thread(kill_a_worker, cluster, round_ % 2)
            await asyncio.to_thread(until, lambda: len(cluster.worker_pids()) == 2, "the worker is back")
        total = 30 * 5

        def read_count() -> int:
            return sum(event["type"] == "message.read" for event in events(cluster)[first:])

        await asyncio.to_thread(until, lambda: read_count() >= 30, f"{total} events", within_s=60, every_s=0.5)
        last = len(events(cluster))
        deadline = asyncio.get_running_loop().time() + 60
        # A reader's events are added when its stream ends: end them all, as often as it takes to see the last one.
        while not all(seqs and seqs[-1] >= last for seqs in logs):
            assert asyncio.get_running_loop().time() < deadline, [seqs[-1:] for seqs in logs]
            done.set()
            await asyncio.gather(*readers)
            done.clear()
            readers = [asyncio.create_task(follow(cluster, first, seqs, done)) for seqs in logs]
            await asyncio.sleep(0.5)
        done.set()
        await asyncio.gather(*readers)
        complete = sum(seqs[: last - first] == list(range(first + 1, last + 1)) for seqs in logs)
        note(
            "L2",
            "kill -9 of a worker, 3 times, under live streams that come back with their last number",
            load=f"{STREAMS} streams, {last - first} events",
            figure=f"{complete} of {STREAMS} readers have every event, in order",
        )
        for seqs in logs:
            assert seqs[: last - first] == list(range(first + 1, last + 1))


def kill_a_worker(cluster: Cluster, position: int) -> None:
    def is_killed() -> bool:
        pids = cluster.worker_pids()
        try:
            cluster.kill(pids[position])
        except (psutil.NoSuchProcess, IndexError):
            return False  # it went between the look and the kill
        return True

    until(is_killed, "a worker is killed")


def send(cluster: Cluster, phone: str, text: str) -> None:
    """Through the kills: a request that meets a dying worker is sent again under its key."""

    def is_accepted() -> bool:
        try:
            return bool(cluster.send(phone, text, idempotency_key=text))
        except Exception:  # whatever a killed worker does to a connection
            return False

    until(is_accepted, f"{text} is accepted", every_s=0.2)


def events(cluster: Cluster) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []

    def read() -> bool:
        found.clear()
        try:
            found.extend(cluster.events())
        except Exception:  # as above
            return False
        return True

    until(read, "the log can be read", every_s=0.2)
    return found
