"""The pass-through to Graph on the real command, with a stand-in for Graph that repeats our credentials everywhere."""

import hashlib
import hmac
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import httpx
import orjson
import pytest

from tests.doubles.graph import GraphCall, GraphReply, GraphStandIn
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WABA = "102290129340398"
OTHER = "106540352249999"
TOKEN = "EAAGpermanent0token0of0the0account"
SECRET = "app-secret-of-the-integration-suite"
PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def graph() -> Iterator[GraphStandIn]:
    with GraphStandIn() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, graph: GraphStandIn) -> Iterator[Cluster]:
    environment = {
        "PANAL_WHATSAPP": "cloud",
        "PANAL_ACCESS_TOKEN": TOKEN,
        "PANAL_APP_SECRET": SECRET,
        "PANAL_GRAPH_BASE_URL": graph.url,
    }
    with start_cluster(tmp_path_factory.mktemp("guard"), workers=1, environment=environment) as running:
        # The owner reads the templates once by itself: what arrives after that is what a test has asked for.
        until(lambda: any(call.path.endswith("/message_templates") for call in graph.calls), "the owner has synced")
        yield running


@pytest.fixture(scope="module")
def numbers_key(cluster: Cluster) -> dict[str, str]:
    """The headers of a key with the scope `numbers` alone."""
    return key_of(cluster, scopes=["numbers"])


@pytest.fixture(autouse=True)
def _forget(graph: GraphStandIn) -> None:
    graph.calls.clear()
    graph.answers.clear()


def key_of(cluster: Cluster, **facts: Any) -> dict[str, str]:
    answer = cluster.client.post("/v1/keys", json={"name": "guard", **facts})
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['key']}"}


def assert_clean(answer: httpx.Response) -> None:
    """Nothing of ours in status line, headers and body, however often it is decoded."""
    text = answer.text + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    for _ in range(6):
        for secret in (TOKEN, PROOF, SECRET, "graph.facebook.com"):
            assert secret not in text
        text = unquote(text)


@pytest.mark.parametrize(
    "path",
    [
        f"{NUMBER}?fields=message_templates",
        f"{NUMBER}?fields=message_templates{{name}}&metadata=1",
        f"{WABA}/message_templates",
        f"{WABA}?fields=phone_numbers",
        f"{NUMBER}/whatsapp_business_profile",
        "me/accounts",
    ],
)
def test_nothing_of_ours_gets_out_at_any_depth(cluster: Cluster, graph: GraphStandIn, path: str) -> None:
    answer = cluster.client.get(f"/v23.0/{path}")
    assert answer.status_code == 200, answer.text
    assert [call.token for call in graph.calls] == [TOKEN]
    assert graph.calls[0].query["appsecret_proof"] == PROOF
    assert_clean(answer)
    base = str(cluster.client.base_url).rstrip("/")
    turned = f"{base}/v23.0/1/message_templates?limit=1&after=MQ%3D%3D"
    assert answer.json()["message_templates"]["paging"]["next"] == turned
    assert answer.json()["metadata"]["connections"]["phone_numbers"] == turned
    assert answer.headers["x-business-use-case-usage"]
    for dropped in ("location", "link", "www-authenticate", "x-fb-trace-id", "x-app-usage"):
        assert dropped not in answer.headers


def test_errors_of_graph_are_searched_as_well(cluster: Cluster, graph: GraphStandIn) -> None:
    graph.answers = {NUMBER: graph.refusal, "message_templates": graph.refusal, "phone_numbers": graph.refusal}
    for method, path in (
        ("GET", f"/v23.0/{NUMBER}"),
        ("POST", f"/v23.0/{NUMBER}"),
        ("GET", f"/v23.0/{WABA}/message_templates"),
        ("POST", "/v1/templates"),
        ("POST", "/v1/templates/sync"),
    ):
        body = {"name": "a", "language": "es", "category": "UTILITY", "components": [{"type": "BODY", "text": "x"}]}
        answer = cluster.client.request(method, path, json=body if method == "POST" else None)
        assert answer.status_code >= 400, answer.text
        assert_clean(answer)
    assert TOKEN not in cluster.log
    assert PROOF not in cluster.log


@pytest.mark.parametrize("status", [200, 302, 401, 500])
def test_a_body_that_is_no_json_is_not_handed_on(cluster: Cluster, graph: GraphStandIn, status: int) -> None:
    def page(call: GraphCall) -> GraphReply:
        kind = {"content-type": f"text/html; x={call.token}"}
        return GraphReply(status, headers={**graph.headers(call), **kind}, raw=f"<a href={graph.link(call)}>".encode())

    graph.answers = {NUMBER: page}
    for method in ("GET", "POST"):
        answer = cluster.client.request(method, f"/v23.0/{NUMBER}")
        assert answer.status_code >= 500
        assert_clean(answer)
    assert TOKEN not in cluster.log


