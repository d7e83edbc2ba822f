"""Sealing anew: what is in clear and what another key sealed, once, by the owner alone, and never over a newer text."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.secret_rotation import KeyCheck, SealedField, SecretRotation
from services.store import DatabaseUnavailable
from services.vault import Place, SecretBox, SecretKey
from tests.doubles.clock import START, ManualClock
from tests.doubles.database import Trouble
from tests.doubles.sealed import SealedDatabase

NEW, OLD, LOST = (SecretKey(name + "-key-0123456789-abcdefghijklmno") for name in ("new", "old", "lost"))
VAULT = "vault"


def clear_of(document: Mapping[str, Any]) -> bytes | None:
    return document["secret"].encode() if "secret" in document else None


FIELD = SealedField(VAULT, ("secret",), clear_of)


def rotation(database: SealedDatabase, *keys: SecretKey, is_owner: bool = True) -> SecretRotation:
    return SecretRotation(database.real, SecretBox(keys), [FIELD], is_owner=lambda: is_owner)


def sealed(id_: str, key: SecretKey, text: str = "secret") -> dict[str, Any]:
    return {"_id": id_, "sealed": SecretBox([key]).seal(Place(VAULT, id_), text.encode())}


def opened(database: SealedDatabase, id_: str, key: SecretKey = NEW) -> str:
    row = database.rows[VAULT][id_]
    assert set(row) == {"_id", "sealed"}
    return SecretBox([key]).open(Place(VAULT, id_), row["sealed"]).decode()


async def test_what_is_in_clear_and_what_the_former_key_sealed_is_sealed_with_the_current_one() -> None:
    database = SealedDatabase()
    database.put(VAULT, *({"_id": f"c{i:03}", "secret": f"clear {i}"} for i in range(230)))
    database.put(VAULT, *(sealed(f"o{i:03}", OLD, f"old {i}") for i in range(120)))
    current = sealed("x", NEW)
    database.put(VAULT, current)
    assert await rotation(database, NEW, OLD).step() == 0
    assert [opened(database, f"c{i:03}") for i in range(230)] == [f"clear {i}" for i in range(230)]
    assert [opened(database, f"o{i:03}") for i in range(120)] == [f"old {i}" for i in range(120)]
    assert database.rows[VAULT]["x"] == current, "what is current is left alone"


async def test_a_second_time_changes_nothing() -> None:
    database = SealedDatabase()
    database.put(VAULT, {"_id": "a", "secret": "s"}, sealed("b", OLD))
    await rotation(database, NEW, OLD).step()
    before = dict(database.rows[VAULT])
    await rotation(database, NEW, OLD).step()
    assert database.rows[VAULT] == before


async def test_it_goes_on_where_a_database_that_went_away_stopped_it() -> None:
    database = SealedDatabase()
    database.put(VAULT, *({"_id": f"c{i}", "secret": f"clear {i}"} for i in range(5)))
    database.trouble.extend([None, None, None, Trouble(DatabaseUnavailable("away"))])
    worker = rotation(database, NEW)
    with pytest.raises(DatabaseUnavailable):
        await worker.step()
    assert sum("secret" in row for row in database.rows[VAULT].values()) == 3
    await worker.step()
    assert [opened(database, f"c{i}") for i in range(5)] == [f"clear {i}" for i in range(5)]


async def test_who_is_not_the_owner_writes_nothing() -> None:
    database = SealedDatabase()
    database.put(VAULT, {"_id": "a", "secret": "s"}, sealed("b", OLD))
    before = dict(database.rows[VAULT])
    await rotation(database, NEW, OLD, is_owner=False).step()
    assert database.rows[VAULT] == before


@pytest.mark.parametrize("before", [{"_id": "a", "secret": "older"}, sealed("a", OLD, "older")])
async def test_what_somebody_else_wrote_meanwhile_stays(before: dict[str, Any]) -> None:
    database = SealedDatabase()
    database.put(VAULT, before)
    fresh = sealed("a", NEW, "newer")
    database.before_update = lambda: database.put(VAULT, fresh)
    await rotation(database, NEW, OLD).step()
    assert database.rows[VAULT]["a"] == fresh


async def test_what_no_key_opens_is_left_alone_told_once_and_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = SealedDatabase()
    lost = [sealed(f"a{i:03}", LOST) for i in range(150)]
    database.put(VAULT, *lost, {"_id": "z", "secret": "s"})
    worker = rotation(database, NEW, OLD)
    await worker.step()
    await worker.step()
    assert [database.rows[VAULT][one["_id"]] for one in lost] == lost
    assert opened(database, "z") == "s"
    told = [record for record in caplog.records if getattr(record, "action", "") == "secrets.unreadable"]
    assert [record.count for record in told] == [150]  # type: ignore[attr-defined]


async def test_the_word_of_the_key_check_follows_when_all_else_is_done() -> None:
    database, clock = SealedDatabase(), ManualClock(START)
    await KeyCheck(database.real, SecretBox([OLD]), clock, is_strict=True).seed()
    database.put(VAULT, sealed("a", OLD), sealed("b", LOST))
    await rotation(database, NEW, OLD).step()
    with_new = KeyCheck(database.real, SecretBox([NEW]), clock, is_strict=True)
    fault = await with_new.fault()
    assert fault is not None, "something still needs the former key"
    assert OLD.id in fault
    del database.rows[VAULT]["b"]
    await rotation(database, NEW, OLD).step()
    assert await with_new.fault() is None
    assert await KeyCheck(database.real, SecretBox([OLD]), clock, is_strict=True).fault() is not None


async def test_the_first_key_stays_and_an_answer_is_believed_for_a_moment_only() -> None:
    database, clock = SealedDatabase(), ManualClock(START)
    first = KeyCheck(database.real, SecretBox([OLD]), clock, is_strict=False)
    assert await first.fault() is None, "nothing is sealed yet"
    await first.seed()
    await KeyCheck(database.real, SecretBox([NEW]), clock, is_strict=False).seed()
    assert await first.fault() is None
    await rotation(database, NEW, OLD).step()
    clock.advance(31)
    assert await first.fault() is not None
