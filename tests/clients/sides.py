"""The two places that clients are pointed at: Panal's drop-in, and the sandbox alone."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.messages import client_wamid, message_id_of
from tests.clients.recorder import Recorder
from tests.harness.cluster import NUMBER
from tests.harness.sanic_command import NO_TLS, ROOT
from tests.harness.waiting import until

WABA = "102290129340398"
SECRET = "sandbox-secret"
NODE = Path(__file__).with_name("node")
SAMPLES = ROOT / "services" / "sandbox" / "samples"
TEMPLATE = {"name": "client_order", "language": "es"}
ENDINGS = ("jpg", "png", "webp", "mp4", "mp3", "ogg", "pdf")

PYTHON_CLIENTS = ("pywa", "heyoo")
NODE_CLIENTS = ("whatsapp-api-js", "kapso", "great-detail", "whatsapp-business")
CLIENTS = (*PYTHON_CLIENTS, *NODE_CLIENTS)


@dataclass
class Side:
    """``base_url`` and ``token`` are what a client is given; ``control`` is the emulator behind it."""

    name: str
    base_url: str
    token: str
    control: httpx.Client
    recorder: Recorder
    panal: httpx.Client | None = None

    def graph(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """One call of the Graph API, that must work."""
        headers = {"authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self.base_url}/v23.0/{path}", headers=headers, verify=NO_TLS, **request)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def write(self, wa_id: str, message: dict[str, Any]) -> str:
        """The customer writes."""
        answer = self.control.post(f"/_sandbox/phones/{wa_id}/messages", json=message)
        assert answer.status_code == 200, f"{message}: {answer.text}"
        return str(answer.json()["wamid"])

    def open_window(self, wa_id: str) -> str:
        """The customer writes, and the business knows it: free-form messages may be sent. The wamid."""
        wamid = self.write(wa_id, {"type": "text", "text": {"body": "Hello?"}})
        if self.panal is not None:
            until(lambda: self.stored(wa_id), f"{wa_id} has a conversation")
        return wamid

    def stored(self, wa_id: str) -> bool:
        assert self.panal is not None
        found = self.panal.get("/v1/messages", params={"direction": "in", "limit": 200}).json()["data"]
        return any(wa_id in (message["from"], message.get("from_user_id")) for message in found)

    def phone(self, wa_id: str) -> dict[str, dict[str, Any]]:
        """What this phone received, by the id that the client was given."""
        answer = self.control.get(f"/_sandbox/phones/{wa_id}/messages")
        assert answer.status_code == 200, answer.text
        return {self._id_of(message): message for message in answer.json() if message["direction"] == "in"}

    def _id_of(self, message: dict[str, Any]) -> str:
        if self.panal is None:
            return str(message["wamid"])
        tracking = str(message["biz_opaque_callback_data"])
        return client_wamid(tracking.removeprefix("panal:").partition("|")[0])

    def explained(self, missing: dict[str, str]) -> str:
        """What became of messages that did not arrive."""
        if self.panal is None:
            return str(missing)
        found = {kind: self.panal.get(f"/v1/messages/{message_id_of(id_)}").json() for kind, id_ in missing.items()}
        return "\n".join(f"{kind}: {message}" for kind, message in found.items())

    def make_template(self) -> None:
        """A template with a picture, two parameters and two buttons, in both places the same."""
        components = [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [self._handle()]}},
            {"type": "BODY", "text": "Hola {{1}}, tu pedido {{2}} va.", "example": {"body_text": [["Ana", "7"]]}},
            {
                "type": "BUTTONS",
                "buttons": [
                    {"type": "QUICK_REPLY", "text": "Gracias"},
                    {"type": "URL", "text": "Ver", "url": "https://example.com/{{1}}", "example": ["42"]},
                ],
            },
        ]
        self.graph(
            "POST", f"{WABA}/message_templates", json={**TEMPLATE, "category": "UTILITY", "components": components}
        )

    def _handle(self) -> str:
        """Meta wants an example of the picture: a resumable upload."""
        data = (SAMPLES / "sample.jpg").read_bytes()
        session = self.graph("POST", f"42/uploads?file_length={len(data)}&file_type=image/jpeg&file_name=a.jpg")
        answer = httpx.post(
            f"{self.base_url}/v23.0/{session['id']}",
            content=data,
            headers={"authorization": f"OAuth {self.token}", "file_offset": "0"},
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["h"])

    def orders(self, folder: Path, **more: Any) -> dict[str, Any]:
        """What a runner needs to know."""
        return {
            "path": self.name,
            "base_url": self.base_url,
            "token": self.token,
            "number": NUMBER,
            "waba": WABA,
            "app_secret": SECRET,
            "samples": str(SAMPLES),
            "folder": str(folder),
            "links": {ending: f"{self.control.base_url}/_sandbox/sample.{ending}" for ending in ENDINGS},
            "template": TEMPLATE,
            **more,
        }


def command_of(client: str, *, parses: bool) -> list[str]:
    """How a client's runner is started."""
    if client in PYTHON_CLIENTS:
        return [sys.executable, "-m", f"tests.clients.runners.{client}_client"]
    node = shutil.which("node") or "node"
    return [node, str(NODE / ("parse.mjs" if parses else f"send-{client}.mjs"))]


def run_client(client: str, orders: dict[str, Any], *, parses: bool = False) -> list[dict[str, Any]]:
    """Every line that the runner said."""
    done = subprocess.run(
        command_of(client, parses=parses),
        input=json.dumps({**orders, "client": client}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{client} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def missing_packages(clients: Sequence[str] = CLIENTS) -> list[str]:
    """What is not installed, and how to install it."""
    faults = []
    found = subprocess.run([sys.executable, "-c", "import pywa, heyoo"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        faults.append(f"pywa and heyoo: pip install -e '.[clients]' ({found.stderr.strip().splitlines()[-1]})")
    if shutil.which("node") is None:
        faults.append("node: version 20 or later on the PATH")
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    absent = [name for name in wanted if not (NODE / "node_modules" / name / "package.json").is_file()]
    if absent:
        faults.append(f"{', '.join(absent)}: npm ci --ignore-scripts in {NODE.relative_to(ROOT)}")
    return faults
