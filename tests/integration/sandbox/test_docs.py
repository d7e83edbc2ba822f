"""Every curl of docs/sandbox.md works as it stands there."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
COMMAND = re.compile(r"^curl .*?(?<!\\)$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [command for block in blocks for command in COMMAND.findall(block)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
async def test_each_command_of_the_page_is_accepted(sandbox: Any, receiver: Any, until: Any) -> None:
    found = commands()
    assert len(found) >= 12
    for command in found:
        here = command.replace("127.0.0.1:8001", f"127.0.0.1:{sandbox.port}").replace(
            "sandbox-token", "a-token-of-this-test"
        )
        run = ["bash", "-c", here.replace("curl -s", "curl -sS --fail-with-body")]
        ended = await asyncio.to_thread(subprocess.run, run, capture_output=True, text=True, timeout=20, check=False)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        assert ended.stdout.startswith(("{", "[")), command


async def test_the_page_names_every_key_of_a_script_and_every_setting(sandbox: Any) -> None:
    page = PAGE.read_text(encoding="utf-8")
    script = await sandbox.get("/_sandbox/phones/16505551234")
    settings = await sandbox.get("/_sandbox/settings")
    keys = {*script, *settings} - {"wa_id", "user_id"}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
