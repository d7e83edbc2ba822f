"""Which events an endpoint wants: what concerns an account is told once, though each of its numbers has it."""

from datetime import UTC, datetime

import pytest

from services.store import Event
from services.webhook_endpoints.filters import wants
from services.webhook_endpoints.records import Endpoint, EndpointStatus, WebhookFormat

AT = datetime(2026, 1, 2, tzinfo=UTC)


def endpoint(numbers: tuple[str, ...] = ()) -> Endpoint:
    return Endpoint(
        id="whe_1", home="1", format=WebhookFormat.PANAL, shown_url="https://example.com/", target_ref="whv_1",
        secrets=(), events=("*",), numbers=numbers, header_names=(), description="", status=EndpointStatus.ENABLED,
        created_at=AT, updated_at=AT, created_by="key_1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("numbers", "told_by"), [((), ["1"]), (("1",), ["1"]), (("2", "3"), ["2"]), (("3",), ["3"]), (("9",), [])]
)
def test_an_event_of_an_account_comes_from_the_first_number_that_the_endpoint_covers(
    numbers: tuple[str, ...], told_by: list[str]
) -> None:
    data = {"template_id": "7", "phone_number_ids": ["1", "2", "3"]}
    copies = [Event("evt_1", number, 5, "template.paused", AT, data) for number in ("1", "2", "3")]
    subscriber = endpoint(numbers=numbers)
    assert [event.number for event in copies if wants(subscriber, event)] == told_by


def test_a_contact_that_several_numbers_know_is_no_event_of_an_account() -> None:
    event = Event("evt_1", "2", 5, "contact.updated", AT, {"phone_number_ids": ["1", "2"]})
    assert wants(endpoint(), event)
