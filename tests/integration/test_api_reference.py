"""The reference on the real server: complete, offline, and what the API answers has the shape it promises."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PHONE = "16505551234"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("reference"), workers=1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def document(cluster: Cluster) -> dict[str, Any]:
    answer = cluster.client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def message_id(cluster: Cluster) -> str:
    """A text that was read, after the customer wrote: so there is one of everything."""
    cluster.write_as_customer(PHONE, "Hola")
    until(lambda: cluster.all_pages("/v1/messages", direction="in"), "what the customer wrote stands")
    message_id = str(cluster.send(PHONE, "Hola, soy Panal")["id"])
    until(lambda: cluster.message(message_id)["status"] == "read", "the message is read")
    return message_id


def assert_as_promised(document: dict[str, Any], path: str, answer: httpx.Response) -> None:
    """Status, media type and shape of this answer are in the document."""
    call = document["paths"][path][answer.request.method.lower()]
    promised = call["responses"].get(str(answer.status_code))
    assert promised is not None, f"{answer.status_code} is not in the document: {answer.text}"
    media_type = answer.headers["content-type"].partition(";")[0]
    schema = promised["content"][media_type]["schema"]
    whole = {**schema, "components": document["components"]}
    faults = [f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(whole).iter_errors(answer.json())]
    assert faults == [], answer.text


def answers_json(call: dict[str, Any]) -> bool:
    return "application/json" in call["responses"].get("200", {}).get("content", {})


def test_every_read_answers_as_promised(cluster: Cluster, document: dict[str, Any], message_id: str) -> None:
    conversation = cluster.all_pages("/v1/conversations")[0]["id"]
    for path, calls in document["paths"].items():
        if "get" not in calls or path in ("/webhooks/whatsapp", "/openapi.json"):
            continue
        url = path.replace("{message_id}", message_id).replace("{conversation_id}", conversation)
        url = url.replace("{phone_number_id}/limits", f"{NUMBER}/limits")
        if "{" not in url and answers_json(calls["get"]):
            assert_as_promised(document, path, cluster.client.get(url))


def test_an_accepted_message_answers_as_promised(cluster: Cluster, document: dict[str, Any]) -> None:
    answer = cluster.client.post("/v1/messages", json={"to": PHONE, "text": {"body": "Hola"}})
    assert answer.status_code == 202
    assert_as_promised(document, "/v1/messages", answer)


def test_every_example_of_a_message_to_send_is_accepted(cluster: Cluster, document: dict[str, Any]) -> None:
    examples = document["paths"]["/v1/messages"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    for name, example in examples.items():
        answer = cluster.client.post("/v1/messages", json=example["value"])
        assert answer.status_code == 202, f"{name}: {answer.text}"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "invalid_json"),
        (b'{"to":"16505551234","text":{"body":""}}', {}, "invalid_request"),
        (b'{"to":"16505551234","text":{"body":"x"},"from":"1"}', {}, "unknown_number"),
        (b'{"to":"16505551234","text":{"body":"x"}}', {"authorization": "Bearer nobody"}, "not_authenticated"),
    ],
)
def test_refusals_answer_as_promised_and_point_to_their_explanation(
    cluster: Cluster, document: dict[str, Any], body: bytes, headers: dict[str, str], code: str
) -> None:
    answer = cluster.client.post("/v1/messages", content=body, headers=headers)
    assert_as_promised(document, "/v1/messages", answer)
    problem = answer.json()
    assert problem["code"] == code
    page, _, anchor = problem["type"].partition("#")
    assert f'id="{anchor}"' in cluster.client.get(page).text


def test_unknown_ids_answer_as_promised(cluster: Cluster, document: dict[str, Any]) -> None:
    for path in ("/v1/messages/{message_id}", "/v1/conversations/{conversation_id}"):
        answer = cluster.client.get(re.sub(r"{\w+}", "nothing", path))
        assert answer.status_code == 404
        assert_as_promised(document, path, answer)


def test_the_reference_asks_no_other_host(cluster: Cluster) -> None:
    page = cluster.client.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assets = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert len(assets) > 3
    for asset in assets:
        assert asset.startswith("/"), asset
        assert cluster.client.get(asset).status_code == 200, asset


def test_the_bundle_is_kept_for_ever_and_sent_compressed(cluster: Cluster) -> None:
    (bundle,) = re.findall(r"/docs/assets/rapidoc[^\"]+", cluster.client.get("/docs").text)
    answer = cluster.client.get(bundle, headers={"accept-encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 300_000
    assert len(answer.content) > 800_000
    again = cluster.client.get(bundle, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_sanic_ext_is_loaded_for_head_and_options_alone(cluster: Cluster) -> None:
    assert cluster.client.head("/livez").status_code == 200
    options = cluster.client.options("/v1/messages")
    assert options.status_code == 204
    assert {"GET", "POST"} <= set(options.headers["allow"].split(","))
    for path in ("/docs/swagger", "/docs/redoc", "/docs/openapi.json"):
        assert cluster.client.get(path).status_code == 404
    assert (
        "access-control-allow-origin" not in cluster.client.get("/livez", headers={"origin": "http://x.test"}).headers
    )


def test_an_asset_that_does_not_exist_is_a_problem(cluster: Cluster) -> None:
    for name in ("nothing.js", "README.md", "..%2Fdocs.py"):
        answer = cluster.client.get(f"/docs/assets/{name}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_default_number_is_the_documented_one(cluster: Cluster, document: dict[str, Any]) -> None:
    example = document["paths"]["/v1/numbers"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    assert example["one"]["value"]["data"][0]["phone_number_id"] == NUMBER
