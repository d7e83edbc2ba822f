"""Sessions end by idle time, by age, and with their key; touching one begins its idle time anew."""

from datetime import UTC, datetime, timedelta

import pytest

from services.console import SessionEnded, SessionLimits, Sessions, SessionSecret
from services.keys import ApiKey, KeyRepository, Keyring, NotPermitted, Scope, key_digest
from services.keys.keyring import FRESH_S
from services.vault import Place, SecretBox, SecretKey, SecretUnreadable
from tests.doubles.clock import ManualClock
from tests.doubles.database import MemoryDatabase

IDLE_S, LONGEST_S = 900, 7_200
KEY = "panal_of_an_agent"
BOX = SecretBox([SecretKey("key-of-the-house-0123456789-abcdef")])
START = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


class House:
    """Sessions of a database with one agent's key."""

    def __init__(self, *scopes: Scope) -> None:
        self.clock = ManualClock(START)
        self.database = MemoryDatabase()
        self.database.put("meta", {"_id": "console", "secret": b"s" * 32})
        self.put_key(scopes or (Scope.CONSOLE, Scope.CONVERSATIONS))
        self.keyring = Keyring(KeyRepository(self.database), self.clock, bootstrap_digest="-")  # type: ignore[arg-type]
        limits = SessionLimits(idle_s=IDLE_S, longest_s=LONGEST_S)
        secret = SessionSecret(self.database, BOX)  # type: ignore[arg-type]
        self.sessions = Sessions(secret, self.keyring, self.clock, limits=limits)

    def put_key(self, scopes: tuple[Scope, ...], revoked_at: datetime | None = None) -> None:
        key = ApiKey("key_agent", "Marta", key_digest(KEY), frozenset(scopes), START)
        document = {"_id": key.id, "name": key.name, "digest": key.digest, "scopes": list(scopes), "created_at": START}
        self.database.put("keys", {**document, "revoked_at": revoked_at})


async def test_a_session_stands_for_its_key() -> None:
    house = House()
    session = await house.sessions.open(KEY)
    caller = await house.sessions.caller(session.text)
    assert (caller.key_id, caller.name) == ("key_agent", "Marta")
    assert caller.may(Scope.CONVERSATIONS)
    assert not caller.may(Scope.ADMIN)


async def test_a_key_without_the_scope_opens_none() -> None:
    with pytest.raises(NotPermitted):
        await House(Scope.MESSAGES_SEND).sessions.open(KEY)


async def test_an_idle_session_ends() -> None:
    house = House()
    session = await house.sessions.open(KEY)
    house.clock.advance(IDLE_S)
    await house.sessions.caller(session.text)
    house.clock.advance(1)
    with pytest.raises(SessionEnded):
        await house.sessions.caller(session.text)


async def test_a_touch_begins_the_idle_time_anew_but_not_the_day() -> None:
    house = House()
    text = (await house.sessions.open(KEY)).text
    for _ in range(LONGEST_S // (IDLE_S - 60)):
        house.clock.advance(IDLE_S - 60)
        text = (await house.sessions.touch(text)).text
    house.clock.advance(IDLE_S - 60)
    with pytest.raises(SessionEnded):
        await house.sessions.caller(text)


async def test_a_revoked_key_ends_its_sessions() -> None:
    house = House()
    session = await house.sessions.open(KEY)
    await house.sessions.caller(session.text)
    house.put_key((Scope.CONSOLE,), revoked_at=START)
    house.clock.advance(FRESH_S + 1)
    with pytest.raises(SessionEnded):
        await house.sessions.caller(session.text)


async def test_a_key_that_lost_the_scope_ends_them_too() -> None:
    house = House()
    session = await house.sessions.open(KEY)
    house.put_key((Scope.MESSAGES_SEND,))
    house.clock.advance(FRESH_S + 1)
    with pytest.raises(SessionEnded):
        await house.sessions.caller(session.text)


async def test_a_key_is_noted_as_used_now_and_then() -> None:
    house, noted = House(), list[str]()

    async def note(key_id: str) -> None:
        noted.append(key_id)

    keyring = Keyring(KeyRepository(house.database), house.clock, bootstrap_digest="-", note_use=note)  # type: ignore[arg-type]
    for _ in range(3):
        await keyring.caller(f"Bearer {KEY}")
    assert noted == ["key_agent"]
    document = house.database.rows["keys"]["key_agent"]
    house.clock.advance(FRESH_S + 1)
    house.database.put("keys", {**document, "last_used_at": house.clock.now() - timedelta(seconds=10)})
    await keyring.caller(f"Bearer {KEY}")
    assert noted == ["key_agent"]


async def test_the_secret_of_an_earlier_version_signs_until_it_is_sealed_and_after_that() -> None:
    house = House()
    session = await house.sessions.open(KEY)
    sealed = BOX.seal(Place("meta", "console"), b"s" * 32)
    house.database.rows["meta"]["console"] = {"_id": "console", "sealed": sealed}
    again = SessionSecret(house.database, BOX)  # type: ignore[arg-type]
    assert await again.value() == b"s" * 32
    limits = SessionLimits(idle_s=IDLE_S, longest_s=LONGEST_S)
    caller = await Sessions(again, house.keyring, house.clock, limits=limits).caller(session.text)
    assert caller.key_id == "key_agent"


async def test_with_another_key_nobody_signs_in_and_nothing_is_made_anew() -> None:
    house = House()
    sealed = BOX.seal(Place("meta", "console"), b"s" * 32)
    house.database.rows["meta"]["console"] = {"_id": "console", "sealed": sealed}
    stranger = SecretBox([SecretKey("key-of-nobody-0123456789-abcdefghi")])
    with pytest.raises(SecretUnreadable):
        await SessionSecret(house.database, stranger).value()  # type: ignore[arg-type]
    assert house.database.rows["meta"]["console"]["sealed"] == sealed
