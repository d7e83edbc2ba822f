"""Who calls: by the digest of the key, remembered for a short while, guesses included."""

from collections import deque
from collections.abc import Iterable
from datetime import timedelta

import pytest

from services.keys import (
    BOOTSTRAP_KEY_ID,
    AccessChanges,
    ApiKey,
    KeyCache,
    KeyRepository,
    NotAuthenticated,
    NotPermitted,
    Scope,
    key_digest,
    new_key_text,
    require,
)
from services.keys.cache import FRESH_S, MAX_REMEMBERED
from services.store import DatabaseUnavailable, Document
from tests.doubles.clock import START, ManualClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

FIRST = "first-key-of-all"


def stored(text: str, **more: object) -> Document:
    return {
        "_id": "key_1",
        "name": "shop",
        "digest": key_digest(text),
        "scopes": ["messages:send", "some:scope:of:tomorrow"],
        "numbers": ["106540352242922"],
        "created_at": START,
        "expires_at": None,
    } | more


def ring(*documents: Document, trouble: Iterable[Trouble] = ()) -> tuple[KeyCache, MemoryDatabase, ManualClock]:
    database, clock = MemoryDatabase(), ManualClock()
    database.put("keys", *documents)
    database.trouble = deque(trouble)
    changes = AccessChanges(database, clock)  # type: ignore[arg-type]
    key_cache = KeyCache(KeyRepository(database), clock, bootstrap_digest=key_digest(FIRST), changes=changes)  # type: ignore[arg-type]
    return key_cache, database, clock


@virtual_time
async def test_a_key_names_its_caller_with_scopes_and_numbers() -> None:
    key_cache, _, _ = ring(stored("abc"))
    caller = await key_cache.caller("Bearer abc")
    assert (caller.key_id, caller.name) == ("key_1", "shop")
    assert caller.scopes == {Scope.MESSAGES_SEND}, "a scope that this version does not know is none"
    assert caller.may_use("106540352242922")
    assert not caller.may_use("106540352242923")


@virtual_time
async def test_the_first_key_needs_no_database_and_has_every_scope() -> None:
    key_cache, _, _ = ring(trouble=[Trouble(DatabaseUnavailable())])
    caller = await key_cache.caller(f"Bearer {FIRST}")
    assert caller.key_id == BOOTSTRAP_KEY_ID
    assert all(caller.may(scope) for scope in Scope)
    assert caller.may_use("any")


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc", "Bearer abd", "Bearer " + "x" * 600,
        "Bearer \udcff\udcfe", "Bearer clé", "Bearer abc def",
    ],
)  # fmt: skip
@virtual_time
async def test_anything_else_is_not_authenticated(header: str | None) -> None:
    key_cache, _, _ = ring(stored("abc"))
    with pytest.raises(NotAuthenticated):
        await key_cache.caller(header)


@virtual_time
async def test_the_scheme_may_be_written_in_any_case() -> None:
    key_cache, _, _ = ring(stored("abc"))
    assert (await key_cache.caller("bearer abc")).key_id == (await key_cache.caller("BEARER abc")).key_id == "key_1"


@virtual_time
async def test_the_database_is_asked_once_in_a_while() -> None:
    key_cache, database, clock = ring(stored("abc"))
    for _ in range(5):
        await key_cache.caller("Bearer abc")
    assert len(database.finds) == 1
    clock.advance(FRESH_S + 1)
    await key_cache.caller("Bearer abc")
    assert len(database.finds) == 2


@virtual_time
async def test_a_wrong_key_costs_the_database_no_more_than_a_right_one() -> None:
    key_cache, database, _ = ring()
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await key_cache.caller("Bearer guess")
    assert len(database.finds) == 1


@virtual_time
async def test_guesses_do_not_fill_the_memory() -> None:
    key_cache, _, _ = ring()
    for position in range(MAX_REMEMBERED + 50):
        with pytest.raises(NotAuthenticated):
            await key_cache.caller(f"Bearer guess{position}")
    assert len(key_cache._by_text) == MAX_REMEMBERED


@pytest.mark.parametrize("change", [{"expires_at": START}, {"revoked_at": START}])
@virtual_time
async def test_a_key_that_has_ended_is_not_authenticated(change: dict[str, object]) -> None:
    key_cache, _, _ = ring(stored("abc", **change))
    with pytest.raises(NotAuthenticated):
        await key_cache.caller("Bearer abc")


@virtual_time
async def test_a_key_ends_when_it_says_whatever_is_remembered() -> None:
    key_cache, database, clock = ring(stored("abc", expires_at=START + timedelta(seconds=5)))
    assert (await key_cache.caller("Bearer abc")).ends_at == START + timedelta(seconds=5)
    clock.advance(4.999)
    assert key_cache.known("Bearer abc") is not None
    assert await key_cache.caller_by_id("key_1") is not None
    clock.advance(0.001)
    assert key_cache.known("Bearer abc") is None
    assert await key_cache.caller_by_id("key_1") is None
    with pytest.raises(NotAuthenticated):
        await key_cache.caller("Bearer abc")
    assert len(database.finds) == 2, "the clock says it, not the database"


@virtual_time
async def test_trouble_is_not_remembered_as_a_wrong_key() -> None:
    key_cache, _, _ = ring(stored("abc"), trouble=[Trouble(DatabaseUnavailable())])
    with pytest.raises(DatabaseUnavailable):
        await key_cache.caller("Bearer abc")
    assert (await key_cache.caller("Bearer abc")).key_id == "key_1"


@virtual_time
async def test_a_scope_that_lacks_is_named() -> None:
    key_cache, _, _ = ring(stored("abc"))
    caller = await key_cache.caller("Bearer abc")
    require(caller, Scope.MESSAGES_SEND)
    with pytest.raises(NotPermitted, match="admin"):
        require(caller, Scope.ADMIN)


def test_keys_are_long_random_words_and_only_their_digest_is_kept() -> None:
    texts = {new_key_text() for _ in range(100)}
    assert len(texts) == 100
    assert all(len(text) > 40 and text.isascii() and " " not in text for text in texts)
    key = ApiKey("key_1", "shop", key_digest("abc"), frozenset(), START)
    assert "abc" not in repr(key)


@virtual_time
async def test_who_is_known_is_known_without_a_read() -> None:
    key_cache, database, clock = ring(stored("abc"))
    assert key_cache.known("Bearer abc") is None
    caller = await key_cache.caller("Bearer abc")
    assert key_cache.known("bearer abc") == caller
    for header in (None, "", "Bearer", "Bearer ", "Basic abc", "Bearer nobody", "Bearer \u00e9", "abc"):
        assert key_cache.known(header) is None
    with pytest.raises(NotAuthenticated):
        await key_cache.caller("Bearer nobody")
    assert key_cache.known("Bearer nobody") is None
    clock.advance(FRESH_S)
    assert key_cache.known("Bearer abc") is None
    assert len(database.finds) == 2
