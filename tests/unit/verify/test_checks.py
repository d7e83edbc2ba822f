"""What a round saw decides each line: the verdict, the figure and the next step. No network."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from config.locales.catalog import LOCALES
from tools.verify.checks import checks_of
from tools.verify.client import Answer
from tools.verify.load import LoadResult
from tools.verify.options import Options
from tools.verify.records import Check, Round
from tools.verify.table import is_all_well, render_table
from tools.verify.view import cluster_view

OPTIONS = Options(url="https://panal.example", key="k", locale="en")
MEGABYTE = 2**20


def process(name: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": role,
        "pid": 100,
        "state": "ready",
        "heartbeat_age_s": 0.4,
        "rss_bytes": 90 * MEGABYTE,
        "requests": 10,
        "p95_ms": 8.0,
        "loop_lag_ms": 1.0,
        "pool_waiting": 0,
        "breaker": "closed",
        "last_exit": None,
        **more,
    }


def owner(**extra: Any) -> dict[str, Any]:
    whatsapp = {
        "state": "owner",
        "epoch": 3,
        "lease_remaining_s": 8.0,
        "queue_age_s": 0.2,
        "queue_depth": 4,
        "links": {"106540352242922": "ready"},
        **extra,
    }
    return process("Sanic-WhatsApp-0", "whatsapp", whatsapp=whatsapp)


def cluster(*processes: dict[str, Any], **totals: Any) -> dict[str, Any]:
    return {
        "processes": [
            process("Sanic-Main", "main"),
            process("Sanic-Server-0-0", "worker"),
            *(processes or (process("Sanic-Server-1-0", "worker"), owner())),
        ],
        "main": {"workers_wanted": 2, "open_breakers": []},
        "totals": {"rss_bytes": 400 * MEGABYTE, "db_connections": 20, "db_operations_per_s": 35.5, **totals},
        "plan": {
            "workers": 2,
            "total_memory_mb": 1000,
            "worker_memory_mb": 200,
            "instance_connections": 124,
            "monitors_per_server": 2,
            "servers": 3,
        },
    }


def a_round(body: dict[str, Any] | None = None, **changes: Any) -> Round:
    body = body or cluster()
    view = cluster_view(body)
    found = Round(
        OPTIONS,
        alive=Answer(200, {}),
        ready=Answer(200, {"checks": {"database": "ok", "owner": "ok"}}),
        seen=Answer(200, body),
        cluster=view,
        samples=[view],
        load=LoadResult(latencies_s=[0.02] * 98 + [0.3, 0.9]),
        events_per_s=0.0,
    )
    return replace(found, **changes)


def line(found: Round, name: str) -> Check:
    (check,) = [one for one in checks_of(found) if one.name == name]
    return check


def test_a_healthy_cluster_has_no_fault() -> None:
    checks = checks_of(a_round())
    assert is_all_well(checks), render_table(checks, OPTIONS)
    assert line(a_round(), "Workers").found == "2 of 2 ready"
    assert line(a_round(), "Connections to MongoDB").found == "38 (20 of the pools and 18 monitors)"


def test_nobody_there_is_one_line() -> None:
    (check,) = checks_of(Round(OPTIONS, Answer(0, {}, "ClientConnectorError")))
    assert check.is_ok is False
    assert "https://panal.example" in check.next_step


def test_a_refused_key_is_told_and_nothing_else() -> None:
    checks = checks_of(Round(OPTIONS, Answer(200, {}), seen=Answer(401, {"code": "not_authenticated"})))
    assert [check.is_ok for check in checks] == [True, False]
    assert checks[1].found == "401 not_authenticated"


@pytest.mark.parametrize(
    "worker",
    [
        process("Sanic-Server-1-0", "worker", state="broken", last_exit="SIGKILL"),
        process("Sanic-Server-1-0", "worker", heartbeat_age_s=9.0),
    ],
    ids=["held by its breaker", "stalled"],
)
def test_a_worker_that_is_not_well_is_named(worker: dict[str, Any]) -> None:
    check = line(a_round(cluster(worker, owner())), "Workers")
    assert check.is_ok is False
    assert check.found == "1 of 2 ready"
    assert "Sanic-Server-1-0" in check.next_step


def test_a_worker_that_drains_beside_its_successor_is_no_fault() -> None:
    body = cluster(
        process("Sanic-Server-1-0", "worker"), process("Sanic-Server-1-0", "worker", state="draining"), owner()
    )
    assert line(a_round(body), "Workers").is_ok


def test_without_an_owner_nobody_sends() -> None:
    dead = process("Sanic-WhatsApp-0", "whatsapp", state="broken", last_exit="exit 1", whatsapp={"state": "owner"})
    found = a_round(cluster(process("Sanic-Server-1-0", "worker"), dead))
    check = line(found, "Owner of WhatsApp")
    assert check.is_ok is False
    assert check.found == "Sanic-WhatsApp-0: broken, exit 1"
    assert line(found, "Queue").is_ok is None


def test_an_owner_whose_lease_ran_out_is_none() -> None:
    found = a_round(cluster(process("Sanic-Server-1-0", "worker"), owner(lease_remaining_s=0)))
    assert line(found, "Owner of WhatsApp").is_ok is False


def test_a_box_that_stands_by_is_well_when_another_one_owns() -> None:
    body = cluster(process("Sanic-Server-1-0", "worker"), owner(state="standby"))
    assert line(a_round(body), "Owner of WhatsApp").is_ok
    nobody = Answer(503, {"checks": {"database": "ok", "owner": "No WhatsApp process owns the numbers."}})
    assert line(a_round(body, ready=nobody), "Owner of WhatsApp").is_ok is False


def test_two_owners_at_any_look_are_a_fault() -> None:
    two = cluster_view(cluster(owner(), owner()))
    check = line(a_round(samples=[two]), "Owner of WhatsApp")
    assert (check.is_ok, check.found) == (False, "2")


def test_a_link_that_was_refused_says_what_to_do() -> None:
    body = cluster(process("Sanic-Server-1-0", "worker"), owner(links={"106540352242922": "refused"}))
    check = line(a_round(body), "Link to WhatsApp")
    assert check.is_ok is False
    assert "PANAL_ACCESS_TOKEN" in check.next_step


def test_failed_requests_are_grouped_and_explained() -> None:
    load = LoadResult(latencies_s=[0.1] * 10, failures=Counter({"503 database_unavailable": 7, "timeout": 1}))
    check = line(a_round(load=load), "Requests answered")
    assert check.is_ok is False
    assert check.found == "2 of 10: 503 database_unavailable × 7, timeout × 1"
    assert "Atlas" in check.next_step


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"late_s": 1.0}, "this machine itself"),
        ({"pool_waiting": 3}, "connections to MongoDB"),
        ({"loop_lag_ms": 500.0}, "loop_lag_ms"),
        ({"p95_ms": 2900.0}, "MongoDB is slow"),
        ({}, "on the way"),
    ],
)
def test_a_slow_answer_is_blamed_on_the_likeliest_place(changes: dict[str, Any], words: str) -> None:
    load = LoadResult(latencies_s=[3.0] * 100, late_s=changes.pop("late_s", 0.0))
    body = cluster(process("Sanic-Server-1-0", "worker", **changes), owner())
    found = a_round(body, load=load)
    assert line(found, "Latency p50").is_ok is False
    check = line(found, "Latency p95")
    assert (check.is_ok, check.found) == (False, "3000 ms")
    assert words in check.next_step


def test_memory_connections_queue_and_operations_have_their_limits() -> None:
    body = cluster(
        process("Sanic-Server-1-0", "worker", rss_bytes=250 * MEGABYTE),
        owner(queue_age_s=45.0),
        db_connections=120,
        db_operations_per_s=130.0,
    )
    found = a_round(body, options=replace(OPTIONS, ops_limit=100))
    names = ["Memory", "Connections to MongoDB", "Queue", "MongoDB operations"]
    assert [line(found, name).is_ok for name in names] == [False] * 4
    assert "Sanic-Server-1-0" in line(found, "Memory").next_step


def test_a_restart_meanwhile_is_a_fault() -> None:
    samples = [cluster_view(cluster(restarts=0)), cluster_view(cluster(restarts=1))]
    assert line(a_round(samples=samples), "Restarts meanwhile").is_ok is False


def test_what_was_sent_must_have_left() -> None:
    options = replace(OPTIONS, send_to=("16505550000",))
    load = LoadResult(latencies_s=[0.01] * 4, sent_ids=["msg_1", "msg_2"])
    assert line(a_round(options=options, load=load, sent={"read": 2}, events_per_s=3.0), "Messages sent").is_ok
    assert line(a_round(options=options, load=load, sent={"read": 1, "queued": 1}), "Messages sent").is_ok is False
    assert line(a_round(options=options, load=load, sent={"read": 2}), "Events").is_ok is False


@pytest.mark.parametrize("locale", LOCALES)
def test_the_table_is_whole_in_both_languages(locale: str) -> None:
    options = replace(OPTIONS, locale=locale, send_to=("16505550000",), ops_limit=10)
    load = LoadResult(latencies_s=[3.0], failures=Counter({"timeout": 1}))
    page = render_table(checks_of(a_round(options=options, load=load, sent={"queued": 1})), options)
    assert page.count("❌") >= 6
    assert page.count("\n   → ") == page.count("❌") - 1  # the last line of the table has one, too
    assert "{" not in page
