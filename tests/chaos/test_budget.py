"""A database that allows 100 operations a second, as Atlas M0 does, and three times as much asked of it.

`CHAOS_THROTTLED_S=300 pytest tests/chaos/test_budget.py` is the full size.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.m0 import m0, told
from tests.chaos.figures import assert_within, note
from tests.chaos.host import Host, host_in, load_of, submissions, sums
from tests.harness import free_port
from tests.harness.externals import external_database, external_sandbox, host_environment
from tests.harness.load import SUBMIT, offer
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

ALLOWED_PER_S = 100
OFFERED_PER_S = 3 * ALLOWED_PER_S  # requests; each of them costs an operation at least, an order six to ten
ORDER_EVERY = 6
SECONDS = float(os.environ.get("CHAOS_THROTTLED_S", "8"))


@dataclass
class Throttled:
    host: Host
    control_port: int


@pytest.fixture
def throttled(tmp_path: Path) -> Iterator[Throttled]:
    with ExitStack() as stack:
        direct = stack.enter_context(external_database(tmp_path / "database"))
        uri, control_port = stack.enter_context(m0(tmp_path, direct))
        port = free_port()
        webhook_url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        sandbox_port = stack.enter_context(external_sandbox(tmp_path / "whatsapp", webhook_url=webhook_url))
        environment = {
            **host_environment(uri, sandbox_port),
            "TEST_PORT": str(port),
            "PANAL_DB_OPS_PER_S": "90",  # what the manual says for M0
            "PANAL_LEASE_TTL_S": "10",
            "PANAL_LEASE_RENEW_S": "3",
            "PANAL_PAIR_BURST": "1000",
        }
        yield Throttled(
            stack.enter_context(host_in(tmp_path / "host", workers=2, environment=environment)), control_port
        )


def test_three_times_what_a_throttled_database_allows(throttled: Throttled) -> None:
    cluster = throttled.host.cluster()
    told(throttled.control_port, is_reset=True)
    began = time.monotonic()
    with offer(cluster, rate=OFFERED_PER_S, order_every=ORDER_EVERY) as load:
        time.sleep(SECONDS)
    ended = time.monotonic()
    report = load.report
    left = len(set(report.accepted) - set(submissions(cluster)))
    accounted = sums(cluster, report)
    drained_s = time.monotonic() - ended
    until(lambda: cluster.client.get("/readyz").status_code == 200, "it is ready", within_s=20 * slack())
    tally = told(throttled.control_port)
    per_message = tally["commands"] / max(1, len(report.accepted))
    refused = f"refused with Retry-After: {report.reasons}" if report.reasons else "none refused"
    p95_s = report.latency_s(0.95, what=SUBMIT)
    note(
        "D2",
        f"a database that allows {ALLOWED_PER_S} operations/s and holds who asks for more for 1 s",
        load=f"{load_of(report)}, one in {ORDER_EVERY} accepts a message",
        figure=f"accepted after {report.latency_s(0.5, what=SUBMIT):.2f} s (p50), {p95_s:.2f} s (p95); "
        f"{len(report.accepted) / (ended - began):.0f} messages/s accepted; {refused}; {left} on their way at the end, "
        f"all gone {drained_s:.1f} s later; "
        f"{tally['commands'] / (time.monotonic() - began):.0f} operations/s, {per_message:.1f} a message, reads "
        f"included; held {tally['throttled']} times; {accounted}",
    )
    assert set(report.reasons) <= {"429", "503"}
    assert_within(p95_s, 2.0, "an acceptance (p95)")
    assert_within(drained_s, 10.0 + SECONDS / 2, "the queue")
