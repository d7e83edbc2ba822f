"""The drop-in for Meta's Cloud API on the real command: a client changes its base URL, and finds what it knows."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from services.messages import message_id_of
from tests.harness import Cluster, start_cluster
from tests.harness.cluster import NUMBER
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

WABA = "102290129340398"
PHONE = "16505557001"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with start_cluster(tmp_path_factory.mktemp("cloud_api"), workers=2) as running:
        running.write_as_customer(PHONE, "Hello?")
        until(lambda: running.all_pages("/v1/conversations"), "the customer has a conversation")
        yield running


def text(to: str = PHONE, body: str = "Hola", **more: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}, **more}


def error_of(answer: httpx.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    return error


@pytest.mark.parametrize("prefix", ["", "/v14.0", "/v23.0", "/v99.9", "/v2"])
def test_every_version_is_known_and_none_is_one_too(cluster: Cluster, prefix: str) -> None:
    answer = cluster.client.post(f"{prefix}/{NUMBER}/messages", json=text(to="+1 (650) 555-7001"))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["messaging_product"] == "whatsapp"
    assert body["contacts"] == [{"input": "+1 (650) 555-7001", "wa_id": PHONE}]
    assert body["messages"][0]["id"].startswith("wamid.")


def test_the_key_may_stand_in_the_query_and_bodies_in_forms(cluster: Cluster) -> None:
    url = f"{cluster.client.base_url}/v23.0/{NUMBER}/messages"
    answer = httpx.post(f"{url}?access_token={cluster.key}", json=text())
    assert answer.status_code == 200, answer.text
    form = {"messaging_product": "whatsapp", "to": PHONE, "text": '{"body":"as a form"}'}
    assert cluster.client.post(url, data=form).status_code == 200

    def in_pieces() -> Iterator[bytes]:
        yield b'{"messaging_product":"whatsapp","to":"16505557001",'
        yield b'"text":{"body":"chunked"}}'

    assert cluster.client.post(url, content=in_pieces()).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({}, 401, 104), ({"authorization": "Bearer nope"}, 401, 190), ({"authorization": "Basic x"}, 401, 104)],
)
def test_who_may_not_call_is_told_as_by_graph(
    cluster: Cluster, headers: dict[str, str], status: int, code: int
) -> None:
    answer = httpx.post(f"{cluster.client.base_url}/v23.0/{NUMBER}/messages", json=text(), headers=headers)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v23.0/123/messages"),
        ("GET", "/v23.0/123"),
        ("GET", "/123"),
        ("DELETE", "/v23.0/999999999999999"),
        ("GET", f"/v23.0/{NUMBER}/no_such_edge"),
        ("GET", "/v23.0/me"),
    ],
)
def test_an_unknown_id_or_edge_is_100_33(cluster: Cluster, method: str, path: str) -> None:
    answer = cluster.client.request(method, path, json=text() if method == "POST" else None)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
    assert error["type"] == "GraphMethodException"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (text(body=""), 100),
        ({"messaging_product": "whatsapp", "text": {"body": "x"}}, 131008),
        (text(to="12"), 131009),
        ({**text(), "type": "poll"}, 131051),
        ({**text(), "type": "template", "template": {"name": "nobody", "language": {"code": "es"}}}, 132001),
        ({**text(), "type": "image", "image": {"id": "123456"}}, 100),
    ],
)
def test_what_meta_refuses_at_once_is_refused_at_once(cluster: Cluster, body: dict[str, Any], code: int) -> None:
    answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=body)
    assert error_of(answer)["code"] == code
    assert answer.status_code == (404 if code == 132001 else 400)


def test_a_closed_window_is_told_later_as_meta_does(cluster: Cluster) -> None:
    answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=text(to="16505557999"))
    assert answer.status_code == 200

    def failed() -> list[dict[str, Any]]:
        found = cluster.all_pages("/v1/messages", to="16505557999")
        return [message for message in found if message["status"] == "failed"]

    [message] = until(failed, "it failed")
    assert message["error"]["code"] == 131047


def test_replies_and_reactions_name_messages_by_the_answered_id(cluster: Cluster) -> None:
    def send(body: dict[str, Any]) -> str:
        answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["messages"][0]["id"])

    first = send(text(body="first of all"))
    # At once: the first may still wait for its turn.
    send(text(body="about the first", context={"message_id": first}))
    send({**text(), "type": "reaction", "reaction": {"message_id": first, "emoji": "👍"}})
    send(text(body="about nothing", context={"message_id": "wamid.bXNnXzAxSzAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"}))

    def shown(**wanted: Any) -> list[dict[str, Any]]:
        return [one for one in cluster.phone(PHONE) if all(one.get(name) == value for name, value in wanted.items())]

    [original] = until(lambda: shown(text={"body": "first of all"}), "the first arrived")
    [quote] = until(lambda: shown(text={"body": "about the first"}), "the reply arrived")
    assert quote["context"] == {"message_id": original["wamid"]}
    [reaction] = until(lambda: shown(type="reaction"), "the reaction arrived")
    assert reaction["reaction"]["message_id"] == original["wamid"]
    [lost] = until(lambda: shown(text={"body": "about nothing"}), "a quote of nothing costs the quote alone")
    assert "context" not in lost


def test_a_read_mark_reaches_the_phone_and_the_conversation(cluster: Cluster) -> None:
    wamid = cluster.write_as_customer(PHONE, "Read me")
    until(
        lambda: any(one["wamid"] == wamid for one in cluster.all_pages("/v1/messages", direction="in")), "it is stored"
    )
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    for body in (mark, {**mark, "typing_indicator": {"type": "text"}}):
        answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert next(one for one in cluster.phone(PHONE) if one["wamid"] == wamid)["status"] == "seen"
    until(lambda: cluster.all_pages("/v1/conversations")[0]["unread_count"] == 0, "nothing is unread")
    answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json={**mark, "message_id": "wamid.nobody"})
    assert error_of(answer)["code"] == 131009


def test_a_link_that_refuses_read_marks_says_so_with_its_code(cluster: Cluster) -> None:
    wamid = cluster.write_as_customer(PHONE, "Mark me")
    until(
        lambda: any(one["wamid"] == wamid for one in cluster.all_pages("/v1/messages", direction="in")), "it is stored"
    )
    rule = {"match": {"type": "read"}, "when": {"next": 1}, "then": {"error": 131005}}
    assert cluster.sandbox.post("/_sandbox/rules", json=rule).status_code == 200
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
    answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=body)
    assert error_of(answer)["code"] == 131005
    cluster.sandbox.delete("/_sandbox/rules")


def test_marketing_messages_are_marketing_templates_alone(cluster: Cluster) -> None:
    path = f"/v23.0/{NUMBER}/marketing_messages"
    assert error_of(cluster.client.post(path, json=text()))["code"] == 131055
    hello = {**text(), "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}
    assert error_of(cluster.client.post(path, json={**hello, "product_policy": "STRICT"}))["code"] == 134100


def test_a_marketing_message_keeps_its_two_fields_and_goes_by_its_own_edge(cluster: Cluster) -> None:
    body = {"name": "spring_sale", "language": "es", "category": "MARKETING"}
    components = [{"type": "BODY", "text": "Oferta"}]
    created = cluster.client.post(f"/v23.0/{WABA}/message_templates", json={**body, "components": components})
    assert created.status_code == 200, created.text
    until(lambda: approved(cluster, "spring_sale"), "the template is approved")
    path, to = f"/v23.0/{NUMBER}/marketing_messages", "16505557011"
    sale = {**text(to=to), "type": "template", "template": {"name": "spring_sale", "language": {"code": "es"}}}
    own = {"product_policy": "STRICT", "message_activity_sharing": False}
    assert cluster.client.post(path, json={**sale, **own}).status_code == 200
    assert cluster.client.post(path, json=sale).status_code == 200
    for faulty in ({"product_policy": "MAYBE"}, {"message_activity_sharing": "yes"}):
        assert error_of(cluster.client.post(path, json={**sale, **faulty}))["code"] == 100

    until(lambda: len(cluster.phone(to)) == 2, "both arrived")
    shown = cluster.phone(to)
    assert [one.get("product_policy") for one in shown] == ["STRICT", "CLOUD_API_FALLBACK"]
    assert [one.get("message_activity_sharing") for one in shown] == [False, None]
    sends = [one for one in cluster.sandbox.get("/_sandbox/log").json() if one.get("to") == to]
    assert [one["path"].rpartition("/")[2] for one in sends] == ["marketing_messages"] * 2


def approved(cluster: Cluster, name: str) -> bool:
    found = cluster.client.get("/v1/templates", params={"name": name}).json()["data"]
    return bool(found) and found[0]["status"] == "APPROVED"


def test_an_idempotency_key_makes_a_send_safe_to_repeat(cluster: Cluster) -> None:
    url = f"/v23.0/{NUMBER}/messages"
    body = text(body="only once")

    def send(key: str, json: dict[str, Any] = body) -> httpx.Response:
        return cluster.client.post(url, json=json, headers={"idempotency-key": key})

    with ThreadPoolExecutor(8) as pool:
        twins = list(pool.map(lambda _: send("twins"), range(8)))
    assert {one.status_code for one in twins} <= {200, 409}, [one.text for one in twins]
    first = send("twins")
    assert (first.status_code, first.headers["idempotency-replayed"]) == (200, "true")
    ids = {one.json()["messages"][0]["id"] for one in [first, *twins] if one.status_code == 200}
    assert len(ids) == 1
    other = send("twins", text(body="another"))
    assert (other.status_code, error_of(other)["code"]) == (409, 100), other.text
    assert "Idempotency-Key" in error_of(other)["error_data"]["details"]
    send("after", text(body="after them"))
    shown = until(
        lambda: found if "after them" in (found := bodies(cluster)) else [], "what was sent after them is there"
    )
    assert shown.count("only once") == 1
    assert "another" not in shown


def bodies(cluster: Cluster) -> list[str]:
    return [one["text"]["body"] for one in cluster.phone(PHONE) if one["type"] == "text"]


def test_numbers_profile_and_block_list_are_metas_answers(cluster: Cluster) -> None:
    number = cluster.client.get(f"/v23.0/{NUMBER}").json()
    assert number["id"] == NUMBER
    assert number["verified_name"]
    listed = cluster.client.get(f"/v23.0/{WABA}/phone_numbers").json()
    assert [one["id"] for one in listed["data"]] == [NUMBER]
    profile = f"/v23.0/{NUMBER}/whatsapp_business_profile"
    assert cluster.client.post(profile, json={"messaging_product": "whatsapp", "about": "Abierto"}).json()["success"]
    assert cluster.client.get(profile, params={"fields": "about"}).json()["data"][0]["about"] == "Abierto"
    block = {"messaging_product": "whatsapp", "block_users": [{"user": PHONE}]}
    added = cluster.client.post(f"/v23.0/{NUMBER}/block_users", json=block).json()["block_users"]["added_users"]
    assert added == [{"input": PHONE, "wa_id": PHONE}]
    removed = cluster.client.request("DELETE", f"/v23.0/{NUMBER}/block_users", json=block).json()
    assert removed["block_users"]["removed_users"] == [{"input": PHONE, "wa_id": PHONE}]


def test_paging_leads_to_us_and_our_token_stays_here(cluster: Cluster) -> None:
    for name in ("page_one", "page_two"):
        body = {"name": name, "language": "es", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hola"}]}
        assert cluster.client.post(f"/v23.0/{WABA}/message_templates", json=body).status_code == 200
    path: str | None = f"/v23.0/{WABA}/message_templates?limit=1&summary=total_count"
    seen: list[str] = []
    while path is not None:
        answer = cluster.client.get(path)
        assert "sandbox-token" not in answer.text
        page = answer.json()
        assert page["summary"]["total_count"] >= 3
        seen += [one["name"] for one in page["data"]]
        following = page["paging"].get("next")
        path = str(following).removeprefix(str(cluster.client.base_url).rstrip("/")) if following else None
        assert path is None or path.startswith("/v23.0/")
    assert {"hello_world", "page_one", "page_two"} <= set(seen)


def test_our_own_paths_are_not_taken_for_metas(cluster: Cluster) -> None:
    assert cluster.client.get("/v1/messages").json()["data"] is not None
    assert cluster.client.get("/v1/nothing").json()["code"] == "no_such_path"
    assert cluster.client.get("/livez").json() == {"status": "ok"}


def key_of(cluster: Cluster, **facts: Any) -> dict[str, str]:
    """The headers of a caller with a key of his own."""
    answer = cluster.client.post("/v1/keys", json={"name": "drop-in", **facts})
    assert answer.status_code == 201, answer.text
    return {"authorization": f"Bearer {answer.json()['key']}"}


def test_a_key_does_only_what_its_scopes_allow(cluster: Cluster) -> None:
    sender = key_of(cluster, scopes=["messages:send"])
    base = str(cluster.client.base_url)
    assert httpx.post(f"{base}/v23.0/{NUMBER}/messages", json=text(), headers=sender).status_code == 200
    for method, path in (
        ("GET", NUMBER),
        ("POST", f"{NUMBER}/register"),
        ("GET", f"{WABA}/message_templates"),
        ("POST", f"{WABA}/subscribed_apps"),
        ("POST", f"{NUMBER}/media"),
        ("POST", "42/uploads"),
    ):
        answer = httpx.request(method, f"{base}/v23.0/{path}", headers=sender)
        assert (answer.status_code, error_of(answer)["code"]) == (403, 200), f"{method} {path}: {answer.text}"


def test_a_key_of_another_number_sees_nothing_of_this_one(cluster: Cluster) -> None:
    every = ["messages:send", "numbers", "templates", "media", "contacts", "webhook_endpoints", "admin"]
    stranger = key_of(cluster, scopes=every, numbers=["1"])
    base = str(cluster.client.base_url)
    for method, path in (
        ("POST", f"{NUMBER}/messages"),
        ("GET", NUMBER),
        ("GET", f"{NUMBER}/whatsapp_business_profile"),
        ("GET", f"{WABA}/message_templates"),
        ("GET", f"{WABA}/subscribed_apps"),
        ("GET", "123"),
    ):
        body = text() if method == "POST" else None
        answer = httpx.request(method, f"{base}/v23.0/{path}", json=body, headers=stranger)
        assert (answer.status_code, error_of(answer)["error_subcode"]) == (400, 33), f"{method} {path}: {answer.text}"


def test_every_call_to_whatsapp_is_proved_to_come_from_the_app(cluster: Cluster) -> None:
    """Meta's app setting "Require app secret": a call without the right `appsecret_proof` is refused."""
    cluster.sandbox.put("/_sandbox/settings", json={"require_proof": True})
    try:
        direct = cluster.sandbox.get(f"/v23.0/{NUMBER}", headers={"authorization": "Bearer sandbox-token"})
        assert (direct.status_code, error_of(direct)["code"]) == (400, 100)
        sent = cluster.send(PHONE, "proved")
        until(lambda: cluster.message(sent["id"])["status"] in ("delivered", "read"), "the message arrives")
        file = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "image/png")}
        media = cluster.client.post(f"/v23.0/{NUMBER}/media", data={"messaging_product": "whatsapp"}, files=file)
        picture = {"messaging_product": "whatsapp", "to": PHONE, "type": "image", "image": {"id": media.json()["id"]}}
        assert cluster.client.post(f"/v23.0/{NUMBER}/messages", json=picture).status_code == 200
        until(lambda: "image" in [entry["type"] for entry in cluster.phone(PHONE)], "a picture arrives, too")
        for path in (
            NUMBER,
            f"{NUMBER}/whatsapp_business_profile",
            f"{WABA}/message_templates",
            f"{WABA}/phone_numbers",
        ):
            assert cluster.client.get(f"/v23.0/{path}").status_code == 200, path
        assert cluster.client.post("/v1/templates/sync").status_code < 300
    finally:
        cluster.sandbox.put("/_sandbox/settings", json={"require_proof": False})


