"""Sessions end by idle time, by age, and with their key; touching one begins its idle time anew."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.console import SessionEnded, SessionLimits, SessionRepository, Sessions, SessionSecret
from services.keys import AccessChanges, ApiKey, KeyCache, KeyRepository, NotPermitted, Scope, key_digest
from services.keys.cache import FRESH_S
from services.vault import Place, SecretBox, SecretKey, SecretUnreadable
from tests.doubles.clock import ManualClock
from tests.doubles.database import MemoryDatabase

IDLE_S, LONGEST_S = 900, 7_200
KEY = "panal_of_an_agent"
BOX = SecretBox([SecretKey("key-of-the-tests-0123456789-abcdef")])
START = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


class Installation:
    """Sessions of a database with one agent's key."""

    def __init__(self, *scopes: Scope) -> None:
        self.clock = ManualClock(START)
        self.database = MemoryDatabase()
        self.changes: list[AccessChanges] = []
        self.database.put("meta", {"_id": "console", "secret": b"s" * 32})
        self.put_key(scopes or (Scope.CONSOLE, Scope.CONVERSATIONS))
        self.key_cache, self.sessions = self.worker()

    def worker(self) -> tuple[KeyCache, Sessions]:
        """One more worker on the same database, with a memory of its own."""
        database: Any = self.database
        changes = AccessChanges(database, self.clock)
        key_cache = KeyCache(KeyRepository(database), self.clock, bootstrap_digest="-", changes=changes)
        sessions = Sessions(
            SessionSecret(database, BOX),
            key_cache,
            self.clock,
            repository=SessionRepository(database),
            changes=changes,
            limits=SessionLimits(idle_s=IDLE_S, longest_s=LONGEST_S),
        )
        self.changes.append(changes)
        return key_cache, sessions

    def put_key(self, scopes: tuple[Scope, ...], revoked_at: datetime | None = None) -> None:
        key = ApiKey("key_agent", "Marta", key_digest(KEY), frozenset(scopes), START)
        document = {"_id": key.id, "name": key.name, "digest": key.digest, "scopes": list(scopes), "created_at": START}
        self.database.put("keys", {**document, "revoked_at": revoked_at})


async def test_a_session_stands_for_its_key() -> None:
    one = Installation()
    session = await one.sessions.open(KEY)
    caller = await one.sessions.caller(session.text)
    assert (caller.key_id, caller.name) == ("key_agent", "Marta")
    assert caller.may(Scope.CONVERSATIONS)
    assert not caller.may(Scope.ADMIN)


async def test_a_key_without_the_scope_opens_none() -> None:
    with pytest.raises(NotPermitted):
        await Installation(Scope.MESSAGES_SEND).sessions.open(KEY)


async def test_an_idle_session_ends() -> None:
    one = Installation()
    session = await one.sessions.open(KEY)
    one.clock.advance(IDLE_S)
    await one.sessions.caller(session.text)
    one.clock.advance(1)
    with pytest.raises(SessionEnded):
        await one.sessions.caller(session.text)


