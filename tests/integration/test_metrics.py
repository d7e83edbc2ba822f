"""The sums of /metrics are what the clients counted, over all processes, one that was killed in the middle included."""

import re
import threading
from collections.abc import Iterator

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.traffic import recipients, send_in_order
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PHONES = recipients(4)
EACH = 15
COUNT = len(PHONES) * EACH


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("metrics"), workers=2) as cluster:
        yield cluster


def total(cluster: Cluster, name: str, **labels: str) -> float:
    """The sum of all samples of this name that have these labels."""
    found = 0.0
    for line in cluster.client.get("/metrics").text.splitlines():
        match = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if match and all(f'{key}="{value}"' in (match[1] or "") for key, value in labels.items()):
            found += float(match[2])
    return found


def test_sums_are_the_clients_own_also_after_a_worker_was_killed(cluster: Cluster) -> None:
    for phone in PHONES:
        cluster.write_as_customer(phone, "hello")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every window is open")
    victim = cluster.pid("Sanic-Server-0-0")
    killer = threading.Timer(0.8, cluster.kill, [victim])
    killer.start()
    sent = send_in_order(cluster, PHONES, each=EACH, threads=4, pace_s=0.1)
    killer.join()
    assert sent.count == COUNT
    until(lambda: total(cluster, "panal_messages_total", state="read") == COUNT, "all are read", within_s=30)

    for state in ("queued", "sending", "sent", "delivered", "read"):
        assert total(cluster, "panal_messages_total", state=state) == COUNT, state
    assert total(cluster, "panal_messages_total", state="received") == len(PHONES)
    assert total(cluster, "panal_events_total", type="message.read") == COUNT
    assert total(cluster, "panal_accept_to_sent_seconds_count") == COUNT
    assert total(cluster, "panal_sent_to_delivered_seconds_count") == COUNT
    # Three statuses a message and one word of each customer; what the killed worker did not answer was posted again.
    told = total(cluster, "panal_cloud_webhook_lag_seconds_count")
    assert 3 * COUNT + len(PHONES) <= told <= 3 * COUNT + len(PHONES) + 20

    answered = total(cluster, "panal_http_request_seconds_count", method="POST", route="/v1/messages", status="202")
    repeats = sent.repeats.total()
    assert COUNT <= answered <= COUNT + repeats  # the killed worker may have counted what it could not answer any more
    accepted = total(cluster, "panal_messages_accepted_total")
    assert COUNT - repeats <= accepted <= COUNT
    until(lambda: total(cluster, "panal_restarts_total", reason="death") == 1, "the death is counted")
    assert total(cluster, "panal_http_request_seconds_count", status="500") == 0


def test_a_replay_has_one_effect_and_is_counted(cluster: Cluster) -> None:
    before = total(cluster, "panal_duplicates_suppressed_total", kind="idempotency_key")
    accepted = total(cluster, "panal_messages_accepted_total")
    answers = [cluster.send(PHONES[0], "once", idempotency_key="the-same") for _ in range(4)]
    assert len({answer["id"] for answer in answers}) == 1
    assert total(cluster, "panal_duplicates_suppressed_total", kind="idempotency_key") == before + 3
    assert total(cluster, "panal_messages_accepted_total") == accepted + 1


def test_repeated_notifications_are_counted(cluster: Cluster) -> None:
    before = total(cluster, "panal_duplicates_suppressed_total", kind="status")
    rule = {"match": {"to": PHONES[1]}, "when": {"next": 1}, "then": {"duplicate_webhooks": 3}}
    assert cluster.sandbox.post("/_sandbox/rules", json=rule).status_code < 300
    message = cluster.send(PHONES[1], "told three times")
    until(lambda: cluster.message(message["id"])["status"] == "read", "it is read")
    until(lambda: total(cluster, "panal_duplicates_suppressed_total", kind="status") > before, "repeats are counted")


def test_operations_are_a_figure_of_the_cluster(cluster: Cluster) -> None:
    totals = cluster.client.get("/v1/cluster").json()["totals"]
    assert totals["db_operations_per_s"] > 0
    assert totals["db_operations_per_message"] > 1
    assert 0 < totals["db_connections"] <= totals["db_pool_max"]
    measured = total(cluster, "panal_db_operations_total", role="worker")
    cluster.client.get("/v1/messages", params={"limit": 1})
    assert total(cluster, "panal_db_operations_total", role="worker") > measured
    assert total(cluster, "panal_db_operations_per_message") > 1
