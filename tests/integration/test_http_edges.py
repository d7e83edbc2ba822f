"""What careless, unlucky and hostile clients send, on the real command: always an answer that helps, never a 500."""

import hashlib
import hmac
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pymongo
import pytest

from tests.harness import Cluster, start_cluster
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

TEXT = {"to": "16505551234", "type": "text", "text": {"body": "hola"}}
PHONES = ["16505551234", "16505557001", "16505557002", "16505557003"]
SECRET = "sandbox-secret"
NODE = b"106540352242922"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    environment = {"PANAL_ACCESS_LOG": "true"}
    with start_cluster(tmp_path_factory.mktemp("edges"), workers=2, environment=environment) as running:
        for phone in PHONES:
            running.write_as_customer(phone, "hola")  # opens the window: texts may be sent
        until(lambda: len(running.all_pages("/v1/conversations")) == len(PHONES), "the customers were heard")
        yield running
        assert "A handler failed." not in running.log
        assert "Traceback" not in running.log


def assert_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """It is one of these statuses, and a problem document with all that a client needs."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"].startswith(PROBLEM)
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"]
    assert problem["type"].endswith(problem["code"])
    assert all(fault["reason"] for fault in problem["errors"])
    assert "path" in "".join(map(str, [*problem["errors"], "path"]))
    if answer.status_code in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1
    return problem


def post(cluster: Cluster, body: bytes | str, path: str = "/v1/messages", **headers: str) -> httpx.Response:
    return cluster.client.post(path, content=body, headers={"content-type": "application/json"} | headers)


def raw(cluster: Cluster, request: bytes) -> bytes:
    """What the server says to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


# --- bodies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b'{"to": NaN}',
        b'{"to": Infinity}',
        b'{"to": "16505551234",}',
        b'{"to": "\xff\xfe"}',
        b'{"to": "\\ud800"}',
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"to=16505551234&type=text",
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/batch"])
def test_what_is_not_a_json_object_is_400_and_says_so(cluster: Cluster, path: str, body: bytes) -> None:
    problem = assert_problem(post(cluster, body, path), 400)
    assert problem["code"] == "invalid_json"


