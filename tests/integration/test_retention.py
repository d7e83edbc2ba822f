"""Retention on a real cluster: old messages go, old idempotency keys are free again, a full database is told of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER, until

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC)
PADDING = 10
KILOBYTES = 100


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # One megabyte is the limit, and a little more than that is about to be there.
    with start_cluster(
        tmp_path_factory.mktemp("retention"), workers=1, environment={"PANAL_STORAGE_MB": "1"}
    ) as running:
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
