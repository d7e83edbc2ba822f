"""Does this endpoint want this event? Pure.

Process: worker, whatsapp.
"""

from collections.abc import Sequence

from services.events import may_read
from services.store import Event
from services.webhook_endpoints.meta_format import has_meta_form
from services.webhook_endpoints.records import Endpoint, WebhookFormat

EVERYTHING = "*"
OF_ACCOUNTS = ("template.", "account.", "notification.")


def wants(endpoint: Endpoint, event: Event) -> bool:
    """By type and number; what happens to an endpoint is not told to that endpoint; Meta's format has few types.

    What happens to an account stands in the log of each of its numbers: an endpoint hears of it once.
    """
    if endpoint.numbers and event.number not in endpoint.numbers:
        return False
    if not may_read(event, frozenset(endpoint.numbers)):
        return False  # of an endpoint that hears other numbers as well
    if event.number != _teller(endpoint, event):
        return False
    if event.type.startswith("webhook_endpoint.") and event.data.get("endpoint_id") == endpoint.id:
        return False
    if endpoint.format is WebhookFormat.META and not has_meta_form(event):
        return False
    return fits(event.type, endpoint.events)


def _teller(endpoint: Endpoint, event: Event) -> str:
    """The number from whose log this endpoint takes the event: the first one of the account that it covers."""
    named = event.data.get("phone_number_ids")
    if not event.type.startswith(OF_ACCOUNTS) or not isinstance(named, list):
        return event.number
    covered = (number for number in named if not endpoint.numbers or number in endpoint.numbers)
    return next(covered, event.number)


def fits(event_type: str, words: Sequence[str]) -> bool:
    """Is this type one of the words, in one of the families, or is everything wanted?"""
    return any(
        word in (EVERYTHING, event_type) or (word.endswith(".*") and event_type.startswith(word[:-1])) for word in words
    )
