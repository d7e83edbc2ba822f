"""What a key needs for the fields that it names of a Graph object."""

import pytest

from blueprints.cloud_api.resources import scopes_of_fields
from services.keys import Scope


@pytest.mark.parametrize(
    "fields",
    [
        "id,verified_name,quality_rating",
        "id, name , currency",
        "qr_image_url.format(PNG)",
        "health_status{can_send_message}",
        "conversation_analytics.start(1).end(2).granularity(DAILY)",
        "",
    ],
)
def test_facts_of_the_object_itself_need_nothing_more(fields: str) -> None:
    assert scopes_of_fields(fields) == set()


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ("message_templates", Scope.TEMPLATES),
        ("id,Message_Templates", Scope.TEMPLATES),
        ("id,message_templates{name}", Scope.TEMPLATES),
        ("message_templates.limit(5){name,components}", Scope.TEMPLATES),
        ("phone_numbers", Scope.NUMBERS),
        ("block_users", Scope.CONTACTS),
        ("assigned_users", Scope.ADMIN),
        ("something_new.limit(3) {id}", Scope.ADMIN),
        ("health_status{entities{id}}", Scope.ADMIN),
    ],
)
def test_an_edge_that_is_named_needs_what_its_path_needs(fields: str, scope: Scope) -> None:
    assert scope in scopes_of_fields(fields)