def test_what_cannot_be_rewritten_is_withheld_and_told(cluster: Cluster, graph: GraphStandIn) -> None:
    def hidden(call: GraphCall) -> GraphReply:
        return GraphReply(200, {"a": ["".join(f"\\u{ord(letter):04x}" for letter in call.token)]})

    graph.answers = {NUMBER: hidden}
    answer = cluster.client.get(f"/v23.0/{NUMBER}")
    assert answer.status_code == 502
    assert answer.json()["error"]["error_data"]["reason"] == "answer_withheld"
    assert_clean(answer)
    until(lambda: "answer_withheld" in cluster.log, "the log tells")


def test_a_key_in_the_query_comes_back_in_links_and_never_reaches_graph(cluster: Cluster, graph: GraphStandIn) -> None:
    url = f"{cluster.client.base_url}/v23.0/{NUMBER}?access_token={cluster.key}"
    answer = httpx.post(url, json={"access_token": cluster.key, "pin": "123456"})
    assert answer.json()["message_templates"]["paging"]["next"].endswith(f"access_token={cluster.key}")
    [call] = graph.calls
    assert cluster.key.encode() not in call.target.encode() + call.body + str(call.headers).encode()
    assert orjson.loads(call.body) == {"pin": "123456"}


def raw_call(cluster: Cluster, target: str, headers: dict[str, str], method: str = "POST") -> tuple[int, str]:
    """A call whose path no client library has made nicer."""
    lines = [f"{method} {target} HTTP/1.1", "host: panal", "connection: close", "content-length: 0"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""])
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1"))
        data = b""
        while piece := connection.recv(65536):
            data += piece
    return int(data.split(b" ", 2)[1]), data.decode("utf-8", "replace")


WALKS = """
    settings/.. settings/%2e%2e settings/%2E%2e settings/.%2e settings/%252e%252e settings/. settings/%2e
    settings/..;x settings;/.. settings%2f.. settings%2F%2e%2e settings%5c.. settings\\.. settings%00
    settings%2500 settings/%00 ..%2fsettings %2e%2e/settings ../settings settings%3fmethod=x settings%23
    settings/..%2f..%2f1 settings%20 settings%0d%0ax settings/x%2f.. whatsapp_business_profile/..
    """.split()


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("version", ["", "/v23.0"])
def test_a_path_that_is_not_plain_never_reaches_graph(
    cluster: Cluster, graph: GraphStandIn, numbers_key: dict[str, str], walk: str, version: str
) -> None:
    for headers in (numbers_key, {"authorization": f"Bearer {cluster.key}"}):
        status, text = raw_call(cluster, f"{version}/{NUMBER}/{walk}", headers)
        assert 400 <= status < 500, text
        assert graph.calls == []


def test_slashes_that_are_doubled_are_judged_as_what_is_sent(
    cluster: Cluster, graph: GraphStandIn, numbers_key: dict[str, str]
) -> None:
    for walk in ("//settings", "/settings//", "/settings///..", "//", "/"):
        status, _ = raw_call(cluster, f"/v23.0/{NUMBER}{walk}", numbers_key)
        assert status in (200, 400, 403, 404)
        assert all(call.path == f"/v23.0/{NUMBER}/settings" for call in graph.calls)


def test_what_is_encoded_without_need_is_the_same_edge(
    cluster: Cluster, graph: GraphStandIn, numbers_key: dict[str, str]
) -> None:
    status, _ = raw_call(cluster, f"/v23.0/{NUMBER}/%73ettings", numbers_key)
    assert (status, [call.path for call in graph.calls]) == (200, [f"/v23.0/{NUMBER}/settings"])
    status, _ = raw_call(cluster, f"/v23.0/{NUMBER}/%72egister", numbers_key)
    assert status == 403


