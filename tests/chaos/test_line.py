"""The line to the database: far away, cut under load, crowded, over its quota; and silent for the owner alone."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import Host, failed_of, host_in, load_of, sums, wait_until_recovered
from tests.chaos.test_outage import MESSAGE
from tests.chaos.test_two_hosts import LEASE_TTL_S, owner_of
from tests.harness import free_port, start_cluster
from tests.harness.externals import DatabaseServer, external_sandbox, host_environment
from tests.harness.line import Line, QuotaLine, line_to, quota_line_to
from tests.harness.load import SUBMIT, Report, offer
from tests.harness.slack import slack
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

FAR_S = 0.040
BURST = 200
SLOW_S, MAY_WAIT, OVERLOAD_PER_S = 0.3, 50, 400.0
TRIPS = 3  # the write that is under way when an order comes, its own, and a turn in between


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    server = DatabaseServer(tmp_path_factory.mktemp("database"))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def line(database: DatabaseServer) -> Iterator[QuotaLine]:
    with quota_line_to(database.port) as line:
        yield line


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, line: Line) -> Iterator[Host]:
    environment = {"PANAL_MONGODB_URI": line.uri, "PANAL_DB_SERVERS": "1", "PANAL_NUMBER_RATE_PER_S": "1000"}
    with host_in(tmp_path_factory.mktemp("line"), workers=2, environment=environment) as host:
        yield host


def test_a_database_far_away(host: Host, line: Line) -> None:
    cluster = host.cluster()
    line.delay_s = FAR_S
    try:
        with offer(cluster) as load:
            time.sleep(4)
    finally:
        line.delay_s = 0.0
    report = load.report
    accounted = sums(cluster, report)
    p95_s = report.latency_s(0.95, what=SUBMIT)
    note(
        "D3",
        f"every command to the database takes {1000 * FAR_S:.0f} ms more",
        load=load_of(report),
        figure=f"accepted after {1000 * report.latency_s(0.5, what=SUBMIT):.0f} ms (p50), {1000 * p95_s:.0f} ms (p95); "
        f"{failed_of(report)}; {accounted}",
    )
    assert report.failures == []
    assert report.latency_s(0.5, what=SUBMIT) >= FAR_S, "the way was not longer at all"
    assert_within(p95_s, TRIPS * FAR_S + 0.05, "an acceptance (p95)")


def test_what_is_more_than_may_wait_is_refused_at_once(line: Line, tmp_path: Path) -> None:
    """A database so slow that a batch takes a third of a second, and a worker that lets one batch wait."""
    environment = {"PANAL_MONGODB_URI": line.uri, "PANAL_DB_SERVERS": "1", "PANAL_DB_NAME": "overload"}
    environment |= {"PANAL_ACCEPT_QUEUE": str(MAY_WAIT), "PANAL_MAX_BATCH": str(MAY_WAIT)}
    environment |= {"PANAL_NUMBER_RATE_PER_S": "1000", "PANAL_PAIR_BURST": "1000"}

    def ask(_: int) -> httpx.Response:
        return cluster.client.post("/v1/messages", json=MESSAGE)

    with start_cluster(tmp_path / "overload", workers=1, environment=environment) as cluster:
        first = cluster.client.post("/v1/messages", json=MESSAGE)  # now it knows its number and its templates
        assert first.status_code == 202, first.text
        line.delay_s = SLOW_S
        try:
            with offer(cluster, rate=OVERLOAD_PER_S, order_every=1) as load:
                time.sleep(11)  # what is remembered of templates for ten seconds is read again meanwhile
                with ThreadPoolExecutor(MAY_WAIT) as others:
                    answers = list(others.map(ask, range(MAY_WAIT)))
        finally:
            line.delay_s = 0.0
        report = load.report
        accounted = sums(cluster, report)
        refusals_s = sorted(shot.took_s for shot in report.failures)
        slowest_s = refusals_s[-1]
        p50_s, p99_s = (report.latency_s(share, what=SUBMIT) for share in (0.5, 0.99))
        note(
            "D7",
            f"{OVERLOAD_PER_S:.0f} messages/s where a command takes {1000 * SLOW_S:.0f} ms and {MAY_WAIT} may wait",
            load=load_of(report),
            figure=f"{failed_of(report)}, each within {1000 * slowest_s:.0f} ms; accepted after "
            f"{1000 * p50_s:.0f} ms (p50), {1000 * p99_s:.0f} ms (p99); {accounted}",
        )
    assert set(report.reasons) == {"503"}
    told = {(one.status_code, one.json().get("code"), one.headers.get("retry-after")) for one in answers}
    assert (503, "intake_full", "1") in told
    assert told <= {(202, None, None), (503, "intake_full", "1")}
    assert_within(refusals_s[int(0.99 * len(refusals_s))], 0.1, "a refusal (p99)")
    assert slowest_s < SLOW_S, "a refusal waited for the database"
    assert_within(p99_s, 4 * SLOW_S, "an acceptance (p99)")


def test_every_connection_to_the_database_is_cut_once(host: Host, line: Line) -> None:
    cluster = host.cluster()
    with offer(cluster) as load:
        time.sleep(2)
        at = time.monotonic()
        count = line.cut()
        wait_until_recovered(cluster)
    report = load.report
    accounted = sums(cluster, report)
    note(
        "D4",
        f"all {count} connections to the database are cut at once",
        load=load_of(report),
        figure=f"{failed_of(report)}, the last {report.recovery_s(at):.2f} s after the cut; {accounted}",
    )
    assert set(report.reasons) <= {"503"}
    assert_within(report.recovery_s(at), 2.0, "the recovery")


def test_a_burst_opens_no_more_connections_than_planned(host: Host, line: Line) -> None:
    cluster = host.cluster()
    plan = cluster.client.get("/v1/capacity").json()
    line.peak = line.open
    with offer(cluster, clients=BURST, requests=10 * BURST, order_every=4) as load:
        report = load.wait()
    accounted = sums(cluster, report)
    note(
        "D5",
        f"a burst of {BURST} clients",
        load=load_of(report),
        figure=f"at most {line.peak} connections, counted on the line; planned {plan['instance_connections']}; "
        f"{failed_of(report)}; {accounted}",
    )
    assert line.peak <= plan["instance_connections"]


def test_two_hosts_open_no_more_connections_than_planned(host: Host, line: Line, tmp_path: Path) -> None:
    """As in a deploy: the next host beside the old one, both under a burst."""
    first = host.cluster()
    environment = host_environment(line.uri, first.sandbox_port)
    with start_cluster(tmp_path / "second", workers=2, environment=environment) as second:
        until(lambda: owner_of(second).get("state") == "standby", "the second stands by", within_s=20 * slack())
        planned = sum(host.client.get("/v1/capacity").json()["instance_connections"] for host in (first, second))
        line.peak = line.open
        with (
            offer(first, clients=BURST // 2, requests=5 * BURST, order_every=4) as load,
            offer(second, clients=BURST // 2, requests=5 * BURST, order_every=4) as other,
        ):
            reports = [load.wait(), other.wait()]
    report = Report([shot for one in reports for shot in one.shots])
    accounted = sums(first, report)
    note(
        "D5",
        f"two hosts on one database, each under a burst of {BURST // 2} clients",
        load=load_of(report),
        figure=f"at most {line.peak} connections, counted on the line; planned {planned}; {failed_of(report)}; "
        f"{accounted}",
    )
    assert report.failures == []
    assert line.peak <= planned


def test_a_database_over_its_quota(host: Host, line: QuotaLine, database: DatabaseServer) -> None:
    """It takes no document any more, until something is deleted. Old messages lie there, and the next pass is due."""
    cluster = host.cluster()
    owner = cluster.pid("Sanic-WhatsApp-0")
    deaths_before = cluster.log.count("process.died")
    with offer(cluster) as load:
        time.sleep(1)
        leave_old_messages(database, count=20)
        deletes_before = line.counts["delete"]
        line.room_after, line.refuses = 1, frozenset({"insert"})
        at = time.monotonic()
        time.sleep(1)
        refused = cluster.client.post("/v1/messages", json=MESSAGE)
        alive = cluster.client.get("/livez").status_code
        cluster.kill(owner)  # a new owner begins with a pass, the old one does one an hour
        until(lambda: not line.refuses, "something old was deleted", within_s=30 * slack())
        freed_at = time.monotonic()
        wait_until_recovered(cluster)
    report = load.report
    accounted = sums(cluster, report)
    recovery_s = report.recovery_s(freed_at)
    note(
        "D6",
        "the database takes no insert any more: over its quota; the WhatsApp process is killed meanwhile",
        load=load_of(report),
        figure=f"{failed_of(report)}; refused with {refused.status_code} {refused.json()['code']}; the next owner "
        f"made room {freed_at - at:.1f} s later ({line.counts['delete'] - deletes_before} deletes); last failure "
        f"{recovery_s:.1f} s after that; nothing else died; {accounted}",
    )
    assert (refused.status_code, refused.json()["code"], "retry-after" in refused.headers) == (
        507,
        "storage_full",
        True,
    )
    assert alive == 200
    assert set(report.reasons) <= {"507"}
    assert cluster.log.count("process.died") == deaths_before + 1
    assert cluster.log.count("storage.full") <= 4, "told once a process"
    assert_within(recovery_s, 5.0, "the recovery")


def leave_old_messages(database: DatabaseServer, *, count: int) -> None:
    """Messages of a year ago, as like to today's as can be."""
    year_ms = 365 * 86_400_000
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(database.uri)
    with client:
        messages = client["panal"]["messages"]
        found = until(lambda: messages.find_one({"direction": "out", "status": "read"}), "a message was read")
        old = datetime.now(UTC) - timedelta(days=365)
        stamps = {name: old for name, value in found.items() if isinstance(value, datetime)}
        messages.insert_many(
            {**found, **stamps, "_id": f"msg_old{number}", "order": found["order"] - (year_ms << 20) + number}
            for number in range(count)
        )


