"""The pages for developers are true: files, classes, tests and links that they name exist; tables are complete."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDES = ("docs/architecture.md", "docs/architecture.es.md", "docs/glossary.md", "CONTRIBUTING.md", "CHANGELOG.md")
TWINS = (("docs/architecture.md", "docs/architecture.es.md"),)
FOLDERS = ("blueprints", "config", "services", "tests", "tools", "docs")
EXAMPLES = ("blueprints/labels.py", "blueprints/openapi/labels.py", "services/labels/")
"""What the recipes would add."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def words_of(page: str) -> list[str]:
    """What stands in code font, outside blocks of code."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL))


@cache
def names_in_the_code() -> frozenset[str]:
    """Classes, functions and constants of the whole tree, tests included."""
    found: set[str] = set()
    for folder in FOLDERS[:5]:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(node.name)
    return frozenset(found)


@pytest.mark.parametrize("name", GUIDES)
def test_every_file_that_is_named_exists(name: str) -> None:
    named = [word for word in words_of(read(name)) if word.partition("/")[0] in FOLDERS and "/" in word]
    assert [word for word in named if word not in EXAMPLES and not (ROOT / word).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_class_and_test_that_is_named_exists(name: str) -> None:
    words = words_of(read(name))
    named = [word for word in words if re.fullmatch(r"(?:[A-Z][a-z]+){2,}|test_\w+", word)]
    assert [word for word in named if word not in names_in_the_code()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_link_leads_somewhere(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", read(name)) if "://" not in link]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_every_command_of_make_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", read("Makefile"), flags=re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z0-9-]+)", read(name), flags=re.MULTILINE)) <= targets


@pytest.mark.parametrize(("english", "spanish"), TWINS)
def test_twins_have_the_same_shape(english: str, spanish: str) -> None:
    def shape(page: str) -> list[str]:
        return [
            re.sub(r"[^|]", "", line) if line.startswith("|") else line.split(" ", 1)[0]
            for line in page.splitlines()
            if re.match(r"#+ |\d\. |\||!\[", line)
        ]

    def tidy(lines: list[str]) -> list[str]:
        return ["image" if line.startswith("![") else line for line in lines]

    assert tidy(shape(read(english))) == tidy(shape(read(spanish)))


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    for name in ("docs/architecture.md", "docs/architecture.es.md", "docs/packages.svg", "docs/packages.es.svg"):
        page = read(name)
        assert [package for package in sorted(packages) if not re.search(rf"\b{package}\b", page)] == [], name


def tasks_in(source: str) -> Iterator[str]:
    """Names of the owner's background tasks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BackgroundTask" and node.args:
            if isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)


@pytest.mark.parametrize("name", ["docs/architecture.md", "docs/architecture.es.md"])
def test_the_table_of_background_tasks_is_complete(name: str) -> None:
    page = read(name)
    section = page[page.index("`services/wiring/owner_tasks.py`") :].split("\n## ", 1)[0]
    listed = re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE)
    running = list(tasks_in(read("services/wiring/owner_tasks.py")))
    assert len(running) > 10
    assert sorted(listed) == sorted(running)


def test_the_changelog_has_one_line_an_entry() -> None:
    lines = read("CHANGELOG.md").split("## [Unreleased]", 1)[1].splitlines()
    headings = [line for line in lines if line.startswith("### ")]
    assert headings == [
        f"### {name}" for name in ("Added", "Changed", "Fixed", "Removed", "Security") if f"### {name}" in headings
    ]
    assert [line for line in lines if line and not line.startswith(("- ", "### ", "## ["))] == []
    assert [line for line in lines if len(line) > 200] == []
