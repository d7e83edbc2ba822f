"""Which keys an installation has, and the file in which development keeps its own."""

import os
import stat
from pathlib import Path

import pytest

from config.settings.fields import Settings
from config.settings.load import load_settings
from services.vault import KEY_FILE, KeyFileDamaged, SecretKey, kept_key, open_box

CURRENT, PREVIOUS = "current-0123456789-abcdefghijklmno", "previous-0123456789-abcdefghijklmn"


def settings(folder: Path, **keys: str) -> Settings:
    return load_settings({"PANAL_DATA_DIR": str(folder), **keys})


def ids(*texts: str) -> frozenset[str]:
    return frozenset(SecretKey(text).id for text in texts)


def test_development_makes_a_key_once_and_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    first = open_box(settings(folder))
    assert open_box(settings(folder)).key_ids == first.key_ids
    path = folder / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.key_ids == ids(path.read_text().strip())
    assert os.listdir(folder) == [KEY_FILE], "no draft is left behind"


def test_two_installations_make_two_keys(tmp_path: Path) -> None:
    assert open_box(settings(tmp_path / "a")).key_ids != open_box(settings(tmp_path / "b")).key_ids


def test_a_configured_key_seals_and_no_file_is_made(tmp_path: Path) -> None:
    box = open_box(settings(tmp_path, PANAL_SECRET_KEY=CURRENT))
    assert (box.key_id, box.key_ids) == (SecretKey(CURRENT).id, ids(CURRENT))
    assert os.listdir(tmp_path) == []


def test_the_previous_key_opens_but_does_not_seal(tmp_path: Path) -> None:
    box = open_box(settings(tmp_path, PANAL_SECRET_KEY=CURRENT, PANAL_SECRET_KEY_PREVIOUS=PREVIOUS))
    assert (box.key_id, box.key_ids) == (SecretKey(CURRENT).id, ids(CURRENT, PREVIOUS))
    made = open_box(settings(tmp_path, PANAL_SECRET_KEY_PREVIOUS=PREVIOUS))
    kept = (tmp_path / KEY_FILE).read_text().strip()
    assert (made.key_id, made.key_ids) == (SecretKey(kept).id, ids(kept, PREVIOUS))


def test_an_installation_that_gets_a_key_still_opens_with_the_one_of_its_folder(tmp_path: Path) -> None:
    before = open_box(settings(tmp_path))
    after = open_box(settings(tmp_path, PANAL_SECRET_KEY=CURRENT))
    assert after.key_id == SecretKey(CURRENT).id
    assert after.key_ids == ids(CURRENT) | before.key_ids


def test_the_same_key_as_current_and_previous_is_one(tmp_path: Path) -> None:
    box = open_box(settings(tmp_path, PANAL_SECRET_KEY=CURRENT, PANAL_SECRET_KEY_PREVIOUS=CURRENT))
    assert box.key_ids == ids(CURRENT)


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff" * 64])
def test_a_damaged_file_is_told_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(KeyFileDamaged, match=KEY_FILE):
        open_box(settings(tmp_path))
    assert path.read_bytes() == content


def test_a_line_break_more_or_less_is_no_other_key(tmp_path: Path) -> None:
    box = open_box(settings(tmp_path))
    path = tmp_path / KEY_FILE
    path.write_text(path.read_text().strip() + "\r\n\n")
    assert open_box(settings(tmp_path)).key_ids == box.key_ids


def test_without_permission_to_make_one_there_is_none(tmp_path: Path) -> None:
    assert kept_key(tmp_path, may_make=False) is None
    assert os.listdir(tmp_path) == []
