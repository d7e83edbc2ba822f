"""A write that the database will never take is left out, and told about; what stands beside it is applied."""

import asyncio
from typing import Any

import pytest

from services.events.projection_writer import apply_writes
from services.store import DatabaseUnavailable, VersionedWrite, WriteRefused
from tests.doubles.clock import virtual_time


class Picky:
    """A database that refuses some documents. ``knows_position`` is whether it says which write it was."""

    def __init__(self, *refused: str, knows_position: bool = True) -> None:
        self.refused = refused
        self.knows_position = knows_position
        self.applied: list[str] = []

    async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
        assert ordered
        groups = [_ids(write._filter["_id"]) for write in writes]
        bad = next((position for position, ids in enumerate(groups) if set(ids) & set(self.refused)), None)
        if bad is None:
            self.applied += [one for ids in groups for one in ids]
            return len(groups)
        error = WriteRefused("No.")
        if self.knows_position:
            self.applied += [one for ids in groups[:bad] for one in ids]
            error.position = bad
        raise error


def _ids(wanted: Any) -> list[str]:
    return wanted["$in"] if isinstance(wanted, dict) else [wanted]


def write(name: str) -> VersionedWrite:
    return VersionedWrite("messages", name, 1, set={"status": "sent"})


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


@virtual_time
async def test_marks_that_went_together_are_told_of_one_by_one() -> None:
    database = Picky("b")
    told: list[str] = []
    await apply_writes(
        database,  # type: ignore[arg-type]
        [write("a"), *(VersionedWrite("messages", name, None, set={"state": "done"}) for name in "bc"), write("d")],
        on_refused=lambda refused, _: told.append(refused.id),
    )
    assert database.applied == ["a", "d"]
    assert told == ["b", "c"]


@virtual_time
async def test_the_word_that_a_key_changed_comes_after_the_change_and_before_the_answer() -> None:
    class Slow(Picky):
        async def bulk(self, name: str, writes: list[Any], *, ordered: bool) -> int:
            await asyncio.sleep({"keys": 2.0, "meta": 1.0}.get(name, 0.0))
            return await super().bulk(name, writes, ordered=ordered)

    database = Slow()
    writes = [
        VersionedWrite("commands", "answer", None, set={"state": "done"}),
        VersionedWrite("meta", "word", None, set={"keys": "cmd_1"}, upsert=True),
        VersionedWrite("keys", "change", None, set={"revoked_at": 1}),
    ]
    await apply_writes(database, writes)  # type: ignore[arg-type]
    assert database.applied == ["change", "word", "answer"]
