"""The first key: given, or made once and kept where only its owner reads it."""

import stat
from pathlib import Path

from services.keys import bootstrap_key, key_digest
from services.keys.bootstrap import FILE_NAME


def test_a_given_key_is_taken_and_kept_nowhere(tmp_path: Path) -> None:
    found = bootstrap_key("given", tmp_path)
    assert (found.digest, found.text, found.path) == (key_digest("given"), None, None)
    assert list(tmp_path.iterdir()) == []


def test_without_one_a_key_is_made_told_once_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    made = bootstrap_key("", folder)
    assert made.text is not None
    assert made.digest == key_digest(made.text)
    again = bootstrap_key("", folder)
    assert (again.digest, again.text) == (made.digest, None)


def test_nobody_else_may_read_it_and_no_log_shows_it(tmp_path: Path) -> None:
    made = bootstrap_key("", tmp_path)
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.text is not None
    assert made.text not in repr(made)
