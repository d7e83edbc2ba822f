"""Hung or busy: what a database's silence means, and the one message that its watcher writes by hand."""

import bson as driver_bson
import pytest

from services.supervisor.database_probe import BLIND_GAP_S, HUNG_S, SUSPECT_S, Health, HealthJudge, bson

STEP_S = 1.0
"""How often the watcher looks at one that does not answer."""


def test_who_does_not_answer_is_told_and_then_hung_well_within_ten_seconds() -> None:
    judge = HealthJudge(0.0)
    words = {second: judge.look(float(second), has_answered=False) for second in range(1, 10)}
    assert words[1] is words[2] is Health.READY
    assert words[3] is words[6] is Health.STALLED
    assert words[8] is Health.HUNG
    assert HUNG_S + STEP_S < 10


@pytest.mark.parametrize("late_s", [1.0, SUSPECT_S, HUNG_S - STEP_S], ids=["busy", "very busy", "as busy as may be"])
def test_who_answers_late_is_never_hung(late_s: float) -> None:
    judge = HealthJudge(0.0)
    now = 0.0
    for _ in range(20):
        heard_at = now
        while now < heard_at + late_s - STEP_S:
            now += STEP_S
            assert judge.look(now, has_answered=False) is not Health.HUNG
        now += STEP_S
        assert judge.look(now, has_answered=True) is Health.READY


def test_a_silence_that_ends_is_forgotten() -> None:
    judge = HealthJudge(0.0)
    judge.look(1.0, has_answered=False)
    assert judge.look(SUSPECT_S + 0.1, has_answered=False) is Health.STALLED
    assert judge.look(SUSPECT_S + 0.2, has_answered=True) is Health.READY
    assert judge.silent_s(SUSPECT_S + 1.2) == pytest.approx(1.0)


def test_a_watcher_that_was_paused_itself_holds_it_against_nobody() -> None:
    judge = HealthJudge(0.0)
    assert judge.look(1000.0, has_answered=False) is Health.READY
    assert judge.silent_s(1000.0) == 0
    assert judge.look(1000.0 + BLIND_GAP_S, has_answered=False) is Health.STALLED, "not from before the pause"


def test_the_message_is_what_the_driver_would_write() -> None:
    command = {"find": "meta", "filter": {}, "limit": 1, "singleBatch": True, "$db": "panál"}
    assert driver_bson.decode(bson(command)) == command
    assert bson(command) == driver_bson.encode(command)
