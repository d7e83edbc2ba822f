"""Media, templates, numbers, profiles, blocks, callbacks and the rest of the Graph paths."""

import hashlib
import hmac
import io
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

pytestmark = pytest.mark.integration

PHONE = "16505551234"
NUMBER = "106540352242922"
WABA = "102290129340398"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


def form(kind: str = "image/png", size_bytes: int = -1, **more: str) -> aiohttp.FormData:
    fields = aiohttp.FormData()
    data = PNG if size_bytes < 0 else bytes(size_bytes)
    fields.add_field("file", io.BytesIO(data), filename="/home/me/a.png", content_type=kind)
    for name, value in {"messaging_product": "whatsapp", **more}.items():
        fields.add_field(name, value)
    return fields


async def uploaded(sandbox: Any, **more: Any) -> str:
    status, answer = await sandbox.call("POST", f"/v23.0/{NUMBER}/media", data=form(**more))
    assert status == 200, answer
    return str(answer["id"])


async def test_media_is_uploaded_described_fetched_sent_and_deleted(sandbox: Any) -> None:
    media_id = await uploaded(sandbox)
    assert media_id.isdecimal()
    facts = await sandbox.get(f"/v23.0/{media_id}?phone_number_id={NUMBER}")
    assert facts["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (facts["mime_type"], facts["file_size"]) == ("image/png", len(PNG))
    async with aiohttp.ClientSession() as stranger, stranger.get(facts["url"]) as answer:
        assert await answer.read() == PNG
        assert answer.content_type == "image/png"
    async with sandbox.session.get(facts["url"], headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status, await answer.read()) == (206, PNG[:4])
    async with sandbox.session.get(facts["url"].replace("hash=", "hash=0")) as answer:
        assert answer.status == 404
    await sandbox.sent(PHONE, type="image", image={"id": media_id})
    assert (await sandbox.call("DELETE", f"/v23.0/{media_id}"))[1] == {"success": True}
    status, answer = await sandbox.send(PHONE, type="image", image={"id": media_id})
    assert (status, answer["error"]["code"]) == (400, 100)
    assert "media attachment ID" in answer["error"]["message"]
    status, answer = await sandbox.call("GET", f"/v23.0/{media_id}")
    assert (status, answer["error"]["error_subcode"]) == (400, 33)


async def test_media_parameters_may_stand_in_the_query_and_the_type_be_missing(sandbox: Any) -> None:
    fields = aiohttp.FormData()
    fields.add_field("file", PNG, filename="a.png", content_type="image/png")
    path = f"/{NUMBER}/media?messaging_product=whatsapp"
    assert (await sandbox.call("POST", path, data=fields))[0] == 200


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "image/gif"}, "must be a file with one of the following types"),
        ({"kind": "application/octet-stream"}, "Received file of type 'application/octet-stream'"),
        ({"size_bytes": 0}, "non-empty"),
        ({"size_bytes": 5 * 1024 * 1024 + 1}, "must be atmost 5242880 bytes"),
    ],
)
async def test_wrong_media_is_refused(sandbox: Any, more: Any, words: str) -> None:
    status, answer = await sandbox.call("POST", f"/v23.0/{NUMBER}/media", data=form(**more))
    assert (status, answer["error"]["code"]) == (400, 100)
    assert words in str(answer)


async def test_media_of_another_number_is_unknown(sandbox: Any) -> None:
    media_id = await uploaded(sandbox)
    assert (await sandbox.call("GET", f"/v23.0/{media_id}?phone_number_id=1"))[0] == 400
    await sandbox.put("/_sandbox/numbers/200000000000001", {"display_phone_number": "15550783999"})
    body = {"messaging_product": "whatsapp", "to": PHONE, "type": "image", "image": {"id": media_id}}
    assert (await sandbox.call("POST", "/v23.0/200000000000001/messages", json=body))[0] == 400


