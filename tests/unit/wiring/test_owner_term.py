"""The wiring of a term: building it reads nothing and starts nothing, and the background tasks keep their order."""

from types import SimpleNamespace
from typing import Any, cast

from config.settings import Settings
from services.messages import Hold, OnUncertain
from services.numbers import Number
from services.sending import DispatchOptions, LinkAnswers, SendLimits
from services.wiring import (
    Owner,
    OwnerContext,
    OwnSteps,
    background_tasks,
    build_context,
    build_parts,
    first_background_tasks,
)
from tests.doubles.clock import ManualClock
from tests.doubles.database import MemoryDatabase
from tests.doubles.link import ScriptedLink

OWN = Number("106540352242922", "102290129340398", "15550783881", "cloud")
HELD = Number("106540352242923", "102290129340398", "15550783882", "cloud", hold_reason="platform_131048")
LIMITS = SendLimits(per_s=80, pair_period_s=6, pair_burst=45)


class Database(MemoryDatabase):
    """A database that has never failed."""

    trouble_count = 0


async def idle() -> int:
    return 0


def context_of(database: Database) -> OwnerContext:
    owner = SimpleNamespace(
        settings=Settings(),
        database=database,
        clock=ManualClock(),
        lease=SimpleNamespace(is_held=lambda: True, token=1),
        graph=SimpleNamespace(media=None, management=None),
        answers=LinkAnswers(),
        limits=LIMITS,
        dispatch_options=DispatchOptions(concurrency=2, evidence_wait_s=15, on_uncertain=OnUncertain.HOLD),
        **dict.fromkeys(("box", "session", "change_notifier"), cast(Any, None)),
    )
    links: Any = {number.phone_number_id: ScriptedLink() for number in (OWN, HELD)}
    seqs = {number.phone_number_id: 0 for number in (OWN, HELD)}
    return build_context(cast(Owner, owner), links=links, numbers=[OWN, HELD], seqs=seqs)


def names_of(context: OwnerContext, own: OwnSteps) -> list[str]:
    return [task.name for task in background_tasks(context, build_parts(context), own)]


async def test_building_a_term_reads_nothing() -> None:
    database = Database()
    context = context_of(database)
    assert [task.name for task in first_background_tasks(context)] == ["retention"]
    assert names_of(context, OwnSteps(idle, idle, idle))
    assert (database.finds, database.bulks, database.inserts) == ([], [], [])


async def test_background_tasks_keep_their_order_of_start() -> None:
    names = names_of(context_of(Database()), OwnSteps(intake=idle, watchdog=idle, cluster_events=idle))
    assert names == [
        *("queue_reader", "refill", "depth", "due", "freed", "intake", "executor", "watchdog", "news", "deliveries"),
        *("concurrent commands", "campaigns", "secrets", "storage", "media", "templates", "numbers", "holds"),
    ]


async def test_without_a_scoreboard_there_are_no_cluster_events() -> None:
    names = names_of(context_of(Database()), OwnSteps(intake=idle, watchdog=idle, cluster_events=None))
    assert "news" not in names
    assert "watchdog" in names


async def test_a_term_begins_with_the_hold_that_is_stored_for_a_number() -> None:
    context = context_of(Database())
    now = context.clock.now()
    assert context.rate_limiter.number_hold(OWN.phone_number_id, now) is None
    assert context.rate_limiter.number_hold(HELD.phone_number_id, now) == Hold("platform_131048", None)


async def test_two_contacts_that_become_one_are_merged_in_lanes_before_their_unloaded_messages() -> None:
    context = context_of(Database())
    parts = build_parts(context)
    assert context.conversations.mergers == [context.dispatcher.merge, parts.lane_loader.merge]
