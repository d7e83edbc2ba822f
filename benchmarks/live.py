"""Scenarios that look at what comes out at the other end: the phone, the live streams, a campaign.

Process: a command.
"""

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx
import orjson

from benchmarks import wire
from benchmarks.connection import Pool
from benchmarks.drive import Seen
from benchmarks.histogram import Histogram
from benchmarks.servers import Server

SETTLE_S = 30.0


def to_phone(server: Server, *, seconds: float, rate_per_s: float) -> Seen:
    """From the moment a request is due to the moment when the emulated WhatsApp logged the message (in milliseconds).

    One computer, one clock. What never came counts as a failure.
    """
    return asyncio.run(_to_phone(server, seconds, rate_per_s))


async def _to_phone(server: Server, seconds: float, rate_per_s: float) -> Seen:
    due_at: dict[str, float] = {}
    failures = 0
    phones = wire.recipients(200)

    def answered(due: float, status: int, answer: bytes, body_at: int) -> None:
        nonlocal failures
        if status == 202:
            due_at[orjson.loads(answer[body_at:])["id"]] = due
        else:
            failures += 1

    # The generator's own connections, as everywhere else: a general client takes longer than the server.
    api = Pool("127.0.0.1", server.port, size=8, on_answer=answered)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.sandbox_port}", timeout=20) as sandbox:
        await api.open()
        last = (await sandbox.get("/_sandbox/log")).json()
        after = last[-1]["n"] if last else 0
        began = time.time()
        count = int(seconds * rate_per_s)
        for position in range(count):
            due = began + position / rate_per_s
            await asyncio.sleep(max(0.0, due - time.time()))
            body = wire.text_body(phones[position % 200], "to the phone")
            api.ask(wire.http("POST", "/v1/messages", server.key, body), due)
        await asyncio.sleep(1.0)
        api.close()
        missing = count - failures - len(due_at)
        latencies = Histogram()
        until = time.time() + SETTLE_S
        while due_at and time.time() < until:
            await asyncio.sleep(0.3)
            for entry in (await sandbox.get("/_sandbox/log", params={"after": after})).json():
                after = entry["n"]
                ours = str(entry.get("biz_opaque_callback_data") or "").partition("|")[0].removeprefix("panal:")
                due = due_at.pop(ours, 0.0)
                if due:
                    latencies.add((datetime.fromisoformat(entry["at"]).timestamp() - due) * 1000)
    return _seen(latencies, rate_per_s, seconds, failures + missing + len(due_at))


def fan_out(server: Server, *, streams: int, seconds: float, rate_per_s: float) -> Seen:
    """Events to many SSE streams: from the event's own time to its arrival at a stream, over all streams.

    ``achieved_per_s`` are events delivered to streams. What a stream did not get counts as a failure.
    """
    return asyncio.run(_fan_out(server, streams, seconds, rate_per_s))


async def _fan_out(server: Server, streams: int, seconds: float, rate_per_s: float) -> Seen:
    latencies = Histogram()
    received = [0] * streams
    opened = asyncio.Semaphore(0)
    request = wire.http("GET", "/v1/events/stream", server.key)

    async def listen(position: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**20)
        writer.write(request)
        await reader.readuntil(b"\r\n\r\n")
        opened.release()
        try:
            while True:
                line = await reader.readline()
                if not line:
                    return
                if line.startswith(b"data: {"):
                    event = orjson.loads(line[6:])
                    if event["type"] == "message.queued":
                        received[position] += 1
                        at = datetime.fromisoformat(event["at"]).timestamp()
                        latencies.add(max(0.0, time.time() - at) * 1000)
        finally:
            writer.close()

    listeners = [asyncio.create_task(listen(position)) for position in range(streams)]
    for _ in range(streams):
        await asyncio.wait_for(opened.acquire(), 30)
    await asyncio.sleep(1.0)
    count = int(seconds * rate_per_s)
    headers = {"authorization": f"Bearer {server.key}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as api:
        began = time.time()
        for position in range(count):
            await asyncio.sleep(max(0.0, began + position / rate_per_s - time.time()))
            body = wire.text_body(wire.recipients(200)[position % 200], "fan out")
            (await api.post("/v1/messages", content=body)).raise_for_status()
        took = time.time() - began
    until = time.time() + 10
    while min(received) < count and time.time() < until:  # noqa: ASYNC110 - a few looks at the very end
        await asyncio.sleep(0.1)
    for task in listeners:
        task.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    return _seen(latencies, rate_per_s, took, sum(count - got for got in received))


def campaign(server: Server, *, people: int, rate_per_s: float) -> dict[str, Any]:
    """One template to many people: how long until all of it is with WhatsApp, and what the API answers meanwhile."""
    to = [{"to": str(wire.FIRST_RECIPIENT + 10_000 + position)} for position in range(people)]
    body = {
        "name": "Benchmark",
        "template": {"name": "hello_world", "language": {"code": "en_US"}},
        "audience": {"recipients": to},
        "rate_per_minute": int(rate_per_s * 60),
        "start": True,
    }
    with server.client() as client:
        began = time.monotonic()
        answer = client.post("/v1/campaigns", json=body)
        if answer.status_code != 201:
            raise RuntimeError(answer.text[:500])
        created_s = time.monotonic() - began
        campaign_id = answer.json()["id"]
        status = ""
        while status != "completed" and time.monotonic() - began < 120:
            time.sleep(0.25)
            found = client.get(f"/v1/campaigns/{campaign_id}").json()
            status = found["status"]
        took_s = time.monotonic() - began
    return {"people": people, "created_s": round(created_s, 2), "took_s": round(took_s, 2), "per_s": people / took_s}


def _seen(latencies: Histogram, rate_per_s: float, seconds: float, failed: int) -> Seen:
    return Seen(
        rate_per_s=rate_per_s,
        achieved_per_s=latencies.count / seconds,
        p50_ms=latencies.quantile_ms(0.5),
        p90_ms=latencies.quantile_ms(0.9),
        p99_ms=latencies.quantile_ms(0.99),
        max_ms=latencies.max_ms,
        count=latencies.count + failed,
        failures={"missing": failed} if failed else {},
        generator_cpu_s=0.0,
    )
