"""Starts `python -m services.sandbox` on a free port, with a receiver of notifications in the test's own loop."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.harness.ports import free_port
from tests.harness.waiting import until_async

ROOT = Path(__file__).parents[3]
NUMBER = "106540352242922"
WABA = "102290129340398"
SECRET = "a-secret-of-this-test"
TOKEN = "a-token-of-this-test"
WEBHOOK_PATH = "/webhooks/whatsapp"
PATIENCE_S = 15.0


class Receiver:
    """A cloud webhook: checks signatures, keeps notifications, answers what the test wants."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.bodies: list[bytes] = []
        self.answer_status = 200
        self.refused = 0
        self.bad_signatures = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{WEBHOOK_PATH}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post(WEBHOOK_PATH, self._take)
        app.router.add_get(WEBHOOK_PATH, self._handshake)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.answer_status != 200:
            self.refused += 1
            return web.Response(status=self.answer_status)
        wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if request.headers["X-Hub-Signature-256"] != wanted:
            self.bad_signatures += 1
            return web.Response(status=403)
        self.bodies.append(body)
        return web.Response()

    async def _handshake(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != "right-token":
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    def values(self, field: str = "messages") -> list[dict[str, Any]]:
        changes = [json.loads(body)["entry"][0]["changes"][0] for body in self.bodies]
        return [change["value"] for change in changes if change["field"] == field]

    def statuses(self) -> list[tuple[str, str]]:
        return [(one["id"], one["status"]) for value in self.values() for one in value.get("statuses", [])]

    def messages(self) -> list[dict[str, Any]]:
        return [one for value in self.values() for one in value.get("messages", [])]


class Sandbox:
    """The process under test, and a client for it."""

    def __init__(self, data_dir: Path, receiver_port: int) -> None:
        self.port = free_port()
        self.data_dir = data_dir
        self.receiver_port = receiver_port
        self.process: subprocess.Popen[bytes] | None = None
        self.session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *more: str) -> list[str]:
        flags = {
            "--port": str(self.port),
            "--token": TOKEN,
            "--app-secret": SECRET,
            "--webhook-url": f"http://127.0.0.1:{self.receiver_port}{WEBHOOK_PATH}",
            "--data-dir": str(self.data_dir),
            "--verify-token": "right-token",
        }
        return [sys.executable, "-m", "services.sandbox", *(word for pair in flags.items() for word in pair), *more]

    def launch(self, *more: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PANAL_")}
        self.process = subprocess.Popen(self.command(*more), cwd=ROOT, stdout=subprocess.DEVNULL, env=environ)

    async def connect(self) -> None:
        self.session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"})
        await until_async(self._answers, "the sandbox answers")

    async def disconnect(self) -> None:
        if self.session is not None:
            await self.session.close()
            self.session = None

    async def restart(self, *more: str) -> None:
        self.launch(*more)
        await until_async(self._answers, "the sandbox answers again")

    async def _answers(self) -> bool:
        assert self.process is not None
        assert self.session is not None
        assert self.process.poll() is None, "the sandbox died while starting"
        try:
            async with self.session.get(f"{self.url}/_sandbox") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_S)

    def end_if_alive(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        assert self.session is not None
        async with self.session.request(method, f"{self.url}{path}", **more) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path))[1]

    async def post(self, path: str, body: Any) -> Any:
        status, value = await self.call("POST", path, json=body)
        assert status == 200, value
        return value

    async def put(self, path: str, body: Any) -> Any:
        status, value = await self.call("PUT", path, json=body)
        assert status == 200, value
        return value

    async def send(self, to: str, words: str = "hello", **more: Any) -> tuple[int, Any]:
        body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": words}, **more}
        return await self.call("POST", f"/v23.0/{NUMBER}/messages", json=body)

    async def sent(self, to: str, words: str = "hello", **more: Any) -> str:
        status, value = await self.send(to, words, **more)
        assert status == 200, value
        return str(value["messages"][0]["id"])

    async def on_phone(self, wa_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.get(f"/_sandbox/phones/{wa_id}/messages")
        return found


@pytest.fixture
async def receiver(shared: Sandbox) -> AsyncIterator[Receiver]:
    one = Receiver(shared.receiver_port)
    await one.start()
    yield one
    await one.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for all tests that do not kill it."""
    one = Sandbox(tmp_path_factory.mktemp("shared"), free_port())
    one.launch()
    yield one
    assert one.end() == 0


@pytest.fixture
async def sandbox(shared: Sandbox) -> AsyncIterator[Sandbox]:
    """The shared process, with nothing in it."""
    await shared.connect()
    await shared.post("/_sandbox/reset", {})
    yield shared
    await shared.disconnect()


@pytest.fixture
async def own_sandbox(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Sandbox]:
    """A process of the test's own, to kill and start again."""
    one = Sandbox(tmp_path, receiver.port)
    one.launch()
    await one.connect()
    yield one
    await one.disconnect()
    one.end_if_alive()


@pytest.fixture
def until() -> Callable[..., Awaitable[Any]]:
    return until_async
