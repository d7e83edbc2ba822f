"""The process table: whole records or none, main's words joined with each process's own."""

import os
import time

import pytest

from services.http_server.drain import why_not_ready
from services.telemetry.scoreboard import (
    SLOT_VARIABLE,
    ClusterEvent,
    ClusterFacts,
    ProcessFacts,
    Scoreboard,
    ScoreboardRefused,
    Vitals,
)
from services.telemetry.shared_memory import Region


@pytest.fixture
def scoreboard() -> Scoreboard:
    return Scoreboard.create(slots=8)


def test_a_row_carries_what_the_process_wrote(scoreboard: Scoreboard) -> None:
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals(requests=7, rss_bytes=1, p95_ms=2.5), {"epoch": 3})
    (row,) = scoreboard.rows()
    assert (row.name, row.role, row.pid) == ("Sanic-Server-0-0", "worker", os.getpid())
    assert row.vitals.requests == 7
    assert row.vitals.p95_ms == 2.5
    assert row.extra == {"epoch": 3}
    assert row.heartbeat_age_s < 1


def test_a_beat_without_news_keeps_the_extra(scoreboard: Scoreboard) -> None:
    writer = scoreboard.writer("Sanic-WhatsApp-0", "whatsapp")
    writer.beat(Vitals(), {"lease": "held"})
    writer.beat(Vitals(requests=1))
    assert scoreboard.rows()[0].extra == {"lease": "held"}


def test_an_extra_past_its_limit_is_refused_and_the_last_record_stays(scoreboard: Scoreboard) -> None:
    writer = scoreboard.writer("Sanic-WhatsApp-0", "whatsapp")
    writer.beat(Vitals(), {"a": 1})
    with pytest.raises(ScoreboardRefused):
        writer.beat(Vitals(), {"a": "x" * 2048})
    assert scoreboard.rows()[0].extra == {"a": 1}


def test_the_largest_extra_fits(scoreboard: Scoreboard) -> None:
    writer = scoreboard.writer("Sanic-WhatsApp-0", "whatsapp")
    largest = {"a": "x" * (2048 - 8)}
    writer.beat(Vitals(requests=2**60, rss_bytes=2**60, loop_lag_ms=1 / 3, p50_ms=1 / 3, p95_ms=1 / 3), largest)
    assert scoreboard.rows()[0].extra == largest


def test_main_joins_its_decisions_by_slot_and_pid(scoreboard: Scoreboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SLOT_VARIABLE, "5")
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals(state="draining"))
    known = ProcessFacts("Sanic-Server-0-0", "worker", os.getpid(), 5, "ready", restarts=2, last_exit="SIGKILL")
    scoreboard.publish(ClusterFacts(processes=(known,)))
    (row,) = scoreboard.rows()
    assert (row.state, row.restarts, row.last_exit) == ("draining", 2, "SIGKILL")


def test_what_a_predecessor_wrote_is_not_taken_for_the_successor(
    scoreboard: Scoreboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SLOT_VARIABLE, "5")
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals(requests=99))
    scoreboard.publish(ClusterFacts(processes=(ProcessFacts("Sanic-Server-0-0", "worker", 1, 5, "starting"),)))
    (row,) = scoreboard.rows()
    assert (row.pid, row.state, row.vitals.requests) == (1, "starting", 0)


def test_facts_survive_the_memory_with_every_type(scoreboard: Scoreboard) -> None:
    facts = ClusterFacts(
        main_pid=4242,
        stopping=True,
        processes=(ProcessFacts("Sanic-Server-0-0", "worker", breaker="open"),),
        events=(ClusterEvent(1.5, "death", "Sanic-Server-0-0", 7, "SIGKILL"),),
        restarts_by_reason={"death": 1},
    )
    scoreboard.publish(facts)
    assert scoreboard.facts() == facts
    assert scoreboard.facts().open_breakers == ("Sanic-Server-0-0",)


def test_too_many_events_push_out_the_oldest(scoreboard: Scoreboard) -> None:
    events = tuple(ClusterEvent(float(n), "death", "Sanic-Server-0-0", n, "x" * 200) for n in range(1000))
    scoreboard.publish(ClusterFacts(events=events))
    kept = scoreboard.facts().events
    assert 10 < len(kept) < 1000
    assert kept[-1] == events[-1]


def test_a_released_slot_is_empty(scoreboard: Scoreboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SLOT_VARIABLE, "3")
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals())
    scoreboard.release(3)
    assert scoreboard.rows() == []


