"""kill -9 of whatever runs, under load: it is back at once, and nothing that was accepted is lost."""

import signal
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import (
    Host,
    another,
    failed_of,
    fork_server,
    gone_s,
    host_in,
    in_doubt,
    is_well,
    kill,
    load_of,
    replaced,
    row,
    sums,
    wait_until_well,
)
from tests.harness import Cluster
from tests.harness.load import offer
from tests.harness.slack import slack
from tests.harness.waiting import seconds_until, until

pytestmark = pytest.mark.chaos

WORKERS = 3
KILLS = 10
IN_FLIGHT = 8  # requests that one worker may have had in its hands at 100 requests/s

ENVIRONMENT = {
    "PANAL_NUMBER_RATE_PER_S": "1000",
    "PANAL_EVIDENCE_WAIT_S": "4",
    # Ten kills in a row are ours, no crash loop; the breaker has a case of its own.
    "PANAL_RESTART_BREAKER_DEATHS": "1000",
    "PANAL_RESTART_MAX_S": "0.3",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with host_in(tmp_path_factory.mktemp("kills"), workers=WORKERS, environment=ENVIRONMENT) as host:
        yield host


def test_kill_9_of_a_worker_ten_times(cluster: Cluster) -> None:
    back_s = []
    before = replaced(cluster, "death")
    with offer(cluster) as load:
        for number in range(KILLS):
            name = f"Sanic-Server-{number % WORKERS}-0"
            victim = cluster.processes()[name]
            kill(victim, signal.SIGKILL)
            back_s.append(another(cluster, name, victim.pid))
        time.sleep(0.5)
    report = load.report
    accounted = sums(cluster, report)
    note(
        "R1",
        f"kill -9 of an HTTP worker, {KILLS} times",
        load=load_of(report),
        figure=f"back in {statistics.median(back_s):.2f} s (median), {max(back_s):.2f} s (worst); "
        f"{failed_of(report)}; {accounted}",
    )
    assert len(report.failures) <= KILLS * IN_FLIGHT * slack()
    assert_within(statistics.median(back_s), 1.0, "a worker's successor")
    assert row(cluster, name)["last_exit"] == "SIGKILL"
    assert replaced(cluster, "death") - before == KILLS
    assert cluster.process.poll() is None


def test_kill_9_of_all_workers_and_the_owner_at_once(cluster: Cluster) -> None:
    serving = ("Sanic-Server", "Sanic-WhatsApp")
    with offer(cluster) as load:
        time.sleep(1)
        victims = [process for name, process in cluster.processes().items() if name.startswith(serving)]
        for victim in victims:
            at = kill(victim, signal.SIGKILL)
        gone_s(victims, within_s=5 * slack())
        wait_until_well(cluster, WORKERS)
        time.sleep(0.5)
    report = load.report
    serving_s = report.gap_s(at)
    accounted = sums(cluster, report)
    note(
        "R2",
        f"kill -9 of all {WORKERS} workers and the WhatsApp process at once",
        load=load_of(report),
        figure=f"{serving_s:.2f} s without a good answer; {report.recovery_s(at):.2f} s after the kill every new "
        f"request succeeds; {failed_of(report)}; {accounted}; main lives",
    )
    assert_within(serving_s, 2.0, "serving again")
    assert len(victims) == WORKERS + 1
    assert cluster.process.poll() is None


def test_kill_9_of_the_owner_ten_times(cluster: Cluster) -> None:
    back_s = []
    with offer(cluster) as load:
        for _ in range(KILLS):
            victim = cluster.processes()["Sanic-WhatsApp-0"]
            kill(victim, signal.SIGKILL)
            back_s.append(
                seconds_until(
                    lambda pid=victim.pid: is_well(cluster, WORKERS) and cluster.pid("Sanic-WhatsApp-0") != pid,
                    "the next owner owns the number",
                    within_s=30 * slack(),
                )
            )
        ended = time.monotonic()
        # With the load going on: where nothing at all is heard from WhatsApp, silence proves little, and takes longer.
        until(lambda: in_doubt(cluster) == 0, "nothing is in doubt any more", within_s=30 * slack())
        settled_s = time.monotonic() - ended
    report = load.report
    accounted = sums(cluster, report)
    note(
        "R3",
        f"kill -9 of the WhatsApp process, {KILLS} times, in the middle of sending",
        load=load_of(report),
        figure=f"owner again after {statistics.median(back_s):.2f} s (median), {max(back_s):.2f} s (worst); "
        f"{failed_of(report)}; the last doubt settled {settled_s:.1f} s after it; {accounted}",
    )
    assert report.failures == []  # the workers do not need the owner to accept
    assert_within(statistics.median(back_s), 3.0, "the next owner")
    assert_within(settled_s, 8.0, "what was in doubt")  # 4 s of waiting for evidence, and two terms that start


def test_kill_9_of_the_process_that_forks(cluster: Cluster) -> None:
    """It takes its children with it; main starts another and everything comes back. Nothing is left running twice."""
    with offer(cluster) as load:
        time.sleep(1)
        victim = fork_server(cluster)
        children = victim.children()
        at = kill(victim, signal.SIGKILL)
        gone_s([victim, *children], within_s=5 * slack())
        wait_until_well(cluster, WORKERS)
        time.sleep(0.5)
    report = load.report
    serving_s = report.gap_s(at)
    accounted = sums(cluster, report)
    note(
        "R4",
        "kill -9 of the fork server",
        load=load_of(report),
        figure=f"{serving_s:.2f} s without a good answer; {report.recovery_s(at):.2f} s after the kill every new "
        f"request succeeds; {failed_of(report)}; {accounted}; main lives",
    )
    assert_within(serving_s, 5.0, "serving again")
    assert cluster.process.poll() is None
