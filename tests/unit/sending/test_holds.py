"""When a number goes on, what failed late because of it goes on too, before its own time."""

from datetime import timedelta

import pytest

from services.messages import Hold, MessageStatus
from services.messages.documents import MESSAGES, message_document
from services.sending import SendLimits
from services.sending.holds import PAGE, Freed
from services.store import Event
from tests.doubles.clock import START, virtual_time
from tests.doubles.event_writer import NUMBER
from tests.doubles.messages import outgoing
from tests.unit.sending.test_queue_reader import Bench

LATER = START + timedelta(hours=1)
RESUMED = Event("evt_1", NUMBER, 1, "number.resumed", START, {}, None)


def held(bench: Bench, position: int, reason: str, *, has_time: bool = True) -> str:
    """A message that waits, as the database has it."""
    order = bench.now - ((1_000_000 - position) << 20)
    message = outgoing(
        position,
        order=order,
        to=f"1650555{position:04}",
        status=MessageStatus.HELD,
        held_reason=reason,
        due_at=LATER if has_time else None,
        seq=9,
    )
    bench.database.put(MESSAGES, message_document(message))
    return message.id


def freed_of(bench: Bench) -> Freed:
    bench.rate_limiter.set_number(
        NUMBER, SendLimits(per_s=80, pair_period_s=6, pair_burst=45), hold=None, is_paused=False
    )
    return Freed(
        [NUMBER],
        rate_limiter=bench.rate_limiter,
        repository=bench.repository,
        lane_loader=bench.lane_loader,
        event_writer=bench.event_writer,  # type: ignore[arg-type]
        clock=bench.clock,
    )


@virtual_time
async def test_a_number_that_is_resumed_takes_its_late_failures_with_it() -> None:
    bench = Bench()
    freed = freed_of(bench)
    bench.rate_limiter.hold_number(NUMBER, Hold("platform_131048", LATER))
    ids = [held(bench, 1, "platform_131048"), held(bench, 2, "platform_131042")]
    for position, reason in enumerate(("platform_131049", "platform_131056", "window_closed", "quiet_hours"), start=3):
        held(bench, position, reason)
    held(bench, 9, "platform_131048", has_time=False)  # in its lane, and nudged there
    assert await freed.step() == 0
    assert bench.offered() == [], "the number waits"
    bench.rate_limiter.release_number(NUMBER)
    assert await freed.step() == 0
    assert bench.offered() == [], "nobody has said that it goes on"
    freed.hear([RESUMED])
    assert await freed.step() == 0
    assert bench.offered() == ids
    assert await freed.step() == 0
    assert bench.offered() == ids


@virtual_time
async def test_a_new_owner_frees_what_the_last_one_had_no_time_for() -> None:
    bench = Bench()
    message_id = held(bench, 1, "platform_131042")
    assert await freed_of(bench).step() == 0
    assert bench.offered() == [message_id]


@virtual_time
async def test_thousands_come_back_page_by_page() -> None:
    bench = Bench()
    ids = [held(bench, position, "platform_131048") for position in range(2 * PAGE + 7)]
    freed = freed_of(bench)
    assert await freed.step() == 1
    assert bench.offered() == ids[:PAGE]
    assert await freed.step() == 1
    assert await freed.step() == 0
    assert bench.offered() == ids


@pytest.mark.parametrize("is_paused", [True, False])
@virtual_time
async def test_what_is_held_again_waits_again(is_paused: bool) -> None:
    bench = Bench()
    held(bench, 1, "platform_131048")
    freed = freed_of(bench)
    freed.hear([RESUMED])
    bench.rate_limiter.set_paused(NUMBER, is_paused=is_paused)
    if not is_paused:
        bench.rate_limiter.hold_number(NUMBER, Hold("platform_131048", None))
    assert await freed.step() == 0
    assert bench.offered() == []