@pytest.mark.parametrize("name", ["method", "_method", "Method", "method[]", "ids", "batch", "ids[0]"])
def test_overrides_are_refused_with_a_reason(cluster: Cluster, graph: GraphStandIn, name: str) -> None:
    url, client = f"/v23.0/{NUMBER}/settings", cluster.client
    for answer in (
        client.get(url, params={name: "delete"}),
        client.post(url, params={name: "delete"}),
        client.get(f"/v23.0/{NUMBER}", params={name: "1,2"}),
        client.post(url, json={name: "delete"}),
        client.post(url, data={name: "delete"}),
        client.post(url, data={name: "delete"}, files={"file": ("a", b"x")}),
        client.post(f"/v23.0/{NUMBER}/messages", params={name: "delete"}, json={}),
        client.post("/v23.0/app/uploads", params={name: "delete"}),
        client.post("/v23.0/upload:abc", params={name: "delete"}, content=b"x"),
    ):
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["error_data"]["reason"] == "override_refused"
    assert graph.calls == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_override_headers_are_refused_with_a_reason(cluster: Cluster, graph: GraphStandIn, name: str) -> None:
    for path in (NUMBER, f"{NUMBER}/settings", f"{NUMBER}/messages", "app/uploads", "upload:abc"):
        answer = cluster.client.post(f"/v23.0/{path}", headers={name: "DELETE"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["error_data"]["reason"] == "override_refused"
    assert graph.calls == []


def test_a_key_limited_to_numbers_sees_nothing_of_others(cluster: Cluster, graph: GraphStandIn) -> None:
    scopes = ["numbers", "templates", "media", "contacts", "webhook_endpoints", "admin"]
    limited = key_of(cluster, scopes=scopes, numbers=[NUMBER])
    base = str(cluster.client.base_url).rstrip("/")
    foreign = {"id": OTHER, "display_phone_number": "+1 202 555 0199", "verified_name": "Somebody else"}
    own = {"id": NUMBER, "display_phone_number": "+1 202 555 0100", "verified_name": "Us"}

    def everybody(call: GraphCall) -> GraphReply:
        return GraphReply(
            200, {"id": WABA, "data": [own, foreign, {"id": OTHER}], "x": [{"y": foreign}], OTHER: foreign}
        )

    graph.answers = {"phone_numbers": everybody, WABA: everybody, NUMBER: lambda _: GraphReply(200, own)}

    def get(path: str) -> httpx.Response:
        return httpx.get(f"{base}/v23.0/{path}", headers=limited)

    listed = get(f"{WABA}/phone_numbers")
    assert [one["id"] for one in listed.json()["data"]] == [NUMBER]
    assert "Somebody" not in listed.text
    assert "Somebody" not in get(WABA).text
    assert get(f"{NUMBER}?fields=id,verified_name").json() == own
    graph.calls.clear()
    for path in (
        f"{WABA}?fields=phone_numbers",
        f"{WABA}?fields=phone_numbers%7Bid%2Cdisplay_phone_number%7D",
        f"{WABA}?fields%5B0%5D=phone_numbers",
        f"{NUMBER}?fields=id,whatsapp_business_account%7Bphone_numbers%7D",
        f"{NUMBER}/settings?fields=x.limit(1)%7By%7D",
        f"{NUMBER}?ids={OTHER}",
        f"{WABA}/assigned_users",
        f"{WABA}/conversation_analytics",
        f"{NUMBER}/whatsapp_business_account",
        f"{NUMBER}/settings?phone_number_id={OTHER}",
        OTHER,
        f"{OTHER}/settings",
        "me",
        "999999999999999",
    ):
        answer = get(path)
        assert answer.status_code in (400, 403), f"{path}: {answer.text}"
    for path in (WABA, f"{WABA}/phone_numbers", f"{WABA}/migrate_message_templates"):
        answer = httpx.post(f"{base}/v23.0/{path}", headers=limited, json={})
        assert answer.status_code == 403, f"{path}: {answer.text}"
    answer = httpx.post(f"{base}/v23.0/{NUMBER}", headers=limited, json={"fields": "phone_numbers"})
    assert answer.status_code == 403, answer.text
    assert graph.calls == []


@pytest.mark.parametrize("hostile", ["image/png\r\nX-Evil: 1", "image/png\n", "image/png\0", "\x1bimage/png"])
def test_a_media_type_that_cannot_stand_in_a_header_is_refused_at_once(cluster: Cluster, hostile: str) -> None:
    png = (Path(__file__).parents[2] / "services" / "sandbox" / "samples" / "sample.png").read_bytes()
    for path in ("/v1/media", f"/v23.0/{NUMBER}/media"):
        body = b"".join(
            [
                b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\n', hostile.encode(),
                b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n',
                b"Content-Type: image/png\r\n\r\n", png, b"\r\n--x--\r\n",
            ]
        )  # fmt: skip
        answer = cluster.client.post(path, content=body, headers={"content-type": "multipart/form-data; boundary=x"})
        assert answer.status_code in (400, 422), answer.text
    header = b"Content-Type: " + hostile.encode() + b"\r\n\r\n"
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n' + header + png + b"\r\n--x--\r\n"
    if "\n" not in hostile:
        answer = cluster.client.post(
            "/v1/media", content=body, headers={"content-type": "multipart/form-data; boundary=x"}
        )
        assert answer.status_code in (400, 422), answer.text


def test_a_link_of_graph_may_be_followed(cluster: Cluster, graph: GraphStandIn) -> None:
    link = cluster.client.get(f"/v23.0/{NUMBER}").json()["message_templates"]["paging"]["next"]
    graph.calls.clear()
    assert cluster.client.get(link).status_code in (200, 400)
    assert quote(TOKEN) not in "".join(call.target for call in graph.calls)
