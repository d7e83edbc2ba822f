"""Events as they really come have the shape that the catalogue, and so the docs, promise."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.cloud_webhook import signature_of
from services.events import EVENT_TYPES
from tests.doubles.event_check import faults_of
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

ANA, BEN = "16505554001", "16505554002"
HELLO = {"name": "hello_world", "language": {"code": "en_US"}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    quick = {"PANAL_WEBHOOK_SCHEDULE": "0.2"}
    with start_cluster(tmp_path_factory.mktemp("catalogue"), workers=1, environment=quick) as cluster:
        live_a_little(cluster)
        yield cluster


def call(cluster: Cluster, method: str, path: str, **body: Any) -> dict[str, Any]:
    answer = cluster.client.request(method, path, **({"json": body} if body else {}))
    assert answer.status_code < 300, f"{method} {path}: {answer.text}"
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def live_a_little(cluster: Cluster) -> None:
    """A bit of everything."""
    cluster.write_as_customer(ANA, "hola")
    until(lambda: cluster.all_pages("/v1/conversations"), "the window is open")
    endpoint = call(cluster, "POST", "/v1/webhook-endpoints", url="http://127.0.0.1:9/", events=["message.read"])
    message = cluster.send(ANA, "uno", metadata={"a": 1}, biz_opaque_callback_data="z")
    until(lambda: cluster.message(message["id"])["status"] == "read", "it is read")
    reaction = {"message_id": cluster.message(message["id"])["wamid"], "emoji": "👍"}
    cluster.sandbox.post(f"/_sandbox/phones/{ANA}/messages", json={"type": "reaction", "reaction": reaction})
    of_messages(cluster)
    conversation = cluster.all_pages("/v1/conversations")[-1]
    path = f"/v1/conversations/{conversation['id']}"
    call(cluster, "PATCH", path, assignee="ana", labels=["vip"], status="closed")
    call(cluster, "POST", f"{path}/notes", text="nota")
    call(cluster, "POST", f"{path}/read")
    contact = cluster.client.get("/v1/contacts").json()["data"][0]
    call(cluster, "PATCH", f"/v1/contacts/{contact['id']}", attributes={"plan": "gold"})
    call(cluster, "POST", f"/v1/contacts/{contact['id']}/opt-out")
    call(cluster, "POST", f"/v1/contacts/{contact['id']}/opt-in")
    call(cluster, "POST", f"/v1/numbers/{NUMBER}/pause")
    call(cluster, "POST", f"/v1/numbers/{NUMBER}/resume")
    call(cluster, "PATCH", f"/v1/numbers/{NUMBER}", rate_per_s=40, quiet_hours="01:00-02:00 UTC")
    call(cluster, "PATCH", f"/v1/numbers/{NUMBER}", rate_per_s=None, quiet_hours=None)
    of_the_number(cluster)
    body = [{"type": "BODY", "text": "Hi"}]
    call(cluster, "POST", "/v1/templates", name="promo", language="en_US", category="MARKETING", components=body)
    campaign = call(cluster, "POST", "/v1/campaigns", name="c", template=HELLO, audience={"recipients": [{"to": ANA}]})
    for verb in ("start", "pause", "resume"):
        call(cluster, "POST", f"/v1/campaigns/{campaign['id']}/{verb}")
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    until(lambda: cluster.all_pages(f"{path}/dead-letters"), "the read is given up")
    call(cluster, "POST", f"{path}/rotate-secret")
    call(cluster, "PATCH", path, description="d")
    call(cluster, "POST", f"{path}/pause")
    call(cluster, "POST", f"{path}/resume")
    call(cluster, "DELETE", path)
    cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
    until(
        lambda: "cluster.process_restarted" in {event["type"] for event in cluster.events()}, "it is told", within_s=60
    )
    time.sleep(1)


def of_the_number(cluster: Cluster) -> None:
    """What WhatsApp tells of the number and of its account."""
    shown = {"display_phone_number": "15550783881"}
    name = {"decision": "APPROVED", "requested_verified_name": "Lucky Shrub", "rejection_reason": None}
    restriction = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "X", "expiration": 1}]}
    changes = [
        ("phone_number_quality_update", shown | {"event": "FLAGGED", "current_limit": "TIER_2K"}),
        ("phone_number_quality_update", shown | {"event": "UPGRADE", "current_limit": "TIER_10K"}),
        ("phone_number_name_update", shown | name),
        ("security", shown | {"event": "PIN_CHANGED"}),
        ("account_update", restriction),
        ("account_update", {"event": "ACCOUNT_VIOLATION"}),
        ("account_review_update", {"decision": "APPROVED"}),
        ("account_alerts", {"alert_type": "X", "alert_severity": "WARNING"}),
        ("group_lifecycle_update", {"groups": [{"type": "group_create", "group_id": "G1"}]}),
        ("business_capability_update", {"max_daily_conversation_per_phone": 2000}),
    ]
    notify(cluster, changes)
    until(lambda: "account.updated" in {event["type"] for event in cluster.events()}, "the account is told of")


def notify(cluster: Cluster, changes: list[tuple[str, dict[str, Any]]], *, at: int = 1767323046) -> None:
    """As Meta posts it."""
    told = [{"field": field, "value": value} for field, value in changes]
    entry = {"id": "102290129340398", "time": at, "changes": told}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {"x-hub-signature-256": signature_of(body, "sandbox-secret")}
    assert cluster.client.post("/webhooks/whatsapp", content=body, headers=headers).status_code == 200


def of_messages(cluster: Cluster) -> None:
    """Scheduled and canceled; held for the window; refused at once; held by the platform."""
    later = cluster.send(ANA, "luego", send_at="2027-06-01T00:00:00Z")
    call(cluster, "DELETE", f"/v1/messages/{later['id']}")
    cluster.send(BEN, "espera", on_window_closed="hold")
    rule = {"match": {"to": BEN}, "when": {"next": 1}, "then": {"error": 131026}}
    cluster.sandbox.post("/_sandbox/rules", json=rule)
    refused = call(cluster, "POST", "/v1/messages", to=BEN, type="template", template=HELLO)
    until(lambda: cluster.message(refused["id"])["status"] == "failed", "it failed")


def test_every_event_has_the_shape_of_the_catalogue(cluster: Cluster) -> None:
    faults = {fault for event in cluster.events() for fault in faults_of(event)}
    assert not sorted(faults)


def test_the_life_above_was_rich_enough_to_say_so(cluster: Cluster) -> None:
    seen = {event["type"] for event in cluster.events()}
    families = {name.partition(".")[0] for name in seen}
    assert families == {name.partition(".")[0] for name in EVENT_TYPES}
    assert len(seen) >= 35, sorted(set(EVENT_TYPES) - seen)


def test_what_whatsapp_tells_of_a_number_is_told_and_kept(cluster: Cluster) -> None:
    told = [event for event in cluster.events() if event["type"].startswith(("number.", "account."))]
    wanted = {f"number.{name}_changed" for name in ("quality", "limit", "name", "settings")} | {"number.updated"}
    wanted |= {f"account.{name}" for name in ("restricted", "violated", "reviewed", "alerted", "updated")}
    assert wanted <= {event["type"] for event in told}
    # The emulated WhatsApp was asked again afterwards: the document follows what it says, and the change is told.
    number = until(
        lambda: (one := call(cluster, "GET", f"/v1/numbers/{NUMBER}"))["quality"] == "GREEN" and one, "it is read again"
    )
    assert number["messaging_limit"] == "TIER_UNLIMITED"
    assert number["settings"] == {"rate_per_s": None, "daily_recipients": None, "quiet_hours": None}
    refused = cluster.client.patch(f"/v1/numbers/{NUMBER}", json={"quiet_hours": "late"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "quiet_hours"


def test_a_new_owner_and_its_restart_are_told_with_the_numbers_going_on(cluster: Cluster) -> None:
    events = cluster.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    owners = [event["data"]["epoch"] for event in events if event["type"] == "cluster.owner_changed"]
    assert owners == sorted(set(owners))
    assert len(owners) >= 2
    restarted = [event["data"]["name"] for event in events if event["type"] == "cluster.process_restarted"]
    assert restarted.count("Sanic-WhatsApp-0") == 1


def test_what_whatsapp_tells_again_to_another_owner_is_no_news(cluster: Cluster) -> None:
    """The owner that was told of it first has been killed."""
    before = told_of_the_number(cluster)
    of_the_number(cluster)
    notify(cluster, [("account_alerts", {"alert_type": "NEW"})], at=1767323047)
    until(lambda: len(told_of_the_number(cluster)) > len(before), "what is new is told")
    (new,) = told_of_the_number(cluster)[len(before) :]
    assert new["data"]["meta"]["value"] == {"alert_type": "NEW"}


def told_of_the_number(cluster: Cluster) -> list[dict[str, Any]]:
    """Events that notifications made; readings and terms make others."""
    return [event for event in cluster.events() if "meta" in event["data"]]
