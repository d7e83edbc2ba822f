"""What dead processes counted is added up; what they left half-written harms nobody."""

from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from services.telemetry.metrics import files


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(files.DIRECTORY_VARIABLE, str(tmp_path))
    (tmp_path / files.LOCK).touch()
    return tmp_path


def counted(path: Path, **values: float) -> None:
    counts = MmapedDict(str(path))
    for key, value in values.items():
        counts.write_value(key, value, 0.0)
    counts.close()


def folded(directory: Path, kind: str = "counter") -> dict[str, float]:
    values = MmapedDict.read_all_values_from_file(str(directory / f"{kind}_{files.FOLDED}.db"))
    return {key: value for key, value, _timestamp, _position in values}


def test_the_counts_of_the_dead_stay_and_their_files_go(directory: Path) -> None:
    counted(directory / "counter_1.db", a=2, b=1)
    counted(directory / "counter_2.db", a=3)
    counted(directory / "gauge_all_1.db", c=9)
    files.fold(1)
    files.fold(2)
    assert folded(directory) == {"a": 5, "b": 1}
    assert sorted(path.name for path in directory.glob("*.db")) == ["counter_folded.db"]


@pytest.mark.parametrize("rest", [b"", b"\x01", b"\xff\xff\xff\x7f" + bytes(60)], ids=["empty", "short", "nonsense"])
def test_a_file_that_was_cut_short_is_given_up_and_the_others_are_folded(directory: Path, rest: bytes) -> None:
    (directory / "counter_1.db").write_bytes(rest)
    counted(directory / "histogram_1.db", h=4)
    files.fold(1)
    assert folded(directory, "histogram") == {"h": 4}
    assert not (directory / "counter_1.db").exists()
