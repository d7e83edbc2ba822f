"""One holder at a time, by the database's clock; the token grows with every change; a stale holder knows that."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from services.store import Database, Lease, is_lease_held

pytestmark = pytest.mark.integration

TTL_S = 1.0
Connect = Callable[[], Awaitable[Database]]


def lease(database: Database, holder: str, monotonic: Callable[[], float] = time.monotonic) -> Lease:
    return Lease(database, "whatsapp", holder=holder, ttl_s=TTL_S, margin_s=0.2, monotonic=monotonic)


async def test_one_of_two_holds_it_and_the_other_is_told_who(connect: Connect) -> None:
    ours, theirs = lease(await connect(), "ours"), lease(await connect(), "theirs")
    await ours.acquire()
    view = await theirs.acquire()
    assert (ours.is_held(), theirs.is_held()) == (True, False)
    assert (view.holder, view.token) == ("ours", 1)
    assert 0 < view.remaining_ms <= TTL_S * 1_000


async def test_many_who_ask_at_once_for_a_lease_that_never_was_make_one_holder(connect: Connect) -> None:
    databases = [await connect() for _ in range(6)]
    asking = [lease(database, f"holder{i}") for i, database in enumerate(databases)]
    views = await asyncio.gather(*(one.acquire() for one in asking))
    assert sum(one.is_held() for one in asking) == 1
    assert {view.token for view in views} == {1}


async def test_a_renewal_keeps_the_token_and_holds_on(database: Database) -> None:
    held = lease(database, "ours")
    await held.acquire()
    began = time.monotonic()
    while time.monotonic() - began < TTL_S * 1.5:
        await asyncio.sleep(TTL_S / 4)
        await held.acquire()
        assert held.is_held()
    assert held.token == 1


async def test_it_runs_out_by_the_databases_clock_and_the_next_token_is_larger(connect: Connect) -> None:
    ours, theirs = lease(await connect(), "ours"), lease(await connect(), "theirs")
    await ours.acquire()
    began = time.monotonic()
    while not theirs.is_held():
        await theirs.acquire()
        assert not (ours.is_held() and theirs.is_held()), "two holders at once"
        await asyncio.sleep(0.02)
    assert TTL_S * 0.9 <= time.monotonic() - began < TTL_S * 3
    assert theirs.token == 2
    await ours.acquire()
    assert not ours.is_held()


async def test_a_holder_that_was_away_past_the_end_gets_a_new_token_even_if_nobody_took_it(database: Database) -> None:
    held = lease(database, "ours")
    await held.acquire()
    await asyncio.sleep(TTL_S * 1.1)
    assert not held.is_held()
    await held.acquire()
    assert held.is_held()
    assert held.token == 2


async def test_a_released_lease_is_free_at_once(connect: Connect) -> None:
    ours, theirs = lease(await connect(), "ours"), lease(await connect(), "theirs")
    await ours.acquire()
    await ours.release()
    assert not ours.is_held()
    await theirs.acquire()
    assert theirs.is_held()
    assert theirs.token == 2
    await ours.release()  # again, and late: it must not take theirs away
    assert (await theirs.acquire()).holder == "theirs"
    assert theirs.token == 2


async def test_a_release_that_comes_late_does_not_end_somebody_elses_lease(connect: Connect) -> None:
    ours, theirs = lease(await connect(), "ours"), lease(await connect(), "theirs")
    await ours.acquire()
    await asyncio.sleep(TTL_S * 1.1)
    await theirs.acquire()
    await ours.release()
    view = await ours.acquire()
    assert (view.holder, view.token, ours.is_held()) == ("theirs", 2, False)


async def test_a_process_that_stood_still_trusts_its_own_clock_and_stops(database: Database) -> None:
    skipped_s = 0.0
    held = lease(database, "ours", lambda: time.monotonic() + skipped_s)
    await held.acquire()
    assert held.is_held()
    assert 0 < held.remaining_s() <= TTL_S - 0.2
    skipped_s = TTL_S  # SIGSTOP, SIGCONT
    assert not held.is_held()
    assert held.remaining_s() == 0


async def test_the_time_that_the_database_took_counts_against_the_holder(database: Database) -> None:
    """Asked at 0, answered at 0.9 TTL: the database counts from somewhere between, so from the question is safe."""
    times = iter([0.0, TTL_S * 0.9])
    held = lease(database, "ours", lambda: next(times))
    await held.acquire()
    assert not held.is_held()


async def test_anybody_can_see_whether_it_is_held(connect: Connect) -> None:
    watching = await connect()
    assert not await is_lease_held(watching, "whatsapp")
    held = lease(await connect(), "ours")
    await held.acquire()
    assert await is_lease_held(watching, "whatsapp")
    await held.release()
    assert not await is_lease_held(watching, "whatsapp")


async def test_a_successor_need_not_wait_and_has_a_new_token(connect: Connect) -> None:
    dead, stranger, successor = (
        lease(await connect(), "dead"),
        lease(await connect(), "other"),
        lease(await connect(), "successor"),
    )
    await dead.acquire()
    await stranger.acquire(dead_holder="somebody else")
    assert not stranger.is_held()
    await successor.acquire(dead_holder="dead")
    assert (successor.is_held(), successor.token) == (True, 2)
    await dead.acquire()
    assert not dead.is_held(), "should it live after all, it is told"