def test_a_group_is_a_conversation_of_its_own_with_a_window_of_its_own(cluster: Cluster) -> None:
    group, member = "Y2FwaV9ncm91cDox", "16505557099"
    message = {"type": "text", "text": {"body": "hello all"}, "group_id": group}
    assert cluster.sandbox.post(f"/_sandbox/phones/{member}/messages", json=message).status_code == 200

    def of_the_group() -> dict[str, Any] | None:
        found = cluster.all_pages("/v1/conversations")
        return next((one for one in found if one["contact"]["group_id"] == group), None)

    conversation = until(of_the_group, "the group has a conversation")
    assert conversation["contact"]["wa_id"] is None
    private = {"to": member, "type": "text", "text": {"body": "in private"}}
    refused = cluster.client.post("/v1/messages", json=private)
    assert refused.json()["code"] == "window_closed", refused.text
    answer = cluster.client.post(f"/v23.0/{NUMBER}/messages", json=text(to=group, recipient_type="group"))
    assert answer.status_code == 200, answer.text
    ours = message_id_of(answer.json()["messages"][0]["id"])
    assert ours is not None
    until(lambda: cluster.message(ours)["status"] in ("sent", "delivered", "read"), "the group gets it")
    assert cluster.message(ours)["conversation_id"] == conversation["id"]
