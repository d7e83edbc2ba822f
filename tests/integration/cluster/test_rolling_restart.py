"""Reload, scale and recycling. That no request fails under load, however often: tests/chaos (R9, R10, R14)."""

import asyncio
import os
import signal
from pathlib import Path

from services.supervisor.control import ask
from tests.harness.waiting import until_async
from tests.integration.cluster.cluster import running
from tests.integration.cluster.load import Load


async def test_never_more_than_one_extra_worker(tmp_path: Path) -> None:
    with running(tmp_path, workers=3) as cluster:
        before = set(cluster.pids())
        cluster.get("/reload")
        most = 0

        def is_done() -> bool:
            nonlocal most
            pids = cluster.pids()
            most = max(most, len(pids))
            return cluster.is_up() and not before & set(pids)

        await until_async(is_done, "all are replaced", within_s=60)
        assert most <= 4


async def test_a_reload_to_code_that_does_not_start_keeps_the_old_workers(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        before = set(cluster.pids())
        for number in range(2):
            (cluster.run_dir / f"refuse-Sanic-Server-{number}-0").touch()
        cluster.signal(signal.SIGHUP)
        await until_async(
            lambda: "replace_failed" in [event["kind"] for event in cluster.scoreboard()["events"]],
            "it is told",
            within_s=60,
        )
        assert cluster.is_up()
        assert set(cluster.pids()) == before


async def test_scale_up_and_down_under_load(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        load = Load()
        await load.start(cluster.url, clients=10, keep_alive=True)
        cluster.get("/scale/4")
        await until_async(lambda: cluster.is_up(4), "four serve", within_s=60)
        cluster.signal(signal.SIGTTOU)
        await until_async(lambda: cluster.is_up(3), "three serve", within_s=60)
        cluster.get("/scale/2")
        await until_async(lambda: cluster.is_up(2), "two serve", within_s=60)
        await load.stop()
        assert load.failures == []
        cluster.get("/scale/50")
        await until_async(
            lambda: "scale_refused" in [event["kind"] for event in cluster.scoreboard()["events"]],
            "refused",
            within_s=60,
        )
        assert cluster.is_up(2)


async def test_a_worker_that_has_served_enough_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, workers=1, max_requests=300) as cluster:
        first = cluster.pids()[0]
        load = Load()
        await load.start(cluster.url, clients=10, keep_alive=True)
        await until_async(lambda: cluster.is_up() and first not in cluster.pids(), "it is replaced", within_s=60)
        await load.stop()
        assert load.failures == []
        assert cluster.scoreboard()["reasons"]["requests"] >= 1


async def test_a_worker_that_dies_during_a_reload_does_not_stop_it(tmp_path: Path) -> None:
    with running(tmp_path, workers=3) as cluster:
        before = cluster.pids()
        cluster.signal(signal.SIGHUP)
        await until_async(
            lambda: len(cluster.pids()) > 3 or not set(before) <= set(cluster.pids()), "began", within_s=60
        )
        for pid in before[:2]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        await until_async(lambda: cluster.is_up() and not set(before) & set(cluster.pids()), "all are new", within_s=60)


async def test_the_shell_may_ask_as_well(tmp_path: Path) -> None:
    with running(tmp_path) as cluster:
        assert await asyncio.to_thread(ask, str(cluster.run_dir), "scale", "3") == (0, "from 2 to 3 workers")
        await until_async(lambda: cluster.is_up(3), "three serve", within_s=60)
        code, line = await asyncio.to_thread(ask, str(cluster.run_dir), "scale", "7")
        assert (code, line.split(":")[0]) == (1, "refused")
        before = set(cluster.pids())
        assert (await asyncio.to_thread(ask, str(cluster.run_dir), "reload"))[0] == 0
        await until_async(lambda: cluster.is_up(3) and not before & set(cluster.pids()), "all are new", within_s=60)


async def test_keep_alive_clients_spread_over_the_workers_again(tmp_path: Path) -> None:
    with running(tmp_path, workers=1) as cluster:
        load = Load()
        await load.start(cluster.url, clients=24, keep_alive=True, pause_s=0.02)
        await asyncio.to_thread(ask, str(cluster.run_dir), "scale", "3")
        await until_async(lambda: cluster.is_up(3), "three serve", within_s=60)
        await until_async(
            lambda: min(row["connections"] for row in cluster.rows("worker")) >= 4, "each has clients", within_s=60
        )
        await load.stop()
        assert load.failures == []
