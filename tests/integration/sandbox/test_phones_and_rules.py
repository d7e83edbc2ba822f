"""Scripted phones and fault rules, on the real process."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.integration

PHONE = "16505551234"
OTHER = "16505550000"


async def test_an_offline_phone_gets_its_messages_in_order_when_it_is_back(
    sandbox: Any, receiver: Any, until: Any
) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"online": False})
    wamids = [await sandbox.sent(PHONE, str(count)) for count in range(3)]
    await until(lambda: len(receiver.bodies) == 3, "three times sent")
    assert [status for _, status in receiver.statuses()] == ["sent"] * 3
    assert await sandbox.on_phone(PHONE) == []
    waiting = await sandbox.get(f"/_sandbox/phones/{PHONE}/messages?include=waiting")
    assert [one["wamid"] for one in waiting] == wamids
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"online": True})
    await until(lambda: len(receiver.bodies) == 9, "delivered and read")
    assert [one["wamid"] for one in await sandbox.on_phone(PHONE)] == wamids


async def test_a_phone_that_does_not_read_reads_later(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"reads": False})
    wamid = await sandbox.sent(PHONE)
    await until(lambda: len(receiver.bodies) == 2, "sent and delivered")
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"reads": True})
    await until(lambda: (wamid, "read") in receiver.statuses(), "read")


async def test_a_person_who_blocked_the_business_never_gets_it(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"blocked": True})
    wamid = await sandbox.sent(PHONE)
    await until(lambda: receiver.bodies, "sent")
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"blocked": False})
    other = await sandbox.sent(PHONE)
    await until(lambda: (other, "read") in receiver.statuses(), "the later message")
    assert (wamid, "delivered") not in receiver.statuses()


async def test_a_scripted_phone_replies_in_turn(sandbox: Any, receiver: Any, until: Any) -> None:
    location = {"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}}
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"replies": ["first", location], "name": "Ana Nuñez"})
    for _ in range(3):
        await sandbox.sent(PHONE)
    await until(lambda: len(receiver.bodies) == 11, "nine statuses, two replies")
    assert [message["type"] for message in receiver.messages()] == ["text", "location"]
    assert {value["contacts"][0]["profile"]["name"] for value in receiver.values()} == {"Ana Nuñez"}


async def test_a_delay_lies_between_the_statuses(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"delay_ms": 300})
    started = time.monotonic()
    await sandbox.sent(PHONE)
    await until(lambda: len(receiver.bodies) == 3, "three statuses")
    assert time.monotonic() - started >= 0.6


async def test_a_closed_window_fails_late_with_131047_and_a_template_still_goes(
    sandbox: Any, receiver: Any, until: Any
) -> None:
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"window": "auto"})
    wamid = await sandbox.sent(PHONE)
    await until(lambda: receiver.statuses() == [(wamid, "failed")], "failed")
    [value] = receiver.values()
    assert value["statuses"][0]["errors"][0]["code"] == 131047
    assert value["contacts"][0]["wa_id"] == PHONE
    template = {"name": "hello_world", "language": {"code": "en_US"}}
    wamid = await sandbox.sent(PHONE, type="template", template=template)
    await until(lambda: (wamid, "read") in receiver.statuses(), "the template is read")
    await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", {"type": "text", "text": {"body": "hi"}})
    wamid = await sandbox.sent(PHONE)
    await until(lambda: (wamid, "read") in receiver.statuses(), "the window is open now")


async def test_a_rule_for_the_next_two_calls_is_spent_after_them(sandbox: Any) -> None:
    rule = {"match": {"to": PHONE, "type": "text"}, "when": {"next": 2}, "then": {"error": 130429}}
    await sandbox.post("/_sandbox/rules", rule)
    assert (await sandbox.send(OTHER))[0] == 200
    answers = [await sandbox.send(PHONE) for _ in range(3)]
    assert [status for status, _ in answers] == [400, 400, 200]
    error = answers[0][1]["error"]
    assert error["code"] == 130429
    assert error["message"] == "(#130429) Rate limit hit"
    assert error["error_data"]["details"] == "Cloud API message throughput has been reached."
    assert len(await sandbox.get("/_sandbox/log")) == 2
    [shown] = await sandbox.get("/_sandbox/rules")
    assert (shown["seen"], shown["fired"]) == (3, 2)


async def test_a_late_error_is_accepted_and_fails_afterwards(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.post("/_sandbox/rules", {"when": {"every": 2}, "then": {"error": 131026}})
    first, second = await sandbox.sent(PHONE), await sandbox.sent(PHONE)
    await until(lambda: len(receiver.bodies) == 4, "three statuses and a failure")
    assert receiver.statuses()[-1] == (second, "failed")
    assert [one["wamid"] for one in await sandbox.on_phone(PHONE)] == [first]


async def test_an_answer_is_dropped_after_acceptance(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.post("/_sandbox/rules", {"when": {"next": 1}, "then": {"drop_answer": True}})
    with pytest.raises(aiohttp.ClientError):
        await sandbox.send(PHONE, biz_opaque_callback_data="panal:msg_7")
    [entry] = await sandbox.get("/_sandbox/log")
    assert entry["biz_opaque_callback_data"] == "panal:msg_7"
    await until(lambda: (entry["wamid"], "read") in receiver.statuses(), "its statuses")


async def test_an_answer_is_late_and_the_statuses_are_not(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.post("/_sandbox/rules", {"then": {"delay_ms": 1500}})
    sending = asyncio.create_task(sandbox.send(PHONE))
    await until(lambda: len(receiver.bodies) == 3, "three statuses")
    assert not sending.done()
    assert (await sending)[0] == 200


async def test_an_http_status_comes_as_a_page_and_nothing_is_accepted(sandbox: Any) -> None:
    await sandbox.post("/_sandbox/rules", {"then": {"status": 502}})
    async with sandbox.session.post(f"{sandbox.url}/v23.0/106540352242922/messages", json={}) as answer:
        assert answer.status == 502
        assert answer.content_type == "text/html"
    assert await sandbox.get("/_sandbox/log") == []


async def test_notifications_are_doubled_and_shuffled(sandbox: Any, receiver: Any, until: Any) -> None:
    await sandbox.post("/_sandbox/rules", {"then": {"duplicate_webhooks": 1, "shuffle_webhooks": True}})
    wamids = [await sandbox.sent(PHONE) for _ in range(10)]
    await until(lambda: len(receiver.bodies) == 60, "each status twice")
    in_order = [(wamid, status) for wamid in wamids for status in ("sent", "delivered", "read")]
    assert sorted(receiver.statuses()) == sorted(in_order * 2)
    assert list(dict.fromkeys(receiver.statuses())) != in_order


async def test_rules_by_chance_repeat_with_their_seed(sandbox: Any) -> None:
    outcomes = []
    for _ in range(2):
        rule = {"when": {"probability": 0.5, "seed": 11}, "then": {"error": 131016}}
        await sandbox.post("/_sandbox/rules", rule)
        outcomes.append([(await sandbox.send(PHONE))[0] for _ in range(20)])
        await sandbox.call("DELETE", "/_sandbox/rules")
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {200, 500}


async def test_a_wrong_rule_is_refused_with_the_key_that_is_wrong(sandbox: Any) -> None:
    status, answer = await sandbox.call("POST", "/_sandbox/rules", json={"then": {"eror": 1}})
    assert status == 400
    assert "then.eror" in answer["error"]
    status, answer = await sandbox.call("PUT", f"/_sandbox/phones/{PHONE}", json={"delay_ms": -1})
    assert status == 400
    assert "delay_ms" in answer["error"]


async def test_a_magic_number_fails_with_its_code(sandbox: Any, receiver: Any, until: Any) -> None:
    status, answer = await sandbox.send("19990131056")
    assert (status, answer["error"]["code"]) == (400, 131056)
    wamid = await sandbox.sent("19990131049")
    await until(lambda: receiver.statuses() == [(wamid, "failed")], "failed")


async def test_the_token_and_the_number_are_checked(sandbox: Any) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    status, answer = await sandbox.call("POST", "/v23.0/106540352242922/messages", json={}, headers=wrong)
    assert (status, answer["error"]["code"]) == (401, 190)
    status, answer = await sandbox.call("POST", "/v23.0/123/messages", json={"messaging_product": "whatsapp"})
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (400, 100, 33)
    status, answer = await sandbox.send("15550783881")
    assert (status, answer["error"]["code"]) == (400, 131021)
