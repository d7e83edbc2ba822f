"""The owner meets commands that no worker of this version would store: it refuses each, and carries out the next."""

from collections.abc import Iterator
from typing import Any

import pymongo
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import until
from tests.harness.source import command_kinds

pytestmark = pytest.mark.integration

DEEP: Any = "deep"
for _ in range(60):
    DEEP = {"in": [DEEP]}

ODD_DATA: tuple[Any, ...] = (
    None,
    [],
    "text",
    7,
    {},
    {"message_id": None, "contact_id": [], "conversation_id": {}, "key": 1, "number": "none", "numbers": "x"},
    {"message_id": "\0", "contact_id": "\0", "key": "wa:", "rows": [{}], "send_at": "never", "at": "never"},
    {"endpoint_id": {"$gt": ""}, "campaign_id": {"$where": "1"}, "template_id": 2**62, "id": DEEP},
    {"a.b": 1, "$set": {"x": 1}, "": ""},
    {"data": "x" * 1_000_000},
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("commands"), workers=1) as running:
        yield running


def put_odd_commands(cluster: Cluster, commands: Any) -> None:
    """Store them, and wait until each has an outcome."""
    kinds = sorted(command_kinds())
    assert len(kinds) > 20
    documents = [
        {"_id": f"cmd_odd_{n}_{position}_{state}", "order": 1 + n, "state": state, "kind": kind, "data": data, "by": 7}
        for n, kind in enumerate([*kinds, "no.such", "", None, 7])
        for position, data in enumerate(ODD_DATA)
        for state in ("new", "errand")
    ]
    # Fields that every command has, missing.
    documents += [{"_id": f"cmd_bare_{state}", "order": 1, "state": state} for state in ("new", "errand")]
    commands.insert_many(documents, ordered=False)
    waiting = {"state": {"$in": ["new", "errand"]}}
    until(
        lambda: commands.count_documents(waiting) == 0,
        "every command has an outcome",
        within_s=90,
        every_s=0.5,
        context=lambda: cluster.log[-3000:],
    )
    states = {document["_id"]: document["state"] for document in commands.find({}, {"state": 1})}
    assert {states[document["_id"]] for document in documents} <= {"done", "failed"}


def test_the_owner_survives_any_command(cluster: Cluster) -> None:
    owner = cluster.pid("Sanic-WhatsApp-0")
    client = pymongo.MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{cluster.database_port}")
    with client:
        put_odd_commands(cluster, client["panal"]["commands"])
    # And the next one is carried out.
    answer = cluster.client.post("/v1/contacts", json={"to": "+12025550123", "name": "Ana"})
    assert answer.status_code == 201, answer.text
    assert cluster.pid("Sanic-WhatsApp-0") == owner
