"""Webhook endpoints on the real command: made, told, tested, failing, given up, delivered again."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from services.messages import client_wamid
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.receiver import Receiver, start_receiver
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PHONE = "16505552001"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    quick = {"PANAL_WEBHOOK_SCHEDULE": "0.3,0.6", "PANAL_WEBHOOK_TIMEOUT_S": "2"}
    with start_cluster(tmp_path_factory.mktemp("webhooks"), workers=2, environment=quick) as cluster:
        cluster.write_as_customer(PHONE, "hola")
        until(lambda: cluster.all_pages("/v1/conversations"), "the window is open")
        yield cluster


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with start_receiver() as receiver:
        yield receiver


def create(cluster: Cluster, url: str, **fields: Any) -> dict[str, Any]:
    answer = cluster.client.post("/v1/webhook-endpoints", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def endpoint(cluster: Cluster, receiver: Receiver) -> Iterator[dict[str, Any]]:
    made = create(cluster, receiver.url())
    yield made
    cluster.client.delete(f"/v1/webhook-endpoints/{made['id']}")


def pages(cluster: Cluster, made: dict[str, Any], what: str) -> list[dict[str, Any]]:
    return cluster.all_pages(f"/v1/webhook-endpoints/{made['id']}/{what}")


def test_a_message_is_told_step_by_step_signed_and_numbered(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    message = cluster.send(PHONE, "Hola ñ 🐝")
    until(lambda: "message.read" in [event["type"] for event in receiver.events()], "it is told as read")
    told = [event for event in receiver.events() if event["data"].get("message_id") == message["id"]]
    assert [event["type"].partition(".")[2] for event in told] == ["queued", "sending", "sent", "delivered", "read"]
    log = {event["seq"]: event for event in cluster.events()}
    assert all(log[event["seq"]] == event for event in told)
    receiver.verify(endpoint["secret"])
    headers = receiver.deliveries[0].headers
    assert headers["content-type"] == "application/json"
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= headers.keys()


def test_the_secret_is_shown_once(cluster: Cluster, endpoint: dict[str, Any]) -> None:
    assert endpoint["secret"].startswith("whsec_")
    shown = cluster.client.get(f"/v1/webhook-endpoints/{endpoint['id']}").text
    listed = cluster.client.get("/v1/webhook-endpoints").text
    events = cluster.client.get("/v1/events", params={"limit": 200, "types": "webhook_endpoint.*"}).text
    for text in (shown, listed, events, cluster.log):
        assert endpoint["secret"] not in text
        assert endpoint["secret"].removeprefix("whsec_") not in text


def test_passwords_in_urls_and_headers_stay_out_of_events_and_logs(cluster: Cluster, receiver: Receiver) -> None:
    made = create(
        cluster, receiver.url("/private?token=s3cret-t0ken"), headers={"Authorization": "Bearer s3cret-header"}
    )
    message = cluster.send(PHONE, "privado")
    until(lambda: receiver.taken("/private?token=s3cret-t0ken"), "it is delivered", context=lambda: str(message))
    assert receiver.deliveries[0].headers["authorization"] == "Bearer s3cret-header"
    events = cluster.client.get("/v1/events", params={"limit": 200, "types": "webhook_endpoint.*"}).text
    shown = cluster.client.get(f"/v1/webhook-endpoints/{made['id']}").json()
    cluster.client.delete(f"/v1/webhook-endpoints/{made['id']}")
    assert shown["header_names"] == ["authorization"]
    assert "s3cret" not in events
    assert "s3cret" not in cluster.log


def test_metas_envelope_has_metas_signature_and_the_callers_own_data(cluster: Cluster, receiver: Receiver) -> None:
    made = create(cluster, receiver.url("/meta"), format="meta", secret="an-app-secret-of-the-client")
    message = cluster.send(PHONE, "¿Qué tal?", biz_opaque_callback_data="order-17")
    wamid = cluster.write_as_customer(PHONE, "muy bien 🐝")

    def values() -> list[dict[str, Any]]:
        return [one.event["entry"][0]["changes"][0]["value"] for one in receiver.taken("/meta")]

    until(lambda: any("messages" in value for value in values()), "what the customer wrote is told")
    until(
        lambda: any(status["status"] == "read" for value in values() for status in value.get("statuses", ())),
        "the read is told",
    )
    cluster.client.delete(f"/v1/webhook-endpoints/{made['id']}")
    for one in receiver.taken("/meta"):
        expected = hmac.new(b"an-app-secret-of-the-client", one.body, hashlib.sha256).hexdigest()
        assert one.headers["x-hub-signature-256"] == f"sha256={expected}"
        assert one.body.isascii()
    statuses = [status for value in values() for status in value.get("statuses", ())]
    assert [status["status"] for status in statuses] == ["sent", "delivered", "read"]
    assert {status["biz_opaque_callback_data"] for status in statuses} == {"order-17"}
    assert {status["id"] for status in statuses} == {client_wamid(message["id"])}
    assert all(value["contacts"][0]["wa_id"] == PHONE for value in values())
    inbound = next(value for value in values() if "messages" in value)
    assert inbound["contacts"][0]["user_id"]
    assert inbound["messages"][0]["id"] == wamid
    assert inbound["messages"][0]["text"] == {"body": "muy bien 🐝"}


def test_the_test_button_tells_what_came_back(cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]) -> None:
    receiver.behaviour = lambda _path, _body: (418, {}, b"I am a teapot. " * 200)
    answer = cluster.client.post(f"/v1/webhook-endpoints/{endpoint['id']}/test").json()
    assert (answer["outcome"], answer["status"], answer["event_type"]) == ("dead", 418, "webhook_endpoint.test")
    assert answer["response_body"] == ("I am a teapot. " * 200)[:1024]
    tested = next(one for one in receiver.deliveries if one.event["type"] == "webhook_endpoint.test")
    Webhook(endpoint["secret"]).verify(tested.body, tested.headers)


def test_what_is_given_up_can_be_delivered_again(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    receiver.behaviour = lambda _path, body: 500 if b'"message.sent"' in body else 200
    message = cluster.send(PHONE, "otra vez")
    until(lambda: pages(cluster, endpoint, "dead-letters"), "it is a dead letter")
    (letter,) = pages(cluster, endpoint, "dead-letters")
    assert (letter["event_type"], letter["reason"], letter["attempts"]) == ("message.sent", "schedule_exhausted", 3)
    tries = [one for one in pages(cluster, endpoint, "attempts") if one["event_id"] == letter["event_id"]]
    assert [one["outcome"] for one in reversed(tries)] == ["retry", "retry", "dead"]
    assert all(one["status"] == 500 for one in tries)
    # What came after it in the same conversation was delivered after it was given up, and not before.
    given_up = max(one["at"] for one in tries)
    later = [one for one in pages(cluster, endpoint, "attempts") if one["event_type"] in ("message.read",)]
    assert all(one["at"] >= given_up for one in later if one["seq"] > letter["seq"])
    receiver.behaviour = lambda _path, _body: 200
    answer = cluster.client.post(f"/v1/webhook-endpoints/{endpoint['id']}/redeliver", json={"dead_letters": True})
    assert answer.status_code == 202, answer.text
    assert answer.json()["redeliveries"][0]["count"] == 1
    until(lambda: not pages(cluster, endpoint, "dead-letters"), "the letter is gone")
    again = [one for one in receiver.taken() if one.event["type"] == "message.sent"]
    assert [one.event["data"]["message_id"] for one in again] == [message["id"]]
    assert again[0].headers["webhook-id"] == f"{letter['event_id']}-{endpoint['id']}"


def test_all_since_a_moment_comes_again_in_order(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    moment = datetime.now(UTC).isoformat()
    for count in range(3):
        cluster.send(PHONE, f"desde {count}")
    until(lambda: [e["type"] for e in receiver.events()].count("message.read") == 3, "all is told")
    until(lambda: len(receiver.taken()) == len(receiver.events()), "nothing is under way")
    first = [event["seq"] for event in receiver.events()]
    answer = cluster.client.post(f"/v1/webhook-endpoints/{endpoint['id']}/redeliver", json={"since": moment})
    assert answer.status_code == 202, answer.text
    until(lambda: len(receiver.taken()) >= 2 * len(first), "all is told again")
    again = [one.event["seq"] for one in receiver.taken()][len(first) :]
    assert again == sorted(first)


def test_a_paused_endpoint_gets_everything_when_it_goes_on(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    assert cluster.client.post(f"{path}/pause").json()["status"] == "paused"
    message = cluster.send(PHONE, "pausa")
    until(lambda: cluster.message(message["id"])["status"] == "read", "it is read")
    time.sleep(0.3)
    assert receiver.deliveries == []
    assert cluster.client.post(f"{path}/resume").json()["status"] == "enabled"
    until(lambda: [e["type"] for e in receiver.events()].count("message.read") == 1, "it is told")


def test_filters_by_type_and_changes_take_effect(cluster: Cluster, receiver: Receiver) -> None:
    made = create(cluster, receiver.url(), events=["message.read"], numbers=[NUMBER])
    cluster.send(PHONE, "filtro")
    until(lambda: receiver.events(), "the read is told")
    assert {event["type"] for event in receiver.events()} == {"message.read"}
    path = f"/v1/webhook-endpoints/{made['id']}"
    changed = cluster.client.patch(path, json={"events": ["message.*"], "url": receiver.url("/new")})
    assert changed.status_code == 200, changed.text
    assert changed.json()["url"] == receiver.url("/new")
    cluster.send(PHONE, "otro filtro")
    until(lambda: "message.sent" in [event["type"] for event in receiver.events("/new")], "the new URL is told")
    assert cluster.client.delete(path).status_code == 204
    assert cluster.client.get(path).status_code == 404


def test_a_rotated_secret_signs_beside_the_old_one(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    answer = cluster.client.post(f"{path}/rotate-secret", json={"overlap_s": 60}).json()
    assert answer["secret"] != endpoint["secret"]
    assert [secret["expires_at"] is None for secret in answer["secrets"]] == [True, False]
    cluster.send(PHONE, "rotación")
    until(lambda: receiver.taken(), "it is told")
    receiver.verify(answer["secret"])
    receiver.verify(endpoint["secret"])


def test_a_hanging_endpoint_delays_nobody_else(cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]) -> None:
    def slow(_path: str, _body: bytes) -> int:
        time.sleep(5)
        return 200

    with start_receiver() as hanging:
        hanging.behaviour = slow
        made = create(cluster, hanging.url())
        began = time.monotonic()
        message = cluster.send(PHONE, "rápido")
        until(
            lambda: any(
                e["type"] == "message.read" and e["data"]["message_id"] == message["id"] for e in receiver.events()
            ),
            "the good one is told",
        )
        assert time.monotonic() - began < 5
        cluster.client.delete(f"/v1/webhook-endpoints/{made['id']}")


def test_a_redirect_is_a_failure_and_leads_nowhere(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    with start_receiver() as inside:
        receiver.behaviour = lambda _path, _body: (302, {"location": inside.url("/metadata")}, b"")
        answer = cluster.client.post(f"/v1/webhook-endpoints/{endpoint['id']}/test").json()
        assert (answer["outcome"], answer["status"]) == ("dead", 302)
        assert inside.connections == 0


def test_410_disables_the_endpoint_with_an_event(
    cluster: Cluster, receiver: Receiver, endpoint: dict[str, Any]
) -> None:
    receiver.behaviour = lambda _path, _body: 410
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    cluster.send(PHONE, "adiós")
    until(lambda: cluster.client.get(path).json()["status"] == "disabled", "it is disabled")
    shown = cluster.client.get(path).json()
    assert shown["reason"] == "gone"
    told = [event for event in cluster.events() if event["type"] == "webhook_endpoint.disabled"]
    assert told[-1]["data"]["endpoint_id"] == endpoint["id"]


def test_faults_are_named_and_nobody_elses_endpoint_is_seen(cluster: Cluster) -> None:
    answer = cluster.client.post("/v1/webhook-endpoints", json={"url": "ftp://x", "events": ["nope"], "colour": 1})
    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == {"events[0]", "colour"}
    answer = cluster.client.post("/v1/webhook-endpoints", json={"url": "ftp://127.0.0.1/"})
    assert (answer.status_code, answer.json()["code"]) == (422, "url_refused")
    unknown = cluster.client.post("/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/", "numbers": ["1"]})
    assert unknown.status_code == 422
    for path in ("", "/attempts", "/dead-letters"):
        assert cluster.client.get(f"/v1/webhook-endpoints/whe_{path}").status_code == 404
