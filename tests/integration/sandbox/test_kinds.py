"""Every kind of message, out to the phone and in from it."""

from typing import Any

import pytest

pytestmark = pytest.mark.integration

PHONE = "16505551234"
BODY = {"text": "Choose"}
LINK = "https://example.com/file"
REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
ROWS = [{"id": "r1", "title": "One", "description": ""}, {"id": "r2", "title": "Two", "description": "The second"}]
FLOW = {"flow_message_version": "3", "flow_id": "123", "flow_token": "unused", "flow_cta": "Open"}

OUTBOUND = {
    "text": {"body": "hello", "preview_url": True},
    "image": {"link": LINK, "caption": None},
    "video": {"link": LINK, "caption": "see"},
    "audio": {"link": LINK, "voice": True},
    "document": {"link": LINK, "filename": "invoice.pdf"},
    "sticker": {"link": LINK},
    "location": {"latitude": "37.44", "longitude": -122.16, "name": "Philz"},
    "contacts": [{"name": {"formatted_name": "Barbara J"}, "org": None, "birthday": None, "phones": []}],
    "template": {"name": "hello_world", "language": {"code": "en_US", "policy": "deterministic"}, "components": []},
}
INTERACTIVE = {
    "button": {"body": BODY, "action": {"buttons": [REPLY]}, "header": {"type": "image", "image": {"link": LINK}}},
    "list": {"body": BODY, "action": {"button": "Open", "sections": [{"rows": ROWS}]}, "footer": {"text": "end"}},
    "cta_url": {"body": BODY, "action": {"name": "cta_url", "parameters": {"display_text": "Go", "url": LINK}}},
    "location_request_message": {"body": BODY, "action": {"name": "send_location", "parameters": {"x": 1}}},
    "flow": {"body": BODY, "action": {"name": "flow", "parameters": FLOW}},
    "product": {"action": {"catalog_id": "1", "product_retailer_id": "SKU"}},
    "product_list": {
        "header": {"type": "text", "text": "Products"},
        "body": BODY,
        "action": {"catalog_id": "1", "sections": [{"title": "A", "product_items": [{"product_retailer_id": "A"}]}]},
    },
    "catalog_message": {"body": BODY, "action": {"name": "catalog_message"}},
    "request_contact_info": {"body": BODY, "action": {"name": "request_contact_info"}},
}

POINT = {"latitude": 1.0, "longitude": 2.0}
EMOJI = {"message_id": "w", "emoji": "😮"}
CARD = {"name": {"formatted_name": "B"}}
ORDER = {"catalog_id": "1", "product_items": [{"product_retailer_id": "A", "quantity": 3}]}
SAMPLE_FACTS = {"image": "image/jpeg", "video": "video/mp4", "document": "application/pdf", "sticker": "image/webp"}


@pytest.mark.parametrize("kind", OUTBOUND)
async def test_each_kind_reaches_the_phone(sandbox: Any, kind: str) -> None:
    await sandbox.sent(PHONE, type=kind, **{kind: OUTBOUND[kind]})
    [received] = await sandbox.on_phone(PHONE)
    assert received["type"] == kind
    assert received[kind] == OUTBOUND[kind]


@pytest.mark.parametrize("kind", INTERACTIVE)
async def test_each_interactive_kind_reaches_the_phone(sandbox: Any, kind: str) -> None:
    await sandbox.sent(PHONE, type="interactive", interactive={"type": kind, **INTERACTIVE[kind]})
    [received] = await sandbox.on_phone(PHONE)
    assert received["interactive"]["type"] == kind


async def test_without_a_type_it_is_text_and_contacts_may_be_json_text(sandbox: Any) -> None:
    body = {"messaging_product": "whatsapp", "to": PHONE, "text": {"body": "untyped"}}
    assert (await sandbox.call("POST", "/106540352242922/messages/", json=body))[0] == 200
    text = '[{"name":{"formatted_name":"B"}}]'
    await sandbox.sent(PHONE, type="contacts", contacts=text)
    assert [one["type"] for one in await sandbox.on_phone(PHONE)] == ["text", "contacts"]


async def test_a_reaction_only_gets_sent_and_one_to_nothing_fails_late(sandbox: Any, receiver: Any, until: Any) -> None:
    target = await sandbox.sent(PHONE)
    wamid = await sandbox.sent(PHONE, type="reaction", reaction={"message_id": target, "emoji": "👍"})
    lost = await sandbox.sent(PHONE, type="reaction", reaction={"message_id": "wamid.unknown", "emoji": ""})
    await until(lambda: len(receiver.bodies) == 5, "three statuses, sent, failed")
    assert receiver.statuses()[3:] == [(wamid, "sent"), (lost, "failed")]
    assert [one["type"] for one in await sandbox.on_phone(PHONE)] == ["text", "reaction"]


