"""What a restart keeps, and when the process leaves by itself."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PHONE = "16505551234"
WABA = "102290129340398"
ROOT = Path(__file__).parents[3]

PARENT = """
import multiprocessing, sys, time
from services.sandbox.process import run_sandbox

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    settings = dict(port=int(sys.argv[1]), token="t", app_secret="s", verify_token="v", number="1",
                    display_phone_number="15550783881", waba="2", webhook_url="", data_dir=sys.argv[2])
    child = multiprocessing.Process(target=run_sandbox, kwargs=settings)
    child.start()
    print(child.pid, flush=True)
    time.sleep(60)
"""


async def test_a_restart_keeps_scripts_rules_settings_templates_and_waiting_messages(
    own_sandbox: Any, receiver: Any, until: Any
) -> None:
    await own_sandbox.put(f"/_sandbox/phones/{PHONE}", {"online": False, "name": "Ana"})
    await own_sandbox.put("/_sandbox/settings", {"approve_after_ms": 1500})
    await own_sandbox.post("/_sandbox/rules", {"when": {"next": 1}, "then": {"error": 131016}})
    assert (await own_sandbox.send(PHONE))[0] == 500
    wamid = await own_sandbox.sent(PHONE)
    body = {"type": "BODY", "text": "Hi"}
    new = {"name": "soon", "language": "es", "category": "UTILITY", "components": [body]}
    template_id = (await own_sandbox.post(f"/v23.0/{WABA}/message_templates", new))["id"]
    own_sandbox.end(signal.SIGKILL)
    await own_sandbox.restart()
    assert (await own_sandbox.send("16505550000"))[0] == 200
    assert (await own_sandbox.get(f"/_sandbox/phones/{PHONE}"))["name"] == "Ana"
    await until(lambda: receiver.values("message_template_status_update"), "the approval")
    assert (await own_sandbox.get(f"/v23.0/{template_id}"))["status"] == "APPROVED"
    await own_sandbox.put(f"/_sandbox/phones/{PHONE}", {"online": True})
    await until(lambda: (wamid, "read") in receiver.statuses(), "the waiting message is read")


async def test_a_second_sandbox_does_not_share_the_folder(sandbox: Any, tmp_path: Path) -> None:
    command = [*sandbox.command("--port", "0")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)  # noqa: ASYNC221
    assert ended.returncode == 1
    assert "cannot be used" in ended.stderr


@pytest.mark.parametrize("serves", [True, False])
async def test_a_managed_child_leaves_with_its_parent(serves: bool, sandbox: Any, tmp_path: Path, until: Any) -> None:
    """Also one that had only begun when its parent died."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    command = [sys.executable, str(script), "0", str(tmp_path)]
    environ = {"PYTHONPATH": str(ROOT), "PATH": ""}
    parent = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    if serves:
        await until(lambda: (tmp_path / "sandbox" / "journal.sqlite3").exists(), "the child serves")
    parent.send_signal(signal.SIGKILL)
    parent.wait(timeout=10)
    await until(lambda: not Path(f"/proc/{pid}").exists(), "the child has left")
