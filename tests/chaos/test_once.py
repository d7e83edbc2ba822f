"""Once, in order, held and told: kills, lost answers and a lost database, and every accepted message accounted for."""

import contextlib
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.chaos.figures import assert_within, note
from tests.chaos.host import fork_server, wait_until_well
from tests.harness import Cluster, start_cluster
from tests.harness.ports import is_free
from tests.harness.traffic import Sent, received_texts, recipients, send_in_order
from tests.harness.waiting import until

pytestmark = pytest.mark.chaos

PHONES = recipients(50)
# CI sends 600; CHAOS_MESSAGES=2000 is the full size.
TOTAL = int(os.environ.get("CHAOS_MESSAGES", "600"))
EACH = TOTAL // len(PHONES)
# CI kills for as long as that takes; CHAOS_KILLS_S=600 is the full size: 20 messages/s, and kills every ten seconds.
KILLS_S = float(os.environ.get("CHAOS_KILLS_S", "0"))
STEADY_PER_S, STEADY_SENDERS = 20, 25
SENDERS = 16
SEED = int(os.environ.get("CHAOS_SEED", "20261124"))

FAST = {
    "PANAL_NUMBER_RATE_PER_S": "1000",
    # In ten minutes each phone gets 240 messages: more than WhatsApp lets one number send to one person.
    "PANAL_PAIR_BURST": "1000",
    "PANAL_PAIR_PERIOD_S": "0.01",
    "PANAL_EVIDENCE_WAIT_S": "4",
    "PANAL_GRAPH_TIMEOUT_S": "5",
    "PANAL_LEASE_TTL_S": "3",
    "PANAL_LEASE_RENEW_S": "1",
    # The test kills far more often than a real crash loop would: the breaker has tests of its own.
    "PANAL_RESTART_BREAKER_DEATHS": "1000",
    "PANAL_RESTART_MAX_S": "0.5",
}


