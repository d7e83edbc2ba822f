"""An owner's lease is inherited by a successor of the same main, and only when the owner is dead."""

import os

import pytest

from services.whatsapp.succession import holder_name, is_dead_sibling

NEVER_A_PID = 2**22 + 7  # above the largest that Linux gives
OURS = holder_name("box-1", "a1b2", os.getpid())


def test_a_dead_sibling_is_known() -> None:
    assert is_dead_sibling(holder_name("box-1", "a1b2", NEVER_A_PID), ours=OURS)


@pytest.mark.parametrize(
    "holder",
    [
        holder_name("box-1", "ffff", NEVER_A_PID),  # another run, or another box of the same name
        holder_name("box-2", "a1b2", NEVER_A_PID),
        holder_name("box-1", "a1b2", os.getppid()),  # alive
        OURS,
        "box-1:a1b2:x",
        "",
    ],
)
def test_nobody_else_is(holder: str) -> None:
    assert not is_dead_sibling(holder, ours=OURS)
