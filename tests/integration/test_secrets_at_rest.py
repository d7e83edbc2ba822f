"""Secrets at rest on the real command: nothing of them in a dump, and what happens to them when keys change."""

import base64
import json
import secrets as chance
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pymongo
import pytest
from bson import encode
from standardwebhooks import Webhook

from services.vault import SecretKey
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import launch
from tests.harness.receiver import Receiver, start_receiver
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PHONE = "12025550142"
FIRST, SECOND = (base64.b64encode(chance.token_bytes(32)).decode() for _ in range(2))
QUICK = {"PANAL_WEBHOOK_SCHEDULE": "0.2,0.2", "PANAL_WEBHOOK_TIMEOUT_S": "2"}


def secret(name: str) -> str:
    """A text that is found again wherever it is, and says whose it was."""
    return f"S3cr3t-{name}-{chance.token_hex(8)}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with start_receiver() as receiver:
        yield receiver


def database_of(cluster: Cluster) -> "pymongo.MongoClient[dict[str, Any]]":
    return pymongo.MongoClient(
        f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true&retryWrites=false", tz_aware=True
    )


def dump(cluster: Cluster) -> dict[str, bytes]:
    """Every document of every collection, as BSON, by collection."""
    with database_of(cluster) as client:
        found = {
            f"{database}.{name}": b"".join(encode(document) for document in client[database][name].find())
            for database in client.list_database_names()
            for name in client[database].list_collection_names()
        }
    assert len(found) > 5, "the dump is one of a database that was used"
    return found


def forms(text: str) -> set[str]:
    """A secret as somebody may have written it."""
    encoded = base64.b64encode(text.encode()).decode().rstrip("=")
    return {text, quote(text, safe=""), json.dumps(text)[1:-1], encoded, text.removeprefix("whsec_")}


def found_in(places: dict[str, str | bytes], known: dict[str, str]) -> list[str]:
    return [
        f"{name} in {place}"
        for place, held in places.items()
        for name, text in known.items()
        for form in forms(text)
        if (form.encode() in held if isinstance(held, bytes) else form in held)
    ]


