"""The database goes away under load and comes back: refused at once with a word, alive all the time, nothing lost."""

import os
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import failed_of, host_in, load_of, rows, sums, wait_until_recovered
from tests.harness.externals import DatabaseServer
from tests.harness.load import PING, SUBMIT, Report, offer

pytestmark = pytest.mark.chaos

# CI takes it away for 6 s; CHAOS_OUTAGE=30 is the full size.
OUTAGE_S = float(os.environ.get("CHAOS_OUTAGE", "6"))
WORKERS = 2
NOBODY_WAITS_S = 8.0  # two searches for a server (PANAL_DB_SELECT_MS), one behind the other, and a turn in the queue
MESSAGE = {
    "to": "16505551234",
    "type": "template",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
}


def test_the_database_is_killed_and_comes_back(tmp_path: Path) -> None:
    database = DatabaseServer(tmp_path / "database")
    database.start()
    environment = {
        "PANAL_MONGODB_URI": database.uri,
        "PANAL_DB_SERVERS": "1",
        "PANAL_NUMBER_RATE_PER_S": "1000",
    }
    try:
        with host_in(tmp_path / "host", workers=WORKERS, environment=environment) as host:
            cluster = host.cluster()
            workers = cluster.worker_pids()
            with offer(cluster) as load, offer(cluster, rate=20, reads=PING, order_every=10**9) as pings:
                time.sleep(2)
                gone_at = time.monotonic()
                database.kill()
                time.sleep(OUTAGE_S * 2 / 3)
                refused = cluster.client.post("/v1/messages", json=MESSAGE)
                ready = cluster.client.get("/readyz")
                told = {row["role"] for row in rows(cluster)}
                time.sleep(max(0.0, gone_at + OUTAGE_S - time.monotonic()))
                database.start()
                back_at = time.monotonic()
                wait_until_recovered(cluster)
            report, alive = load.report, pings.report
            accounted = sums(cluster, report)
            during = [shot for shot in report.shots if gone_at <= shot.at < back_at]
            answered = Counter(shot.outcome for shot in during)
            slowest_s = max(shot.took_s for shot in during)
            recovery_s = report.recovery_s(back_at)
            note(
                "D1",
                f"the database is killed and comes back {OUTAGE_S:g} s later",
                load=load_of(report),
                figure=f"meanwhile {dict(answered)}, slowest answer {slowest_s:.1f} s; last failure {recovery_s:.1f} s "
                f"after its return; /livez {failed_of(alive)}; {accounted}",
            )
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
            assert ready.status_code == 503
            assert {"worker", "whatsapp"} <= told, "the cluster view needs no database"
            assert alive.failures == []
            assert set(report.reasons) <= {"503"}
            assert cluster.worker_pids() == workers, "no worker was killed for the database's sake"
            assert_within(slowest_s, NOBODY_WAITS_S, "an answer without a database")
            assert_within(recovery_s, 5.0, "the recovery")
            assert before(report, gone_at)
    except httpx.HTTPError as error:
        raise AssertionError("the API did not answer while the database was away") from error
    finally:
        database.stop()


def before(report: Report, at: float) -> bool:
    """All was well before the fault."""
    return not [shot for shot in report.failures if shot.at + shot.took_s < at] and report.answered(SUBMIT, "202") > 0
