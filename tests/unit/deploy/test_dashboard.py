"""Every metric that the dashboard asks for is one that we export, and every label by which it groups."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.telemetry.metrics import definitions
from services.telemetry.metrics.scoreboard import ScoreboardMetrics
from services.telemetry.scoreboard import ClusterFacts, ProcessFacts, Scoreboard, Vitals

DASHBOARD = json.loads((Path(__file__).parents[3] / "deploy" / "grafana.json").read_text(encoding="utf-8"))
FUNCTIONS = {"sum", "rate", "increase", "histogram_quantile", "count", "vector", "changes", "by", "or", "le"}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["expr"]


@pytest.fixture(scope="module")
def exported() -> dict[str, set[str]]:
    """Sample names with their labels: of the counters and histograms, and of a scoreboard on which everything
    stands.
    """
    found: dict[str, set[str]] = {}
    for family in definitions._memory.collect():
        suffixes = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}.get(family.type, ("",))
        labels = set(getattr(definitions._memory._names_to_collectors[family.name], "_labelnames", ()))
        for suffix in suffixes:
            found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    scoreboard = Scoreboard.create(slots=4)
    scoreboard.writer_at(1, "Sanic-WhatsApp-0", "whatsapp").beat(
        Vitals(db_operations_per_s=1.0, messages_accepted_per_s=1.0),
        {"state": "owner", "epoch": 1, "queue_depth": 0, "queue_age_s": 0.0},
    )
    broken = ProcessFacts("Sanic-Server-0-0", "worker", state="broken", breaker="open")
    scoreboard.publish(ClusterFacts(processes=(broken,), restarts_by_reason={"death": 1}))
    for family in ScoreboardMetrics(scoreboard).collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_metric_of_the_dashboard_exists(exported: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in re.findall(r"panal_\w+", expression)}
    assert asked - exported.keys() == set()


def test_every_label_of_the_dashboard_exists(exported: dict[str, set[str]]) -> None:
    for expression in expressions():
        labels = {
            word.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for word in group.split(",")
        } | set(re.findall(r"(\w+)=\"", expression))
        for name in re.findall(r"panal_\w+", expression):
            assert labels <= exported[name], expression


def test_every_metric_is_shown_somewhere(exported: dict[str, set[str]]) -> None:
    shown = {name for expression in expressions() for name in re.findall(r"panal_\w+", expression)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported if not name.endswith("_created")}
    assert families - {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} == set()


def test_panels_have_a_title_a_unit_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        assert panel["title"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
    assert all(panel["fieldConfig"]["defaults"]["unit"] for panel in panels())
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_brackets_are_balanced() -> None:
    for expression in expressions():
        assert all(expression.count(left) == expression.count(right) for left, right in ("()", "[]", "{}")), expression
