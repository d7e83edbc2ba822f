"""render.yaml: documented fields only, no secret in it, and settings that production accepts with a plan that fits."""

import re
from typing import Any

import pytest
import yaml

from config.capacity import CpuReading, Plan, capacity_inputs, plan
from config.settings.fields import Settings, variable
from config.settings.load import load_settings
from tests.unit.deploy.files import ROOT

# Source: https://render.com/docs/blueprint-spec, fields of a service of type `web`.
SERVICE_FIELDS = {
    *("type", "name", "runtime", "plan", "region", "branch", "rootDir", "buildCommand", "startCommand"),
    *("preDeployCommand", "autoDeployTrigger", "healthCheckPath", "maxShutdownDelaySeconds", "numInstances"),
    *("scaling", "envVars", "disk", "buildFilter", "dockerfilePath", "dockerContext", "dockerCommand", "domains"),
}
ENV_SOURCES = {"value", "generateValue", "sync", "fromService", "fromGroup", "fromDatabase"}
SHUTDOWN_DELAY_S = range(1, 301)
RENDER_SETS = {"PORT", "WEB_CONCURRENCY"}
STOP_BESIDE_DRAIN_S = 5.0  # not ready first, the database last


def service() -> dict[str, Any]:
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))
    assert set(blueprint) == {"services"}
    (found,) = blueprint["services"]
    assert isinstance(found, dict)
    return found


def variables() -> dict[str, dict[str, Any]]:
    return {
        entry["key"]: {name: value for name, value in entry.items() if name != "key"} for entry in service()["envVars"]
    }


def as_deployed() -> dict[str, str]:
    """The environment that the service would see, with made-up secrets of the usual lengths."""
    given = {
        "PANAL_MONGODB_URI": "mongodb+srv://panal:a-password@cluster0.example.mongodb.net/",
        "PANAL_NUMBER": "106540352242922",
        "PANAL_WABA": "102290129340398",
        "PANAL_DISPLAY_PHONE_NUMBER": "15550783881",
        "PANAL_ACCESS_TOKEN": "EAA" + "x" * 180,
        "PANAL_APP_SECRET": "0123456789abcdef0123456789abcdef",
    }
    found = {}
    for key, source in variables().items():
        found[key] = source["value"] if "value" in source else given.get(key, "generated-0123456789-" + "y" * 40)
    return found


def test_every_field_is_documented() -> None:
    assert set(service()) <= SERVICE_FIELDS
    assert all(len(source) == 1 and set(source) <= ENV_SOURCES for source in variables().values())
    assert all(isinstance(source.get("value", ""), str) for source in variables().values()), "Render takes strings"


def test_it_is_the_box_that_the_documents_speak_of() -> None:
    found = service()
    assert (found["type"], found["plan"], found["runtime"]) == ("web", "pro plus", "docker")
    assert found["healthCheckPath"] == "/readyz"
    assert (ROOT / found["dockerfilePath"]).is_file()
    assert "disk" not in found, "a disk would end deploys without a gap"


def test_no_secret_stands_in_the_file() -> None:
    secrets = {variable(name) for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    for key, source in variables().items():
        if key in secrets:
            assert source in ({"sync": False}, {"generateValue": True}), key


def test_every_variable_is_one_of_ours() -> None:
    known = {variable(name) for name in Settings.model_fields} | RENDER_SETS
    assert set(variables()) <= known


def the_plan() -> Plan:
    environ = as_deployed()
    inputs = capacity_inputs(
        load_settings(environ), CpuReading(4, "render", 4), memory_mb=8192, workers_asked=None, environ=environ
    )
    return plan(inputs)


def test_production_accepts_it_and_all_four_cpus_work() -> None:
    assert load_settings(as_deployed()).is_production
    found = the_plan()
    assert found.workers == 4
    assert found.total_connections <= 500
    assert found.memory_margin_mb is not None
    assert found.memory_margin_mb > 0


def test_it_may_take_as_long_to_stop_as_it_needs() -> None:
    delay_s = service()["maxShutdownDelaySeconds"]
    assert delay_s in SHUTDOWN_DELAY_S
    assert delay_s > load_settings(as_deployed()).drain_s + STOP_BESIDE_DRAIN_S


def test_the_port_is_one_that_render_lets_us_use() -> None:
    assert int(variables()["PORT"]["value"]) not in {18012, 18013, 19099}


@pytest.mark.parametrize("page", ["deploy.md", "deploy.es.md"])
def test_the_connections_of_the_documents_are_those_of_the_plan(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.fullmatch(r"\|.*\| (\*\*)?\d+(\*\*)? \|", line)]
    figures = [int(row.rstrip("| ").rpartition("|")[2].strip(" *")) for row in rows]
    found = the_plan()
    assert figures == [
        found.worker_connections,
        found.pool_queen,
        found.monitor_connections,
        found.overlap_connections,
        found.instance_connections,
        found.total_connections,
        found.max_connections,
    ]
