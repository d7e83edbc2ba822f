"""The emulator knows what Panal sends, although neither imports the other; and the console has a word for each kind."""

import json
from pathlib import Path

from services.messages import BY_TYPE, KINDS
from services.sandbox.checks import interactive, message

WORDS = json.loads((Path(__file__).parents[3] / "blueprints" / "console" / "words.json").read_text(encoding="utf-8"))


def test_the_emulator_checks_every_kind_that_panal_sends() -> None:
    assert set(message.KINDS) == set(KINDS)


def test_the_emulator_checks_every_interactive_type_that_panal_sends() -> None:
    assert set(interactive.FORMS) == set(BY_TYPE)


def test_the_console_has_a_word_for_every_kind() -> None:
    assert [kind for kind in KINDS if kind != "text" and f"kind.{kind}" not in WORDS] == []