@contextlib.contextmanager
def nemesis(*acts: tuple[float, Callable[[random.Random], None]]) -> Iterator[Counter[str]]:
    """Each act again and again, at random with the given mean of seconds, until the block ends."""
    over = threading.Event()
    done: Counter[str] = Counter()

    def run(mean_s: float, act: Callable[[random.Random], None], chance: random.Random) -> None:
        while not over.wait(chance.expovariate(1 / mean_s)):
            act(chance)
            done[act.__name__] += 1

    threads = [
        threading.Thread(target=run, args=(mean_s, act, random.Random(SEED + number)))
        for number, (mean_s, act) in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()


def open_windows(cluster: Cluster) -> None:
    for phone in PHONES:
        cluster.write_as_customer(phone, "hello")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every customer's conversation is open")


def wait_until_settled(cluster: Cluster, within_s: float) -> Counter[str]:
    """Until no message is on its way any more; how many ended in which state."""
    moving = {"queued", "sending", "held", "sent", "delivered", "scheduled"}

    def states() -> Counter[str]:
        return Counter(message["status"] for message in cluster.all_pages("/v1/messages", direction="out"))

    def is_settled() -> bool:
        with contextlib.suppress(httpx.TransportError):  # a connection to a worker that was killed a moment ago
            return not moving & set(states())
        return False

    until(
        is_settled,
        "every message is settled",
        within_s=within_s,
        every_s=0.5,
        context=lambda: f"{states()}\n{cluster.log[-3000:]}",
    )
    return states()


def assert_once_in_order_and_accounted_for(cluster: Cluster, sent: Sent) -> None:
    """Every accepted message is on its phone once, in the order of acceptance, and its state says so."""
    twice: list[str] = []
    missing: list[str] = []
    for phone in PHONES:
        got = received_texts(cluster, phone)
        twice += [body for body, count in Counter(got).items() if count > 1]
        missing += [body for body in sent.bodies[phone] if body not in got]
        assert [body for body in got if body in sent.bodies[phone]] == [
            body for body in sent.bodies[phone] if body in got
        ], f"order on {phone}"
    assert not twice
    assert not missing
    events = cluster.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_kills_and_lost_answers_lose_nothing_and_send_nothing_twice(tmp_path: Path) -> None:
    with start_cluster(tmp_path, workers=2, environment=FAST) as cluster:
        open_windows(cluster)
        rule = {
            "match": {"path": "/messages"},
            "when": {"probability": 0.05, "seed": SEED},
            "then": {"drop_answer": True},
        }
        assert cluster.sandbox.post("/_sandbox/rules", json=rule).status_code in (200, 201)

        def kill_owner(_: random.Random) -> None:
            kill(cluster, "Sanic-WhatsApp-0")

        def kill_worker(chance: random.Random) -> None:
            kill(cluster, f"Sanic-Server-{chance.randrange(2)}-0")

        def kill_fork_server(_: random.Random) -> None:
            with contextlib.suppress(psutil.Error, StopIteration):
                fork_server(cluster).kill()

        def kill_database(_: random.Random) -> None:
            if not is_free(cluster.database_port):  # one that is killed while it starts may never answer
                kill_tree(cluster, "Sanic-Database-0")

        if KILLS_S:
            each, senders = int(KILLS_S * STEADY_PER_S / len(PHONES)), STEADY_SENDERS
            pace_s = senders / STEADY_PER_S
            acts = [(30.0, kill_owner), (30.0, kill_worker), (60.0, kill_fork_server), (60.0, kill_database)]
        else:
            each, senders, pace_s = EACH, SENDERS, 0.15
            acts = [(1.0, kill_owner), (2.0, kill_worker), (8.0, kill_fork_server)]
        began = time.monotonic()
        with nemesis(*acts) as done:
            sent = send_in_order(cluster, PHONES, each=each, threads=senders, pace_s=pace_s, on_uncertain="resend")
        took_s = time.monotonic() - began
        assert done.total() >= 2
        assert sent.count == each * len(PHONES)
        states = wait_until_settled(cluster, within_s=120)
        print(f"\n{sent.count} accepted, {dict(done)}, repeats {dict(sent.repeats)}, states {dict(states)}")  # noqa: T201
        assert_once_in_order_and_accounted_for(cluster, sent)
        assert states == {"read": sent.count}
        assert_within(time.monotonic() - began - took_s, 40.0, "what was in doubt, and all behind it")
        wait_until_well(cluster, 2)
        answered = sent.count / (sent.count + sent.repeats.total())
        names = {what: what.removeprefix("kill_").replace("_", " ") for what in sorted(done)}
        kills = ", ".join(f"{name} {done[what]}" for what, name in names.items())
        note(
            "R6",
            f"kill -9 at random for {took_s:.0f} s ({kills} times); 5 % of WhatsApp's answers lost",
            load=f"{sent.count} messages to {len(PHONES)} phones, repeated until answered",
            figure=f"{sent.count} accepted, 0 lost, 0 twice, in order; {100 * answered:.1f} % of the requests answered "
            f"at once, {sent.repeats.total()} repeated; all is well at the end",
        )


def test_a_database_that_is_killed_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    with start_cluster(tmp_path, workers=2, environment=FAST) as cluster:
        open_windows(cluster)

        def kill_database(_: random.Random) -> None:
            if not is_free(cluster.database_port):  # one that is killed while it starts may never answer
                kill_tree(cluster, "Sanic-Database-0")

        with nemesis((1.5, kill_database)) as done:
            sent = send_in_order(cluster, PHONES, each=max(4, EACH // 2), threads=16, pace_s=0.2, on_uncertain="resend")
        assert done["kill_database"] >= 1
        states = wait_until_settled(cluster, within_s=120)
        print(f"\n{sent.count} accepted, {dict(done)}, repeats {dict(sent.repeats)}, states {dict(states)}")  # noqa: T201
        assert_once_in_order_and_accounted_for(cluster, sent)
        assert states == {"read": sent.count}
        note(
            "D1",
            f"kill -9 of the embedded database, {done['kill_database']} times at random",
            load=f"{sent.count} messages to {len(PHONES)} phones, repeated until answered",
            figure=f"{sent.count} accepted, 0 lost, 0 twice, in order; {sent.repeats.total()} requests repeated",
        )


def kill(cluster: Cluster, name: str) -> None:
    process = cluster.processes().get(name)
    if process is not None:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            return


def kill_tree(cluster: Cluster, name: str) -> None:
    process = cluster.processes().get(name)
    if process is not None:
        for one in [*process.children(recursive=True), process]:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.1)
