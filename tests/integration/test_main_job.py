"""The main job on real processes: four workers accept, one WhatsApp process sends, statuses and answers come back."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.slack import slack
from tests.harness.traffic import Sent, received_texts, recipients, send_in_order
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PHONES = recipients(20)
EACH = 10


def wait_until_read(cluster: Cluster, count: int, within_s: float = 60) -> None:
    """Until every outbound message is `read`."""

    def all_read() -> bool:
        states = Counter(message["status"] for message in cluster.all_pages("/v1/messages", direction="out"))
        return states == {"read": count}

    def states() -> str:
        return str(Counter(message["status"] for message in cluster.all_pages("/v1/messages", direction="out")))

    until(all_read, f"{count} messages are read", within_s=within_s, every_s=0.3, context=states)


def open_windows(cluster: Cluster) -> None:
    """Every customer writes first: free-form messages may be sent to those who wrote in the last 24 hours."""
    for phone in PHONES:
        cluster.write_as_customer(phone, f"hello from {phone}")
    until(lambda: len(cluster.all_pages("/v1/conversations")) == len(PHONES), "every customer's conversation is open")


def assert_sums_hold(cluster: Cluster, sent: Sent) -> None:
    """Once and in order on every phone; the log numbered without a gap; every step in the timeline."""
    for phone in PHONES:
        assert received_texts(cluster, phone) == sent.bodies[phone]
    events = cluster.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    read = Counter(event["data"]["message_id"] for event in events if event["type"] == "message.read")
    assert read == Counter(message_id for ids in sent.ids.values() for message_id in ids)
    message = cluster.message(sent.ids[PHONES[0]][0])
    states = [step["status"] for step in message["timeline"]]
    assert states[0] == "queued"
    assert states[-1] == "read"
    moments = [step["at"] for step in message["timeline"]]
    assert moments == sorted(moments)


def test_two_hundred_messages_reach_twenty_phones_once_in_order_and_answers_come_back(tmp_path: Path) -> None:
    with start_cluster(tmp_path, workers=4) as cluster:
        owner = cluster.pid("Sanic-WhatsApp-0")
        open_windows(cluster)
        sent = send_in_order(cluster, PHONES, each=EACH)
        assert sent.count == 200
        assert not sent.repeats
        wait_until_read(cluster, 200)
        assert_sums_hold(cluster, sent)

        for phone in PHONES:
            cluster.write_as_customer(phone, f"answer of {phone}")

        def answered() -> bool:
            conversations = cluster.all_pages("/v1/conversations")
            return sum(conversation["unread_count"] for conversation in conversations) == 2 * len(PHONES)

        until(answered, "every answer stands in a conversation")
        conversations = cluster.all_pages("/v1/conversations")
        assert len(conversations) == len(PHONES)
        for conversation in conversations:
            phone = conversation["contact"]["wa_id"]
            thread = cluster.all_pages(f"/v1/conversations/{conversation['id']}/messages")
            newest = thread[0]
            assert newest["direction"] == "in"
            assert newest["text"]["body"] == f"answer of {phone}"
            oldest_first = [entry["text"]["body"] for entry in reversed(thread[1:])]
            assert oldest_first == [f"hello from {phone}", *sent.bodies[phone]]
        assert_sums_hold(cluster, sent)

        processes = cluster.client.get("/v1/cluster").json()["processes"]
        answering = [row for row in processes if row["role"] == "worker" and row["requests"] > 0]
        assert len({row["pid"] for row in answering}) >= 2
        owners = [row for row in processes if row["role"] == "whatsapp"]
        assert [row["pid"] for row in owners] == [owner]
        assert cluster.stop() == 0


@pytest.mark.parametrize("victim", ["worker", "whatsapp"])
def test_a_kill_in_the_middle_changes_no_sum(tmp_path: Path, victim: str) -> None:
    # A message that was under way when the owner died waits for evidence; with none it was not sent, and goes again.
    environment = {"PANAL_EVIDENCE_WAIT_S": "3"}
    with start_cluster(tmp_path, workers=4, environment=environment) as cluster:
        open_windows(cluster)
        name = "Sanic-WhatsApp-0" if victim == "whatsapp" else "Sanic-Server-1-0"
        before = cluster.pid(name)
        # The phones are slow enough for the kill to fall into the middle.
        killed_after: list[int] = []

        def kill_in_the_middle() -> None:
            until(lambda: len(cluster.phone(PHONES[0])) >= 3, "some messages arrived")
            killed_after.append(len(cluster.phone(PHONES[0])))
            cluster.kill(before)

        killer = threading.Thread(target=kill_in_the_middle)
        killer.start()
        sent = send_in_order(cluster, PHONES, each=EACH, threads=20, pace_s=0.1, on_uncertain="resend")
        killer.join()
        killed_at = time.monotonic()
        assert killed_after[0] < EACH, "the kill came too late to prove anything"
        assert sent.count == 200
        after = until(
            lambda: (process := cluster.processes().get(name)) and process.pid != before and process.pid,
            f"{name} is back",
            within_s=2,
        )
        assert after != before
        assert time.monotonic() - killed_at < 2 * slack()
        wait_until_read(cluster, 200)
        assert_sums_hold(cluster, sent)
        assert cluster.stop() == 0
