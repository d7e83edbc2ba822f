"""A database that version 0.1 filled opens in this version: everything is there, goes on, and nothing is sent twice.

`tests/data/installation-0.1.json.gz` holds every document of an installation of 0.1 (emulated WhatsApp, test numbers):
two customers who wrote, one of whom opted out, answers, a template, a message that waits for its window, a webhook
endpoint with its secret in clear, an API key, a quick reply and a campaign with two people.
"""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest
from bson import json_util
from pymongo.errors import PyMongoError

from services.supervisor.embedded_database import command, find_program
from tests.harness import Cluster, free_port
from tests.harness.cluster import ROOT, start_cluster
from tests.harness.waiting import until

DUMP = ROOT / "tests" / "data" / "installation-0.1.json.gz"
KEY = "panal_key-of-the-earlier-version-0123456789"
CLEAR = ("token-of-the-earlier-version", "header-of-the-earlier-version")


def restore(folder: Path) -> dict[str, int]:
    """Put the documents into a data folder as the embedded server keeps them; how many each collection has."""
    folder.mkdir(parents=True)
    port = free_port()
    server = subprocess.Popen(command(find_program(), port=port, folder=folder, cache="64M"))
    documents = json_util.loads(gzip.decompress(DUMP.read_bytes()).decode())
    try:
        with pymongo.MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true", retryWrites=False) as client:

            def is_up() -> bool:
                try:
                    return bool(client.admin.command("ping"))
                except PyMongoError:
                    return False

            until(is_up, "the database answers")
            for name, found in documents.items():
                if found:
                    client["panal"][name].insert_many(found)
    finally:
        server.terminate()
        server.wait(30)
    return {name: len(found) for name, found in documents.items()}


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    folder = tmp_path_factory.mktemp("earlier")
    return {"folder": folder, **restore(folder / "data" / "db")}  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def cluster(counts: dict[str, int]) -> Iterator[Cluster]:
    folder: Path = counts["folder"]  # type: ignore[assignment]
    with start_cluster(folder, workers=1, environment={"PANAL_BOOTSTRAP_KEY": KEY}) as running:
        running.client.headers["authorization"] = f"Bearer {KEY}"
        running.wait_ready()
        yield running


def test_all_of_it_is_there(cluster: Cluster, counts: dict[str, int]) -> None:
    assert len(cluster.all_pages("/v1/messages")) == counts["messages"]
    assert len(cluster.all_pages("/v1/contacts")) == counts["contacts"]
    assert len(cluster.all_pages("/v1/conversations")) == counts["conversations"]
    assert [one["shortcut"] for one in cluster.client.get("/v1/quick-replies").json()["data"]] == ["hi"]
    (campaign,) = cluster.all_pages("/v1/campaigns")
    assert campaign["name"] == "old"
    assert len(cluster.all_pages(f"/v1/campaigns/{campaign['id']}/recipients")) == 2
    (endpoint,) = cluster.client.get("/v1/webhook-endpoints").json()["data"]
    assert endpoint["url"].endswith("?token=token-of-the-earlier-version")
    assert endpoint["header_names"] == ["x-token"]
    (ana,) = cluster.client.get("/v1/contacts", params={"label": "vip"}).json()["data"]
    assert (ana["name"], ana["attributes"]) == ("Ana", {"city": "Lima"})


def test_the_log_goes_on_where_it_ended(cluster: Cluster, counts: dict[str, int]) -> None:
    seqs = [event["seq"] for event in cluster.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > counts["events"]  # a new owner said so


def test_what_was_sent_stays_sent_and_an_idempotency_key_is_remembered(cluster: Cluster) -> None:
    before = len(cluster.all_pages("/v1/messages"))
    again = cluster.send("12025550101", "respuesta 0", idempotency_key="old-0")
    assert cluster.message(again["id"])["status"] == "read"
    assert len(cluster.all_pages("/v1/messages")) == before
    assert cluster.phone("12025550101") == []  # this emulator is new: nothing was sent to it again


def test_an_opt_out_and_a_window_still_count(cluster: Cluster) -> None:
    body = {"to": "12025550102", "type": "text", "text": {"body": "x"}}
    refused = cluster.client.post("/v1/messages", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "opted_out")
    sent = cluster.send("12025550101", "one more")
    until(lambda: cluster.message(sent["id"])["status"] == "read", "it was read")


def test_what_waited_for_its_window_goes_when_the_customer_writes(cluster: Cluster) -> None:
    (held,) = cluster.client.get("/v1/messages", params={"to": "12025550104"}).json()["data"]
    assert (held["status"], held["held_reason"]) == ("held", "window_closed")
    cluster.write_as_customer("12025550104", "hola")
    until(lambda: cluster.message(held["id"])["status"] == "read", "it left")


def test_secrets_that_stood_in_clear_are_sealed(cluster: Cluster) -> None:
    uri = f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true"
    with pymongo.MongoClient(uri, retryWrites=False) as client:

        def stored() -> str:
            vault = [*client["panal"]["webhook_vault"].find(), *client["panal"]["meta"].find()]
            return json_util.dumps(vault)

        until(lambda: not any(word in stored() for word in (*CLEAR, "whsec_")), "nothing stands there in clear")
