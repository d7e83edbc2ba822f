"""The table of the capacity plan. 4 × 30 = 120 of 500, margin 380, is its first line."""

import dataclasses
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.capacity import CapacityInputs, CpuReading, Plan, PlanRefused, capacity_inputs, plan, render_plan
from config.settings.load import load_settings

ATLAS = CapacityInputs(cpus=4, workers_asked=4, memory_mb=8192)


def _inputs(**changes: Any) -> CapacityInputs:
    return CapacityInputs(**({"cpus": 4, "memory_mb": 8192} | changes))


def test_four_workers_with_thirty_connections_leave_a_margin_of_380() -> None:
    result = plan(ATLAS)
    assert (result.worker_connections, result.max_connections, result.worker_margin) == (120, 500, 380)


def test_the_true_total_counts_the_owner_the_monitors_the_overlap_and_the_deploy() -> None:
    result = plan(ATLAS)
    assert result.pool_queen == 10
    assert result.monitor_connections == 5 * 3 * 2
    assert result.overlap_connections == 30 + 3 * 2
    assert result.instance_connections == 120 + 10 + 30 + 36
    assert result.total_connections == 2 * 196
    assert result.margin == 500 - 392


def test_memory_is_counted_to_the_last_process() -> None:
    result = plan(ATLAS)
    assert result.total_memory_mb == 4 * 200 + 200 + 200 + 120
    assert result.memory_margin_mb == 8192 - 1320


@pytest.mark.parametrize(
    ("changes", "workers", "asked_by", "notes"),
    [
        # 64 host cores with a quota of 4.
        ({"cpus": 4, "host_cpus": 64}, 4, "fast", ["quota_below_host"]),
        ({"cpus": 4, "web_concurrency": 2}, 2, "web_concurrency", []),
        ({"cpus": 4, "web_concurrency": 2, "workers_asked": 3}, 3, "workers", []),
        # 2 × (5 + 1) × 36 + 2 × 16 = 464; a sixth worker would make it 536.
        ({"cpus": 64}, 5, "fast", ["lowered_connections"]),
        ({"cpus": 4, "web_concurrency": 9}, 5, "web_concurrency", ["lowered_connections", "more_workers_than_cpus"]),
        ({"cpus": 64, "overlap_instances": 0}, 12, "fast", ["lowered_connections"]),
        ({"cpus": 64, "overlap_instances": 0, "servers": 1}, 14, "fast", ["lowered_connections"]),
        ({"cpus": 64, "pool_per_worker": 2, "memory_mb": 4096}, 17, "fast", ["lowered_connections", "lowered_memory"]),
        ({"cpus": 4, "memory_mb": 1000}, 2, "fast", ["lowered_memory"]),
        ({"cpus": 4, "memory_mb": None}, 4, "fast", ["memory_not_measured"]),
        ({"cpus": 1}, 1, "fast", []),
        ({"cpus": 2, "workers_asked": 4}, 4, "workers", ["more_workers_than_cpus"]),
        (
            {"cpus": 4, "instances": 2, "overlap_instances": 0, "workers_asked": 5},
            5,
            "workers",
            ["more_workers_than_cpus"],
        ),
    ],
)
def test_how_many_workers(changes: dict[str, Any], workers: int, asked_by: str, notes: list[str]) -> None:
    result = plan(_inputs(**changes))
    assert (result.workers, result.asked_by) == (workers, asked_by)
    assert [note.code for note in result.notes] == notes


@pytest.mark.parametrize(
    ("changes", "code", "must_name"),
    [
        ({"workers_asked": 17}, "connections", ["17", "30", "510", "500", "PANAL_DB_POOL_PER_WORKER"]),
        ({"workers_asked": 17, "servers": 1, "overlap_instances": 0}, "connections", ["510", "588", "500"]),
        ({"workers_asked": 6}, "connections", ["536", "500", "--workers", "5"]),
        ({"pool_per_worker": 400}, "connections_one", ["PANAL_DB_POOL_PER_WORKER", "500", "1656"]),
        ({"max_connections": 20}, "connections_none", ["PANAL_DB_MAX_CONNECTIONS", "20"]),
        ({"workers_asked": 4, "memory_mb": 900}, "memory", ["PANAL_WORKER_MEMORY_MB", "900", "1320", "1"]),
        ({"memory_mb": 512}, "memory_one", ["PANAL_WORKER_MEMORY_MB", "512", "720"]),
        ({"workers_asked": 0}, "workers", ["--workers=0"]),
        ({"workers_asked": -3}, "workers", ["--workers=-3"]),
    ],
)
def test_what_does_not_fit_is_refused_with_the_figure_to_change(
    changes: dict[str, Any], code: str, must_name: list[str]
) -> None:
    with pytest.raises(PlanRefused) as refused:
        plan(_inputs(**changes))
    assert refused.value.code == code
    for locale in ("es", "en"):
        text = refused.value.text(locale)
        assert "\n" not in text
        assert [word for word in must_name if word not in text] == []
    assert str(refused.value) == refused.value.text("en")


