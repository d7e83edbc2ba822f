"""Two hosts, one WhatsApp: the lease, its hand-over, and an owner that was paused."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.figures import assert_within, note
from tests.harness import Cluster, free_port, start_cluster
from tests.harness.externals import external_database, external_sandbox, host_environment
from tests.harness.slack import slack
from tests.harness.traffic import received_texts, recipients, send_in_order
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

PHONES = recipients(10)
LEASE_TTL_S = 4.0


@dataclass
class Hosts:
    first: Cluster
    second: Cluster


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Two installations on one database and one WhatsApp, which posts to the second."""
    second_port = free_port()
    with ExitStack() as stack:
        uri = stack.enter_context(external_database(tmp_path / "database"))
        webhook_url = f"http://127.0.0.1:{second_port}/webhooks/whatsapp"
        sandbox_port = stack.enter_context(external_sandbox(tmp_path / "whatsapp", webhook_url=webhook_url))
        environment = host_environment(uri, sandbox_port)
        first = stack.enter_context(start_cluster(tmp_path / "first", workers=1, environment=environment))
        second = stack.enter_context(
            start_cluster(tmp_path / "second", workers=1, environment={**environment, "TEST_PORT": str(second_port)})
        )
        yield Hosts(first, second)


def owner_of(cluster: Cluster) -> dict[str, Any]:
    """What this host says about its WhatsApp process."""
    try:
        rows = cluster.client.get("/v1/cluster").json()["processes"]
    except httpx.HTTPError:
        return {}
    return next((row["whatsapp"] for row in rows if row["role"] == "whatsapp"), {})


def open_windows(cluster: Cluster) -> None:
    for phone in PHONES:
        cluster.write_as_customer(phone, "hello")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every conversation is open")


def assert_each_once_in_order(cluster: Cluster, bodies: dict[str, list[str]]) -> None:
    for phone in PHONES:
        assert received_texts(cluster, phone) == bodies[phone]
    events = cluster.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def wait_until_read(cluster: Cluster, count: int) -> None:
    def states() -> Counter[str]:
        return Counter(message["status"] for message in cluster.all_pages("/v1/messages", direction="out"))

    until(lambda: states() == {"read": count}, "all are read", within_s=60, every_s=0.3, context=lambda: str(states()))


def test_a_graceful_stop_hands_the_number_over_within_a_second(hosts: Hosts) -> None:
    until(lambda: owner_of(hosts.first).get("state") == "owner", "the first host owns the number")
    until(lambda: owner_of(hosts.second).get("state") == "standby", "the second stands by")
    assert hosts.second.client.get("/readyz").status_code == 200
    open_windows(hosts.second)
    before = owner_of(hosts.first)["epoch"]
    bodies: dict[str, list[str]] = {}
    sender = threading.Thread(
        target=lambda: bodies.update(send_in_order(hosts.second, PHONES, each=20, threads=10, pace_s=0.2).bodies)
    )
    sender.start()
    time.sleep(1.0)
    assert hosts.first.stop() == 0
    released = next(line for line in hosts.first.log.splitlines() if "lease.released" in line)
    until(lambda: owner_of(hosts.second).get("state") == "owner", "the second host owns the number", within_s=5)
    taken = next(line for line in hosts.second.log.splitlines() if "owner.changed" in line)
    assert_within(seconds_of(taken) - seconds_of(released), 1.0, "the hand-over")
    assert owner_of(hosts.second)["epoch"] == before + 1
    sender.join()
    wait_until_read(hosts.second, 20 * len(PHONES))
    assert_each_once_in_order(hosts.second, bodies)
    note(
        "O4",
        "two hosts on one database; the owner stops gracefully",
        load=f"{20 * len(PHONES)} messages to {len(PHONES)} phones, repeated until answered",
        figure=f"the other owns the number {seconds_of(taken) - seconds_of(released):.2f} s after it was given back; "
        f"{20 * len(PHONES)} accepted, 0 lost, 0 twice, in order",
    )


def test_an_owner_that_was_paused_cannot_send_or_write_any_more(hosts: Hosts) -> None:
    open_windows(hosts.second)
    paused = hosts.first.pid("Sanic-WhatsApp-0")
    bodies: dict[str, list[str]] = {}
    sender = threading.Thread(
        target=lambda: bodies.update(
            send_in_order(hosts.second, PHONES, each=30, threads=10, pace_s=0.3, on_uncertain="resend").bodies
        )
    )
    sender.start()
    time.sleep(1.0)
    os.kill(paused, signal.SIGSTOP)
    paused_at = time.monotonic()
    try:
        until(
            lambda: owner_of(hosts.second).get("state") == "owner",
            "the second host takes over",
            within_s=(LEASE_TTL_S + 4) * slack(),
        )
        took_s = time.monotonic() - paused_at
        time.sleep(2.0)  # the new owner works for a while; the old one still believes in its lease
    finally:
        os.kill(paused, signal.SIGCONT)
    until(lambda: owner_of(hosts.first).get("state") == "standby", "the first host stands by", within_s=15)
    assert hosts.first.pid("Sanic-WhatsApp-0") == paused, "fenced, not killed"
    sender.join()
    wait_until_read(hosts.second, 30 * len(PHONES))
    assert_each_once_in_order(hosts.second, bodies)
    assert_within(took_s, LEASE_TTL_S + 2, "the takeover")
    note(
        "O2",
        f"two hosts on one database; the owner is paused (SIGSTOP) past its lease of {LEASE_TTL_S:g} s, then continues",
        load=f"{30 * len(PHONES)} messages to {len(PHONES)} phones, repeated until answered",
        figure=f"the other owns the number after {took_s:.1f} s; the first is fenced and stands by; "
        f"{30 * len(PHONES)} accepted, 0 lost, 0 twice, in order",
    )


def seconds_of(line: str) -> float:
    """The time of day of a log line, in seconds."""
    hours, minutes, seconds = line.split()[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