async def test_read_marks_and_typing_are_for_messages_of_customers(sandbox: Any) -> None:
    written = (await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"text": {"body": "hi"}}))["wamid"]
    mark = {"messaging_product": "whatsapp", "status": "read", "message_id": written}
    path = "/v23.0/106540352242922/messages"
    assert await sandbox.post(path, mark) == {"success": True}
    assert await sandbox.post(path, {**mark, "typing_indicator": {"type": "text"}}) == {"success": True}
    status, _ = await sandbox.call("POST", path, json={**mark, "message_id": "wamid.unknown"})
    assert status == 400
    assert [entry["type"] for entry in await sandbox.get("/_sandbox/log")] == ["read", "typing"]
    assert (await sandbox.on_phone(PHONE))[0]["status"] == "seen"


async def test_a_user_id_is_a_recipient_and_a_hidden_number_stays_hidden(
    sandbox: Any, receiver: Any, until: Any
) -> None:
    card = await sandbox.put(f"/_sandbox/phones/{PHONE}", {"hides_number": True, "username": "ana_n"})
    body = {"messaging_product": "whatsapp", "recipient": card["user_id"], "type": "text", "text": {"body": "hi"}}
    answer = await sandbox.post("/v23.0/106540352242922/messages", body)
    assert answer["contacts"] == [{"input": card["user_id"], "user_id": card["user_id"]}]
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"text": {"body": "me"}})
    await until(lambda: len(receiver.bodies) == 4, "statuses and a message")
    assert not any(PHONE.encode() in body.replace(b"wamid", b"") for body in receiver.bodies)
    assert receiver.messages()[0]["from_user_id"] == card["user_id"]
    assert len(await sandbox.on_phone(PHONE)) == 2


async def test_a_number_written_another_way_arrives_at_its_owner(sandbox: Any) -> None:
    await sandbox.put("/_sandbox/phones/5215550001111", {"aliases": ["525550001111"]})
    _, answer = await sandbox.send("+52 555 000 1111")
    assert answer["contacts"] == [{"input": "+52 555 000 1111", "wa_id": "5215550001111"}]


async def test_buttons_rows_and_quick_replies_are_pressed(sandbox: Any, receiver: Any, until: Any) -> None:
    buttons = await sandbox.sent(PHONE, type="interactive", interactive={"type": "button", **INTERACTIVE["button"]})
    rows = await sandbox.sent(PHONE, type="interactive", interactive={"type": "list", **INTERACTIVE["list"]})
    path = f"/_sandbox/phones/{PHONE}/messages"
    await sandbox.post(path, {"type": "press", "press": {"message_id": buttons, "title": "Yes"}})
    await sandbox.post(path, {"type": "press", "press": {"message_id": rows, "index": 1}})
    await until(lambda: len(receiver.messages()) == 2, "two replies")
    first, second = receiver.messages()
    assert first["context"] == {"from": "15550783881", "id": buttons}
    assert first["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes"}}
    reply = {"id": "r2", "title": "Two", "description": "The second"}
    assert second["interactive"] == {"type": "list_reply", "list_reply": reply}
    status, answer = await sandbox.call("POST", path, json={"type": "press", "press": {"message_id": rows, "id": "no"}})
    assert status == 400
    assert "press.id" in answer["error"]


async def test_a_scripted_phone_presses_by_itself(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"replies": {"type": "press", "press": {"id": "yes"}}})
    await sandbox.sent(PHONE, type="interactive", interactive={"type": "button", **INTERACTIVE["button"]})
    await until(lambda: receiver.messages(), "the pressed button")
    assert receiver.messages()[0]["interactive"]["button_reply"]["title"] == "Yes"


async def test_a_scripted_reply_that_cannot_be_given_hurts_nobody(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"replies": {"type": "press", "press": {"id": "yes"}}})
    wamid = await sandbox.sent(PHONE, "nothing to press here")
    await until(lambda: (wamid, "read") in receiver.statuses(), "read")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_media_from_a_customer_can_be_fetched(sandbox: Any, receiver: Any, until: Any, kind: str) -> None:
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"type": kind, kind: {"caption": "mira"}})
    await until(lambda: receiver.messages(), "the media message")
    media = receiver.messages()[0][kind]
    if kind == "audio":
        assert (media["mime_type"], media["voice"]) == ("audio/ogg; codecs=opus", True)
    else:
        assert media["mime_type"] == SAMPLE_FACTS[kind]
    facts = await sandbox.get(f"/v23.0/{media['id']}")
    async with sandbox.session.get(media["url"]) as answer:
        data = await answer.read()
    assert answer.status == 200
    assert len(data) == facts["file_size"]


