"""Statuses of one message: their object, their price, and the ladder a phone's behaviour makes them climb.

Process: sandbox.

Source: Meta, "messages webhook, status" and "Pricing" (2026-09-11): conversation and pricing stand on `sent` and on one
of `delivered` and `read`; the expiry stands on `sent`; conversations are left out from v24.0 on.
"""

import hashlib
from dataclasses import dataclass

from config.digits import whole_number_in
from services.sandbox.wire.faults import status_error
from services.sandbox.wire.notifications import Person
from services.sandbox.wire.shapes import Json

WINDOW_S = 24 * 3600
FIRST_VERSION_WITHOUT_CONVERSATIONS = 24


@dataclass(frozen=True, slots=True)
class Price:
    """What the message costs by Meta's rules since 2025-07-01: only delivered templates outside the window do."""

    category: str
    is_billable: bool

    def fields(self) -> Json:
        kind = "regular" if self.is_billable else "free_customer_service"
        return {"billable": self.is_billable, "pricing_model": "PMP", "type": kind, "category": self.category}


def price_of(kind: str, category: str | None, *, is_window_open: bool) -> Price:
    """The price of a message kind; `category` is the template's, upper or lower case."""
    if kind != "template" or category is None:
        return Price("service", is_billable=False)
    name = category.lower()
    return Price(name, is_billable=not (name == "utility" and is_window_open))


def status_object(
    status: str,
    *,
    wamid: str,
    at_s: int,
    person: Person,
    price: Price,
    biz_opaque_callback_data: str | None = None,
    error_code: int | None = None,
    error_details: str | None = None,
    has_conversations: bool = True,
) -> Json:
    """An entry of `statuses`."""
    entry: Json = {"id": wamid, "status": status, "timestamp": str(at_s)}
    if person.wa_id is not None:
        entry["recipient_id"] = person.wa_id
    entry["recipient_user_id"] = person.user_id
    if biz_opaque_callback_data is not None:
        entry["biz_opaque_callback_data"] = biz_opaque_callback_data
    if status in ("sent", "delivered"):
        if has_conversations:
            conversation: Json = {"id": hashlib.blake2b(wamid.encode(), digest_size=16).hexdigest()}
            if status == "sent":
                conversation["expiration_timestamp"] = str(at_s + WINDOW_S)
            conversation["origin"] = {"type": price.category}
            entry["conversation"] = conversation
        entry["pricing"] = price.fields()
    if error_code is not None:
        entry["errors"] = [status_error(error_code, error_details)]
    return entry


def has_conversations(api_version: str) -> bool:
    """Whether statuses of this API version (`v23.0`) carry a conversation object."""
    major = api_version.lstrip("v").partition(".")[0]
    number = whole_number_in(major)
    return number is None or number < FIRST_VERSION_WITHOUT_CONVERSATIONS
