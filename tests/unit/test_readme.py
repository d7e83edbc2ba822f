"""Both READMEs say the same and the truth: commands, links, settings; the page of settings is the generated one."""

import re
from pathlib import Path
from typing import Literal

import pytest

from config.settings.table import describe_settings, render_settings_page

ROOT = Path(__file__).parents[2]
READMES: dict[Literal["en", "es"], str] = {
    "en": (ROOT / "README.md").read_text(encoding="utf-8"),
    "es": (ROOT / "README.es.md").read_text(encoding="utf-8"),
}
LOCALES = list(READMES)


def blocks_of(text: str) -> list[str]:
    return re.findall(r"^```[a-z]+\n.*?^```$", text, flags=re.MULTILINE | re.DOTALL)


def headings_of(text: str) -> list[int]:
    """The level of each heading, in order; comments inside code blocks are none."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, flags=re.MULTILINE)]


def test_both_have_the_same_headings() -> None:
    assert headings_of(READMES["en"]) == headings_of(READMES["es"])


def test_both_have_the_same_code() -> None:
    assert blocks_of(READMES["en"]) == blocks_of(READMES["es"])
    assert len(blocks_of(READMES["en"])) > 5


def test_both_have_as_many_list_items_and_paragraphs() -> None:
    def items(text: str) -> int:
        return len(re.findall(r"^(?:\* |\d\. )", text, flags=re.MULTILINE))

    def paragraphs(text: str) -> int:
        return len(re.split(r"\n{2,}", text))

    assert items(READMES["en"]) == items(READMES["es"])
    assert paragraphs(READMES["en"]) == paragraphs(READMES["es"])


@pytest.mark.parametrize(("locale", "name"), [("en", "settings.md"), ("es", "settings.es.md")])
def test_the_page_of_settings_is_the_generated_one(locale: Literal["en", "es"], name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert page == render_settings_page(locale), f"python -m config.settings.table {locale} > docs/{name}"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_variable_that_is_named_exists(locale: Literal["en", "es"]) -> None:
    known = {row.variable for row in describe_settings()}
    assert set(re.findall(r"PANAL_[A-Z_]+", READMES[locale])) <= known


@pytest.mark.parametrize("locale", LOCALES)
def test_every_command_of_make_exists(locale: Literal["en", "es"]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", READMES[locale], flags=re.MULTILINE))
    assert named <= targets
    assert {"run", "test", "plan", "prod-cluster"} <= named


@pytest.mark.parametrize("locale", LOCALES)
def test_every_link_to_a_file_leads_somewhere(locale: Literal["en", "es"]) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", READMES[locale])
    ours = [link for link in links if "://" not in link]
    assert len(ours) > 4
    assert [link for link in ours if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_it_links_every_page_of_docs_in_its_language_where_there_is_one(locale: Literal["en", "es"]) -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    english = {name for name in pages if not name.endswith(".es.md")}
    wanted = {
        spanish if locale == "es" and (spanish := f"{name.removesuffix('.md')}.es.md") in pages else name
        for name in english
    }
    linked = set(re.findall(r"\]\(docs/([^)#]+\.md)\)", READMES[locale]))
    assert wanted - linked == set()
    assert "](CONTRIBUTING.md)" in READMES[locale]
    assert "](CHANGELOG.md)" in READMES[locale]


@pytest.mark.parametrize("locale", LOCALES)
def test_it_is_short_and_shows_the_console_in_its_first_screen(locale: Literal["en", "es"]) -> None:
    lines = READMES[locale].splitlines()
    assert len(lines) <= 150
    shown = re.findall(r"!\[[^\]]+\]\((docs/images/[^)]+)\)", "\n".join(lines[:15]))
    assert len(shown) == 1
    assert (ROOT / shown[0]).stat().st_size < 300_000


@pytest.mark.parametrize("locale", LOCALES)
def test_it_says_what_it_is_in_three_sentences(locale: Literal["en", "es"]) -> None:
    first = READMES[locale].split("\n\n")[1]
    assert len(re.findall(r"\.(?:\s|$)", first)) == 3


def test_decisions_are_one_page_and_numbered_without_a_gap() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").splitlines()) > 40] == []
