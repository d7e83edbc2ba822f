"""One delivery as it goes over the wire: body, headers, signature.

Process: whatsapp.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.events import event_bytes
from services.store import Event
from services.webhook_endpoints.meta_format import NumberNames, meta_body
from services.webhook_endpoints.records import Endpoint, WebhookFormat
from services.webhook_endpoints.signing import meta_signature, standard_signature

USER_AGENT: Final = "Panal-Webhooks/1.0"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is posted. The body is the same at every try; timestamp and signature are the try's own."""

    body: bytes
    headers: Mapping[str, str]


def webhook_id(event: Event, endpoint_id: str) -> str:
    """The same for every try, redelivery and restart: what a receiver remembers so as not to act twice."""
    return f"{event.id}-{endpoint_id}"


def seal(
    endpoint: Endpoint,
    event: Event,
    *,
    at: datetime,
    secrets_now: Sequence[str],
    custom: Mapping[str, str],
    names: NumberNames,
) -> Envelope:
    """Make the delivery. ``secrets_now`` are those that sign at ``at``, the newest first."""
    ours = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        # A small answer that unpacks to gigabytes is not for us.
        "accept-encoding": "identity",
        "webhook-id": webhook_id(event, endpoint.id),
        "webhook-timestamp": str(int(at.timestamp())),
    }
    if endpoint.format is WebhookFormat.META:
        body = meta_body(event, names)
        ours["x-hub-signature-256"] = meta_signature(body, secrets_now[0])
    else:
        body = event_bytes(event)
        ours["webhook-signature"] = standard_signature(ours["webhook-id"], at, body, secrets_now)
    return Envelope(body, {**custom, **ours})
