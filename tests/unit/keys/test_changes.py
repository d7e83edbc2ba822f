"""A key or session that ends is known to every worker of every host soon, at the price of one read a host."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from services.keys import AccessChanges, KeyCache, KeyRepository, NotAuthenticated, key_digest
from services.keys.changes import CHANGES_ID, POLL_S, READ_LIMIT_S, TICK_S, change_of_keys
from services.store import DatabaseUnavailable
from tests.doubles.clock import START, LoopClock, virtual_time
from tests.doubles.database import MemoryDatabase, Trouble

SOON_S = POLL_S + 2 * TICK_S + 0.1


class Host:
    """Workers that share memory and a database."""

    def __init__(self, database: MemoryDatabase, workers: int = 4) -> None:
        shared = [0.0, 0.0]
        self.rings: list[KeyCache] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.changes: list[AccessChanges] = []
        store: Any = database
        for _ in range(workers):
            changes = AccessChanges(store, LoopClock(), shared=shared)
            self.changes.append(changes)
            self.rings.append(KeyCache(KeyRepository(store), LoopClock(), bootstrap_digest="-", changes=changes))
            self.tasks.append(asyncio.create_task(changes.run()))


def store_key(database: MemoryDatabase, *, revoked_at: datetime | None = None) -> None:
    key = {"_id": "key_1", "digest": key_digest("abc"), "scopes": ["console"], "created_at": START}
    database.put("keys", {**key, "revoked_at": revoked_at})


def revoke(database: MemoryDatabase, cause: str = "cmd_1") -> None:
    """As the owner does: the key first, then the word of it."""
    store_key(database, revoked_at=START)
    write = change_of_keys(cause)
    database.put(write.collection, {"_id": write.id, **write.set})


def looks(database: MemoryDatabase) -> int:
    return sum(query == {"_id": CHANGES_ID} for name, query in database.finds if name == "meta")


@virtual_time
async def test_a_revoked_key_is_refused_by_every_worker_of_every_host_within_seconds() -> None:
    database = MemoryDatabase()
    store_key(database)
    hosts = [Host(database), Host(database)]
    rings = [ring for host in hosts for ring in host.rings]
    await asyncio.sleep(3)
    for ring in rings:
        await ring.caller("Bearer abc")
        assert await ring.caller_by_id("key_1") is not None
    await asyncio.sleep(1.9)
    revoke(database)
    await asyncio.sleep(SOON_S)
    for ring in rings:
        assert ring.known("Bearer abc") is None
        assert await ring.caller_by_id("key_1") is None
        with pytest.raises(NotAuthenticated):
            await ring.caller("Bearer abc")


@virtual_time
async def test_a_host_reads_once_for_all_its_workers_and_not_at_all_while_nobody_calls() -> None:
    database = MemoryDatabase()
    store_key(database)
    host = Host(database)
    await asyncio.sleep(60)
    assert looks(database) == 0
    until = 100.0
    loop = asyncio.get_running_loop()
    while loop.time() < until + 60:
        for ring in host.rings:
            await ring.caller("Bearer abc")
        await asyncio.sleep(5)
    assert looks(database) <= (until / POLL_S) + 2, "one read a host every two seconds"
    assert looks(database) >= until / (POLL_S + TICK_S) - 2
    before = looks(database)
    await asyncio.sleep(300)
    assert looks(database) - before <= 40 / POLL_S, "half a minute later nothing is remembered"


@virtual_time
async def test_what_stays_open_for_a_caller_is_told_even_when_nobody_else_calls() -> None:
    database, told = MemoryDatabase(), list[float]()
    host, loop = Host(database), asyncio.get_running_loop()
    host.changes[3].attach(lambda: told.append(loop.time()), is_needed=lambda: True)
    await asyncio.sleep(200)
    revoke(database)
    changed_at = loop.time()
    await asyncio.sleep(10)
    assert len(told) == 1
    assert told[0] - changed_at <= SOON_S


@virtual_time
async def test_a_key_read_while_it_was_revoked_is_read_again() -> None:
    database = MemoryDatabase()
    store_key(database)
    (ring,) = Host(database, workers=1).rings
    await ring.caller("Bearer abc")
    revoke(database)
    store_key(database)  # as a read that was on its way saw it
    await asyncio.sleep(SOON_S)
    assert (await ring.caller("Bearer abc")).key_id == "key_1"
    store_key(database, revoked_at=START)
    revoke(database, "cmd_2")
    await asyncio.sleep(SOON_S)
    with pytest.raises(NotAuthenticated):
        await ring.caller("Bearer abc")


@pytest.mark.parametrize("trouble", [DatabaseUnavailable("Away."), ValueError("a bug")])
def test_a_database_that_is_away_for_a_while_ends_no_following(trouble: Exception) -> None:
    @virtual_time
    async def run() -> None:
        database = MemoryDatabase()
        store_key(database)
        (ring,) = Host(database, workers=1).rings
        await ring.caller("Bearer abc")
        database.trouble.extend([Trouble(trouble), Trouble(trouble)])
        await asyncio.sleep(3)
        assert ring.known("Bearer abc") is not None
        revoke(database)
        await asyncio.sleep(SOON_S + POLL_S)
        assert ring.known("Bearer abc") is None

    run()


@virtual_time
async def test_a_read_that_hangs_is_left_and_another_worker_takes_over() -> None:
    database = MemoryDatabase()
    store_key(database)
    host = Host(database, workers=2)
    for ring in host.rings:
        await ring.caller("Bearer abc")
    database.gate = asyncio.Event()
    await asyncio.sleep(POLL_S + 0.6)
    revoke(database)
    database.gate.set()
    database.gate = None
    await asyncio.sleep(SOON_S + READ_LIMIT_S)
    assert [ring.known("Bearer abc") for ring in host.rings] == [None, None]


@virtual_time
async def test_the_worker_that_ends_something_knows_at_once() -> None:
    database = MemoryDatabase()
    store: Any = database
    changes = AccessChanges(store, LoopClock())
    await asyncio.sleep(1)
    await changes.announce()
    assert changes.seen_at == asyncio.get_running_loop().time()
    first = dict(database.rows["meta"][CHANGES_ID])
    await changes.announce()
    assert database.rows["meta"][CHANGES_ID] != first