async def test_a_dead_loopback_link_fails_late_and_a_sample_does_not(sandbox: Any, receiver: Any, until: Any) -> None:
    dead = await sandbox.sent(PHONE, type="image", image={"link": f"{sandbox.url}/_sandbox/sample.gif"})
    wrong = await sandbox.sent(PHONE, type="image", image={"link": f"{sandbox.url}/_sandbox/sample.pdf"})
    good = await sandbox.sent(PHONE, type="image", image={"link": f"{sandbox.url}/_sandbox/sample.png"})
    await until(lambda: (good, "read") in receiver.statuses(), "the good one is read")
    errors = [value["statuses"][0]["errors"][0] for value in receiver.values() if "errors" in value["statuses"][0]]
    assert [error["code"] for error in errors] == [131053, 131053]
    assert "http code 404" in errors[0]["error_data"]["details"]
    assert [status for status in receiver.statuses() if status[0] in (dead, wrong)] == [
        (dead, "failed"),
        (wrong, "failed"),
    ]


async def test_a_resumable_upload_gives_a_handle_for_the_profile(sandbox: Any) -> None:
    path = f"/v23.0/1234/uploads?file_name=a.jpg&file_length={len(PNG)}&file_type=image/jpeg"
    session = (await sandbox.call("POST", path))[1]["id"]
    assert session.startswith("upload:")
    assert "?sig=" in session
    headers = {"file_offset": "0", "Authorization": "OAuth a-token-of-this-test", "Content-Type": "application/json"}
    _, answer = await sandbox.call("POST", f"/v23.0/{session}", data=PNG[:50], headers=headers)
    assert answer["file_offset"] == 50
    assert (await sandbox.get(f"/v23.0/{session}"))["file_offset"] == 50
    rest = {**headers, "file_offset": "50"}
    _, answer = await sandbox.call("POST", f"/v23.0/{session}", data=PNG[50:], headers=rest)
    assert answer["h"].startswith("4::")
    profile = {"messaging_product": "whatsapp", "about": "Hi", "websites": '["https://a.test"]'}
    path = f"/v23.0/{NUMBER}/whatsapp_business_profile"
    assert await sandbox.post(path, {**profile, "profile_picture_handle": answer["h"]}) == {"success": True}
    [shown] = (await sandbox.get(f"{path}?fields=about,websites,vertical,profile_picture_url"))["data"]
    assert shown["about"] == "Hi"
    assert shown["websites"] == ["https://a.test"]
    assert shown["vertical"] == "OTHER"
    assert urlsplit(shown["profile_picture_url"]).path == "/_sandbox/sample.jpg"
    assert (await sandbox.call("POST", path, json={"about": "x" * 140}))[0] == 400


def template(name: str = "order_1", **more: Any) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is here.", "example": {"body_text": [["A", "1"]]}}
    quick = {"type": "QUICK_REPLY", "text": "Stop"}
    url = {"type": "URL", "text": "See", "url": "https://a.test/{{1}}"}
    header = {"type": "HEADER", "format": "IMAGE"}
    components = [header, body, {"type": "BUTTONS", "buttons": [quick, url]}]
    return {"name": name, "language": "es", "category": "MARKETING", "components": components, **more}


async def test_a_template_lives_from_creation_to_deletion(sandbox: Any, receiver: Any, until: Any) -> None:
    path = f"/v23.0/{WABA}/message_templates"
    answer = await sandbox.post(path, template())
    assert (answer["status"], answer["category"]) == ("PENDING", "MARKETING")
    await until(lambda: receiver.values("message_template_status_update"), "the approval")
    [news] = receiver.values("message_template_status_update")
    assert (news["event"], news["message_template_id"]) == ("APPROVED", int(answer["id"]))
    shown = await sandbox.get(f"/v23.0/{answer['id']}?fields=name,status")
    assert shown == {"name": "order_1", "status": "APPROVED", "id": answer["id"]}
    status, again = await sandbox.call("POST", path, json=template())
    assert (status, again["error"]["error_subcode"]) == (400, 2388024)
    assert await sandbox.post(f"/v23.0/{answer['id']}", {"category": "UTILITY"})
    status, gone = await sandbox.call("DELETE", f"{path}?name=order_1")
    assert (status, gone) == (200, {"success": True})
    assert (await sandbox.call("GET", f"/v23.0/{answer['id']}"))[1]["error"]["error_subcode"] == 33