def create(cluster: Cluster, url: str, **fields: Any) -> dict[str, Any]:
    answer = cluster.client.post("/v1/webhook-endpoints", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def vault_of(cluster: Cluster) -> list[dict[str, Any]]:
    with database_of(cluster) as client:
        return list(client["panal"]["webhook_vault"].find())


def sealed_with(cluster: Cluster) -> set[str | None]:
    """Ids of the keys that seal what is stored; None: something is in clear."""
    with database_of(cluster) as client:
        database = client["panal"]
        held = [*database["webhook_vault"].find(), *database["meta"].find({"_id": {"$in": ["console", "secret_key"]}})]
    return {document.get("sealed", {}).get("key") for document in held}


def test_no_secret_is_in_the_database_the_log_the_metrics_or_the_events(tmp_path: Path, receiver: Receiver) -> None:
    known = {
        name: secret(name)
        for name in ("app", "verify", "access", "graph", "bootstrap", "path", "query", "header", "basic", "refused")
    }
    environment = {
        **QUICK,
        "PANAL_SECRET_KEY": FIRST,
        "PANAL_APP_SECRET": known["app"],
        "PANAL_VERIFY_TOKEN": known["verify"],
        "PANAL_ACCESS_TOKEN": known["access"],
        "PANAL_SANDBOX_TOKEN": known["graph"],
        "PANAL_BOOTSTRAP_KEY": known["bootstrap"],
    }
    basic = base64.b64encode(f"user:{known['basic']}".encode()).decode()
    path = f"/hooks/{known['path']}/x?access={known['query']}"
    headers = {"Authorization": f"Basic {basic}", "X-Shop-Token": known["header"]}
    cluster = launch(tmp_path, workers=2, environment=environment)
    cluster.client.headers["authorization"] = f"Bearer {known['bootstrap']}"
    try:
        cluster.wait_ready()
        made = create(cluster, receiver.url(path), headers=headers)
        known["endpoint"] = made["secret"]
        known["meta_format"] = secret("meta")
        create(cluster, receiver.url("/meta"), format="meta", secret=known["meta_format"])
        endpoint = f"/v1/webhook-endpoints/{made['id']}"
        # A receiver that answers with all it knows: what is kept of an answer is read by others than its owner.
        said = json.dumps({"you asked": path, "headers": headers, "password": known["basic"], "secret": made["secret"]})

        def echo(asked: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
            return (500 if b'"message.sent"' in body else 200, {}, b"" if asked == "/meta" else said.encode())

        receiver.behaviour = echo
        cluster.write_as_customer(PHONE, "hola")
        until(lambda: cluster.all_pages("/v1/conversations"), "the window is open")
        cluster.send(PHONE, "hola")
        until(lambda: cluster.all_pages(f"{endpoint}/dead-letters"), "an event was given up")
        tested = cluster.client.post(f"{endpoint}/test").json()
        known["rotated"] = cluster.client.post(f"{endpoint}/rotate-secret", json={"overlap_s": 60}).json()["secret"]
        known["key"] = cluster.client.post("/v1/keys", json={"name": "shop", "scopes": ["console"]}).json()["key"]
        signed_in = cluster.client.post(
            "/console/session", json={"key": known["key"]}, headers={"x-panal-console": "1"}
        )
        assert signed_in.status_code < 300, signed_in.text
        cookie = next(iter(signed_in.cookies.jar)).value
        known["session"] = str(cookie)
        # Requests that are refused must not leave what they brought, either.
        for body in (
            {"url": receiver.url("/"), "secret": known["refused"], "numbers": ["1"]},
            {"url": known["refused"]},
        ):
            assert cluster.client.post("/v1/webhook-endpoints", json=body).status_code == 422
        changed = {"url": receiver.url(f"/{known['path']}/again?t={known['query']}"), "headers": headers}
        assert cluster.client.patch(endpoint, json=changed).status_code == 200
        cluster.send(PHONE, "otra vez")
        until(lambda: len({one.path for one in receiver.deliveries}) >= 3, "both URLs of it are delivered to")
        shown = cluster.client.get(endpoint).json()
        attempts = cluster.all_pages(f"{endpoint}/attempts")

        assert known["path"] in shown["url"], "who may manage endpoints sees the URL"
        assert {name: text for name, text in known.items() if name != "path" and text in json.dumps(shown)} == {
            "query": known["query"]
        }
        assert "***" in tested["response_body"]
        assert '"you asked"' in tested["response_body"]
        places: dict[str, str | bytes] = {
            **dump(cluster),
            "the log": cluster.log,
            "/metrics": cluster.client.get("/metrics").text,
            "/v1/events": json.dumps(cluster.events()),
            "attempts": json.dumps(attempts),
            "/readyz": cluster.client.get("/readyz").text,
            "/v1/cluster": cluster.client.get("/v1/cluster").text,
        }
        assert found_in(places, known | {"PANAL_SECRET_KEY": FIRST}) == []
        assert sealed_with(cluster) == {SecretKey(FIRST).id}
        # The search itself finds what is there.
        assert found_in({"x": encode({"a": known["app"]}), "y": quote(FIRST, safe="")}, {"a": known["app"], "b": FIRST})
        cluster.stop()
        assert found_in({"the log": cluster.log}, known | {"PANAL_SECRET_KEY": FIRST}) == []
    except BaseException:
        print(cluster.log[-8000:])  # noqa: T201 - pytest shows it beside the failure
        raise
    finally:
        cluster.destroy()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def started(folder: Path, **environment: str) -> Any:
    return start_cluster(folder, workers=1, environment={**QUICK, **environment})


def delivered(cluster: Cluster, receiver: Receiver, path: str, signed_with: str) -> None:
    """A message that is accepted now is told at ``path``, signed with this secret."""
    before = len(receiver.deliveries)
    cluster.send(PHONE, "hola")
    until(lambda: [one for one in receiver.deliveries[before:] if one.path == path], f"{path} is told")
    one = next(one for one in receiver.deliveries[before:] if one.path == path)
    Webhook(signed_with).verify(one.body, one.headers)


def put_back_in_clear(cluster: Cluster, url: str, headers: dict[str, str], signing: str, console: bytes) -> None:
    """The database as the version before this one left it."""
    with database_of(cluster) as client:
        vault, meta = client["panal"]["webhook_vault"], client["panal"]["meta"]
        for document in list(vault.find()):
            is_target = document["_id"] == client["panal"]["webhook_endpoints"].find_one()["target_ref"]  # type: ignore[index]
            clear: dict[str, Any] = {"url": url, "headers": headers} if is_target else {"secret": signing}
            vault.replace_one(
                {"_id": document["_id"]}, {"_id": document["_id"], "endpoint": document["endpoint"], **clear}
            )
        meta.replace_one({"_id": "console"}, {"_id": "console", "secret": console})
        meta.delete_one({"_id": "secret_key"})
        client["panal"]["webhook_endpoints"].update_one({}, {"$set": {"url": url.partition("?")[0] + "?***"}})


def test_secrets_of_an_earlier_version_are_sealed_when_the_owner_starts(folder: Path, receiver: Receiver) -> None:
    path = f"/{secret('path')}?t={secret('query')}"
    headers = {"x-token": secret("header")}
    console = chance.token_bytes(32)
    with started(folder) as cluster:
        cluster.write_as_customer(PHONE, "hola")
        made = create(cluster, receiver.url(path), headers=headers)
        put_back_in_clear(cluster, receiver.url(path), headers, made["secret"], console)
        cluster.stop()
    with started(folder) as cluster:
        until(
            lambda: sealed_with(cluster) == {SecretKey((folder / "data" / "secret.key").read_text().strip()).id},
            "sealed",
        )
        delivered(cluster, receiver, path, made["secret"])
        assert receiver.deliveries[-1].headers["x-token"] == headers["x-token"]
        known = {"path": path.partition("?")[0][1:], "query": path.partition("=")[2], "header": headers["x-token"]}
        known["signing"] = made["secret"]

        def left_over() -> list[str]:
            return found_in({name: held for name, held in dump(cluster).items() if name != "panal.events"}, known)

        until(lambda: not left_over(), "nothing is in clear any more", context=lambda: str(left_over()))
        assert console not in b"".join(dump(cluster).values())
        assert "secrets.sealed" in cluster.log
        before = vault_of(cluster)
        cluster.stop()
    with started(folder) as cluster:
        delivered(cluster, receiver, path, made["secret"])
        assert vault_of(cluster) == before, "what is sealed already is left alone"


def test_keys_are_changed_without_losing_a_delivery(folder: Path, receiver: Receiver) -> None:
    with started(folder, PANAL_SECRET_KEY=FIRST) as cluster:
        cluster.write_as_customer(PHONE, "hola")
        made = create(cluster, receiver.url("/a"))
        delivered(cluster, receiver, "/a", made["secret"])
        assert sealed_with(cluster) == {SecretKey(FIRST).id}
        cluster.stop()
    with started(folder, PANAL_SECRET_KEY=SECOND, PANAL_SECRET_KEY_PREVIOUS=FIRST) as cluster:
        delivered(cluster, receiver, "/a", made["secret"])
        until(lambda: sealed_with(cluster) == {SecretKey(SECOND).id}, "everything is sealed anew")
        until(lambda: "secrets.current" in cluster.log, "the operator is told that the former key may go")
        cluster.stop()
    with started(folder, PANAL_SECRET_KEY=SECOND) as cluster:
        delivered(cluster, receiver, "/a", made["secret"])


def test_a_key_that_does_not_fit_is_told_and_nothing_is_lost(folder: Path, receiver: Receiver) -> None:
    with started(folder, PANAL_SECRET_KEY=FIRST) as cluster:
        cluster.write_as_customer(PHONE, "hola")
        made = create(cluster, receiver.url("/a"))
        held = vault_of(cluster)
        cluster.stop()
    wrong = launch(folder, workers=1, environment={**QUICK, "PANAL_SECRET_KEY": SECOND, "PANAL_LOCALE": "en"})
    try:
        until(
            lambda: "PANAL_SECRET_KEY" in checks(wrong).get("secrets", ""),
            "/readyz says so",
            within_s=60,
            context=lambda: wrong.log[-3000:],
        )
        assert wrong.client.get("/readyz").status_code == 503
        assert SecretKey(FIRST).id in checks(wrong)["secrets"]
        until(lambda: "PANAL_SECRET_KEY does not fit this database" in wrong.log, "the operator reads it")
        waiting = wrong.send(PHONE, "it waits")
        assert len([line for line in wrong.log.splitlines() if "🔐" in line]) == 1
        shown = wrong.client.get(f"/v1/webhook-endpoints/{made['id']}").json()
        assert shown["reason"] == "secret_unreadable"
        wrong.stop()
    finally:
        wrong.destroy()
    with started(folder, PANAL_SECRET_KEY=FIRST) as cluster:
        assert vault_of(cluster) == held
        until(lambda: cluster.message(waiting["id"])["status"] == "read", "what was accepted meanwhile is sent")
        until(lambda: "message.read" in [event["type"] for event in receiver.events("/a")], "and told")
        receiver.verify(made["secret"], "/a")


def checks(cluster: Cluster) -> dict[str, str]:
    try:
        found: dict[str, str] = cluster.client.get("/readyz").json()["checks"]
    except httpx.HTTPError:
        return {}
    return found


def test_a_secret_that_was_moved_or_lost_holds_its_own_endpoint_alone(folder: Path, receiver: Receiver) -> None:
    with started(folder, PANAL_SECRET_KEY=FIRST) as cluster:
        cluster.write_as_customer(PHONE, "hola")
        good, bad = create(cluster, receiver.url("/good")), create(cluster, receiver.url("/bad"))
        with database_of(cluster) as client:
            vault = client["panal"]["webhook_vault"]
            stolen = vault.find_one({"endpoint": good["id"], "_id": good["secrets"][0]["id"]})
            assert stolen is not None
            vault.update_one({"_id": bad["secrets"][0]["id"]}, {"$set": {"sealed": stolen["sealed"]}})
        cluster.stop()
    receiver.deliveries.clear()
    with started(folder, PANAL_SECRET_KEY=FIRST) as cluster:
        delivered(cluster, receiver, "/good", good["secret"])
        until(lambda: "webhook_endpoint.unreadable" in cluster.log, "the log tells")
        path = f"/v1/webhook-endpoints/{bad['id']}"
        assert cluster.client.get(path).json()["reason"] == "secret_unreadable"
        assert cluster.client.post(f"{path}/test").json()["error"] is not None
        assert [one for one in receiver.deliveries if one.path == "/bad"] == [], "nothing unsigned leaves"
        seqs = [event["seq"] for event in receiver.events("/good")]
        fresh = cluster.client.post(f"{path}/rotate-secret", json={"overlap_s": 0}).json()["secret"]
        until(lambda: set(seqs) <= {event["seq"] for event in receiver.events("/bad")}, "what waited comes now")
        receiver.verify(fresh, "/bad")
        assert cluster.client.get(path).json()["reason"] is None


def test_a_damaged_key_file_is_a_refusal_and_not_a_new_key(folder: Path) -> None:
    path = folder / "data" / "secret.key"
    path.parent.mkdir()
    path.write_text("half a k")
    cluster = launch(folder, workers=1, environment={"PANAL_LOCALE": "en"})
    try:
        assert cluster.process.wait(30) == 78
        assert str(path) in cluster.log
        assert path.read_text() == "half a k"
    finally:
        cluster.destroy()