INPUTS = st.builds(
    CapacityInputs,
    cpus=st.integers(1, 128),
    workers_asked=st.none() | st.integers(1, 64),
    web_concurrency=st.none() | st.integers(1, 64),
    max_connections=st.integers(10, 3000),
    pool_per_worker=st.integers(1, 200),
    pool_queen=st.integers(2, 50),
    servers=st.integers(1, 7),
    overlap_workers=st.integers(0, 4),
    instances=st.integers(1, 5),
    overlap_instances=st.integers(0, 3),
    memory_mb=st.none() | st.integers(256, 65536),
    worker_memory_mb=st.integers(64, 1000),
)


@given(INPUTS)
def test_a_plan_never_exceeds_a_limit_and_one_more_worker_would(inputs: CapacityInputs) -> None:
    result = _plan_or_refusal(inputs)
    if isinstance(result, PlanRefused):
        assert result.text("es")
        assert result.text("en")
        return
    assert result.workers >= 1
    assert result.total_connections <= inputs.max_connections
    assert result.margin == inputs.max_connections - result.total_connections >= 0
    parts = result.worker_connections + result.pool_queen + result.monitor_connections + result.overlap_connections
    assert result.instance_connections == parts
    assert result.total_connections == parts * (inputs.instances + inputs.overlap_instances)
    if inputs.memory_mb is not None:
        assert result.total_memory_mb <= inputs.memory_mb
    if inputs.workers_asked is not None:
        assert result.workers == inputs.workers_asked
    elif result.workers < result.workers_asked:
        with pytest.raises(PlanRefused):
            plan(_with(inputs, workers_asked=result.workers + 1))


@given(INPUTS)
def test_the_figures_that_a_refusal_proposes_do_fit(inputs: CapacityInputs) -> None:
    refused = _plan_or_refusal(inputs)
    if isinstance(refused, PlanRefused) and refused.code == "connections":
        fewer = _with(inputs, workers_asked=refused.figures["max_workers"], memory_mb=None)
        assert plan(fewer).workers == refused.figures["max_workers"]
        smaller = _with(inputs, pool_per_worker=refused.figures["max_pool"], memory_mb=None)
        if refused.figures["max_pool"] > 1:
            assert plan(smaller).pool_per_worker == refused.figures["max_pool"]


def _plan_or_refusal(inputs: CapacityInputs) -> Plan | PlanRefused:
    try:
        return plan(inputs)
    except PlanRefused as refused:
        return refused


def _with(inputs: CapacityInputs, **changes: Any) -> CapacityInputs:
    return dataclasses.replace(inputs, **changes)


def test_a_plan_crosses_a_pipe_and_becomes_json() -> None:
    result = plan(_inputs(cpus=64))
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301 - our own bytes
    figures = json.loads(json.dumps(result.as_dict()))
    assert (figures["workers"], figures["total_connections"]) == (5, 464)
    assert figures["notes"][0]["code"] == "lowered_connections"
    assert "PANAL_DB_POOL_PER_WORKER" in figures["notes"][0]["text"]


@pytest.mark.parametrize(("locale", "last"), [("es", "✅ El plan cabe"), ("en", "✅ The plan fits")])
def test_the_table_shows_every_sum_in_both_languages(locale: str, last: str) -> None:
    table = render_plan(plan(_inputs(cpus=64)), locale)
    lines = table.splitlines()
    assert lines[-1] == last
    assert any(line.endswith(" 464") for line in lines)
    assert any("5 workers × 30" in line and line.endswith(" 150") for line in lines)
    assert any(line.startswith("• 64 workers") for line in lines)
    assert "{" not in table


def test_the_embedded_database_is_one_server_that_no_other_box_reaches() -> None:
    cpus = CpuReading(cpus=2, source="quota", host_cpus=8)
    inputs = capacity_inputs(load_settings({}), cpus, memory_mb=4096, workers_asked=None, environ={})
    assert (inputs.servers, inputs.instances, inputs.overlap_instances) == (1, 1, 0)
    assert inputs.database_memory_mb == 256 + 64
    assert inputs.sandbox_memory_mb > 0
    atlas = load_settings({"PANAL_MONGODB_URI": "mongodb://db/", "PANAL_WHATSAPP": "web", "PANAL_INSTANCES": "2"})
    inputs = capacity_inputs(atlas, cpus, memory_mb=None, workers_asked=3, environ={"WEB_CONCURRENCY": "7"})
    assert (inputs.servers, inputs.instances, inputs.overlap_instances) == (3, 2, 1)
    assert (inputs.database_memory_mb, inputs.sandbox_memory_mb) == (0, 0)
    assert (inputs.workers_asked, inputs.web_concurrency) == (3, 7)


@pytest.mark.parametrize("word", ["", "0", "-1", "four", "2.5", "²"])
def test_a_web_concurrency_that_is_no_number_is_no_hint(word: str) -> None:
    cpus = CpuReading(cpus=2, source="host", host_cpus=2)
    inputs = capacity_inputs(
        load_settings({}), cpus, memory_mb=None, workers_asked=None, environ={"WEB_CONCURRENCY": word}
    )
    assert inputs.web_concurrency is None
