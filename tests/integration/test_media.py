"""Files on the real command: in, out, to WhatsApp and from it; never whole in memory."""

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.sanic_command import ROOT
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

SAMPLES = ROOT / "services" / "sandbox" / "samples"
PHONE = "16505557101"
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("media"), workers=2) as running:
        running.write_as_customer(PHONE, "Hello?")
        until(lambda: running.all_pages("/v1/conversations"), "the customer has a conversation")
        yield running


def sample(ending: str) -> bytes:
    return (SAMPLES / f"sample.{ending}").read_bytes()


def upload(cluster: Cluster, data: bytes, kind: str, name: str = "a.bin", path: str = "/v1/media") -> httpx.Response:
    return cluster.client.post(path, files={"file": (name, data, kind)}, timeout=60)


@pytest.mark.parametrize("ending", TYPES)
def test_a_file_comes_out_as_it_went_in(cluster: Cluster, ending: str) -> None:
    data = sample(ending)
    answer = upload(cluster, data, TYPES[ending], f"/home/me/sample.{ending}")
    assert answer.status_code == 201, answer.text
    media = answer.json()
    assert media["sha256"] == hashlib.sha256(data).hexdigest()
    assert (media["size_bytes"], media["mime_type"]) == (len(data), TYPES[ending])
    assert media["filename"] == f"sample.{ending}"
    assert media["id"].isdigit()
    assert cluster.client.get(answer.headers["location"]).json() == media
    content = cluster.client.get(media["content_url"])
    assert content.content == data
    assert content.headers["content-type"] == TYPES[ending]
    assert content.headers["x-content-type-options"] == "nosniff"
    part = cluster.client.get(media["content_url"], headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"


def test_a_file_is_refused_by_type_by_size_and_by_form(cluster: Cluster) -> None:
    assert upload(cluster, b"no picture", "image/png").json()["code"] == "media_refused"
    too_large = b"\x89PNG\r\n\x1a\n" + secrets.token_bytes(5 * 1024 * 1024)
    assert upload(cluster, too_large, "image/png").status_code == 413
    assert cluster.client.post("/v1/media", content=b"x").json()["code"] == "invalid_form"
    assert cluster.client.post("/v1/media", data={"a": "b"}, files={"b": ("", b"")}).status_code in (400, 422)
    unknown = cluster.client.get("/v1/media/123456")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@contextlib.contextmanager
def watched(pids: list[int]) -> Iterator[list[int]]:
    """The most memory (RSS, bytes) that these processes had together meanwhile, as the list's last entry."""
    processes = [psutil.Process(pid) for pid in pids]
    most = [sum(process.memory_info().rss for process in processes)]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            most.append(max(most[-1], sum(process.memory_info().rss for process in processes)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def test_a_large_file_streams_both_ways_and_is_never_whole_in_memory(cluster: Cluster, tmp_path: Path) -> None:
    size = 60 * 1024 * 1024
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        for _ in range(60):
            file.write(secrets.token_bytes(1024 * 1024))
    # Threads, connections and buffers come with the first large file, whatever its size.
    assert upload(cluster, path.read_bytes()[: size // 6], "application/zip").status_code == 201
    with watched(cluster.worker_pids()) as memory:
        before = memory[0]
        with path.open("rb") as file:
            files = {"file": ("large.zip", file, "application/zip")}
            answer = cluster.client.post("/v1/media", files=files, timeout=120)
        assert answer.status_code == 201, answer.text
        digest = hashlib.sha256()
        with cluster.client.stream("GET", answer.json()["content_url"], timeout=120) as content:
            for chunk in content.iter_bytes():
                digest.update(chunk)
    assert answer.json()["size_bytes"] == size
    assert digest.hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()
    grown = memory[-1] - before
    assert grown < size // 2, f"{grown / 2**20:.0f} MB for a file of {size / 2**20:.0f} MB"


def test_a_link_is_fetched_through_the_guard(cluster: Cluster) -> None:
    base = f"{cluster.sandbox.base_url}/_sandbox".replace("//_", "/_")
    answer = cluster.client.post("/v1/media", json={"link": f"{base}/sample.ogg"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["mime_type"] == "audio/ogg"
    assert cluster.client.get(answer.json()["content_url"]).content == sample("ogg")
    assert cluster.client.post("/v1/media", json={"link": f"{base}/none"}).json()["code"] == "link_failed"
    metadata = cluster.client.post("/v1/media", json={"link": "http://169.254.169.254/latest/meta-data"})
    assert metadata.json()["code"] == "url_refused"
    assert cluster.client.post("/v1/media", json={}).status_code == 422


def test_many_messages_with_one_file_upload_it_once(cluster: Cluster) -> None:
    media_id = upload(cluster, sample("png"), "image/png").json()["id"]
    phones = [f"1650555720{n}" for n in range(6)]
    for phone in phones:
        cluster.write_as_customer(phone, "Hi")
    until(lambda: len(cluster.all_pages("/v1/conversations")) >= 7, "all have conversations")
    for phone in phones:
        body = {"to": phone, "type": "image", "image": {"id": media_id, "caption": "for you"}}
        assert cluster.client.post("/v1/messages", json=body).status_code == 202

    def picture_of(phone: str) -> list[str]:
        return [one["image"]["id"] for one in cluster.phone(phone) if one["type"] == "image"]

    until(lambda: all(picture_of(phone) for phone in phones), "all have the picture")
    [platform_id] = {picture_of(phone)[0] for phone in phones}
    assert platform_id != media_id
    uploads = [one for one in cluster.sandbox.get("/_sandbox/log").json() if one["path"].endswith("/media")]
    assert len(uploads) == 1


def test_a_deleted_file_is_gone_for_clients_and_still_leaves_with_its_message(cluster: Cluster) -> None:
    media_id = upload(cluster, sample("pdf"), "application/pdf").json()["id"]
    cluster.sandbox.post(
        "/_sandbox/rules", json={"match": {"path": "/media"}, "when": {"next": 1}, "then": {"status": 503}}
    )
    body = {"to": PHONE, "type": "document", "document": {"id": media_id, "caption": "gone at once"}}
    assert cluster.client.post("/v1/messages", json=body).status_code == 202
    assert cluster.client.delete(f"/v1/media/{media_id}").json() == {"success": True}
    assert cluster.client.get(f"/v1/media/{media_id}").status_code == 404
    assert cluster.client.get(f"/v1/media/{media_id}/content").status_code == 404

    def arrived() -> list[dict[str, Any]]:
        return [one for one in cluster.phone(PHONE) if one.get("document", {}).get("caption") == "gone at once"]

    until(arrived, "the document arrived, after the upload was tried again")


def test_a_customers_file_is_fetched_when_somebody_asks_and_kept(cluster: Cluster) -> None:
    answer = cluster.sandbox.post(f"/_sandbox/phones/{PHONE}/messages", json={"type": "image"})
    wamid = answer.json()["wamid"]

    def stored() -> list[dict[str, Any]]:
        return [one for one in cluster.all_pages("/v1/messages", direction="in") if one["wamid"] == wamid]

    [message] = until(stored, "it is stored")
    media_id = message["image"]["id"]
    media = until(lambda: _ok(cluster.client.get(f"/v1/media/{media_id}")), "its facts are kept")
    assert (media["origin"], media["mime_type"], media["message_id"]) == ("customer", "image/jpeg", message["id"])
    assert cluster.client.get(media["content_url"]).content == sample("jpg")
    # WhatsApp may forget it now.
    cluster.sandbox.delete(f"/v23.0/{media_id}", headers={"authorization": "Bearer sandbox-token"})
    assert cluster.client.get(media["content_url"]).content == sample("jpg")


def test_the_drop_in_gives_an_address_that_carries_its_own_proof(cluster: Cluster) -> None:
    form = {"messaging_product": "whatsapp", "type": "image/png"}
    path = f"/v23.0/{NUMBER}/media"
    answer = cluster.client.post(path, data=form, files={"file": ("a.png", sample("png"), "image/png")})
    assert answer.status_code == 200, answer.text
    media_id = answer.json()["id"]
    facts = cluster.client.get(f"/v23.0/{media_id}", params={"phone_number_id": NUMBER}).json()
    assert facts["sha256"] == hashlib.sha256(sample("png")).hexdigest()
    assert (facts["file_size"], facts["id"], facts["mime_type"]) == (len(sample("png")), media_id, "image/png")
    assert httpx.get(facts["url"]).content == sample("png"), "without a key"
    assert httpx.get(facts["url"] + "0").json()["error"]["code"] == 100
    wrong_number = cluster.client.get(f"/v23.0/{media_id}", params={"phone_number_id": "1"})
    assert wrong_number.json()["error"]["error_subcode"] == 33
    assert cluster.client.delete(f"/v23.0/{media_id}").json() == {"success": True}
    assert cluster.client.get(f"/v23.0/{media_id}").json()["error"]["error_subcode"] == 33
    refused = cluster.client.post(path, files={"file": ("a.png", b"no picture", "image/png")}).json()["error"]
    assert refused["code"] == 100
    assert "must be a file with one of the following types" in refused["error_data"]["details"]
    missing = cluster.client.post(path, json={}).json()["error"]
    assert missing["message"] == "(#100) The parameter file is required"


def _ok(answer: httpx.Response) -> Any:
    return answer.json() if answer.status_code == 200 else None
