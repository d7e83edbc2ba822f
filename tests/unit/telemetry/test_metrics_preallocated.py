"""Counts whose file finds no space: nothing ends, nothing is lost, and the file is whole at every moment.

No disk has to be full for it: a limit on the size of files makes the same write fail.
"""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict

from services.telemetry.metrics import files, preallocated
from services.telemetry.metrics.preallocated import FIRST_BYTES, PreallocatedDict


@contextlib.contextmanager
def no_file_above(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(autouse=True)
def tries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preallocated, "AGAIN_S", 0.0)


def in_file(path: Path) -> dict[str, float]:
    return {key: value for key, value, *_ in MmapedDict.read_all_values_from_file(str(path))}


def test_the_file_is_what_prometheus_client_writes_and_every_byte_of_it_is_there(tmp_path: Path) -> None:
    ours, theirs = PreallocatedDict(str(tmp_path / "ours.db")), MmapedDict(str(tmp_path / "theirs.db"))
    for counts in (ours, theirs):
        assert counts.read_value("a") == (0.0, 0.0)
        for number in range(5):
            counts.write_value("k" * number, number, 1.0)
        counts.close()
    assert (tmp_path / "ours.db").read_bytes() == (tmp_path / "theirs.db").read_bytes()
    assert (tmp_path / "ours.db").stat().st_blocks * 512 >= FIRST_BYTES
    assert PreallocatedDict(str(tmp_path / "theirs.db")).read_value("kkk") == (3.0, 1.0)


def test_without_any_room_it_counts_by_itself_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    with no_file_above(0):
        counts = PreallocatedDict(str(path))
        assert counts.read_value("a") == (0.0, 0.0)
        counts.write_value("a", 3, 0.0)
        assert counts.read_value("a") == (3.0, 0.0)
        assert list(tmp_path.iterdir()) == []
    counts.write_value("b", 1, 0.0)
    assert in_file(path) == {"a": 3.0, "b": 1.0}
    assert counts.waiting == {}


def test_a_file_that_cannot_grow_keeps_what_it_has_and_takes_the_rest_later(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    counts = PreallocatedDict(str(path))
    keys = [f"{number:0100d}" for number in range(2000)]
    with no_file_above(FIRST_BYTES):
        for key in keys:
            counts.write_value(key, 1, 0.0)
        counts.write_value(keys[0], 2, 0.0)
        assert counts.waiting
        assert counts.read_value(keys[-1]) == (1.0, 0.0)
        assert path.stat().st_size == FIRST_BYTES
        assert len(in_file(path)) == len(keys) - len(counts.waiting)
    counts.write_value(keys[-1], 5, 0.0)
    assert in_file(path) == {**dict.fromkeys(keys, 1.0), keys[0]: 2.0, keys[-1]: 5.0}


def test_the_counts_of_the_dead_stay_where_they_are_until_the_sums_have_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(files.DIRECTORY_VARIABLE, str(tmp_path))
    (tmp_path / files.LOCK).touch()
    for pid in (1, 2):
        PreallocatedDict(str(tmp_path / f"counter_{pid}.db")).write_value("a", pid, 0.0)
    with no_file_above(0):
        files.fold(1)
    assert sorted(path.name for path in tmp_path.glob("*.db")) == ["counter_1.db", "counter_2.db"]
    files.fold(2)
    assert [path.name for path in tmp_path.glob("*.db")] == ["counter_folded.db"]
    assert in_file(tmp_path / "counter_folded.db") == {"a": 3.0}


def test_an_adder_counts_on_from_what_is_there_with_and_without_room(tmp_path: Path) -> None:
    path = tmp_path / "counter_1.db"
    with no_file_above(0):
        counts = PreallocatedDict(str(path))
        counts.add("a", 2)
        counts.add("a", 0.5)
        assert counts.read_value("a") == (2.5, 0.0)
    counts.add("a", 1)
    counts.add("b", 1)
    counts.add("b", 1)
    assert in_file(path) == {"a": 3.5, "b": 2.0}
    assert PreallocatedDict(str(path)).read_value("a") == (3.5, 0.0)


def test_the_adders_of_a_histogram_do_what_its_observe_does(tmp_path: Path) -> None:
    """In a process of its own: where prometheus_client counts is settled when it is imported."""
    script = """
import os, sys
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
from services.telemetry.metrics import definitions as metrics
for seconds in (0.0, 0.004, 0.005, 0.0051, 3.0, 60.0):
    metrics.observe_request("GET", "ours", 200, seconds)
    metrics.HTTP_SECONDS.labels("GET", "/theirs", "200").observe(seconds)
metrics.observe_request("BREW", None, 404, 1.0)
print(metrics.render().decode())
"""
    page = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    lines = [line for line in page.splitlines() if line.startswith("panal_http_request_seconds")]
    ours = [line.replace("/ours", "/theirs") for line in lines if "/ours" in line]
    assert len(ours) > 5
    assert ours == [line for line in lines if "/theirs" in line]
    assert 'panal_http_request_seconds_count{method="OTHER",route="unmatched",status="404"} 1.0' in lines