def test_without_a_given_slot_a_process_takes_a_free_one(
    scoreboard: Scoreboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SLOT_VARIABLE, raising=False)
    scoreboard.writer("a", "worker").beat(Vitals())
    scoreboard.writer("b", "worker").beat(Vitals())
    assert [row.name for row in scoreboard.rows()] == ["a", "b"]


def test_all_rows_are_read_in_less_than_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    scoreboard = Scoreboard.create()
    for number in range(10):
        monkeypatch.setenv(SLOT_VARIABLE, str(number))
        scoreboard.writer(f"Sanic-Server-{number}-0", "worker").beat(Vitals(), {"a": "x" * 500})
    times = []
    for _ in range(50):
        began = time.perf_counter()
        scoreboard.rows()
        times.append(time.perf_counter() - began)
    assert sorted(times)[25] < 0.001


class TestRegion:
    """One region, damaged byte by byte."""

    def test_every_prefix_of_an_interrupted_write_leaves_the_previous_record(self) -> None:
        half = 256
        done, memory = bytearray(2 * half), bytearray(2 * half)
        for target, payloads in ((done, [b"first", b"second, longer"]), (memory, [b"first"])):
            region = Region(memoryview(target))
            for payload in payloads:
                region.write(payload)
        start = 0  # record number 2 goes into the first buffer
        for cut in range(half):
            torn = bytearray(memory)
            torn[start : start + cut] = done[start : start + cut]
            found = Region(memoryview(torn)).read()
            assert found is not None
            assert found.payload in (b"first", b"second, longer")
        assert torn[:50] == done[:50]

    def test_a_flipped_bit_is_noticed(self) -> None:
        memory = bytearray(512)
        Region(memoryview(memory)).write(b"only one")
        for position in range(256, 256 + 32):
            torn = bytearray(memory)
            torn[position] ^= 0x10
            assert Region(memoryview(torn)).read() is None

    def test_a_new_writer_goes_on_where_the_old_one_stopped(self) -> None:
        memory = bytearray(512)
        for payload in (b"one", b"two", b"three"):
            Region(memoryview(memory)).write(payload)
        found = Region(memoryview(memory)).read()
        assert found is not None
        assert (found.number, found.payload) == (3, b"three")

    def test_what_does_not_fit_is_refused(self) -> None:
        with pytest.raises(ValueError, match="do not fit"):
            Region(memoryview(bytearray(128))).write(b"x" * 64)


def test_who_is_silent_for_too_long_is_stalled_whatever_it_said_last(scoreboard: Scoreboard) -> None:
    """Main may be stopped itself, so nobody else's word is needed."""
    writer = scoreboard.writer("Sanic-WhatsApp-0", "whatsapp")
    writer.beat(Vitals(state="ready"))
    assert scoreboard.rows()[0].state == "ready"
    writer.every_s = 0.0
    writer.beat(Vitals(state="ready"))
    assert scoreboard.rows()[0].state == "stalled"


@pytest.mark.parametrize(("known", "shown"), [("ready", "stalled"), ("draining", "draining"), ("dead", "dead")])
def test_main_decides_what_silence_means_unless_it_takes_it_for_well(
    scoreboard: Scoreboard, monkeypatch: pytest.MonkeyPatch, known: str, shown: str
) -> None:
    monkeypatch.setenv(SLOT_VARIABLE, "5")
    writer = scoreboard.writer("Sanic-Database-0", "database")
    writer.every_s = 0.0
    writer.beat(Vitals(state="ready"))
    scoreboard.publish(ClusterFacts(processes=(ProcessFacts("Sanic-Database-0", "database", os.getpid(), 5, known),)))
    assert scoreboard.rows()[0].state == shown


@pytest.mark.parametrize("role", ["whatsapp", "database", "sandbox"])
def test_a_service_that_does_not_respond_is_a_reason_not_to_be_ready_and_named(
    scoreboard: Scoreboard, role: str
) -> None:
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals())
    assert why_not_ready(scoreboard) == []
    scoreboard.writer_at(2, f"Sanic-{role}-0", role).beat(Vitals(state="stalled"))
    (reason,) = why_not_ready(scoreboard)
    assert f"Sanic-{role}-0 does not respond" in reason


def test_a_worker_that_hangs_is_no_reason_the_others_serve(scoreboard: Scoreboard) -> None:
    scoreboard.writer("Sanic-Server-0-0", "worker").beat(Vitals(state="stalled"))
    assert why_not_ready(scoreboard) == []
