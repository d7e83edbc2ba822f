"""The receivers of docs/receive.md, run as they stand there: they verify, refuse, and skip what they have seen."""

import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from services.events import event_bytes
from services.store import Event
from services.webhook_endpoints.signing import new_secret, standard_signature
from tests.harness import free_port
from tests.harness.waiting import until

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs" / "receive.md"
SECRET = new_secret()
LANGUAGES = {
    "python": ("receiver.py", lambda path, port: [sys.executable, str(path)]),
    "js": ("receiver.mjs", lambda path, port: ["node", str(path)]),
    "php": ("receiver.php", lambda path, port: ["php", "-S", f"127.0.0.1:{port}", str(path)]),
}


@dataclass
class Running:
    """A receiver that runs; `output` is what it printed."""

    url: str
    output_path: Path

    @property
    def output(self) -> str:
        return self.output_path.read_text(encoding="utf-8", errors="replace")

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        return httpx.post(self.url, content=body, headers=headers, timeout=10).status_code


def code_of(language: str) -> str:
    """The one block of this language that is a whole program."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (program,) = [block for block in blocks if "verify" in block]
    return str(program)


@pytest.fixture(params=LANGUAGES)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    name, command_of = LANGUAGES[request.param]
    path, port = tmp_path / name, free_port()
    command = command_of(path, port)
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed here")
    path.write_text(code_of(request.param), encoding="utf-8")
    output_path = tmp_path / "output"
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET, "PORT": str(port), "TMPDIR": str(tmp_path)}
    with output_path.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    running = Running(f"http://127.0.0.1:{port}/", output_path)
    try:
        until(lambda: is_up(running.url), f"{name} listens", context=lambda: running.output)
        yield running
    finally:
        process.kill()
        process.wait(10)


def is_up(url: str) -> bool:
    try:
        httpx.post(url, timeout=2)
    except httpx.HTTPError:
        return False
    return True


def event(seq: int) -> Event:
    moment = datetime.now(UTC)
    return Event("evt_01", "106540352242922", seq, "message.received", moment, {"text": "¿Qué tal? ñ 🐝"})


def signed(body: bytes, *, secret: str = SECRET, id_: str | None = None, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    id_ = id_ or f"evt_{uuid.uuid4().hex}-whe_1"
    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": standard_signature(id_, at, body, [secret]),
    }


def test_it_takes_what_is_ours_once(receiver: Running) -> None:
    body = event_bytes(event(41))
    headers = signed(body)
    assert [receiver.post(body, headers) for _ in range(3)] == [204] * 3
    until(lambda: "41 message.received" in receiver.output, "it was worked on", context=lambda: receiver.output)
    time.sleep(0.2)
    assert receiver.output.count("41 message.received") == 1


def test_it_takes_either_signature_during_a_rotation(receiver: Running) -> None:
    body = event_bytes(event(42))
    headers = signed(body)
    other = signed(body, secret=new_secret(), id_=headers["webhook-id"])
    headers["webhook-signature"] = f"{other['webhook-signature']} {headers['webhook-signature']}"
    assert receiver.post(body, headers) == 204


def test_it_refuses_what_is_not_ours(receiver: Running) -> None:
    body = event_bytes(event(43))
    good = signed(body)
    old = signed(body, at=datetime.now(UTC) - timedelta(minutes=10))
    early = signed(body, at=datetime.now(UTC) + timedelta(minutes=10))
    refused = [
        (body, signed(body, secret=new_secret())),
        (body.replace(b"message", b"massage"), good),
        (body, old),
        (body, early),
        (body, good | {"webhook-id": "evt_other"}),
        (body, good | {"webhook-timestamp": "now"}),
        (body, good | {"webhook-signature": "v1,"}),
        (body, good | {"webhook-signature": ""}),
        (body, {"content-type": "application/json"}),
    ]
    assert [receiver.post(*one) for one in refused] == [401] * len(refused)
    assert "43 message.received" not in receiver.output
