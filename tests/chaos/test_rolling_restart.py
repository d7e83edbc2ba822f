"""New workers for old ones, more and fewer of them, while clients go on: not one request fails, and the sums agree."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.chaos.figures import note
from tests.chaos.host import Host, failed_of, host_in, load_of, replaced, rows, sums
from tests.harness import Cluster
from tests.harness.load import PING, READ, SUBMIT, Report, offer
from tests.harness.sanic_command import ROOT
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

WORKERS = 2
# CI sends 20,000; CHAOS_REQUESTS=1000000 is the full size. Reloads follow one another until all are answered.
REQUESTS = int(os.environ.get("CHAOS_REQUESTS", "20000"))
CLIENTS = 40
ORDER_EVERY = 100
ROUTES = {SUBMIT: ("POST", "202"), READ: ("GET", "200"), PING: ("GET", "200")}

REPORTS: list[Report] = []


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    environment = {"PANAL_NUMBER_RATE_PER_S": "1000", "PANAL_PAIR_BURST": "1000", "PANAL_PAIR_PERIOD_S": "0.01"}
    with host_in(tmp_path_factory.mktemp("rolling_restart"), workers=WORKERS, environment=environment) as host:
        yield host


def control(cluster: Cluster, *words: str) -> str:
    """`make reload` and `make scale` run this."""
    command = [sys.executable, "-m", "services.supervisor.control", *words]
    done = subprocess.run(command, cwd=ROOT, env=cluster.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def workers(cluster: Cluster) -> set[int]:
    """PIDs of the workers that are ready."""
    return {row["pid"] for row in rows(cluster) if row["role"] == "worker" and row["state"] == "ready"}


def wait_for(cluster: Cluster, fact: Callable[[set[int]], bool], what: str) -> None:
    until(lambda: fact(workers(cluster)), what, within_s=40 * slack(), context=lambda: cluster.log[-3000:])


def is_settled(cluster: Cluster, count: int) -> bool:
    """So many ready workers, and no old one that still drains."""
    found = [row for row in rows(cluster) if row["role"] == "worker"]
    return len(found) == count and all(row["state"] == "ready" for row in found)


@pytest.mark.parametrize("keep_alive", [True, False])
def test_reloads_at_full_rate_fail_no_request(cluster: Cluster, keep_alive: bool) -> None:
    reloads = 0
    replaced_before = replaced(cluster, "reload")
    with offer(
        cluster,
        clients=CLIENTS,
        requests=REQUESTS // 2,
        keep_alive=keep_alive,
        reads=PING,
        order_every=ORDER_EVERY,
    ) as load:
        while load.process.poll() is None or not reloads:
            before = workers(cluster)
            assert control(cluster, "reload") == f"replacing {WORKERS} workers, one by one"
            wait_for(cluster, lambda now, old=before: len(now) == WORKERS and not now & old, "all workers are new")
            reloads += 1
        report = load.wait()
    until(lambda: is_settled(cluster, WORKERS), "the last old worker has left", within_s=40 * slack())
    REPORTS.append(report)
    accounted = sums(cluster, report)
    note(
        "R10",
        f"{reloads} reloads of all workers, one after the other, {'keep-alive' if keep_alive else 'connection: close'}",
        load=f"{load_of(report)}, {CLIENTS} clients at full rate",
        figure=f"{failed_of(report)}; p99 {1000 * report.latency_s(0.99):.0f} ms; {accounted}",
    )
    assert replaced(cluster, "reload") - replaced_before == reloads * WORKERS
    assert len(report.shots) == REQUESTS // 2
    assert report.failures == []


def test_more_and_fewer_workers_fail_no_request(cluster: Cluster) -> None:
    with offer(cluster) as load:
        time.sleep(1)
        began = time.monotonic()
        assert control(cluster, "scale", "4") == "from 2 to 4 workers"
        wait_for(cluster, lambda now: len(now) == 4, "four serve")
        up_s = time.monotonic() - began
        time.sleep(1)
        began = time.monotonic()
        assert control(cluster, "scale", "2") == "from 4 to 2 workers"
        until(lambda: is_settled(cluster, 2), "two serve and two have left", within_s=40 * slack())
        down_s = time.monotonic() - began
        time.sleep(0.5)
    report = load.report
    REPORTS.append(report)
    accounted = sums(cluster, report)
    note(
        "R14",
        "scale 2 → 4 → 2",
        load=load_of(report),
        figure=f"four serve after {up_s:.1f} s, two have left after {down_s:.1f} s; {failed_of(report)}; {accounted}",
    )
    assert report.failures == []


def test_the_sums_of_metrics_are_what_the_clients_counted(cluster: Cluster) -> None:
    """Over every worker that lived in this module, the replaced ones included."""
    page = cluster.client.get("/metrics").text
    if not REPORTS:
        pytest.skip("it compares with the loads of the cases above")
    told = {what: counted(page, what) for what in ROUTES}
    seen = {what: sum(report.answered(what, ROUTES[what][1]) for report in REPORTS) for what in ROUTES}
    assert told == seen
    accepted = sum(int(value) for value in re.findall(r"^panal_messages_accepted_total\{.*\} (\d+)", page, re.M))
    assert accepted == seen[SUBMIT]
    note(
        "sums",
        "/metrics after all reloads and scalings",
        load=f"{sum(seen.values()):,} requests",
        figure="; ".join(f"{what}: {count:,} there, {seen[what]:,} by the clients" for what, count in told.items()),
    )


def counted(page: str, what: str) -> int:
    """Answers to this kind of request, by the histogram's count."""
    method, status = ROUTES[what]
    path = what.split(" ", 1)[1].replace("<id>", "<[^>]*>")
    wanted = rf'^panal_http_request_seconds_count\{{method="{method}",route="{path}",status="{status}"\}} (\S+)'
    return sum(int(float(value)) for value in re.findall(wanted, page, re.M))