@pytest.mark.parametrize("has_length", [True, False], ids=["content-length", "chunked"])
def test_a_body_past_the_limit_is_413(cluster: Cluster, has_length: bool) -> None:
    size = 1_048_576 + 10_000
    body = b'{"to": "16505551234", "text": {"body": "' + b"x" * size + b'"}}'

    def parts() -> Iterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    try:
        answer = cluster.client.post("/v1/messages", content=body if has_length else parts())
    except httpx.TransportError:
        # The server may answer and close before the client has sent all: read the answer with the first bytes alone.
        head = (
            f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {cluster.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        said = raw(cluster, head.encode())
        assert said.startswith(b"HTTP/1.1 413"), said[:300]
        assert PROBLEM.encode() in said
    else:
        assert assert_problem(answer, 413)["code"] == "body_too_large"
    assert cluster.client.get("/livez").status_code == 200


def test_a_body_just_below_the_limit_is_read(cluster: Cluster) -> None:
    body = json.dumps(TEXT | {"text": {"body": "x" * 1_000_000}})
    problem = assert_problem(post(cluster, body), 422)
    assert [fault["path"] for fault in problem["errors"]] == ["text.body"]


OPERATORS: list[Any] = [{"$ne": ""}, {"$gt": ""}, ["a"], [], {}, 7, -1, 1.5, True, None, "\0", "", "x" * 5_000]
HUGE: list[Any] = [2**63, -(2**63) - 1, 2**64, 10**30, 1e308]
FIELDS = ["to", "type", "text", "from", "send_at", "expires_at", "on_window_closed", "on_uncertain", "metadata"]
FIELDS += [
    "fallback_template",
    "context",
    "recipient_type",
    "biz_opaque_callback_data",
    "messaging_product",
    "priority",
]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_may_hold_anything_and_gets_an_answer(cluster: Cluster, name: str) -> None:
    for value in [*OPERATORS, *HUGE]:
        answer = cluster.client.post("/v1/messages", json=TEXT | {name: value})
        if answer.status_code != 202:
            problem = assert_problem(answer, 422, 413)
            assert problem["errors"], (name, value, problem)


@pytest.mark.parametrize("kind", ["text", "image", "template", "interactive", "contacts", "location", "reaction"])
def test_the_inside_of_every_kind_may_hold_anything(cluster: Cluster, kind: str) -> None:
    inner = {"text": "body", "image": "link", "template": "name", "interactive": "type", "reaction": "message_id"}
    field = inner.get(kind, "name")
    for value in [*OPERATORS, *HUGE]:
        for body in (value, {field: value}, {field: "a", "extra": value}, [{field: value}]):
            answer = cluster.client.post("/v1/messages", json={"to": "16505551234", "type": kind, kind: body})
            if answer.status_code != 202:
                assert_problem(answer, 422)


def test_metadata_of_any_shape_is_kept_or_refused(cluster: Cluster) -> None:
    deep: dict[str, Any] = {}
    for _ in range(200):
        deep = {"a": deep}
    shapes: list[dict[str, Any]] = [
        {"$where": "1"}, {"a.b": 1}, {"a": {"$ne": 1}}, deep, {"n": 2**63}, {"n": 2**64}, {"\0": 1}, {},
    ]  # fmt: skip
    for metadata in shapes:
        answer = cluster.client.post("/v1/messages", json=TEXT | {"metadata": metadata})
        if answer.status_code == 202:
            kept = cluster.message(answer.json()["id"])
            assert kept["metadata"] == metadata
        else:
            (fault,) = assert_problem(answer, 422)["errors"]
            assert fault["path"].partition(".")[0] == "metadata"


def test_text_that_looks_like_an_expression_stays_text(cluster: Cluster) -> None:
    for body in ["$status", "$$ROOT", "{{body}}", "$", "a\0b".replace("\0", "\u2400"), "💬" * 50, "\u202e abc"]:
        accepted = cluster.send("16505551234", body, metadata={"note": body})
        message = cluster.message(accepted["id"])
        assert message["text"]["body"] == body
        assert message["metadata"] == {"note": body}


# --- paths, methods, queries

UNKNOWN_IDS = ["msg_00000000000000000000000000", "nothing", "$ne", "%00", "%ff%fe", "%ed%a0%80", "a" * 2_000, "%24gt"]


@pytest.mark.parametrize("id_", UNKNOWN_IDS, ids=lambda id_: id_[:12])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/messages/{}"),
        ("DELETE", "/v1/messages/{}"),
        ("POST", "/v1/messages/{}/retry"),
        ("GET", "/v1/conversations/{}"),
        ("GET", "/v1/conversations/{}/messages"),
        ("POST", "/v1/conversations/{}/read"),
    ],
)
def test_an_unknown_id_is_404(cluster: Cluster, method: str, path: str, id_: str) -> None:
    assert_problem(cluster.client.request(method, path.format(id_)), 404)


