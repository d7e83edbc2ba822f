"""The README's commands, typed as a new user would: each does what the page says, and answers what it shows."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Cluster, start_cluster

pytestmark = pytest.mark.integration

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def typed(cluster: Cluster, commands: list[str]) -> list[Any]:
    """Run them in one shell, as they stand, but for ports and the place of the key; every JSON that they print."""
    script = "\nsleep 1\n".join(commands)
    script = script.replace("$(cat data/bootstrap.key)", cluster.key)
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{cluster.port}")
    script = script.replace("127.0.0.1:8001", f"127.0.0.1:{cluster.sandbox_port}")
    done = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    decoder, found, rest = json.JSONDecoder(), [], done.stdout
    while rest.strip():
        value, end = decoder.raw_decode(rest.lstrip())
        found.append(value)
        rest = rest.lstrip()[end:]
    return found


def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    commands = [block for block in blocks("sh") if "curl" in block]
    shown = [json.loads(block) for block in blocks("json")]
    with start_cluster(tmp_path, workers=2) as cluster:
        accepted, message, written, answer, events = typed(cluster, commands)

        assert accepted.keys() == shown[0].keys()
        assert accepted["status"] == shown[0]["status"]
        assert message["id"] == accepted["id"]
        assert shown[1].keys() <= message.keys()
        steps = [(step["status"], sorted(step)) for step in message["timeline"]]
        assert steps == [(step["status"], sorted(step)) for step in shown[1]["timeline"]]
        assert written["wamid"].startswith("wamid.")
        assert answer["type"] == "text"
        assert [event["seq"] for event in events["data"]] == list(range(1, len(events["data"]) + 1))

        again = typed(cluster, commands[:1])
        assert again == [accepted]
