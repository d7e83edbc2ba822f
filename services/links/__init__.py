"""The transports of a phone number: the port, the Cloud API link, and our id on the wire."""

from services.links.cloud import CloudLink, TokenSource, wire_body
from services.links.port import (
    PRODUCT_POLICY,
    Link,
    LinkKind,
    LinkState,
    NotSubmitted,
    OutcomeUnknown,
    OutgoingMessage,
    RecipientKind,
    SendRefused,
    Submitted,
)
from services.links.tracking import CALLER_DATA_LIMIT, Tracking, decode_tracking, encode_tracking

__all__ = [
    "CALLER_DATA_LIMIT",
    "PRODUCT_POLICY",
    "CloudLink",
    "Link",
    "LinkKind",
    "LinkState",
    "NotSubmitted",
    "OutcomeUnknown",
    "OutgoingMessage",
    "RecipientKind",
    "SendRefused",
    "Submitted",
    "TokenSource",
    "Tracking",
    "decode_tracking",
    "encode_tracking",
    "wire_body",
]
