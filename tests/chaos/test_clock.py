"""The host's clock is set while Panal works: only what follows the calendar may notice.

libfaketime stands between the processes and their clock; database and WhatsApp are outside and keep theirs.
"""

import glob
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import Host, another, failed_of, host_in, load_of, row, sums
from tests.harness import Cluster, free_port
from tests.harness.externals import external_database, external_sandbox, host_environment
from tests.harness.load import offer
from tests.harness.slack import slack
from tests.harness.traffic import received_texts, recipients, send_in_order
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

LIBRARY = next(iter(sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))), "")
STEPS_S = (3600, -10, -3600, 0)  # where the clock stands after each step, against the true time
BETWEEN_S = 1.2
PHONES = recipients(5, first=16505557000)


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    if not LIBRARY:
        pytest.skip("libfaketime is not here: apt install faketime")
    path = tmp_path / "clock"
    set_clock(path, 0)
    return path


@pytest.fixture
def host(tmp_path: Path, clock: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        uri = stack.enter_context(external_database(tmp_path / "database"))
        port = free_port()
        webhook_url = f"http://127.0.0.1:{port}/webhooks/whatsapp"
        sandbox_port = stack.enter_context(external_sandbox(tmp_path / "whatsapp", webhook_url=webhook_url))
        environment = {
            **host_environment(uri, sandbox_port),
            "TEST_PORT": str(port),
            "PANAL_PAIR_BURST": "1000",
            "LD_PRELOAD": LIBRARY,
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",  # seconds after which a process looks again
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        yield stack.enter_context(host_in(tmp_path / "host", workers=2, environment=environment))


def set_clock(path: Path, offset_s: int) -> None:
    """Whole or not at all: every process reads it whenever it asks for the time."""
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{offset_s:+d}\n")
    fresh.replace(path)


def believed(cluster: Cluster) -> float:
    """How far the host's clock is from ours, in seconds, by the `created_at` of a message."""
    sent = cluster.send(PHONES[0], "what time is it?", on_uncertain="resend")
    told = datetime.fromisoformat(cluster.message(sent["id"])["created_at"])
    return (told - datetime.now(UTC)).total_seconds()


def test_nobody_notices_when_the_clock_is_set(host: Host, clock: Path) -> None:
    cluster = host.cluster()
    for phone in PHONES:
        cluster.write_as_customer(phone, "hello")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every conversation is open")
    epoch = row(cluster, "Sanic-WhatsApp-0")["whatsapp"]["epoch"]
    send_at = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    later = cluster.send(PHONES[0], "in half an hour", send_at=send_at)["id"]
    bodies: dict[str, list[str]] = {}
    each = int(len(STEPS_S) * BETWEEN_S / 0.15)
    sender = threading.Thread(
        target=lambda: bodies.update(
            send_in_order(cluster, PHONES, each=each, threads=5, pace_s=0.1, on_uncertain="resend").bodies
        )
    )
    lags_s: list[float] = []
    with offer(cluster) as load:
        sender.start()
        for offset_s in STEPS_S:
            set_clock(clock, offset_s)
            until(lambda wanted=offset_s: abs(believed(cluster) - wanted) < 5, "the clock is set", every_s=0.2)
            if offset_s == -3600:  # its successor has never known another time
                victim = cluster.pid("Sanic-Server-0-0")
                cluster.kill(victim)
                another(cluster, "Sanic-Server-0-0", victim)
            lags_s.append(time_to_send(cluster))
            time.sleep(BETWEEN_S)
        sender.join()
    report = load.report
    accounted = sums(cluster, report)
    until(lambda: all(set(bodies[phone]) <= set(received_texts(cluster, phone)) for phone in PHONES), "all are there")
    in_order = all([b for b in received_texts(cluster, p) if b in bodies[p]] == bodies[p] for p in PHONES)
    owner = row(cluster, "Sanic-WhatsApp-0")
    early = cluster.message(later)["status"]
    note(
        "O5",
        "the clock of the host is set: an hour ahead, 10 s back, an hour back, a worker killed then; right again",
        load=load_of(report),
        figure=f"same owner, epoch and process; accept to WhatsApp {max(lags_s):.2f} s at most; {failed_of(report)}; "
        f"{accounted}; {each * len(PHONES)} more to {len(PHONES)} phones in order: {in_order}; what was due in half an "
        f"hour left with the clock: {early != 'scheduled'}",
    )
    assert in_order
    assert owner["whatsapp"]["epoch"] == epoch
    assert owner["restarts"] == 0
    assert "owner.fenced" not in cluster.log
    assert len(report.failures) <= 24 * slack()  # what the killed worker had in its hands
    assert cluster.log.count("process.died") == 1
    assert_within(max(lags_s), 2.0, "a message on its way to WhatsApp")
    assert early != "scheduled"


def time_to_send(cluster: Cluster) -> float:
    """From the acceptance to WhatsApp's log, on our clock."""
    began = time.monotonic()
    body = f"now-{time.monotonic_ns()}"
    cluster.send(PHONES[1], body, on_uncertain="resend")
    until(lambda: body in received_texts(cluster, PHONES[1]), "it is there", within_s=40, every_s=0.02)
    return time.monotonic() - began
