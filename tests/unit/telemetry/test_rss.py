"""Memory of those who do not report it, from a /proc of the test's own."""

import os
from pathlib import Path

from services.telemetry.rss import helpers_rss_bytes, rss_bytes, rss_bytes_of

PAGE = os.sysconf("SC_PAGE_SIZE")


def process(proc: Path, pid: int, *, pages: int, children: str = "") -> None:
    folder = proc / str(pid) / "task" / str(pid)
    folder.mkdir(parents=True)
    (proc / str(pid) / "statm").write_text(f"1000 {pages} 1 1 0 1 0\n")
    (folder / "children").write_text(children)


def test_helpers_are_mains_children_that_are_not_on_the_scoreboard(tmp_path: Path) -> None:
    process(tmp_path, 1, pages=100, children="2 3 ")
    process(tmp_path, 2, pages=10, children="5 ")  # a worker, which answers for its own children
    process(tmp_path, 3, pages=20, children="4 6 ")  # the fork server, which started a worker as well
    process(tmp_path, 4, pages=3)
    process(tmp_path, 5, pages=1000)
    process(tmp_path, 6, pages=1000)
    assert helpers_rss_bytes(1, {1, 2, 6}, proc=tmp_path) == 23 * PAGE


def test_who_is_gone_weighs_nothing(tmp_path: Path) -> None:
    assert rss_bytes_of(7, proc=tmp_path) == 0
    assert helpers_rss_bytes(7, set(), proc=tmp_path) == 0


def test_this_process_weighs_something() -> None:
    assert rss_bytes_of(os.getpid()) > 5_000_000
    assert rss_bytes() > 5_000_000


def test_without_proc_a_process_still_knows_its_own_memory(tmp_path: Path) -> None:
    assert rss_bytes_of(os.getpid(), proc=tmp_path) == 0
    assert 5_000_000 < rss_bytes(proc=tmp_path) < 2**40
