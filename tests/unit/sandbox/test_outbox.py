"""Lanes: order inside one, none between them, and what is owed after a death."""

import asyncio
from pathlib import Path

from services.sandbox.hooks.outbox import Outbox
from services.sandbox.world.storage import Storage


def opened(folder: Path) -> tuple[Storage, Outbox]:
    storage = Storage(folder)
    storage.open()
    outbox = Outbox(storage)
    outbox.load()
    return storage, outbox


async def test_a_lane_is_ready_once_and_goes_on_when_it_is_released(tmp_path: Path) -> None:
    storage, outbox = opened(tmp_path)
    for body in (b"1", b"2"):
        outbox.owe("a", "http://x", body, at=0.0)
    outbox.owe("b", "http://x", b"3", at=0.0)
    assert [lane.name for lane in outbox.ready] == ["a", "b"]
    lane = outbox.ready.popleft()
    outbox.settle(lane, lane.hooks[0])
    assert [one.name for one in outbox.ready] == ["b"]
    outbox.release(lane)
    assert [one.name for one in outbox.ready] == ["b", "a"]
    assert outbox.owed_count == 2
    storage.close()


async def test_what_was_not_settled_is_owed_by_the_next_process(tmp_path: Path) -> None:
    storage, outbox = opened(tmp_path)
    for body in (b"1", b"2", b"3"):
        outbox.owe("a", "http://x", body, at=0.0)
    lane = outbox.ready.popleft()
    outbox.settle(lane, lane.hooks[0])
    storage.close()
    storage, again = opened(tmp_path)
    lane = again.ready.popleft()
    assert [again.body_of(hook) for hook in lane.hooks] == [b"2", b"3"]
    assert again.owed_count == 2
    again.owe("a", "http://x", b"4", at=0.0)
    assert [hook.id for hook in lane.hooks] == [2, 3, 4]
    storage.close()


async def test_a_reset_leaves_nothing_that_an_old_lane_could_bring_back(tmp_path: Path) -> None:
    storage, outbox = opened(tmp_path)
    outbox.owe("a", "http://x", b"1", at=0.0)
    outbox.owe("held", "http://x", b"2", at=0.0, hold_s=0.01)
    old = outbox.ready.popleft()
    storage.clear()
    outbox.load()
    outbox.settle(old, old.hooks[0])
    outbox.release(old)
    await asyncio.sleep(0.02)
    assert not outbox.ready
    assert outbox.owed_count == 0
    storage.close()


async def test_those_who_wait_together_share_one_commit(tmp_path: Path) -> None:
    storage, _ = opened(tmp_path)
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    storage._connection().set_trace_callback(count)

    async def write(n: int) -> None:
        storage.add("INSERT INTO calls VALUES (?, ?)", (n, b"{}"))
        await storage.settled()

    await asyncio.gather(*(write(n) for n in range(50)))
    assert commits == 1
    assert storage.rows("SELECT count(*) FROM calls") == [(50,)]
    storage.close()
