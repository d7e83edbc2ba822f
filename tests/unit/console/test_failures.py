"""What WhatsApp's errors mean, in both languages: the console's table and the error table say the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.graph import CodeRule
from services.graph.code_table import RANGES, RULES

TABLE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "blueprints" / "console" / "whatsapp_errors.json").read_text(encoding="utf-8")
)
WANTED: dict[str, CodeRule] = {
    **{str(rule.code) if rule.subcode is None else f"{rule.code}/{rule.subcode}": rule for rule in RULES},
    **{f"{codes.start}-{codes.stop - 1}": rule for codes, rule in RANGES},
}


def test_every_code_of_the_error_table_is_there_and_no_other() -> None:
    assert sorted(TABLE) == sorted(WANTED)


@pytest.mark.parametrize("key", sorted(WANTED))
def test_both_languages_say_what_it_means_and_what_to_do(key: str) -> None:
    rule, row = WANTED[key], TABLE[key]
    assert set(row["title"]) == set(row["do"]) == {"es", "en"}
    assert row["do"]["en"] == rule.next_step
    if "{" not in rule.title:  # a text with blanks stands there in words of its own
        assert row["title"]["en"] == rule.title
    assert row.get("usual", "") == rule.details
    for said in (row["title"], row["do"]):
        assert said["es"].strip()
        assert said["es"] != said["en"]
    assert row["do"]["es"].endswith(".")


def test_the_same_advice_is_said_in_the_same_words() -> None:
    spanish: dict[str, set[str]] = {}
    for row in TABLE.values():
        spanish.setdefault(row["do"]["en"], set()).add(row["do"]["es"])
    assert [words for words in spanish.values() if len(words) > 1] == []