def test_an_unknown_path_is_404(cluster: Cluster) -> None:
    for path in ["/v1", "/v1/", "/v1/nothing", "/nothing/at/all", "/%2e%2e/etc/passwd", "/v1//messages"]:
        assert_problem(cluster.client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/messages", {"GET", "POST"}),
        ("PATCH", "/v1/messages", {"GET", "POST"}),
        ("DELETE", "/v1/messages/batch", None),
        ("POST", "/v1/events", {"GET"}),
        ("DELETE", "/v1/numbers", {"GET"}),
        ("POST", "/livez", {"GET"}),
        ("DELETE", "/webhooks/whatsapp", {"GET", "POST"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    cluster: Cluster, method: str, path: str, allowed: set[str] | None
) -> None:
    answer = cluster.client.request(method, path)
    if allowed is None:
        assert_problem(answer, 404, 405)  # it may be read as the id of a message
        return
    assert_problem(answer, 405)
    named = {word.strip() for word in answer.headers["allow"].split(",")}
    assert allowed <= named, named
    assert method not in named


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "limit=-1", "limit=1e9", "limit=99999999999999999999999", "limit=%00",
        "cursor=0", "cursor=-1", "cursor=zzzzzzzzzzzzzzzzzzzzzz", "cursor=%ff", "cursor=$ne",
        "status=sleeping", "direction=up", "to=%00", "campaign_id=%00",
        "from=7", "from[$ne]=1&limit=x",
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_422_and_names_the_parameter(cluster: Cluster, query: str) -> None:
    problem = assert_problem(cluster.client.get(f"/v1/messages?{query}"), 422)
    assert problem["errors"][0]["path"]


@pytest.mark.parametrize("query", ["to[$ne]=", "to=%ff%fe", "to=%ed%a0%80", "limit=5&limit=x", "x=1", "&&&", "to=$ne"])
def test_a_query_that_fits_nothing_is_an_empty_or_a_full_list(cluster: Cluster, query: str) -> None:
    assert cluster.client.get(f"/v1/messages?{query}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *["after=-1", "after=x", "after=9007199254740993", "wait_s=nan", "wait_s=inf", "wait_s=-1", "wait_s=1e9"],
        *["types=%00", "phone_number_id=1"],
    ],
)
def test_a_long_poll_that_makes_no_sense_is_422(cluster: Cluster, query: str) -> None:
    assert_problem(cluster.client.get(f"/v1/events?{query}"), 422)


# --- who calls


@pytest.mark.parametrize(
    "authorization",
    [
        None, b"", b"Bearer", b"Basic dXNlcjpwYXNz", b"Bearer wrong", b"bearer\twrong",
        b"Bearer \xff\xfe\xfd", b"Bearer \xed\xa0\x80", "Bearer clé".encode(), b"Bearer " + b"x" * 5_000, b"Bearer {}",
        b"Bearer test-key-of-the-integration-suite extra",
    ],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_a_missing_garbled_or_unknown_key_is_401(cluster: Cluster, authorization: bytes | None) -> None:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}") as anonymous:
        for path in ("/v1/messages", "/v1/conversations", "/v1/events", "/v1/numbers", "/v1/capacity"):
            answer = anonymous.get(path, headers=headers)
            assert assert_problem(answer, 401)["code"] == "not_authenticated"
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert_problem(anonymous.post("/v1/messages", json=TEXT, headers=headers), 401)


def test_health_needs_no_key(cluster: Cluster) -> None:
    assert httpx.get(f"http://127.0.0.1:{cluster.port}/livez").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{cluster.port}/readyz").status_code == 200


# --- idempotency


def test_the_same_key_and_body_give_the_first_answer_again(cluster: Cluster) -> None:
    key = uuid4().hex
    text = TEXT | {"to": "16505557003"}
    first = cluster.client.post("/v1/messages", json=text, headers={"idempotency-key": key})
    assert first.status_code == 202
    assert "idempotency-replayed" not in first.headers
    until(lambda: cluster.message(first.json()["id"])["status"] not in ("queued", "sending"), "it was sent")
    again = cluster.client.post("/v1/messages", json=text, headers={"idempotency-key": key})
    assert again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]


def test_the_same_key_with_another_body_is_409(cluster: Cluster) -> None:
    key = uuid4().hex
    assert cluster.client.post("/v1/messages", json=TEXT, headers={"idempotency-key": key}).status_code == 202
    other = cluster.client.post("/v1/messages", json=TEXT | {"to": "16505559999"}, headers={"idempotency-key": key})
    assert assert_problem(other, 409)["code"] == "idempotency_conflict"


def test_four_clients_with_one_key_make_one_message(cluster: Cluster) -> None:
    phone = "16505557001"
    for _ in range(5):
        key = uuid4().hex
        body = {"to": phone, "type": "text", "text": {"body": key}}

        def ask(_: int, key: str = key, body: dict[str, Any] = body) -> httpx.Response:
            with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}", headers=cluster.client.headers) as client:
                return client.post("/v1/messages", json=body, headers={"idempotency-key": key})

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(ask, range(4)))
        taken = [answer for answer in answers if answer.status_code == 202]
        assert taken
        for answer in answers:
            if answer.status_code != 202:
                assert assert_problem(answer, 409)["code"] == "idempotency_in_progress"
        assert len({answer.json()["id"] for answer in taken}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in taken) <= 1
    found = cluster.all_pages("/v1/messages", to=phone)
    assert len(found) == 5


