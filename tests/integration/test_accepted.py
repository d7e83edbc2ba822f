"""Accepted means delivered: twins with one key, and what is due at the same time."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.traffic import received_texts, recipients
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

TWINS = int(os.environ.get("TWINS", "100"))  # the full size is 500
DUE = int(os.environ.get("DUE", "400"))  # the full size is 10,000
PHONES = recipients(20)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder: Path = tmp_path_factory.mktemp("accepted")
    environment = {"PANAL_NUMBER_RATE_PER_S": "1000", "PANAL_PAIR_BURST": "1000"}
    with start_cluster(folder, workers=2, environment=environment) as running:
        for phone in PHONES:
            running.write_as_customer(phone, "hello")
        until(lambda: len(running.all_pages("/v1/conversations")) == len(PHONES), "every conversation is open")
        yield running


async def test_twins_of_four_clients_are_one_message_each(cluster: Cluster) -> None:
    """The same Idempotency-Key from four clients at once, again and again: one message a key, one answer for all."""
    before = len(cluster.all_pages("/v1/messages", direction="out"))
    headers = {"authorization": f"Bearer {cluster.key}"}

    async def post(client: httpx.AsyncClient, number: int) -> tuple[int, str]:
        body = {"to": PHONES[number % len(PHONES)], "type": "text", "text": {"body": f"twin {number}"}}
        for _ in range(50):
            answer = await client.post("/v1/messages", json=body, headers={"idempotency-key": f"twin-{number}"})
            if answer.status_code == 202:
                return number, str(answer.json()["id"])
            assert answer.status_code in (409, 503), answer.text
            assert answer.json()["may_retry"], answer.text
            await asyncio.sleep(0.1)
        raise AssertionError(f"no answer for twin {number}")

    base_url = f"http://127.0.0.1:{cluster.port}"
    clients = [httpx.AsyncClient(base_url=base_url, headers=headers, timeout=20) for _ in range(4)]
    try:
        answers: list[tuple[int, str]] = []
        for begin in range(0, TWINS, 25):
            numbers = range(begin, min(begin + 25, TWINS))
            answers += await asyncio.gather(*(post(client, number) for number in numbers for client in clients))
    finally:
        for client in clients:
            await client.aclose()
    ids_of = {number: {message_id for one, message_id in answers if one == number} for number in range(TWINS)}
    assert len(answers) == 4 * TWINS
    assert all(len(ids) == 1 for ids in ids_of.values())
    assert len(cluster.all_pages("/v1/messages", direction="out")) == before + TWINS
    other = cluster.client.post(
        "/v1/messages",
        json={"to": PHONES[0], "type": "text", "text": {"body": "another body"}},
        headers={"idempotency-key": "twin-0"},
    )
    assert other.status_code == 409


def test_what_is_due_at_the_same_time_leaves_then_and_not_before(cluster: Cluster) -> None:
    due_at = datetime.now(UTC) + timedelta(seconds=max(4.0, DUE / 200))
    sent: dict[str, list[str]] = {phone: [] for phone in PHONES}
    for begin in range(0, DUE, 200):
        batch = []
        for number in range(begin, min(begin + 200, DUE)):
            phone, body = PHONES[number % len(PHONES)], f"due {number:05d}"
            sent[phone].append(body)
            batch.append({"to": phone, "text": {"body": body}, "send_at": due_at.isoformat()})
        answer = cluster.client.post("/v1/messages/batch", json={"messages": batch}, timeout=30)
        assert answer.status_code == 202, answer.text
        assert {item["status"] for item in answer.json()["data"]} == {"scheduled"}
    canceled = cluster.all_pages("/v1/messages", status="scheduled")[0]
    assert cluster.client.delete(f"/v1/messages/{canceled['id']}").json()["status"] == "canceled"
    sent[canceled["to"]].remove(canceled["text"]["body"])

    def arrived() -> int:
        return sum(len([text for text in received_texts(cluster, phone) if text.startswith("due")]) for phone in PHONES)

    if datetime.now(UTC) < due_at - timedelta(seconds=0.5):
        assert arrived() == 0
    until(lambda: arrived() == DUE - 1, "everything that is due arrived", within_s=60 + DUE / 50, every_s=0.5)
    for phone in PHONES:
        assert [text for text in received_texts(cluster, phone) if text.startswith("due")] == sent[phone]
    late_s = []
    for message in cluster.all_pages("/v1/messages", direction="out"):
        if message["send_at"] and message["status"] != "canceled":
            # The document follows the log: it may show the step a moment after the phone has the message.
            steps = until(partial(sending_of, cluster, message["id"]), "the document shows the step")
            late_s.append((datetime.fromisoformat(steps["sending"]) - due_at).total_seconds())
    assert min(late_s) >= -0.001, "nothing leaves before its time"
    print(f"\n{len(late_s)} due at once: the first after {min(late_s):.2f} s, the last after {max(late_s):.2f} s")  # noqa: T201


def sending_of(cluster: Cluster, message_id: str) -> dict[str, str]:
    """When a message came to each of its states, once it was sent; empty before."""
    steps = {step["status"]: step["at"] for step in cluster.message(message_id)["timeline"]}
    return steps if "sending" in steps else {}


def test_a_number_that_rests_keeps_what_it_accepted_and_says_why(cluster: Cluster) -> None:
    number = cluster.client.get("/v1/numbers").json()["data"][0]["phone_number_id"]
    assert cluster.client.post(f"/v1/numbers/{number}/pause").status_code == 200
    accepted = cluster.send(PHONES[0], "while it rests")
    held = until(
        lambda: (message := cluster.message(accepted["id"]))["status"] == "held" and message, "it is held", within_s=10
    )
    assert held["held_reason"] == "paused"
    assert cluster.client.post(f"/v1/numbers/{number}/resume").status_code == 200
    until(lambda: cluster.message(accepted["id"])["status"] == "read", "it goes on", within_s=20 + DUE / 100)
    states = Counter(event["type"] for event in cluster.events() if event["type"].startswith("number."))
    assert states["number.paused"] == 1
    assert states["number.resumed"] == 1
