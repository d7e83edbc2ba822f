"""Notifications in Meta's envelope: one event each, contacts always there, times as strings of Unix seconds.

Process: sandbox.

Source: Meta, "Webhooks, messages" and "status" (2026-09-11), and captured bodies in pywa's repository.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from services.sandbox.wire.shapes import Json

FIELD_MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Sender:
    """The business side of an event: its account and its phone number."""

    waba_id: str
    phone_number_id: str
    display_phone_number: str


@dataclass(frozen=True, slots=True)
class Person:
    """The customer's side. `wa_id` is None for a person who hides the number behind a username."""

    user_id: str
    wa_id: str | None
    name: str | None = None
    username: str | None = None

    def contact(self) -> Json:
        """An entry of `contacts`."""
        profile: Json = {"name": self.name or self.wa_id or self.username or self.user_id}
        if self.username is not None:
            profile["username"] = self.username
        entry: Json = {"profile": profile}
        if self.wa_id is not None:
            entry["wa_id"] = self.wa_id
        entry["user_id"] = self.user_id
        return entry


def envelope(waba_id: str, field: str, value: Json, *, time_s: int | None = None) -> Json:
    """The outer object. `time` stands on account-level events only, as in Meta's samples."""
    entry: Json = {"id": waba_id}
    if time_s is not None:
        entry["time"] = time_s
    entry["changes"] = [{"value": value, "field": field}]
    return {"object": "whatsapp_business_account", "entry": [entry]}


def status_event(sender: Sender, person: Person, status: Json) -> Json:
    """A notification with one status. Contacts stand beside it, on `failed` too: clients drop it otherwise."""
    value = {**_head(sender), "contacts": [person.contact()], "statuses": [status]}
    return envelope(sender.waba_id, FIELD_MESSAGES, value)


def message_event(sender: Sender, message: Json, *, person: Person | None) -> Json:
    """A notification with one message from a customer. Meta sends system messages without contacts: person None."""
    value = _head(sender)
    if person is not None:
        value["contacts"] = [person.contact()]
    value["messages"] = [message]
    return envelope(sender.waba_id, FIELD_MESSAGES, value)


def errors_event(sender: Sender, errors: Sequence[Json]) -> Json:
    """A notification with nothing but `value.errors`: trouble of the account or the app."""
    return envelope(sender.waba_id, FIELD_MESSAGES, {**_head(sender), "errors": list(errors)})


def inbound_head(person: Person, wamid: str, at_s: int) -> Json:
    """The first keys of a customer's message; `from` is left out when the number is hidden."""
    head: Json = {}
    if person.wa_id is not None:
        head["from"] = person.wa_id
    head["from_user_id"] = person.user_id
    head["id"] = wamid
    head["timestamp"] = str(at_s)
    return head


def signature(app_secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` for exactly these bytes."""
    return "sha256=" + hmac.digest(app_secret.encode("utf-8"), body, hashlib.sha256).hex()


def _head(sender: Sender) -> Json:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": sender.display_phone_number,
            "phone_number_id": sender.phone_number_id,
        },
    }