async def test_a_template_send_is_matched_with_its_template(sandbox: Any, receiver: Any, until: Any) -> None:
    template_id = (await sandbox.post(f"/v23.0/{WABA}/message_templates", template()))["id"]
    await until(lambda: receiver.bodies, "the approval")
    header = {"type": "HEADER", "parameters": [{"type": "image", "image": {"link": "https://a.test/a.png"}}]}
    body = {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "7"}]}
    url = {"type": "button", "sub_type": "URL", "index": 1, "parameters": [{"type": "text", "text": "x"}]}

    async def outcome(*components: Any, name: str = "order_1") -> tuple[int, str]:
        content = {"name": name, "language": {"code": "es"}, "components": list(components)}
        status, answer = await sandbox.send(PHONE, type="template", template=content)
        if status == 200:
            assert answer["messages"][0]["message_status"] == "accepted"
            return 0, ""
        return answer["error"]["code"], answer["error"].get("error_data", {}).get("details", "")

    assert await outcome(header, body, url) == (0, "")
    one_short = {**body, "parameters": body["parameters"][:1]}
    assert await outcome(header, one_short, url) == (
        132000,
        "body: number of localizable_params (1) does not match the expected number of params (2)",
    )
    assert (await outcome(body, url))[0] == 132012
    assert await outcome(header, body) == (131008, "buttons: Button at index 1 of type Url requires a parameter")
    assert await outcome(name="nothing") == (132001, "template name (nothing) does not exist in es")
    await sandbox.post(f"/_sandbox/templates/{template_id}", {"status": "PAUSED"})
    assert (await outcome(header, body, url))[0] == 132015
    await until(lambda: len(receiver.values("message_template_status_update")) == 2, "the news of the pause")


async def test_a_reviewer_may_be_slow_or_say_no(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put("/_sandbox/settings", {"template_verdict": "REJECTED", "approve_after_ms": 200})
    template_id = (await sandbox.post(f"/v23.0/{WABA}/message_templates", template()))["id"]
    assert (await sandbox.get(f"/v23.0/{template_id}"))["status"] == "PENDING"
    await until(lambda: receiver.values("message_template_status_update"), "the rejection")
    assert (await sandbox.get(f"/v23.0/{template_id}"))["status"] == "REJECTED"


async def test_templates_are_listed_in_pages_with_a_summary(sandbox: Any) -> None:
    path = f"/v23.0/{WABA}/message_templates"
    for count in range(4):
        await sandbox.post(path, template(f"t{count}"))
    page = await sandbox.get(f"{path}?limit=2&summary=total_count&fields=name")
    assert page["summary"]["total_count"] == 5
    names = [one["name"] for one in page["data"]]
    while "next" in page["paging"]:
        async with sandbox.session.get(page["paging"]["next"]) as answer:
            page = await answer.json()
        names += [one["name"] for one in page["data"]]
    assert names == ["hello_world", "t0", "t1", "t2", "t3"]
    assert "previous" in page["paging"]
    assert [one["name"] for one in (await sandbox.get(f"{path}?name=t2"))["data"]] == ["t2"]
    assert (await sandbox.get(f"{path}?status=REJECTED"))["data"] == []


async def test_marketing_messages_take_marketing_templates_only(sandbox: Any) -> None:
    path = f"/v23.0/{NUMBER}/marketing_messages"
    text = {"messaging_product": "whatsapp", "to": PHONE, "type": "text", "text": {"body": "x"}}
    assert (await sandbox.call("POST", path, json=text))[1]["error"]["code"] == 131055
    content = {"name": "hello_world", "language": {"code": "en_US"}}
    hello = {"messaging_product": "whatsapp", "to": PHONE, "type": "template", "template": content}
    assert (await sandbox.call("POST", path, json=hello))[1]["error"]["code"] == 134100


async def test_numbers_are_listed_read_deregistered_and_registered(sandbox: Any) -> None:
    [number] = (await sandbox.get(f"/v23.0/{WABA}/phone_numbers"))["data"]
    assert (number["id"], number["display_phone_number"]) == (NUMBER, "+1 555-078-3881")
    assert set(await sandbox.get(f"/v23.0/{NUMBER}")) == {
        "verified_name",
        "code_verification_status",
        "display_phone_number",
        "quality_rating",
        "id",
    }
    shown = await sandbox.get(f"/v23.0/{NUMBER}?fields=throughput,webhook_configuration{{a,b}}")
    assert shown["throughput"] == {"level": "STANDARD"}
    await sandbox.post(f"/v23.0/{NUMBER}/register", {"messaging_product": "whatsapp", "pin": "123456"})
    await sandbox.post(f"/v23.0/{NUMBER}/deregister", {})
    assert (await sandbox.send(PHONE))[1]["error"]["code"] == 133010
    status, answer = await sandbox.call("POST", f"/v23.0/{NUMBER}/register", json={"pin": "999999"})
    assert (status, answer["error"]["code"]) == (400, 133005)
    await sandbox.post(f"/v23.0/{NUMBER}/register", {"pin": "123456"})
    assert (await sandbox.send(PHONE))[0] == 200


async def test_who_wrote_lately_can_be_blocked(sandbox: Any, receiver: Any, until: Any) -> None:
    path = f"/v23.0/{NUMBER}/block_users"
    users = {"messaging_product": "whatsapp", "block_users": [{"user": f"+{PHONE}"}]}
    status, answer = await sandbox.call("POST", path, json=users)
    assert (status, answer["error"]["code"]) == (400, 139100)
    assert answer["block_users"]["failed_users"][0]["errors"][0]["code"] == 131047
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"text": {"body": "hi"}})
    answer = await sandbox.post(path, users)
    assert answer["block_users"] == {"added_users": [{"input": f"+{PHONE}", "wa_id": PHONE}]}
    assert [one["wa_id"] for one in (await sandbox.get(path))["data"]] == [PHONE]
    wamid = await sandbox.sent(PHONE)
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"text": {"body": "unheard"}})
    await until(lambda: (wamid, "failed") in receiver.statuses(), "failed")
    assert [message["text"]["body"] for message in receiver.messages()] == ["hi"]
    _, answer = await sandbox.call("DELETE", path, json=users)
    assert answer["block_users"]["removed_users"][0]["wa_id"] == PHONE
    assert "data" in await sandbox.get(path)


