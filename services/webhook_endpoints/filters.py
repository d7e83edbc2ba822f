"""Does this endpoint want this event? Pure.

Process: worker, whatsapp.
"""

from collections.abc import Sequence

from services.store import Event
from services.webhook_endpoints.meta_format import has_meta_form
from services.webhook_endpoints.records import Endpoint, WebhookFormat

EVERYTHING = "*"


def wants(endpoint: Endpoint, event: Event) -> bool:
    """By type and number; what happens to an endpoint is not told to that endpoint; Meta's format has few types."""
    if endpoint.numbers and event.number not in endpoint.numbers:
        return False
    if event.type.startswith("webhook_endpoint.") and event.data.get("endpoint_id") == endpoint.id:
        return False
    if endpoint.format is WebhookFormat.META and not has_meta_form(event):
        return False
    return fits(event.type, endpoint.events)


def fits(event_type: str, words: Sequence[str]) -> bool:
    """Is this type one of the words, in one of the families, or is everything wanted?"""
    return any(
        word in (EVERYTHING, event_type) or (word.endswith(".*") and event_type.startswith(word[:-1])) for word in words
    )
