"""Processes that hang: they live, hold their connections and answer nothing. Each is noticed, named and replaced."""

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import Host, another, family, gone_s, host_in, kill, load_of, row, sums
from tests.harness import Cluster
from tests.harness.externals import end
from tests.harness.load import PING, offer
from tests.harness.sanic_command import ROOT
from tests.harness.slack import slack
from tests.harness.waiting import seconds_until, until

pytestmark = pytest.mark.chaos

WORKERS = 2
NOTICED_S = 10.0
NOBODY_WAITS_S = 4.0
SEEN_S = 6.0
REPLACED_S = 15.0


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    environment = {"PANAL_NUMBER_RATE_PER_S": "1000"}
    with host_in(tmp_path_factory.mktemp("hung"), workers=WORKERS, environment=environment) as host:
        yield host


def server_of(cluster: Cluster) -> psutil.Process:
    """The database server itself; `Sanic-Database-0` only watches it."""
    return next(process for process in family(cluster) if process.name().startswith("secantusd"))


@contextlib.contextmanager
def stopped(cluster: Cluster) -> Iterator[None]:
    kill(server_of(cluster), signal.SIGSTOP)
    yield


@contextlib.contextmanager
def storage_stuck(cluster: Cluster) -> Iterator[None]:
    """Until the server is gone: what hung it would hang the next one, too."""
    uri = f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true&retryWrites=false"
    command = [sys.executable, "-m", "tests.chaos.inject.growing", uri]
    before = len(cluster.log)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
        try:
            until(lambda: "database.silent" in cluster.log[before:], "it hangs", within_s=60 * slack())
            yield
        finally:
            end(load)


@pytest.mark.parametrize(
    ("case", "hang", "fault"),
    [
        ("D8", stopped, "SIGSTOP of the embedded database"),
        ("D9", storage_stuck, "30 parallel transactions on one growing document of 14 MB stop the embedded database"),
    ],
)
def test_an_embedded_database_that_hangs_is_started_again(
    cluster: Cluster, case: str, hang: Callable[[Cluster], contextlib.AbstractContextManager[None]], fault: str
) -> None:
    server, watcher = server_of(cluster), cluster.pid("Sanic-Database-0")
    workers, before = cluster.worker_pids(), len(cluster.log)
    with offer(cluster) as load, offer(cluster, rate=20, reads=PING, order_every=10**9) as pings:
        time.sleep(2)
        with hang(cluster):
            hung_at = time.monotonic()
            not_ready_s = seconds_until(lambda: says_not_ready(cluster), "/readyz says so", within_s=8)
            gone_s([server], within_s=2 * NOTICED_S * slack())
        another(cluster, "Sanic-Database-0", watcher)
        until(lambda: cluster.client.get("/readyz", timeout=5).status_code == 200, "ready", within_s=30)
        back_at = time.monotonic()
        time.sleep(3)
    (silent_s,) = re.findall(r"has not answered for ([0-9.]+) s: killed", cluster.log[before:])
    report, alive = load.report, pings.report
    accounted = sums(cluster, report)
    during = [shot for shot in report.shots if hung_at <= shot.at < back_at]
    slowest_s = max(shot.took_s for shot in during)
    note(
        case,
        fault,
        load=load_of(report),
        figure=f"/readyz says so after {not_ready_s:.1f} s, killed after {silent_s} s of silence, all well after "
        f"{back_at - hung_at:.1f} s; meanwhile {dict(Counter(shot.outcome for shot in during))}, slowest answer "
        f"{slowest_s:.1f} s; /livez {len(alive.failures)} failed; {accounted}",
    )
    assert row(cluster, "Sanic-Database-0")["last_exit"].startswith("hung")
    assert cluster.worker_pids() == workers, "no worker was killed for the database's sake"
    assert set(report.reasons) <= {"503"}
    assert alive.failures == []
    assert_within(float(silent_s), NOTICED_S, "the end of a database that hangs")
    assert_within(slowest_s, NOBODY_WAITS_S, "an answer meanwhile")
    assert_within(report.recovery_s(back_at), 3.0, "the last failure")


def says_not_ready(cluster: Cluster) -> bool:
    return cluster.client.get("/readyz", timeout=5).status_code == 503


@pytest.mark.parametrize(
    ("case", "name", "fault"),
    [
        ("R15", "Sanic-WhatsApp-0", "SIGSTOP of the WhatsApp process"),
        ("R16", "Sanic-Sandbox-0", "SIGSTOP of the emulated WhatsApp"),
    ],
)
def test_a_service_that_hangs_is_named_killed_and_replaced(cluster: Cluster, case: str, name: str, fault: str) -> None:
    with offer(cluster) as load:
        time.sleep(1)
        victim = cluster.processes()[name]
        at = kill(victim, signal.SIGSTOP)
        seen_s = seconds_until(lambda: row(cluster, name).get("state") == "stalled", "/v1/cluster says so", within_s=10)
        answer = cluster.client.get("/readyz")
        gone_s([victim], within_s=2 * REPLACED_S * slack())
        killed_s = time.monotonic() - at
        another(cluster, name, victim.pid)
        replaced_s = time.monotonic() - at
        until(lambda: cluster.client.get("/readyz", timeout=5).status_code == 200, "ready", within_s=30)
    report = load.report
    accounted = sums(cluster, report)
    note(
        case,
        fault,
        load=load_of(report),
        figure=f"/v1/cluster and /readyz say so after {seen_s:.1f} s, killed after {killed_s:.1f} s, replaced after "
        f"{replaced_s:.1f} s; {len(report.failures)} failed; {accounted}",
    )
    assert answer.status_code == 503
    assert name in answer.json()["checks"]["cluster"]
    assert "stall" in row(cluster, name)["last_exit"]
    assert report.failures == []
    assert_within(seen_s, SEEN_S, "the word about a process that hangs")
    assert_within(replaced_s, REPLACED_S, "the replacement of a process that hangs")