async def test_a_number_goes_before_its_account_and_an_unsubscribed_account_is_silent(
    sandbox: Any, receiver: Any, until: Any
) -> None:
    wrong = {"override_callback_uri": receiver.url, "verify_token": "wrong-token"}
    status, answer = await sandbox.call("POST", f"/v23.0/{WABA}/subscribed_apps", json=wrong)
    assert (status, answer["error"]["code"]) == (400, 2200)
    right = {"override_callback_uri": f"{receiver.url}?of=account", "verify_token": "right-token"}
    await sandbox.post(f"/v23.0/{WABA}/subscribed_apps", right)
    [app] = (await sandbox.get(f"/v23.0/{WABA}/subscribed_apps"))["data"]
    assert app["override_callback_uri"].endswith("?of=account")
    own = {"override_callback_uri": f"{receiver.url}?of=number", "verify_token": "right-token"}
    await sandbox.post(f"/v23.0/{NUMBER}", {"webhook_configuration": own})
    assert (await sandbox.get("/_sandbox"))["webhook_url"].endswith("?of=number")
    await sandbox.sent(PHONE)
    await until(lambda: len(receiver.bodies) == 3, "three statuses")
    await sandbox.call("DELETE", f"/v23.0/{WABA}/subscribed_apps")
    await sandbox.sent(PHONE)
    assert (await sandbox.get("/_sandbox"))["notifications"]["owed"] == 0
    assert await sandbox.post("/_sandbox/handshake", {}) == {"success": True}


async def test_an_app_subscribes_with_a_token_from_its_secret(sandbox: Any, receiver: Any) -> None:
    async with aiohttp.ClientSession() as stranger:
        path = "/oauth/access_token?client_id=1&client_secret=a-secret-of-this-test&grant_type=client_credentials"
        async with stranger.get(sandbox.url + path) as answer:
            token = (await answer.json())["access_token"]
        query = {
            "access_token": token,
            "callback_url": receiver.url,
            "verify_token": "right-token",
            "fields": "messages",
        }
        query["object"] = "whatsapp_business_account"
        async with stranger.post(f"{sandbox.url}/v23.0/77/subscriptions", params=query) as answer:
            assert await answer.json() == {"success": True}
    [entry] = (await sandbox.get("/v23.0/77/subscriptions"))["data"]
    assert entry["callback_url"] == receiver.url


