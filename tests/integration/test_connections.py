"""Under full load no process opens more database connections than the plan counted for it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping

import aiohttp
import psutil
import pytest

from tests.harness import Cluster, start_cluster

pytestmark = pytest.mark.integration

WORKERS, CLIENTS, LOAD_S = 4, 64, 5.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("connections"), workers=WORKERS) as running:
        yield running


def connections(processes: Mapping[str, psutil.Process], port: int) -> Counter[str]:
    """Established connections to the database, counted at the clients' ends, by process."""
    return Counter(
        name
        for name, process in processes.items()
        for connection in process.net_connections("tcp4")
        if connection.raddr and connection.raddr.port == port and connection.status == psutil.CONN_ESTABLISHED
    )


async def load(session: aiohttp.ClientSession, number: int, until: float, errors: Counter[str]) -> int:
    """One client that writes and reads as fast as it is answered."""
    template = {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    known, done = "", 0
    while time.monotonic() < until:
        to = f"1650555{(done * CLIENTS + number) % 9_999:04}"
        for method, path, body in (
            ("POST", "/v1/messages", {"to": to, **template}),
            ("GET", "/v1/messages?limit=20", None),
            ("GET", f"/v1/messages/{known}", None),
            ("GET", f"/v1/messages?to={to}", None),
        ):
            if path == "/v1/messages/":
                continue
            async with session.request(method, path, json=body) as answer:
                said = await answer.json(content_type=None)
            if answer.status >= 400:
                errors[f"{answer.status} {said['code']}"] += 1
            elif method == "POST":
                known = said["id"]
            done += 1
    return done


async def test_under_full_load_every_process_stays_within_the_plan(cluster: Cluster) -> None:
    plan = cluster.client.get("/v1/capacity").json()
    per_client = plan["monitors_per_server"] * plan["servers"]
    processes = cluster.processes()
    most: Counter[str] = Counter()
    most_in_all = 0
    errors: Counter[str] = Counter()
    until = time.monotonic() + LOAD_S
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{cluster.port}",
        headers={"authorization": f"Bearer {cluster.key}"},
        connector=aiohttp.TCPConnector(limit=CLIENTS),
        timeout=aiohttp.ClientTimeout(total=20),
    ) as session:
        clients = [asyncio.create_task(load(session, number, until, errors)) for number in range(CLIENTS)]
        while time.monotonic() < until:
            seen = await asyncio.to_thread(connections, processes, cluster.database_port)
            most |= seen
            most_in_all = max(most_in_all, seen.total())
            await asyncio.sleep(0.2)
        requests = sum(await asyncio.gather(*clients))
    print(f"{requests} requests, most connections at once: {dict(most)}, together {most_in_all}")  # noqa: T201
    assert requests > CLIENTS
    assert not errors
    workers = {name: count for name, count in most.items() if name.startswith("Sanic-Server")}
    assert len(workers) == WORKERS, "every worker took part"
    for name, count in workers.items():
        assert count <= plan["pool_per_worker"] + per_client, name
    assert 0 < most["Sanic-WhatsApp-0"] <= plan["pool_queen"] + per_client
    assert set(most) <= {*workers, "Sanic-WhatsApp-0", "Sanic-Database-0"}, "nobody else talks to the database"
    probes = most["Sanic-Database-0"]  # the embedded server's own process asks it whether it answers
    assert probes <= 1
    assert most_in_all - probes <= plan["instance_connections"] <= plan["total_connections"] <= plan["max_connections"]


def test_after_the_load_the_pools_are_not_beyond_their_limit_in_what_they_report(cluster: Cluster) -> None:
    plan = cluster.client.get("/v1/capacity").json()
    rows = [row for row in cluster.client.get("/v1/cluster").json()["processes"] if row["role"] == "worker"]
    assert len(rows) == WORKERS
    for row in rows:
        assert row["pool_max"] == plan["pool_per_worker"]
        assert 0 < row["pool_open"] <= row["pool_max"]
        assert 0 <= row["pool_checked_out"] <= row["pool_max"]