def test_an_owner_cut_off_from_the_database_is_succeeded_and_fenced(
    tmp_path: Path,
) -> None:
    second_port = free_port()
    with ExitStack() as stack:
        own = DatabaseServer(tmp_path / "database")
        own.start()
        stack.callback(own.stop)
        line = stack.enter_context(line_to(own.port))
        webhook_url = f"http://127.0.0.1:{second_port}/webhooks/whatsapp"
        sandbox_port = stack.enter_context(external_sandbox(tmp_path / "whatsapp", webhook_url=webhook_url))
        shared = host_environment(own.uri, sandbox_port)
        # Each host has a line of its own to WhatsApp: who sends what, and when.
        sends, sends_of_other = (stack.enter_context(line_to(sandbox_port)) for _ in range(2))
        sends.watched = sends_of_other.watched = b"/messages?"
        cut_off = {**shared, "PANAL_MONGODB_URI": line.uri, "PANAL_HEARTBEAT_S": "0.2", **through(sends)}
        first = stack.enter_context(start_cluster(tmp_path / "first", workers=1, environment=cut_off))
        until(lambda: owner_of(first).get("state") == "owner", "the first host owns the number")
        other = {**shared, "TEST_PORT": str(second_port), **through(sends_of_other)}
        second = stack.enter_context(start_cluster(tmp_path / "second", workers=1, environment=other))
        until(lambda: owner_of(second).get("state") == "standby", "the second stands by")
        with offer(second) as load:
            time.sleep(1)
            line.is_silent = True
            at = time.monotonic()
            gave_up_s: list[float] = []

            def is_taken() -> bool:
                if not gave_up_s and owner_of(first).get("lease_remaining_s") == 0:
                    gave_up_s.append(time.monotonic() - at)
                return bool(owner_of(second).get("state") == "owner")

            until(is_taken, "the second takes over", within_s=(LEASE_TTL_S + 4) * slack(), every_s=0.02)
            took_s = time.monotonic() - at
            time.sleep(1)
        line.is_silent = False
        until(lambda: owner_of(first).get("state") == "standby", "the first host stands by", within_s=20 * slack())
        report = load.report
        accounted = sums(second, report)
        last_s, first_s = max(sends.seen, default=at) - at, min(sends_of_other.seen, default=at) - at
        note(
            "O3",
            f"two hosts; the owner is cut off from the database alone, its lease is {LEASE_TTL_S:g} s",
            load=load_of(report),
            figure=f"its own lease was over after {min(gave_up_s, default=-1.0):.1f} s, the other owns the "
            f"number after {took_s:.1f} s; sends: {len(sends.seen)} by the first, the last {last_s:.1f} s after the "
            f"cut, {len(sends_of_other.seen)} by the other, from {first_s:.1f} s on; fenced when the line is back; "
            f"{failed_of(report)}; {accounted}",
        )
        assert sends.seen, "the first sent while it owned the number"
        assert last_s <= min(gave_up_s, default=0.0), "no send after its lease"
        assert last_s < first_s, "at no time do both send"
        assert gave_up_s, "it may not send any more when the other begins"
        assert "owner.fenced" in first.log
        assert_within(took_s, LEASE_TTL_S + 2, "the takeover")


def through(line: Line) -> dict[str, str]:
    return {"PANAL_GRAPH_BASE_URL": f"http://127.0.0.1:{line.port}"}
