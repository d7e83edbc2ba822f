"""The first use of the sandbox: send, be told, write back; and what survives its death."""

import asyncio
import signal
import subprocess
from typing import Any

import aiohttp
import pytest

pytestmark = pytest.mark.integration

PHONE = "16505551234"


async def test_a_text_reaches_the_phone_and_its_three_statuses_come_back_signed(
    sandbox: Any, receiver: Any, until: Any
) -> None:
    status, answer = await sandbox.send("+1 (650) 555-1234", "¿qué tal?", biz_opaque_callback_data="panal:msg_1|mine")
    assert status == 200
    wamid = answer["messages"][0]["id"]
    assert answer["contacts"] == [{"input": "+1 (650) 555-1234", "wa_id": PHONE}]
    assert wamid.startswith("wamid.HBgLMTY1MDU1NTEyMzQVAgARGB")
    await until(lambda: len(receiver.bodies) == 3, "three statuses")
    assert receiver.statuses() == [(wamid, "sent"), (wamid, "delivered"), (wamid, "read")]
    for value in receiver.values():
        assert value["contacts"][0]["wa_id"] == PHONE
        assert value["contacts"][0]["user_id"].startswith("US.")
        assert value["statuses"][0]["biz_opaque_callback_data"] == "panal:msg_1|mine"
    assert receiver.bad_signatures == 0
    assert all(body.isascii() for body in receiver.bodies)
    [received] = await sandbox.on_phone(PHONE)
    assert received["direction"] == "in"
    assert received["text"] == {"body": "¿qué tal?"}
    assert received["biz_opaque_callback_data"] == "panal:msg_1|mine"


async def test_the_customer_writes_and_replies_with_a_context(sandbox: Any, receiver: Any, until: Any) -> None:
    sent = await sandbox.sent(PHONE)
    reply = {"type": "text", "text": {"body": "sí, ñandú 🐝"}, "context": {"message_id": sent}}
    written = await sandbox.post(f"/_sandbox/phones/{PHONE}/messages", reply)
    await until(lambda: receiver.messages(), "the customer's message")
    [message] = receiver.messages()
    assert message["id"] == written["wamid"]
    assert message["from"] == PHONE
    assert message["text"]["body"] == "sí, ñandú 🐝"
    assert message["context"] == {"from": "15550783881", "id": sent}
    assert [one["direction"] for one in await sandbox.on_phone(PHONE)] == ["in", "out"]


async def test_statuses_of_a_phone_come_in_the_order_of_its_messages(sandbox: Any, receiver: Any, until: Any) -> None:
    wamids = [await sandbox.sent(PHONE, f"number {count}") for count in range(20)]
    await until(lambda: len(receiver.bodies) == 60, "all statuses")
    assert receiver.statuses() == [(wamid, status) for wamid in wamids for status in ("sent", "delivered", "read")]
    assert [one["text"]["body"] for one in await sandbox.on_phone(PHONE)] == [f"number {n}" for n in range(20)]


async def test_nothing_accepted_is_lost_by_kill_9(own_sandbox: Any, receiver: Any, until: Any) -> None:
    receiver.answer_status = 500
    before = [await own_sandbox.sent(f"1650555{count:04d}") for count in range(30)]
    await own_sandbox.put(f"/_sandbox/phones/{PHONE}", {"delay_ms": 400})
    slow = await own_sandbox.sent(PHONE)
    await until(lambda: receiver.refused > 0, "a refused notification")
    own_sandbox.end(signal.SIGKILL)
    receiver.answer_status = 200
    await own_sandbox.restart()
    after = [await own_sandbox.sent("16505550000") for _ in range(5)]
    assert len({*before, slow, *after}) == 36
    await until(lambda: len(set(receiver.statuses())) == 3 * 36, "every status of every message")
    log = await own_sandbox.get("/_sandbox/log")
    assert [entry["n"] for entry in log] == list(range(1, 37))
    assert [entry["wamid"] for entry in log] == [*before, slow, *after]
    assert [entry["n"] for entry in await own_sandbox.get("/_sandbox/log?after=34")] == [35, 36]
    await until(lambda: owed_nothing(own_sandbox), "nothing owed")


async def owed_nothing(sandbox: Any) -> bool:
    return bool((await sandbox.get("/_sandbox"))["notifications"]["owed"] == 0)


async def test_a_refused_notification_comes_again_with_the_same_bytes(sandbox: Any, receiver: Any, until: Any) -> None:
    receiver.answer_status = 503
    wamid = await sandbox.sent(PHONE)
    await until(lambda: receiver.refused >= 1, "a refused notification")
    receiver.answer_status = 200
    await until(lambda: len(receiver.bodies) == 3, "three statuses")
    assert receiver.statuses() == [(wamid, "sent"), (wamid, "delivered"), (wamid, "read")]


async def test_reset_forgets_everything_and_gives_ids_never_seen(sandbox: Any) -> None:
    first = await sandbox.sent(PHONE)
    await sandbox.put(f"/_sandbox/phones/{PHONE}", {"online": False})
    await sandbox.post("/_sandbox/rules", {"then": {"error": 131000}})
    await sandbox.post("/_sandbox/reset", {})
    assert await sandbox.get("/_sandbox/log") == []
    assert await sandbox.on_phone(PHONE) == []
    assert await sandbox.get("/_sandbox/rules") == []
    second = await sandbox.sent(PHONE)
    assert second != first


async def test_one_seed_gives_the_same_ids_again(own_sandbox: Any) -> None:
    assert own_sandbox.end() == 0
    await own_sandbox.restart("--seed", "7")
    await own_sandbox.post("/_sandbox/reset", {})
    first = await own_sandbox.sent(PHONE)
    await own_sandbox.post("/_sandbox/reset", {})
    assert await own_sandbox.sent(PHONE) == first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_both_signals_end_it_with_code_0(own_sandbox: Any, number: int) -> None:
    await own_sandbox.sent(PHONE)
    assert own_sandbox.end(number) == 0


async def test_a_busy_port_is_one_line_and_not_code_0(sandbox: Any, tmp_path: Any) -> None:
    command = sandbox.command("--data-dir", str(tmp_path / "other"))
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode != 0
    assert ended.stderr.count("\n") == 1
    assert f"port {sandbox.port}" in ended.stderr


async def test_the_samples_are_what_their_names_say(sandbox: Any) -> None:
    heads = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "webp": b"RIFF", "mp3": b"ID3", "ogg": b"OggS", "pdf": b"%PDF"}
    async with aiohttp.ClientSession() as session:
        for ending, head in heads.items():
            async with session.get(f"{sandbox.url}/_sandbox/sample.{ending}") as answer:
                assert answer.status == 200
                assert (await answer.read()).startswith(head)
        async with session.get(f"{sandbox.url}/_sandbox/sample.mp4") as answer:
            assert answer.content_type == "video/mp4"
            assert (await answer.read())[4:8] == b"ftyp"
