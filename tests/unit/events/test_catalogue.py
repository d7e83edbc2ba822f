"""The catalogue of events is complete, its examples are true, and the page is the one it writes."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from blueprints.openapi.events import EVENT_TYPES as EXPLAINED
from services.events.catalogue.event_type import EventType
from services.events.catalogue.page import example_of, page
from services.events.catalogue.types import CATALOGUE, EVENT_FAMILIES, EVENT_TYPES

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_the_example_has_the_shape_that_is_written_above_it(kind: EventType) -> None:
    Draft202012Validator.check_schema(kind.schema())
    faults = [fault.message for fault in Draft202012Validator(kind.schema()).iter_errors(example_of(kind, 7))]
    assert not faults
    assert set(kind.example) <= set(kind.fields), "the example shows a field that is not explained"


def test_names_are_unique_and_families_known() -> None:
    assert len(EVENT_TYPES) == len(CATALOGUE)
    wanted = {"message", "conversation", "contact", "template", "campaign", "number", "account"}
    wanted |= {"notification", "webhook_endpoint", "cluster"}
    assert wanted == EVENT_FAMILIES


def test_the_page_is_the_one_that_the_catalogue_writes() -> None:
    """`python -m services.events.catalogue.page > docs/events.md` makes it true again."""
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == page()


def test_the_api_reference_explains_the_same_types() -> None:
    assert set(EXPLAINED) == set(EVENT_TYPES)