async def test_a_touch_begins_the_idle_time_anew_but_not_the_day() -> None:
    one = Installation()
    text = (await one.sessions.open(KEY)).text
    for _ in range(LONGEST_S // (IDLE_S - 60)):
        one.clock.advance(IDLE_S - 60)
        text = (await one.sessions.touch(text)).text
    one.clock.advance(IDLE_S - 60)
    with pytest.raises(SessionEnded):
        await one.sessions.caller(text)


async def test_a_revoked_key_ends_its_sessions() -> None:
    one = Installation()
    session = await one.sessions.open(KEY)
    await one.sessions.caller(session.text)
    one.put_key((Scope.CONSOLE,), revoked_at=START)
    one.clock.advance(FRESH_S + 1)
    with pytest.raises(SessionEnded):
        await one.sessions.caller(session.text)


async def test_a_key_that_lost_the_scope_ends_them_too() -> None:
    one = Installation()
    session = await one.sessions.open(KEY)
    one.put_key((Scope.MESSAGES_SEND,))
    one.clock.advance(FRESH_S + 1)
    with pytest.raises(SessionEnded):
        await one.sessions.caller(session.text)


async def test_a_session_that_another_worker_saw_in_use_is_not_idle() -> None:
    one = Installation()
    _, other = one.worker()
    first = (await one.sessions.open(KEY)).text
    for _ in range(4):
        one.clock.advance(IDLE_S - 60)
        caller = await one.sessions.caller(first)
        assert caller.ends_at == one.clock.now() + timedelta(seconds=61), "the stream asks again by then"
        await other.touch(first)
    one.clock.advance(IDLE_S + 1)
    for sessions in (one.sessions, other):
        with pytest.raises(SessionEnded):
            await sessions.caller(first)


async def test_a_session_ends_with_its_key_and_with_its_day() -> None:
    one = Installation()
    key_end = START + timedelta(seconds=30)
    one.database.rows["keys"]["key_agent"]["expires_at"] = key_end
    text = (await one.sessions.open(KEY)).text
    assert (await one.sessions.caller(text)).ends_at == key_end
    one.clock.advance(30)
    with pytest.raises(SessionEnded):
        await one.sessions.caller(text)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_a_copied_cookie_ends_with_the_session_on_every_worker(everywhere: bool) -> None:
    one = Installation()
    _, other = one.worker()
    mine, another = (await one.sessions.open(KEY)).text, (await one.sessions.open(KEY)).text
    touched = (await other.touch(mine)).text
    for text in (mine, another, touched):
        await other.caller(text)
    one.clock.advance(3)
    await one.sessions.end(touched, everywhere=everywhere)
    for text in (mine, touched):
        with pytest.raises(SessionEnded):
            await one.sessions.caller(text)
    one.clock.advance(1)
    for changes in one.changes:
        await changes.step()
    for sessions in (one.sessions, other):
        for text in (mine, touched):
            for use in (sessions.caller, sessions.touch):
                with pytest.raises(SessionEnded):
                    await use(text)
        if everywhere:
            with pytest.raises(SessionEnded):
                await sessions.caller(another)
        else:
            await sessions.caller(another)
    one.clock.advance(1)
    await other.caller((await one.sessions.open(KEY)).text)


async def test_who_is_not_signed_in_ends_nothing() -> None:
    one = Installation()
    text = (await one.sessions.open(KEY)).text
    for stranger in ("", "nonsense", text[:-1], "\udcff"):
        await one.sessions.end(stranger, everywhere=True)
    await one.sessions.caller(text)
    assert "sessions" not in one.database.rows, "nothing is stored for a stranger, nor for a sign-in"


async def test_what_is_stored_of_a_session_goes_when_no_cookie_can_need_it() -> None:
    one = Installation()
    text = (await one.sessions.open(KEY)).text
    one.clock.advance(60)
    await one.sessions.touch(text)
    await one.sessions.end(text)
    (stored,) = one.database.rows["sessions"].values()
    assert stored["expires_at"] >= START + timedelta(seconds=LONGEST_S)
    assert stored["expires_at"] <= START + timedelta(seconds=2 * LONGEST_S)


async def test_a_key_is_noted_as_used_now_and_then() -> None:
    one, noted = Installation(), list[str]()

    async def note(key_id: str) -> None:
        noted.append(key_id)

    database: Any = one.database
    changes = AccessChanges(database, one.clock)
    key_cache = KeyCache(KeyRepository(database), one.clock, bootstrap_digest="-", changes=changes, note_use=note)
    for _ in range(3):
        await key_cache.caller(f"Bearer {KEY}")
    assert noted == ["key_agent"]
    document = one.database.rows["keys"]["key_agent"]
    one.clock.advance(FRESH_S + 1)
    one.database.put("keys", {**document, "last_used_at": one.clock.now() - timedelta(seconds=10)})
    await key_cache.caller(f"Bearer {KEY}")
    assert noted == ["key_agent"]


async def test_the_secret_of_an_earlier_version_signs_until_it_is_sealed_and_after_that() -> None:
    one = Installation()
    session = await one.sessions.open(KEY)
    sealed = BOX.seal(Place("meta", "console"), b"s" * 32)
    one.database.rows["meta"]["console"] = {"_id": "console", "sealed": sealed}
    assert await SessionSecret(one.database, BOX).value() == b"s" * 32  # type: ignore[arg-type]
    _, sessions = one.worker()
    assert (await sessions.caller(session.text)).key_id == "key_agent"


async def test_with_another_key_nobody_signs_in_and_nothing_is_made_anew() -> None:
    one = Installation()
    sealed = BOX.seal(Place("meta", "console"), b"s" * 32)
    one.database.rows["meta"]["console"] = {"_id": "console", "sealed": sealed}
    stranger = SecretBox([SecretKey("key-of-nobody-0123456789-abcdefghi")])
    with pytest.raises(SecretUnreadable):
        await SessionSecret(one.database, stranger).value()  # type: ignore[arg-type]
    assert one.database.rows["meta"]["console"]["sealed"] == sealed