async def test_small_things_that_a_number_keeps(sandbox: Any) -> None:
    path = f"/v23.0/{NUMBER}/whatsapp_commerce_settings"
    assert (await sandbox.call("POST", f"{path}?is_cart_enabled=false"))[1] == {"success": True}
    assert (await sandbox.get(path))["data"][0]["is_cart_enabled"] is False
    await sandbox.post(f"/v23.0/{NUMBER}/conversational_automation", {"prompts": ["a"]})
    shown = await sandbox.get(f"/v23.0/{NUMBER}?fields=conversational_automation")
    assert shown["conversational_automation"]["prompts"] == ["a"]
    code = (await sandbox.post(f"/v23.0/{NUMBER}/message_qrdls", {"prefilled_message": "Hi"}))["code"]
    assert (await sandbox.get(f"/v23.0/{NUMBER}/message_qrdls/{code}"))["data"][0]["prefilled_message"] == "Hi"
    flow_id = (await sandbox.post(f"/v23.0/{WABA}/flows", {"name": "F", "categories": ["OTHER"]}))["id"]
    parameters = {"flow_message_version": "3", "flow_id": flow_id, "flow_cta": "Open"}
    flow = {"type": "flow", "body": {"text": "b"}, "action": {"name": "flow", "parameters": parameters}}
    assert (await sandbox.send(PHONE, type="interactive", interactive=flow))[1]["error"]["code"] == 131009
    await sandbox.post(f"/v23.0/{flow_id}/publish", {})
    assert (await sandbox.send(PHONE, type="interactive", interactive=flow))[0] == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_what_nobody_knows_is_100_33_and_never_a_page(sandbox: Any, method: str) -> None:
    for path in ("/v99.0/123456", f"/{NUMBER}/holograms", "/", "/v23.0/1/2/3/4"):
        status, answer = await sandbox.call(method, path)
        assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)


async def test_broken_bodies_are_refused_in_graphs_words(sandbox: Any) -> None:
    path = f"/v23.0/{NUMBER}/messages"
    json_type = {"Content-Type": "application/json"}
    for data in (b"{", b"[]", b'"x"', b"\xff\xfe"):
        status, answer = await sandbox.call("POST", path, data=data, headers=json_type)
        assert (status, answer["error"]["code"]) == (400, 100)
    status, answer = await sandbox.call("POST", path, data=io.BytesIO(b" " * 3_000_000), headers=json_type)
    assert status == 413
    form_body = {"messaging_product": "whatsapp", "to": PHONE, "text": '{"body":"as a form"}'}
    assert (await sandbox.call("POST", path, data=form_body))[0] == 200


async def test_a_wrong_proof_is_refused_and_one_may_be_asked_for(sandbox: Any) -> None:
    right = hmac.digest(b"a-secret-of-this-test", b"a-token-of-this-test", "sha256").hex()
    path = f"/v23.0/{NUMBER}"
    assert (await sandbox.call("GET", f"{path}?appsecret_proof={right}"))[0] == 200
    status, answer = await sandbox.call("GET", f"{path}?appsecret_proof={'0' * 64}")
    assert (status, answer["error"]["code"]) == (400, 100)
    assert "Invalid appsecret_proof" in answer["error"]["error_data"]["details"]
    await sandbox.put("/_sandbox/settings", {"require_proof": True})
    status, answer = await sandbox.call("GET", path)
    assert "require an appsecret_proof" in answer["error"]["error_data"]["details"]
    assert (await sandbox.call("GET", f"{path}?appsecret_proof={right}"))[0] == 200
    await sandbox.put("/_sandbox/settings", {"require_proof": False})


async def test_a_media_id_ends(sandbox: Any, until: Any) -> None:
    await sandbox.put("/_sandbox/settings", {"media_life_s": 1})
    media_id = await uploaded(sandbox)
    await sandbox.put("/_sandbox/settings", {"media_life_s": None})

    async def is_over() -> bool:
        status, answer = await sandbox.call("GET", f"/v23.0/{media_id}")
        return bool(status == 400 and answer["error"]["error_subcode"] == 33)

    await until(is_over, "the id has ended")
    status, answer = await sandbox.send(PHONE, type="image", image={"id": media_id})
    assert (status, answer["error"]["code"]) == (400, 100)
