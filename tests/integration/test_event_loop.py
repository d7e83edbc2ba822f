"""No handler blocks an event loop: the real command in asyncio's debug mode, each route in turn, then all at once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.sanic_command import NO_TLS, ROOT
from tests.harness.stalls import Watch, faults, slow_callbacks
from tests.harness.traffic import recipients, send_in_order
from tests.harness.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timed]

PHONES = recipients(6)
READS = [
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/errors",
    "/console",
    "/v1/cluster",
    "/v1/capacity",
    "/v1/numbers",
    "/v1/messages?limit=200",
    "/v1/conversations?limit=200",
    "/v1/events?limit=200",
    "/v1/contacts?limit=200",
    "/v1/contacts/export",
    "/v1/templates",
    "/v1/campaigns",
    "/v1/keys",
    "/v1/webhook-endpoints",
]
CSV = "wa_id,name\n" + "".join(f"{16505560000 + number},Customer {number}\n" for number in range(2000))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("event-loop")
    # Sanic takes its loop's debug mode from its own flag, the WhatsApp process from the variable.
    environment = {"PYTHONASYNCIODEBUG": "1", "PANAL_ACCESS_LOG": "true"}
    with start_cluster(folder, workers=2, environment=environment, arguments=["--debug"]) as cluster:
        yield cluster


@pytest.fixture
def watch(cluster: Cluster) -> Iterator[Watch]:
    """Watches the workers and the WhatsApp process during a test; what blocked them then is a fault."""
    pids = [*cluster.worker_pids(), cluster.pid("Sanic-WhatsApp-0")]
    watch = Watch(pids)
    began_at = time.time()
    watch.start()
    yield watch
    time.sleep(0.3)
    watch.stop()
    slow = [
        one
        for one in slow_callbacks(cluster.log, day=datetime.now().astimezone())
        if one.pid in pids and one.ended_at >= began_at
    ]
    found = faults(slow, watch.processes)
    assert not found, "\n".join(found)


@pytest.mark.usefixtures("watch")
def test_no_read_blocks(cluster: Cluster) -> None:
    # More often than there are workers, on new connections: also the first request of each worker is seen.
    for path in READS:
        for _ in range(4):
            answer = httpx.get(
                f"http://127.0.0.1:{cluster.port}{path}",
                headers={"authorization": f"Bearer {cluster.key}"},
                timeout=20,
                verify=NO_TLS,
                follow_redirects=True,
            )
            assert answer.status_code == 200, f"{path}: {answer.text}"
    answer = httpx.get(f"{cluster.url}/no/such/path", timeout=20)
    assert answer.status_code == 404, answer.text


@pytest.mark.usefixtures("watch")
def test_no_write_blocks(cluster: Cluster) -> None:
    for phone in PHONES:
        cluster.write_as_customer(phone, "hello")
    until(lambda: len(cluster.all_pages("/v1/conversations")) >= len(PHONES), "every window is open", within_s=40)
    # A third of what may come: in debug mode each of its tasks costs three times as much.
    batch = [{"to": PHONES[0], "type": "text", "text": {"body": f"{number}"}} for number in range(300)]
    answer = cluster.client.post("/v1/messages/batch", json={"messages": batch}, timeout=30)
    assert answer.status_code == 202, answer.text
    answer = cluster.client.post(
        "/v1/contacts/import", content=CSV.encode(), headers={"content-type": "text/csv"}, timeout=60
    )
    assert answer.status_code < 300, answer.text
    answer = cluster.client.post(
        "/v1/media",
        files={"file": ("photo.jpg", b"\xff\xd8\xff" + bytes(5_000_000), "image/jpeg")},
        data={"type": "image/jpeg"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    answer = cluster.client.post("/v1/messages", content=b"[" * 100_000, timeout=30)
    assert answer.status_code == 400, answer.text


@pytest.mark.usefixtures("watch")
def test_nothing_blocks_under_load(cluster: Cluster) -> None:
    until_at = time.monotonic() + 6

    def read(path: str) -> int:
        count = 0
        with httpx.Client(
            base_url=f"http://127.0.0.1:{cluster.port}",
            headers={"authorization": f"Bearer {cluster.key}"},
            timeout=30,
            verify=NO_TLS,
            follow_redirects=True,
        ) as client:
            while time.monotonic() < until_at:
                assert client.get(path).status_code == 200
                count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(read, path) for path in ("/metrics", "/v1/messages?limit=200", "/v1/cluster", "/readyz")]
        sent = send_in_order(cluster, PHONES[1:], each=10, threads=4, pace_s=0.05, prefix="load")
        assert sent.count == 10 * len(PHONES[1:])
        assert all(future.result() > 5 for future in reads)


def test_a_blocking_call_would_be_found() -> None:
    """The whole chain, with a callback that sleeps: uvloop says so, our log carries it, it is read and judged."""
    program = (
        "import asyncio, time, uvloop\n"
        "from config.logs import setup_logging, stop_logging\n"
        "from config.settings import Settings\n"
        "async def main():\n"
        "    asyncio.get_running_loop().call_soon(time.sleep, 0.3)\n"
        "    await asyncio.sleep(0.5)\n"
        "setup_logging(Settings(), 'Sanic-Server-0-0')\n"
        "uvloop.run(main(), debug=True)\n"
        "stop_logging()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    (slow,) = slow_callbacks(done.stdout, day=datetime.now().astimezone())
    assert "sleep" in slow.what
    assert len(faults([slow], {})) == 1