def test_a_batch_with_a_key_is_replayed_whole(cluster: Cluster) -> None:
    key, phone = uuid4().hex, "16505557002"
    batch = {"messages": [{"to": phone, "type": "text", "text": {"body": f"{i}"}} for i in range(20)]}
    first = cluster.client.post("/v1/messages/batch", json=batch, headers={"idempotency-key": key})
    again = cluster.client.post("/v1/messages/batch", json=batch, headers={"idempotency-key": key})
    assert first.status_code == again.status_code == 202
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(cluster.all_pages("/v1/messages", to=phone)) == 20


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"\xff\xfe", b"\xed\xa0\x80"], ids=["empty", "long", "bytes", "half"])
def test_a_key_that_cannot_be_kept_is_refused(cluster: Cluster, key: bytes) -> None:
    answer = cluster.client.post("/v1/messages", json=TEXT, headers=[(b"idempotency-key", key)])
    problem = assert_problem(answer, 422)
    assert [fault["path"] for fault in problem["errors"]] == ["Idempotency-Key"]


# --- batches


def test_a_batch_past_its_limit_or_without_messages_is_refused(cluster: Cluster) -> None:
    assert_problem(cluster.client.post("/v1/messages/batch", json={"messages": [TEXT] * 1_001}), 413)
    for listed in ([], {}, None, "x", {"$ne": []}):
        assert_problem(cluster.client.post("/v1/messages/batch", json={"messages": listed}), 422)


# --- the cloud webhook


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def stored_notifications(cluster: Cluster) -> list[bytes]:
    uri = f"mongodb://127.0.0.1:{cluster.database_port}/?directConnection=true&retryWrites=false"
    client: pymongo.MongoClient[dict[str, Any]]
    with pymongo.MongoClient(uri, serverSelectionTimeoutMS=5_000) as client:
        return [bytes(document["body"]) for document in client["panal"]["notifications"].find({}, {"body": 1})]


def test_the_handshake_echoes_the_challenge_for_our_token_alone(cluster: Cluster) -> None:
    ours = {"hub.mode": "subscribe", "hub.verify_token": "sandbox-verify", "hub.challenge": "1158201444"}
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}") as meta:
        answer = meta.get("/webhooks/whatsapp", params=ours)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        for wrong in ({"hub.verify_token": "x"}, {"hub.mode": "unsubscribe"}, {"hub.challenge": ""}):
            assert_problem(meta.get("/webhooks/whatsapp", params=ours | wrong), 403)
        assert_problem(meta.get("/webhooks/whatsapp"), 403)
        assert_problem(meta.get("/webhooks/whatsapp?hub.verify_token=%ff%fe&hub.mode=subscribe&hub.challenge=1"), 403)


def test_a_bad_signature_is_401_and_nothing_is_stored(cluster: Cluster) -> None:
    body = json.dumps({"object": "whatsapp_business_account", "entry": [], "marker": uuid4().hex}).encode()
    sha1 = "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    good = {"x-hub-signature-256": signed(body + b" ")}
    bad = [None, "", "sha256=", sha1, signed(body, "other"), signed(body + b" "), signed(body).upper(), "sha256=é"]
    with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port}") as meta:
        for signature in bad:
            headers = [] if signature is None else [(b"x-hub-signature-256", signature.encode())]
            answer = meta.post("/webhooks/whatsapp", content=body, headers=headers)
            assert assert_problem(answer, 401)["code"] == "bad_signature"
        assert meta.post("/webhooks/whatsapp", content=body + b" ", headers=good).status_code == 200
    stored = stored_notifications(cluster)
    assert body + b" " in stored
    assert body not in stored


def notify(cluster: Cluster, body: bytes) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{cluster.port}/webhooks/whatsapp",
        content=body,
        headers={"x-hub-signature-256": signed(body)},
    )
    assert answer.status_code == 200, answer.text


def inbound(wamid: str, **more: Any) -> dict[str, Any]:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
        "contacts": [{"wa_id": "16505557100", "profile": {"name": "Ana"}}],
        "messages": [
            {"id": wamid, "from": "16505557100", "timestamp": "1767323045", "type": "text", "text": {"body": "hola"}}
            | more
        ],
    }
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}


