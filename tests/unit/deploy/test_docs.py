"""What the pages name exists: actions, metrics, settings, codes, commands, links; both languages are alike."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings.fields import Settings, variable
from services.telemetry.metrics import definitions
from services.telemetry.metrics.scoreboard import MEASURES
from tests.unit.deploy.files import ROOT

PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("deploy.md", "deploy.es.md", "operations.md", "operations.es.md", "security.md", "security.es.md")
}
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
ENGLISH_ALONE = {"events", "glossary"}
"""Generated or a dictionary."""

SPANISH = {name.partition(".")[0] for name in TEXTS if ".es." in name}
SHORTER_IN_SPANISH = {"performance", "reliability"}
"""The tables of figures stand once."""

LINKING = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "SECURITY.md", ROOT / "blueprints/console/README.md"]
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


def test_every_page_for_people_has_a_spanish_twin() -> None:
    assert {name.partition(".")[0] for name in TEXTS if ".es." not in name} - ENGLISH_ALONE == SPANISH


@pytest.mark.parametrize("name", sorted(SPANISH))
def test_the_twins_name_each_other_in_their_first_lines(name: str) -> None:
    english, spanish = (TEXTS[f"{name}{ending}"].splitlines()[:4] for ending in (".md", ".es.md"))
    assert any(f"]({name}.es.md)" in line for line in english)
    assert any(f"]({name}.md)" in line for line in spanish)


@pytest.mark.parametrize("name", sorted(SPANISH - SHORTER_IN_SPANISH))
def test_both_languages_have_the_same_shape(name: str) -> None:
    english, spanish = TEXTS[f"{name}.md"], TEXTS[f"{name}.es.md"]
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
    known |= set(re.findall(r"\"(panal_\w+)\"", SOURCE))
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


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for file, anchor in re.findall(r"\]\(((?!https?:)[^)#\s]*)#?([^)\s]*)\)", prose):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{file}#{anchor}"


def anchors(page: str) -> set[str]:
    """Of the headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_a_missing_anchor_is_found() -> None:
    found = anchors("# Security\n\n## Secrets at rest\n\n### Detrás de proxies\n")
    assert found == {"security", "secrets-at-rest", "detrás-de-proxies"}


def test_the_programs_of_both_receive_pages_differ_in_comments_alone() -> None:
    """The English ones are run (tests/integration/test_receive_page.py), so the Spanish ones work as well."""
    comment = re.compile(r'""".*?"""|/\*\*.*?\*/|(?:(?<=\s)|^)(?://|#) .*$', re.MULTILINE)
    block = re.compile(r"^```(?:python|js|php)\n.*?^```$", re.MULTILINE | re.DOTALL)
    english, spanish = (
        [comment.sub("", program) for program in block.findall(TEXTS[name])] for name in ("receive.md", "receive.es.md")
    )
    assert len(english) == 3
    assert english == spanish
