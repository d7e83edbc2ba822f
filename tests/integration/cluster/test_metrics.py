"""The sums of /metrics are what the clients counted, over all processes, the dead ones included."""

import os
import re
import signal
from pathlib import Path

from tests.harness.waiting import until_async
from tests.integration.cluster.cluster import SmallApp, running
from tests.integration.cluster.load import Load


def echoes(cluster: SmallApp) -> int:
    page = cluster.get("/metrics").text
    found = re.findall(r'^panal_http_request_seconds_count\{[^}]*route="/echo"[^}]*\} (\S+)$', page, re.MULTILINE)
    return int(sum(float(value) for value in found))


async def test_sums_hold_through_a_reload_and_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        load = Load()
        await load.start(cluster.url, clients=8, keep_alive=True)
        before = set(cluster.pids())
        cluster.signal(signal.SIGHUP)
        await until_async(lambda: cluster.is_up() and not before & set(cluster.pids()), "replaced", within_s=20)
        await load.stop()
        assert load.failures == []
        os.kill(cluster.pids()[0], signal.SIGKILL)
        await until_async(lambda: cluster.scoreboard()["reasons"].get("death") == 1, "it is buried", within_s=5)
        await until_async(cluster.is_up, "it is back", within_s=10)
        assert echoes(cluster) == load.answered
        page = cluster.get("/metrics").text
        assert 'panal_restarts_total{reason="reload"} 2.0' in page
        assert 'panal_restarts_total{reason="death"} 1.0' in page
        assert 'panal_process_up{name="Sanic-WhatsApp-0",role="whatsapp"} 1.0' in page
        assert "panal_lease_held 1.0" in page
        files = os.listdir(cluster.run_dir / "run" / "metrics" / str(cluster.process.pid))
        assert all(f"_{pid}.db" not in name for pid in before for name in files)
