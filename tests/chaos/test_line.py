"""The line to the database: far away, cut under load, crowded; and silent for the owner alone."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.box import Box, box_in, failed_of, load_of, sums
from tests.chaos.figures import assert_within, note
from tests.chaos.test_two_boxes import LEASE_TTL_S, queen_of
from tests.harness import free_port, start_cluster
from tests.harness.cluster import until
from tests.harness.externals import DatabaseServer, box_environment, external_sandbox
from tests.harness.line import Line, line_to
from tests.harness.load import SUBMIT, offer
from tests.harness.slack import slack

pytestmark = pytest.mark.chaos

FAR_S = 0.040
BURST = 200
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
def line(database: DatabaseServer) -> Iterator[Line]:
    with line_to(database.port) as line:
        yield line


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, line: Line) -> Iterator[Box]:
    environment = {"PANAL_MONGODB_URI": line.uri, "PANAL_DB_SERVERS": "1", "PANAL_NUMBER_RATE_PER_S": "1000"}
    with box_in(tmp_path_factory.mktemp("line"), workers=2, environment=environment) as box:
        yield box


def test_a_database_far_away(box: Box, line: Line) -> None:
    cluster = box.cluster()
    line.delay_s = FAR_S
    try:
        with offer(cluster) as load:
            time.sleep(6)
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
    assert_within(p95_s, TRIPS * FAR_S + 0.05, "an acceptance (p95)")


def test_every_connection_to_the_database_is_cut_once(box: Box, line: Line) -> None:
    cluster = box.cluster()
    with offer(cluster) as load:
        time.sleep(2)
        at = time.monotonic()
        count = line.cut()
        time.sleep(4)
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


def test_a_burst_opens_no_more_connections_than_planned(box: Box, line: Line) -> None:
    cluster = box.cluster()
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
        shared = box_environment(own.uri, sandbox_port)
        cut_off = {**shared, "PANAL_MONGODB_URI": line.uri, "PANAL_HEARTBEAT_S": "0.2"}
        first = stack.enter_context(start_cluster(tmp_path / "first", workers=1, environment=cut_off))
        until(lambda: queen_of(first).get("state") == "owner", "the first box owns the number")
        other = {**shared, "TEST_PORT": str(second_port)}
        second = stack.enter_context(start_cluster(tmp_path / "second", workers=1, environment=other))
        until(lambda: queen_of(second).get("state") == "standby", "the second stands by")
        with offer(second) as load:
            time.sleep(1)
            line.is_silent = True
            at = time.monotonic()
            gave_up_s: list[float] = []

            def is_taken() -> bool:
                if not gave_up_s and queen_of(first).get("lease_remaining_s") == 0:
                    gave_up_s.append(time.monotonic() - at)
                return bool(queen_of(second).get("state") == "owner")

            until(is_taken, "the second takes over", within_s=(LEASE_TTL_S + 4) * slack(), every_s=0.02)
            took_s = time.monotonic() - at
            time.sleep(1)
        line.is_silent = False
        until(lambda: queen_of(first).get("state") == "standby", "the first box stands by", within_s=20 * slack())
        report = load.report
        accounted = sums(second, report)
        note(
            "O3",
            f"two boxes; the owner is cut off from the database alone, its lease is {LEASE_TTL_S:g} s",
            load=load_of(report),
            figure=f"its own lease was over after {min(gave_up_s, default=-1.0):.1f} s, the other owns the "
            f"number after {took_s:.1f} s; fenced when the line is back; "
            f"{failed_of(report)}; {accounted}",
        )
        assert gave_up_s, "it may not send any more when the other begins"
        assert "owner.fenced" in first.log
        assert_within(took_s, LEASE_TTL_S + 2, "the takeover")
