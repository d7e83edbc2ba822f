"""Ten thousand requests leave every worker small: nothing that a request brings stays behind."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.harness import Cluster, start_cluster

pytestmark = pytest.mark.integration

REQUESTS, CLIENTS, WORKERS = 10_000, 16, 2
MOST_MB = 120
ROUND = 10


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("memory"), workers=WORKERS) as running:
        yield running


async def ask(session: aiohttp.ClientSession, number: int) -> int:
    """A client's share: mostly reads, some accepted messages, some refused requests."""
    template = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    known = "msg_00000000000000000000000000"
    for done in range(REQUESTS // CLIENTS):
        to = f"1650555{(number * 700 + done) % 9_999:04}"
        more: dict[str, Any]
        match done % ROUND:
            case 0:
                body = {"to": to, "metadata": {"note": "x" * 500}, **template}
                method, path, expected, more = "POST", "/v1/messages", 202, {"json": body}
            case 1:
                method, path, expected, more = "POST", "/v1/messages", 400, {"data": b"{" * 2_000}
            case 2:
                method, path, expected, more = "GET", f"/v1/messages?limit=50&to={to}", 200, {}
            case 3:
                method, path, expected, more = "GET", "/v1/conversations?limit=20", 200, {}
            case 4:
                headers = {"authorization": f"Bearer guess-{number}-{done}"}
                method, path, expected, more = "GET", "/v1/messages", 401, {"headers": headers}
            case _:
                method, path, expected, more = "GET", f"/v1/messages/{known}", 200, {}
        async with session.request(method, path, **more) as answer:
            text = await answer.text()
            assert answer.status == expected, text
        if expected == 202:
            known = json.loads(text)["id"]
    return REQUESTS // CLIENTS


async def ask_all(cluster: Cluster) -> int:
    headers = {"authorization": f"Bearer {cluster.key}"}
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{cluster.port}", headers=headers, timeout=aiohttp.ClientTimeout(total=30)
    ) as session:
        return sum(await asyncio.gather(*(ask(session, number) for number in range(CLIENTS))))


def worker_memory_mb(cluster: Cluster) -> dict[str, float]:
    return {
        name: process.memory_info().rss / 1_048_576
        for name, process in cluster.processes().items()
        if name.startswith("Sanic-Server")
    }


async def test_ten_thousand_requests_leave_every_worker_below_its_limit(cluster: Cluster) -> None:
    before = worker_memory_mb(cluster)
    pids = cluster.worker_pids()
    began = time.monotonic()
    done = await ask_all(cluster)
    after = worker_memory_mb(cluster)
    took_s = time.monotonic() - began
    figures = {name: f"{before[name]:.0f} → {after[name]:.0f} MB" for name in sorted(after)}
    print(f"{done} requests in {took_s:.1f} s: {figures}")  # noqa: T201 - the figures are what one runs it for
    assert done == REQUESTS
    assert cluster.worker_pids() == pids, "no worker was replaced on the way"
    assert len(after) == WORKERS
    for name, rss_mb in after.items():
        assert rss_mb < MOST_MB, name
