from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.errors import RequestRefused
from services.campaigns import parse_campaign, parse_changes, parse_people

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "name": "Spring",
    "template": {"name": "promo", "language": "es", "components": []},
    "audience": {"recipients": ["15550000001", {"to": "+1 555 000 0002", "variables": {"name": "Ana", "age": 7}}]},
}


def with_variables(variables: dict[str, Any]) -> dict[str, Any]:
    return {"audience": {"recipients": [{"to": "15550000001", "variables": variables}]}}


def faults_of(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        parse_campaign(raw, now=NOW)
    return [fault.path for fault in refused.value.faults]


def test_a_campaign_is_read_with_its_list() -> None:
    order = parse_campaign(GOOD, now=NOW)
    assert order.values["template"]["language"] == {"code": "es"}
    assert order.values["category"] == "marketing"
    assert [(person.key, person.variables) for person in order.people] == [
        ("wa:15550000001", {}),
        ("wa:15550000002", {"name": "Ana", "age": "7"}),
    ]
    assert not order.is_started


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"template": None}, "template"),
        ({"template": {"name": "Bad Name", "language": "es"}}, "template.name"),
        ({"template": {"name": "promo"}}, "template.language"),
        ({"category": "spam"}, "category"),
        ({"rate_per_minute": 0}, "rate_per_minute"),
        ({"rate_per_minute": True}, "rate_per_minute"),
        ({"send_at": "tomorrow"}, "send_at"),
        ({"send_at": "2026-05-07T09:00:00"}, "send_at"),
        ({"send_at": (NOW + timedelta(days=400)).isoformat()}, "send_at"),
        ({"start": "yes"}, "start"),
        ({"audience": {"label": "vip", "recipients": ["15550000001"]}}, "audience"),
        ({"audience": {"label": ""}}, "audience.label"),
        ({"audience": {"recipients": []}}, "audience.recipients"),
        ({"audience": {"recipients": ["abc"]}}, "audience.recipients[0].to"),
        (
            {"audience": {"recipients": [{"to": "15550000001", "variables": {"a b": "x"}}]}},
            "audience.recipients[0].variables.a b",
        ),
        (
            {"audience": {"recipients": [{"to": "15550000001", "variables": {"a": "\ud800"}}]}},
            "audience.recipients[0].variables.a",
        ),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_every_fault_has_its_path(change: dict[str, Any], path: str) -> None:
    assert path in faults_of({**GOOD, **change})


def test_all_faults_are_told_at_once() -> None:
    assert faults_of({"name": "", "category": "x", "template": 5})[:3] == ["name", "template", "category"]


def test_a_template_is_checked_as_it_would_be_sent() -> None:
    parameters = [{"type": "text", "text": "{{name}}"}, {"type": "text"}]
    template = {**GOOD["template"], "components": [{"type": "body", "parameters": parameters}]}
    assert any(path.startswith("template.components") for path in faults_of({**GOOD, "template": template}))


def test_changes_name_what_cannot_be_changed() -> None:
    assert parse_changes({"rate_per_minute": None, "name": "x"}, now=NOW) == {"rate_per_minute": None, "name": "x"}
    with pytest.raises(RequestRefused):
        parse_changes({"audience": {}}, now=NOW)


def test_a_list_has_people() -> None:
    assert [person.key for person in parse_people({"recipients": [15550000001]})] == ["wa:15550000001"]
    with pytest.raises(RequestRefused):
        parse_people({"recipients": {}})