@pytest.mark.parametrize(
    ("given", "key", "notified"),
    [
        ({"type": "location", "location": {"latitude": "1", "longitude": 2}}, "location", POINT),
        ({"type": "reaction", "reaction": EMOJI}, "reaction", EMOJI),
        ({"type": "contacts", "contacts": [CARD]}, "contacts", [CARD]),
        ({"type": "order", "order": ORDER}, "order", ORDER),
        ({"type": "button", "button": {"payload": "P", "text": "T"}}, "button", {"payload": "P", "text": "T"}),
        ({"type": "edit", "edit": {"original_message_id": "w"}}, "edit", {"original_message_id": "w"}),
        ({"type": "revoke", "revoke": {"original_message_id": "w"}}, "revoke", {"original_message_id": "w"}),
        ({"type": "unsupported", "unsupported": {"type": "poll"}}, "unsupported", {"type": "poll"}),
        ({"type": "hologram", "hologram": {"depth": 3}}, "hologram", {"depth": 3}),
        ({"text": {"body": "ad"}, "referral": {"source_id": "9"}}, "referral", {"source_id": "9"}),
        ({"text": {"body": "f"}, "context": {"forwarded": True}}, "context", {"forwarded": True}),
    ],
)  # fmt: skip
async def test_other_kinds_from_a_customer_are_notified_in_metas_shape(
    sandbox: Any, receiver: Any, until: Any, given: Any, key: str, notified: Any
) -> None:
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", given)
    await until(lambda: receiver.messages(), "the message")
    [message] = receiver.messages()
    assert message["type"] == given.get("type", "text")
    assert message[key] == notified
    if message["type"] == "unsupported":
        assert message["errors"][0]["code"] == 131051


async def test_a_flow_answer_is_text_of_json(sandbox: Any, receiver: Any, until: Any) -> None:
    reply = {"type": "nfm_reply", "nfm_reply": {"response_json": {"flow_token": "t", "name": "Ñ"}}}
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"type": "interactive", "interactive": reply})
    await until(lambda: receiver.messages(), "the flow's answer")
    flow = receiver.messages()[0]["interactive"]["nfm_reply"]
    assert flow == {"name": "flow", "body": "Sent", "response_json": '{"flow_token":"t","name":"Ñ"}'}


async def test_a_system_message_has_no_contacts_unless_asked_for(sandbox: Any, receiver: Any, until: Any) -> None:
    system = {"type": "system", "system": {"type": "user_changed_number", "wa_id": "16505550000", "body": "changed"}}
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", system)
    await sandbox.put("/_sandbox/settings", {"system_contacts": True})
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", system)
    await until(lambda: len(receiver.bodies) == 2, "two system messages")
    assert ["contacts" in value for value in receiver.values()] == [False, True]
    assert receiver.messages()[0]["from"] == PHONE


async def test_anything_else_can_be_notified(sandbox: Any, receiver: Any, until: Any) -> None:
    path = "/_sandbox/notifications"
    await sandbox.post(path, {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}})
    await sandbox.post(path, {"errors": [130429]})
    batch = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": []}, {"id": "2", "changes": []}]}
    await sandbox.post(path, batch)
    await until(lambda: len(receiver.bodies) == 3, "three notifications")
    assert b'"entry":[{"id":"1","changes":[]},{"id":"2"' in receiver.bodies[2]
    assert b'"errors":[{"code":130429' in receiver.bodies[1]
    assert b'"field":"account_update"' in receiver.bodies[0]


async def test_rates_hold_when_they_are_switched_on(sandbox: Any) -> None:
    await sandbox.put("/_sandbox/settings", {"pair_limit": True, "throttle_http": 429})
    answers = [await sandbox.send(PHONE) for _ in range(46)]
    assert [status for status, _ in answers] == [200] * 45 + [429]
    assert answers[-1][1]["error"]["code"] == 131056
    await sandbox.put("/_sandbox/settings", {"pair_limit": False, "throughput_per_s": 5, "throttle_http": 400})
    codes = [
        answer.get("error", {}).get("code") for _, answer in [await sandbox.send(f"1650555{n:04d}") for n in range(9)]
    ]
    assert codes[:5] == [None] * 5
    assert codes[-1] == 130429