def test_a_signed_notification_of_any_shape_stops_nothing(cluster: Cluster) -> None:
    """What one notification holds must not keep those behind it from being read."""
    deep: Any = "x"
    for _ in range(300):
        deep = {"a": [deep]}
    numbers = count()
    odd = [
        b"{", b"null", b"[]", b"7", b"\xff\xfe", b'{"entry": 7}', b'{"entry": [{"changes": [null, 7, {"value": 1}]}]}',
        *(
            json.dumps(inbound(f"wamid.odd{next(numbers)}", **more)).encode()
            for more in (
                {"text": {"body": "\ud800 half"}}, {"text": {"body": "a\0b"}}, {"text": {"a\0b": 1, "$set": {"x": 1}}},
                {"order": {"n": 2**63}}, {"order": {"n": 2**64}}, {"order": {"n": 10**40}}, {"order": deep},
                {"timestamp": "99999999999999999999"}, {"timestamp": "NaN"}, {"timestamp": None}, {"type": {"$ne": 1}},
                {"from": "1" * 500}, {"text": {"body": "x" * 200_000}}, {"id": {"$gt": ""}}, {"type": "unheard_of"},
                {"context": {"id": ["x"]}}, {"text": None}, {"seq": 5, "status": "failed", "timeline": 7},
            )
        ),
    ]  # fmt: skip
    for body in odd:
        notify(cluster, body)
    last = f"wamid.{uuid4().hex}"
    notify(cluster, json.dumps(inbound(last)).encode())

    def is_there() -> bool:
        found = cluster.client.get("/v1/messages", params={"direction": "in", "limit": 200}).json()["data"]
        return any(message["wamid"] == last for message in found)

    until(is_there, "the last notification was read", context=lambda: cluster.log[-3_000:])
    for message in cluster.all_pages("/v1/messages", direction="in"):
        whole = cluster.message(message["id"])
        assert whole["status"] == "received"
        assert [step["status"] for step in whole["timeline"]] == ["received"]
    assert cluster.client.get("/readyz").status_code == 200


# --- below HTTP


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /livez HTTP/1.1\r\nx: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda data: repr(data[:30]),
)
def test_what_is_not_http_gets_a_client_error_or_a_closed_connection(cluster: Cluster, request_bytes: bytes) -> None:
    said = raw(cluster, request_bytes)
    if said:
        status = int(said.split(b" ", 2)[1])
        assert 400 <= status < 500, said[:300]
        assert PROBLEM.encode() in said, said[:600]
    assert cluster.client.get("/livez").status_code == 200


# --- one connection, many requests: a header that is the same as the last one is not read again


def request(body: bytes, *, first: bytes = b"POST /v1/messages HTTP/1.1", key: str, more: bytes = b"") -> bytes:
    head = b"%b\r\nhost: a\r\nauthorization: Bearer %b\r\ncontent-type: application/json\r\n" % (first, key.encode())
    return head + more + b"content-length: %d\r\n\r\n" % len(body) + body


