"""Retention on a real cluster: old messages go, old idempotency keys are free again, a full database is told of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
PADDING = 10
KILOBYTES = 100


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # One megabyte is the limit, and a little more than that is about to be there.
    settings = {
        "PANAL_STORAGE_MB": "1",
        "PANAL_RETENTION_CONVERSATIONS_DAYS": "30",
        "PANAL_RETENTION_CONTACTS_DAYS": "30",
    }
    with start_cluster(tmp_path_factory.mktemp("retention"), workers=1, environment=settings) as running:
        yield running


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> Iterator[Database[dict[str, Any]]]:
    uri = f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true&retryWrites=false"
    with pymongo.MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        yield client["panal"]


def message(name: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "_id": f"msg_{name}",
        "order": int(at.timestamp() * 1000) << 20,
        "direction": "out",
        "number": NUMBER,
        "kind": "text",
        "payload": {"type": "text", "text": {"body": "x"}},
        "status": "read",
        "priority": 0,
        "to": "15550300001",
        "created_at": at,
        "updated_at": at,
        "seq": 1,
        **more,
    }


IDLE, STOPPED = "15550300002", "15550300003"
SIZED = {"messages", "conversations", "contacts"}


def people(database: Database[dict[str, Any]]) -> None:
    """Two who were last heard of long ago; one of them wants no messages."""
    at = NOW - timedelta(days=50)
    order = int(at.timestamp() * 1000) << 20
    for phone, opted_out in ((IDLE, ""), (STOPPED, "all")):
        contact = {"_id": f"con_{phone}", "key": f"wa:{phone}", "keys": [f"wa:{phone}"], "wa_id": phone, "tokens": []}
        database["contacts"].insert_one(
            {**contact, "opted_out": opted_out, "order": order, "created_at": at, "updated_at": at, "labels": []}
        )
    conversation = {"_id": "cnv_idle", "number": NUMBER, "contact_key": f"wa:{IDLE}", "pair": [f"{NUMBER}:wa:{IDLE}"]}
    database["conversations"].insert_one(
        {**conversation, "wa_id": IDLE, "activity": order, "created_at": at, "status": "open", "unread": 0, "seq": 1}
    )
    database["notes"].insert_one({"_id": "note_idle", "conversation": "cnv_idle", "order": order})


def test_a_new_owner_cleans_what_is_old_and_tells_that_the_database_is_full(
    cluster: Cluster, database: Database[dict[str, Any]]
) -> None:
    old = [message(f"old{at}", NOW - timedelta(days=200, seconds=at)) for at in range(600)]
    used = [
        message(f"used{at}", NOW - timedelta(hours=30, seconds=at), idempotency=f"k{at}", digest=b"x")
        for at in range(300)
    ]
    fresh = message("fresh", NOW - timedelta(hours=1), idempotency="fresh", digest=b"x")
    database["messages"].insert_many([*old, *used, fresh])
    database["padding"].insert_many([{"text": "x" * KILOBYTES * 1000} for _ in range(PADDING)])
    people(database)
    # The first owner has looked at yesterday already; what stands there now has grown old in a moment.
    database["meta"].delete_one({"_id": "retention"})
    cluster.kill(cluster.pid("Sanic-WhatsApp-0"))
    cluster.wait_ready()

    until(lambda: database["messages"].count_documents({}) == 301, "old messages are gone", within_s=60)
    until(
        lambda: database["messages"].count_documents({"idempotency": {"$exists": True}}) == 1,
        "old keys are forgotten",
        within_s=60,
    )
    assert database["messages"].find_one({"idempotency": {"$exists": True}})["_id"] == "msg_fresh"  # type: ignore[index]

    def told() -> list[dict[str, Any]]:
        return [event for event in cluster.events() if event["type"] == "cluster.storage"]

    event = until(told, "the full database is told of", within_s=60)[-1]
    assert event["data"]["level"] == "critical"
    assert "PANAL_RETENTION_MESSAGES_DAYS" in event["data"]["next_step"]
    assert "storage.nearly_full" in cluster.log
    storage = until(
        lambda: (found := cluster.client.get("/v1/cluster").json()["storage"]) and found["level"] != "ok" and found,
        "the page shows it",
        within_s=30,
    )
    assert storage["collections"][0]["name"] == "padding"
    assert storage["used_percent"] > 95
    assert {one["name"] for one in storage["collections"]} >= SIZED, "what a setting rules is always shown"


def test_idle_conversations_and_contacts_are_gone_and_the_opt_out_is_not(
    cluster: Cluster, database: Database[dict[str, Any]]
) -> None:
    until(lambda: not database["contacts"].count_documents({"_id": f"con_{IDLE}"}), "the contact is gone", within_s=60)
    assert database["conversations"].count_documents({"_id": "cnv_idle"}) == 0
    assert database["notes"].count_documents({}) == 0
    refused = cluster.client.post("/v1/messages", json={"to": STOPPED, "type": "text", "text": {"body": "x"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "opted_out")
    cluster.write_as_customer(IDLE, "here I am again")
    until(lambda: cluster.client.get("/v1/conversations", params={"wa_id": IDLE}).json()["data"], "it begins anew")
    assert cluster.client.get("/v1/contacts", params={"search": IDLE}).json()["data"][0]["id"] != f"con_{IDLE}"
