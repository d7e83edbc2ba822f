"""What the operators' pages name exists: actions, metrics, settings, codes, commands, links; both languages alike."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings.fields import Settings, variable
from services.telemetry.metrics import definitions
from services.telemetry.metrics.scoreboard import MEASURES, QUEEN
from tests.unit.deploy.files import ROOT

PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("deploy.md", "deploy.es.md", "operations.md", "operations.es.md", "security.md", "security.es.md")
}
OF_OTHERS = {"PANAL_RETENTION_", "PANAL_TRUSTED_PROXIES"}


def sources() -> Iterator[str]:
    for folder in ("config", "services", "blueprints", "tools"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.read_text(encoding="utf-8")
    yield (ROOT / "server.py").read_text(encoding="utf-8")


SOURCE = "\n".join(sources())


def headings(page: str) -> list[int]:
    prose = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, flags=re.MULTILINE)]


@pytest.mark.parametrize("name", ["deploy", "operations", "security"])
def test_both_languages_have_the_same_shape(name: str) -> None:
    english, spanish = PAGES[f"{name}.md"], PAGES[f"{name}.es.md"]
    assert headings(english) == headings(spanish)
    rows = [[line.count("|") for line in page.splitlines() if line.startswith("|")] for page in (english, spanish)]
    assert rows[0] == rows[1]
    commands = [re.findall(r"^```sh\n.*?^```$", page, flags=re.MULTILINE | re.DOTALL) for page in (english, spanish)]
    assert commands[0] == commands[1]


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_exists(name: str) -> None:
    known = {variable(field) for field in Settings.model_fields}
    assert set(re.findall(r"PANAL_[A-Z_]+", PAGES[name])) - known - OF_OTHERS == set()


@pytest.mark.parametrize("name", ["operations.md", "operations.es.md", "security.md", "security.es.md"])
def test_every_action_of_the_log_exists(name: str) -> None:
    actions = {
        word
        for word in re.findall(r"`([a-z]+\.[a-z_]+)`", PAGES[name])
        if word not in {"error.code", "error.next_step"} and not word.endswith((".md", ".json"))
    }
    assert actions
    assert {action for action in actions if f'"{action}"' not in SOURCE} == set()


@pytest.mark.parametrize("name", ["operations.md", "operations.es.md", "security.md", "security.es.md"])
def test_every_metric_exists(name: str) -> None:
    known = {family.name for family in definitions._memory.collect()} | {measure[0] for measure in MEASURES}
    known |= {line[0] for line in QUEEN} | set(re.findall(r"\"(panal_\w+)\"", SOURCE))
    named = {word.removesuffix("_total") for word in re.findall(r"`(panal_\w+)", PAGES[name])}
    assert named - known == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_error_code_exists(name: str) -> None:
    codes = set(re.findall(r"503 `([a-z_]+)`", PAGES[name]))
    assert {code for code in codes if f'"{code}"' not in SOURCE} == set()


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_make_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", PAGES[name])) <= targets


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGES[name]):
        if not target.startswith("http"):
            assert (Path(ROOT, "docs", target)).exists(), target
