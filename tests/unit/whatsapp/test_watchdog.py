"""A message that stays too long in a state is told of once, however many there are."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

from config.errors import Unavailable
from services.messages import Message, MessageStatus
from services.messages.documents import MESSAGES, message_document
from services.retention import order_at
from services.whatsapp.watchdog import DEADLINES, LOOK_EVERY_S, PAGE, Watchdog
from services.wiring import OwnerContext
from tests.doubles.clock import START, virtual_time
from tests.doubles.database import Trouble
from tests.doubles.event_writer import NUMBER
from tests.doubles.messages import outgoing
from tests.unit.sending.test_queue_reader import Bench

S = MessageStatus


def watchdog_of(bench: Bench) -> Watchdog:
    context = SimpleNamespace(
        clock=bench.clock,
        number_ids=[NUMBER],
        messages=bench.repository,
        message_state=bench.message_state,
        event_writer=bench.event_writer,
    )
    return Watchdog(cast(OwnerContext, context))


def waiting(bench: Bench, count: int, *, ago_s: float, status: MessageStatus = S.QUEUED) -> list[str]:
    at = order_at(START) - (int(ago_s * 1000) << 20)
    messages: Sequence[Message] = [outgoing(n, order=at + n, status=status, to=f"1650{n:07}") for n in range(count)]
    for message in messages:
        bench.database.put(MESSAGES, message_document(message))
    return [message.id for message in messages]


def told(bench: Bench) -> list[str]:
    return [str(fact.data["message_id"]) for fact in bench.event_writer.facts if fact.type == "message.stuck"]


async def look(bench: Bench, watchdog: Watchdog) -> None:
    bench.clock.advance(LOOK_EVERY_S + 1)
    await watchdog.step()


@virtual_time
async def test_each_of_many_pages_is_told_of_once() -> None:
    bench = Bench()
    watchdog = watchdog_of(bench)
    ids = waiting(bench, 2 * PAGE + 3, ago_s=DEADLINES[S.QUEUED][0].total_seconds() + 60)
    await look(bench, watchdog)
    assert told(bench) == ids
    await look(bench, watchdog)
    assert told(bench) == ids


@virtual_time
async def test_a_deadline_that_is_not_reached_is_no_news() -> None:
    bench = Bench()
    watchdog = watchdog_of(bench)
    waiting(bench, 3, ago_s=10)
    waiting(bench, 3, ago_s=3_600, status=S.SENT)
    await look(bench, watchdog)
    assert told(bench) == []


@virtual_time
async def test_a_look_that_failed_goes_on_where_it_stopped() -> None:
    bench = Bench()
    watchdog = watchdog_of(bench)
    ids = waiting(bench, PAGE + 3, ago_s=400)
    bench.database.trouble.extend([None, Trouble(Unavailable("away"))])
    bench.clock.advance(LOOK_EVERY_S + 1)
    try:
        await watchdog.step()
    except Unavailable:
        pass
    assert len(told(bench)) == PAGE
    await look(bench, watchdog)
    assert told(bench) == ids