def converse(cluster: Cluster, *pieces: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Answers to what is sent on one connection: status, header, body. The next piece goes out after an answer."""
    answers = []
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=10) as connection:
        stream = connection.makefile("rb")
        for piece in pieces:
            connection.sendall(piece)
            status = int(stream.readline().split()[1])
            header = {}
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.decode().partition(": ")
                header[name] = value
            is_head = piece.startswith(b"HEAD")
            answers.append((status, header, b"" if is_head else stream.read(int(header.get("content-length", 0)))))
    return answers


def text(body: str) -> bytes:
    return json.dumps({**TEXT, "text": {"body": body}}).encode()


def test_the_same_header_again_has_a_body_and_an_answer_of_its_own(cluster: Cluster) -> None:
    key = cluster.key
    bodies = [f"again-{number}" for number in range(5)]
    answers = converse(cluster, *(request(text(body), key=key) for body in bodies))
    assert [status for status, _, _ in answers] == [202] * 5
    for body, (_, header, answer) in zip(bodies, answers, strict=True):
        id_ = json.loads(answer)["id"]
        assert header["location"] == f"/v1/messages/{id_}"
        assert header["content-type"] == "application/json"
        assert header["connection"] == "keep-alive"
        assert cluster.client.get(f"/v1/messages/{id_}").json()["text"]["body"] == body


def test_whatever_differs_from_the_last_request_is_heeded(cluster: Cluster) -> None:
    key, body = cluster.key, text("differs")
    plain = request(body, key=key)
    answers = converse(
        cluster,
        plain,
        request(body, key="nobody"),
        plain,
        request(b"{", key=key),
        request(body + b" ", key=key),
        request(body, key=key, first=b"POST /v1/nowhere HTTP/1.1"),
        request(body, key=key, first=b"PUT /v1/messages HTTP/1.1"),
        request(body, key=key, first=b"HEAD /v1/messages HTTP/1.1"),
        request(b"", key=key, first=b"GET /v1/messages?limit=1 HTTP/1.1"),
        request(b"", key=key, first=b"GET /v1/messages?limit=2 HTTP/1.1"),
        plain,
        request(body, key=key, more=b"connection: close\r\n"),
    )
    found = [status for status, _, _ in answers]
    assert found[:7] == [202, 401, 202, 400, 202, 404, 405]
    assert found[8:] == [200, 200, 202, 202]
    assert [len(json.loads(answer)["data"]) for _, _, answer in answers[8:10]] == [1, 2]
    assert answers[-1][1]["connection"] == "close"


def test_an_idempotency_key_in_a_known_header_is_the_same_key(cluster: Cluster) -> None:
    more = key_line()
    first, again = converse(cluster, *[request(text("once"), key=cluster.key, more=more)] * 2)
    assert (first[0], again[0]) == (202, 202)
    assert first[2] == again[2]
    assert again[1]["idempotency-replayed"] == "true"


def test_the_fast_path_answers_as_the_router_does(cluster: Cluster) -> None:
    """The first request on a connection goes Sanic's way, the next one of its kind goes short."""
    key, id_ = cluster.key, cluster.client.post("/v1/messages", json=TEXT).json()["id"]
    note = json.dumps({"object": "whatsapp_business_account", "entry": [], "marker": uuid4().hex}).encode()
    sign = b"x-hub-signature-256: %b\r\n" % signed(note).encode()
    hook = request(note, key="", first=b"POST /webhooks/whatsapp HTTP/1.1", more=sign)
    kinds = {
        "accept": [request(text("longer"), key=key), request(text("short"), key=key)],
        "accept once": [request(text("once"), key=key, more=key_line()) for _ in range(2)],
        "drop-in": [request(text("by Meta's words"), key=key, first=b"POST /v23.0/%b/messages HTTP/1.1" % NODE)] * 2,
        "drop-in once": [
            request(text("once"), key=key, first=b"POST /%b/messages HTTP/1.1" % NODE, more=key_line())
            for _ in range(2)
        ],
        "read": [request(b"", key=key, first=b"GET /v1/messages/%b HTTP/1.1" % id_.encode())] * 2,
        "notification": [hook, hook],
    }
    before = requests_counted(cluster)
    for kind, pieces in kinds.items():
        (status, header, body), (status_short, header_short, body_short) = converse(cluster, *pieces)
        assert status == status_short, kind
        of_the_answer = {"location": "", "content-length": ""}
        assert header | of_the_answer == header_short | of_the_answer, kind
        assert list(json.loads(body)) == list(json.loads(body_short)), kind
    accepts, reads = ("POST", "/v1/messages", "202"), ("GET", "/v1/messages/<message_id:str>", "200")
    counted = requests_counted(cluster)
    assert counted[accepts] == before[accepts] + 4
    assert counted[reads] == before.get(reads, 0) + 2

    def told() -> int:
        return sum("http.request" in line and id_ in line and "key_" in line for line in cluster.log.splitlines())

    until(lambda: told() == 2, "the access log has a line for each read, whichever way it went")


def key_line() -> bytes:
    return b"idempotency-key: %b\r\n" % uuid4().hex.encode()


def requests_counted(cluster: Cluster) -> dict[tuple[str, str, str], int]:
    """What all workers count, by method, route and status; the looks at the counts are left out."""
    page = cluster.client.get("/metrics").text
    found = re.findall(r'panal_http_request_seconds_count{method="(\w+)",route="([^"]+)",status="(\d+)"} (\S+)', page)
    return {(method, route, status): int(float(n)) for method, route, status, n in found if route != "/metrics"}


def test_on_a_kept_connection_too_what_is_refused_is_refused(cluster: Cluster) -> None:
    """Each second request of its kind would go the fast path, if nothing spoke against it."""
    key, good = cluster.key, request(text("good"), key=cluster.key)
    only_read = cluster.client.post("/v1/keys", json={"name": "reads", "scopes": ["messages:read"]}).json()["key"]
    stranger = json.dumps({"to": "16505550199", "type": "text", "text": {"body": "x"}}).encode()
    cases: dict[str, tuple[bytes, int]] = {
        "a window that is closed": (request(stranger, key=key), 422),
        "an unknown number": (request(json.dumps({**TEXT, "from": "1"}).encode(), key=key), 422),
        "a fault": (request(b'{"to": 1, "type": "text", "text": {"body": ""}}', key=key), 422),
        "a list": (request(b"[]", key=key), 400),
        "an unknown message": (request(b"", key=key, first=b"GET /v1/messages/msg_0 HTTP/1.1"), 404),
        "another path": (request(b"", key=key, first=b"GET /v1/messages/a/b HTTP/1.1"), 404),
        "a key that lacks the scope": (request(text("good"), key=only_read), 403),
    }
    for name, (piece, status) in cases.items():
        found = [answer[0] for answer in converse(cluster, good, piece, piece, good)]
        assert found == [202, status, status, 202], name
    send = b"POST /v23.0/%b/messages HTTP/1.1" % NODE
    by_meta = {
        "a fault": request(b'{"to": "1"}', key=key, first=send),
        "another number": request(text("x"), key=key, first=b"POST /v23.0/1/messages HTTP/1.1"),
        "a read mark": request(b'{"status": "read", "message_id": "wamid.none"}', key=key, first=send),
        "a key that lacks the scope": request(text("x"), key=only_read, first=send),
    }
    for name, piece in by_meta.items():
        before, *refused, after = converse(cluster, request(text("x"), key=key, first=send), piece, piece, good)
        assert (before[0], after[0]) == (200, 202), name
        assert all(status >= 400 and "error" in json.loads(answer) for status, _, answer in refused), name
    read = request(b"", key=only_read, first=b"GET /v1/messages?limit=1 HTTP/1.1")
    assert [answer[0] for answer in converse(cluster, read, read)] == [200, 200]
    note = json.dumps({"object": "whatsapp_business_account", "entry": [], "marker": uuid4().hex}).encode()
    hooks = [
        request(note, key="", first=b"POST /webhooks/whatsapp HTTP/1.1", more=b"x-hub-signature-256: %b\r\n" % sign)
        for sign in (signed(note).encode(), signed(note + b" ").encode(), signed(note).encode())
    ]
    assert [answer[0] for answer in converse(cluster, *hooks)] == [200, 401, 200]


def test_on_a_kept_connection_too_a_key_is_used_once(cluster: Cluster) -> None:
    more, other = key_line(), key_line()
    once = request(text("just once"), key=cluster.key, more=more)
    begin = request(text("beginning"), key=cluster.key, more=other)
    _, first, again, changed, last = converse(
        cluster, begin, once, once, request(text("not that"), key=cluster.key, more=more), once
    )
    assert [first[0], again[0], changed[0], last[0]] == [202, 202, 409, 202]
    assert first[2] == again[2] == last[2]
    assert "idempotency-replayed" not in first[1]
    assert again[1]["idempotency-replayed"] == last[1]["idempotency-replayed"] == "true"


def test_a_body_in_pieces_and_requests_in_one_piece(cluster: Cluster) -> None:
    """The header of the second is known, and its body comes later; then three requests come at once."""
    one = request(text("pieces"), key=cluster.key)
    with socket.create_connection(("127.0.0.1", cluster.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile("rb")

        def status() -> int:
            found = int(stream.readline().split()[1])
            size = 0
            while (line := stream.readline().strip()) != b"":
                if line.startswith(b"content-length: "):
                    size = int(line.split()[1])
            stream.read(size)
            return found

        connection.sendall(one)
        assert status() == 202
        for cut in (10, one.index(b"\r\n\r\n") + 2, one.index(b"\r\n\r\n") + 4, len(one) - 5):
            connection.sendall(one[:cut])
            connection.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.recv(1, socket.MSG_PEEK)  # it waits for the rest
            connection.settimeout(10)
            connection.sendall(one[cut:])
            assert status() == 202
        connection.sendall(one * 3)
        assert [status() for _ in range(3)] == [202] * 3
        connection.sendall(one.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1))
        assert status() == 202
        assert stream.read() == b"", "HTTP/1.0 without keep-alive: the connection ends"
