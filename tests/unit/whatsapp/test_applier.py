"""A write that the database will never take is left out, and told about; what stands beside it is applied."""

from typing import Any

import pytest

from services.store import DatabaseUnavailable, Write, WriteRefused
from services.whatsapp.applier import apply_writes
from tests.doubles.clock import virtual_time


class Picky:
    """A database that refuses some documents. ``knows_position`` is whether it says which write it was."""

    def __init__(self, *refused: str, knows_position: bool = True) -> None:
        self.refused = refused
        self.knows_position = knows_position
        self.applied: list[str] = []

    async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
        assert ordered
        ids = [write._filter["_id"] for write in writes]
        bad = next((position for position, one in enumerate(ids) if one in self.refused), None)
        if bad is None:
            self.applied += ids
            return len(ids)
        error = WriteRefused("No.")
        if self.knows_position:
            self.applied += ids[:bad]
            error.position = bad
        raise error


def write(name: str) -> Write:
    return Write("messages", name, 1, set={"status": "sent"})


@pytest.mark.parametrize("knows_position", [True, False])
@virtual_time
async def test_a_write_that_is_refused_for_ever_is_left_out(knows_position: bool) -> None:
    database = Picky("b", "d", knows_position=knows_position)
    told: list[str] = []
    await apply_writes(
        database,  # type: ignore[arg-type]
        [write(name) for name in "abcde"],
        on_refused=lambda refused, _: told.append(refused.id),
    )
    assert database.applied == ["a", "c", "e"]
    assert told == ["b", "d"]


@virtual_time
async def test_a_database_that_is_away_is_waited_for_by_others() -> None:
    class Away(Picky):
        async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
            raise DatabaseUnavailable("Away.")

    with pytest.raises(DatabaseUnavailable):
        await apply_writes(Away(), [write("a")])  # type: ignore[arg-type]
