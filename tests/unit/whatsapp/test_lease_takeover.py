"""An owner's lease is inherited by a successor on the same run_id, and only when the owner is dead."""

import os
from pathlib import Path

import pytest

from services.whatsapp.lease_takeover import MOST_NAMES, OwnerFile, holder_name, is_dead_sibling

NEVER_A_PID = 2**22 + 7  # above the largest that Linux gives
OURS = holder_name("run_id-1", "a1b2", os.getpid())


def test_a_dead_sibling_is_known() -> None:
    assert is_dead_sibling(holder_name("run_id-1", "a1b2", NEVER_A_PID), ours=OURS)


@pytest.mark.parametrize(
    "holder",
    [
        holder_name("run_id-1", "ffff", NEVER_A_PID),  # another run, or another run_id of the same name
        holder_name("run_id-2", "a1b2", NEVER_A_PID),
        holder_name("run_id-1", "a1b2", os.getppid()),  # alive
        OURS,
        "run_id-1:a1b2:x",
        "",
    ],
    ids=["another run", "another run_id", "alive", "ours", "no number", "nobody"],
)
def test_nobody_else_is(holder: str) -> None:
    assert not is_dead_sibling(holder, ours=OURS)


def test_who_held_the_lock_of_the_file_and_lost_it_is_dead_whichever_main_started_it(tmp_path: Path) -> None:
    path = tmp_path / "owner"
    first = OwnerFile(path, "run_id-1:a1b2:10")
    assert not first.says_dead("run_id-1:a1b2:10")
    first.owned()
    second = OwnerFile(path, "run_id-1:ffff:10")
    assert not second.says_dead("run_id-1:a1b2:10")  # alive: it has the lock
    first.close()
    assert second.says_dead("run_id-1:a1b2:10")
    assert not second.says_dead("run_id-2:a1b2:10")
    assert not second.says_dead("run_id-1:ffff:10")


def test_who_died_before_it_owned_hands_on_what_it_knew(tmp_path: Path) -> None:
    path = tmp_path / "owner"
    names = [f"run_id-1:{number}:10" for number in range(MOST_NAMES)]
    for name in names:
        OwnerFile(path, name).close()
    successor = OwnerFile(path, "run_id-1:successor:10")
    assert all(successor.says_dead(name) for name in names)
    successor.owned()
    assert not any(successor.says_dead(name) for name in names)
    successor.close()
    last = OwnerFile(path, "run_id-1:last:10")
    assert last.says_dead("run_id-1:successor:10")
    assert not last.says_dead(names[-1])


def test_of_another_host_that_shares_the_folder_nobody_is_known_to_be_dead(tmp_path: Path) -> None:
    path = tmp_path / "owner"
    OwnerFile(path, "run_id-2:a1b2:10").close()
    assert not OwnerFile(path, "run_id-1:successor:10").says_dead("run_id-2:a1b2:10")


def test_many_that_died_leave_a_file_that_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "owner"
    for number in range(200):
        OwnerFile(path, f"run_id-1:{number}:10").close()
    assert len(path.read_text().splitlines()) == MOST_NAMES + 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n\n", b"run_id-1:a1b2:10", b"x" * 100_000])
def test_a_file_that_something_else_wrote_is_no_trouble(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "owner"
    path.write_bytes(content)
    successor = OwnerFile(path, "run_id-1:successor:10")
    assert successor.says_dead("run_id-1:a1b2:10") == (content == b"run_id-1:a1b2:10")
    assert not successor.says_dead("")


def test_where_there_can_be_no_file_nobody_is_known_to_be_dead(tmp_path: Path) -> None:
    successor = OwnerFile(tmp_path / "nowhere" / "owner", "run_id-1:successor:10")
    assert not successor.says_dead("run_id-1:a1b2:10")
    successor.owned()
    successor.close()
