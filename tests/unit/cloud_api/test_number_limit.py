"""A key that is limited to some numbers: no data of another number or account goes by."""

from typing import Any

import pytest

from services.cloud_api.number_limit import NumberLimit
from services.keys import ALL_SCOPES, Caller, NotPermitted
from services.numbers import Number

OWN, TWIN, FOREIGN = (
    Number("11", "1", "15550000011", "sandbox"),
    Number("12", "1", "15550000012", "sandbox"),
    Number("21", "2", "15550000021", "sandbox"),
)
NUMBERS = (OWN, TWIN, FOREIGN)


def limit(*numbers: str) -> NumberLimit:
    return NumberLimit(Caller("key_1", "test", ALL_SCOPES, frozenset(numbers)), NUMBERS)


@pytest.mark.parametrize(
    "fields",
    [
        "phone_numbers",
        "id,phone_numbers",
        "id, phone_numbers",
        "phone_numbers{id}",
        "id{phone_numbers}",
        "message_templates.limit(1){id}",
        "owner_business_info",
        "whatsapp_business_account{phone_numbers{id}}",
        "id.as(x)",
        "assigned_users",
        '["phone_numbers"]',
        "subscribed_apps",
        "id\nphone_numbers",
        "ID{phone_numbers}",
        "conversation_analytics.start(1)",
    ],
)
@pytest.mark.parametrize(
    ("kind", "edge"),
    [("number", ""), ("account", ""), ("account", "phone_numbers"), ("template", ""), ("number", "settings")],
)
@pytest.mark.parametrize("name", ["fields", "Fields", "fields[0]", " fields"])
def test_a_limited_key_expands_nothing(fields: str, kind: str, edge: str, name: str) -> None:
    with pytest.raises(NotPermitted):
        limit("11").require(kind, "GET", edge, [(name, fields)])
    limit().require(kind, "GET", edge, [(name, fields)])


@pytest.mark.parametrize(
    "fields",
    [
        "id",
        "",
        "id,verified_name , quality_rating",
        "about,websites",
        "name,status,components",
        "qr_image_url.format(PNG)",
    ],
)
def test_a_limited_key_names_plain_fields(fields: str) -> None:
    limit("11").require("number", "GET", "", [("fields", fields), ("limit", "5")])


@pytest.mark.parametrize(
    ("kind", "method", "edge", "may"),
    [
        ("number", "POST", "settings", True),
        ("number", "GET", "message_qrdls/ABC", True),
        ("number", "POST", "", True),
        ("number", "GET", "whatsapp_business_account", False),
        ("account", "GET", "", True),
        ("account", "GET", "phone_numbers", True),
        ("account", "POST", "phone_numbers", False),
        ("account", "POST", "", False),
        ("account", "DELETE", "", False),
        ("account", "GET", "assigned_users", False),
        ("account", "GET", "conversation_analytics", False),
        ("account", "POST", "migrate_message_templates", False),
        ("account", "POST", "message_templates", True),
        ("account", "GET", "message_templates/21", False),
        ("template", "DELETE", "", True),
        ("template", "GET", "phone_numbers", False),
        ("other", "GET", "", False),
        ("other", "POST", "publish", False),
    ],
)
def test_a_limited_key_has_the_edges_of_its_numbers_alone(kind: str, method: str, edge: str, may: bool) -> None:
    limit().require(kind, method, edge, [])
    if may:
        limit("11").require(kind, method, edge, [])
    else:
        with pytest.raises(NotPermitted):
            limit("11").require(kind, method, edge, [])


@pytest.mark.parametrize("name", ["phone_number_id", "waba_id", "source_waba_id", "clone_flow_id", "phone_numbers[0]"])
def test_a_parameter_that_names_another_object_must_name_an_own_one(name: str) -> None:
    limit("11").require("number", "GET", "settings", [(name, "11"), (name, "1")])
    for foreign in ("12", "21", "2", "999", ["21"], ""):
        with pytest.raises(NotPermitted):
            limit("11").require("number", "GET", "settings", [(name, foreign)])


def number(id_: Any, **more: Any) -> dict[str, Any]:
    return {"id": id_, "display_phone_number": f"+{id_}", "verified_name": f"name of {id_}", **more}


def test_other_numbers_and_accounts_are_taken_out_at_every_depth() -> None:
    value = {
        "id": "1",
        "data": [number("11"), number("12"), number(21), number("999")],
        "deep": {
            "health": {"entities": [{"entity_type": "PHONE_NUMBER", "id": "12"}, {"entity_type": "APP", "id": "7"}]}
        },
        "account": {"id": "2", "name": "foreign"},
        "list": ["11", "21", {"phone_number_id": "21", "x": 1}, {"waba_id": "2"}, {"x": [{"y": number("21")}]}],
        "21": {"name": "by its id"},
        "nameless": {"display_phone_number": "+15550000021"},
        "count": 3,
    }
    found = limit("11").within(value, "1")
    assert found == {
        "id": "1",
        "data": [number("11")],
        "deep": {"health": {"entities": [{"entity_type": "APP", "id": "7"}]}},
        "list": ["11", {"x": [{}]}],
        "count": 3,
    }
    assert limit().within(value, "1") is value


def test_a_list_of_numbers_shows_own_ids_alone_even_when_an_id_is_all_there_is() -> None:
    value = {"data": [{"id": "11"}, {"id": "12"}, {"id": "999"}, "x"], "summary": {"total_count": 3}, "paging": {}}
    assert limit("11").within(value, "1", "phone_numbers") == {"data": [{"id": "11"}], "paging": {}}


def test_an_answer_about_another_object_is_none_and_about_the_own_one_stays() -> None:
    assert limit("11").within(number("21"), "11") is None
    assert limit("11").within({"verified_name": "me"}, "11") == {"verified_name": "me"}
    assert limit("11").within({"error": {"code": 100}}, "11") == {"error": {"code": 100}}
    assert limit("11").within({"success": True}, "11") == {"success": True}
