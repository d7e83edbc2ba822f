"""Hung or busy: what a database's silence means, and the one message that its watcher writes by hand."""

import bson as driver_bson
import pytest

from services.supervisor.database_probe import BLIND_GAP_S, BUSY_S, HUNG_S, SUSPECT_S, Health, HealthJudge, Work, bson

STEP_S = 1.0


def last_of(judge: HealthJudge, seconds: float, *, cpus: float = 0.0, bytes_per_s: float = 0.0) -> tuple[Health, float]:
    """Look once a second at a server that does not answer; the last word, and when it was said."""
    now = 0.0
    health = Health.READY
    while now < seconds and health is not Health.HUNG:
        now += STEP_S
        health = judge.look(now, Work(cpus * now, int(bytes_per_s * now)), has_answered=False)
    return health, now


def fresh() -> HealthJudge:
    return HealthJudge(0.0, Work())


@pytest.mark.parametrize(
    ("cpus", "bytes_per_s"), [(0.0, 0.0), (0.2, 0.0), (0.0, 10_000)], ids=["stopped", "stuck", "log"]
)
def test_who_neither_answers_nor_works_is_hung_well_within_ten_seconds(cpus: float, bytes_per_s: float) -> None:
    health, after_s = last_of(fresh(), 60, cpus=cpus, bytes_per_s=bytes_per_s)
    assert health is Health.HUNG
    assert HUNG_S <= after_s <= HUNG_S + STEP_S


@pytest.mark.parametrize(("cpus", "bytes_per_s"), [(1.0, 0.0), (0.0, 5e6)], ids=["an index", "a slow disk"])
def test_who_works_hard_is_stalled_and_not_hung(cpus: float, bytes_per_s: float) -> None:
    health, _ = last_of(fresh(), BUSY_S - 5, cpus=cpus, bytes_per_s=bytes_per_s)
    assert health is Health.STALLED


def test_who_works_for_ever_without_an_answer_is_hung_in_the_end() -> None:
    health, after_s = last_of(fresh(), 2 * BUSY_S, cpus=2.0)
    assert (health, after_s) == (Health.HUNG, BUSY_S)


def test_work_that_stops_is_counted_from_its_end() -> None:
    judge = fresh()
    for second in range(1, 21):
        assert judge.look(second, Work(cpu_s=min(second, 10)), has_answered=False) is not Health.HUNG or second >= 15.5
    assert judge.look(21, Work(cpu_s=10), has_answered=False) is Health.HUNG


def test_a_late_answer_is_an_answer() -> None:
    judge = fresh()
    for round_ in range(20):
        now = round_ * 3.0
        assert judge.look(now + 1, Work(), has_answered=False) is Health.READY
        assert judge.look(now + 2, Work(), has_answered=False) is Health.READY
        assert judge.look(now + 3, Work(), has_answered=True) is Health.READY


def test_a_short_silence_is_told_before_it_is_acted_on() -> None:
    judge = fresh()
    assert judge.look(SUSPECT_S - 0.1, Work(), has_answered=False) is Health.READY
    assert judge.look(SUSPECT_S + 0.1, Work(), has_answered=False) is Health.STALLED
    assert judge.look(SUSPECT_S + 0.2, Work(), has_answered=True) is Health.READY


def test_a_watcher_that_was_paused_itself_holds_it_against_nobody() -> None:
    judge = fresh()
    assert judge.look(1000.0, Work(), has_answered=False) is Health.READY
    assert judge.silent_s(1000.0) == 0
    assert judge.look(1000.0 + BLIND_GAP_S, Work(), has_answered=False) is Health.STALLED


def test_the_message_is_what_the_driver_would_write() -> None:
    command = {"find": "meta", "filter": {}, "limit": 1, "singleBatch": True, "$db": "panál"}
    assert driver_bson.decode(bson(command)) == command
    assert bson(command) == driver_bson.encode(command)
