"""Every page of the console has an icon and a name, is looked at by the browser tests, and stands in the docs."""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONSOLE = ROOT / "blueprints" / "console"
SHELL = (CONSOLE / "scripts" / "shell.js").read_text(encoding="utf-8")
PARTS = re.findall(r"\{ id: '(\w+)', icon: '(\w+)', scope: '([\w:]+)', page: (\w+)", SHELL)
IDS = [part[0] for part in PARTS]


def names_of(path: str, constant: str) -> list[str]:
    """A tuple of texts at the top of a module, without importing the module: it wants a browser."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == constant:
            return list(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no {constant}")


def test_the_table_of_pages_is_read() -> None:
    assert len(PARTS) == SHELL.count("{ id: '")
    assert "inbox" in IDS


def test_every_page_has_a_name_and_an_icon() -> None:
    words = json.loads((CONSOLE / "words.json").read_text(encoding="utf-8"))
    icons = re.findall(
        r"^  (\w+): '", (CONSOLE / "scripts" / "icons.js").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert [part for part in IDS if f"nav.{part}" not in words] == []
    assert [icon for _, icon, _, _ in PARTS if icon not in icons] == []


def test_the_browser_looks_at_every_page() -> None:
    assert sorted(names_of("tests/browser/test_page.py", "PARTS")) == sorted(IDS)
    assert sorted(names_of("tests/browser/screenshots.py", "PAGES")) == sorted(IDS)


def test_the_docs_name_every_page_in_both_languages() -> None:
    words = json.loads((CONSOLE / "words.json").read_text(encoding="utf-8"))
    for name, language in (("console.md", "en"), ("console.es.md", "es")):
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert [part for part in IDS if words[f"nav.{part}"][language] not in page] == [], name
