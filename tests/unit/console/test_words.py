"""Both languages are complete: every key that a script uses is there, with the same blanks; none is left over."""

import json
import re
from pathlib import Path

import pytest

CONSOLE = Path(__file__).parents[3] / "blueprints" / "console"
SCRIPTS = {
    path.relative_to(CONSOLE).as_posix(): path.read_text(encoding="utf-8")
    for path in (CONSOLE / "scripts").rglob("*.js")
}
WORDS: dict[str, dict[str, str]] = json.loads((CONSOLE / "words.json").read_text(encoding="utf-8"))

LITERAL = re.compile(r"\bt\(\s*'([a-z0-9_.]+)'")
PLURAL = re.compile(r"\btn\(\s*'([a-z0-9_.]+)'")
CHOICE = re.compile(r"\bt\([^'`()]*\? '([a-z0-9_.]+)' : '([a-z0-9_.]+)'")
FAMILY = re.compile(r"\b(?:t\(\s*`([a-z0-9_.]+)\$\{|word\('([a-z_.]+)')")


def used() -> set[str]:
    """Keys that stand in the scripts as they are."""
    whole = "\n".join(SCRIPTS.values())
    found = {*LITERAL.findall(whole), *(key for pair in CHOICE.findall(whole) for key in pair)}
    return found | {f"{key}.{form}" for key in PLURAL.findall(whole) for form in ("one", "many")}


def test_every_key_that_is_used_has_words() -> None:
    assert sorted(used() - WORDS.keys()) == []


@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_say_it_with_the_same_blanks(key: str) -> None:
    words = WORDS[key]
    assert set(words) == {"es", "en"}
    assert all(text.strip() for text in words.values())
    blanks = {language: sorted(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)) for language, text in words.items()}
    assert blanks["es"] == blanks["en"]


def test_no_words_are_left_over() -> None:
    whole = "\n".join(SCRIPTS.values())
    families = {start for pair in FAMILY.findall(whole) for start in pair if start} | {"first."}
    families = {family if family.endswith(".") else f"{family}." for family in families}
    quoted = set(re.findall(r"'([a-z0-9_.]+)'", whole))
    known = used() | quoted
    unused = [key for key in WORDS if key not in known and not key.startswith(tuple(families))]
    assert unused == []


def test_no_words_stand_in_the_scripts_themselves() -> None:
    """Text between tags belongs into the table; names of things (PID, URL, id) may stand where they are."""
    text = re.compile(r">([A-ZÁÉÍÓÚÑ¿¡][a-záéíóúñ]{3,}[^<>${}`]*)<")
    found = {
        name: hits
        for name, source in SCRIPTS.items()
        if (hits := [hit for hit in text.findall(source) if hit not in ("Panal", "Enter")])
    }
    assert found == {}
