"""The field `messages`: inbound messages, statuses and errors, each as a record.

Process: worker, whatsapp.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.cloud_webhook.changes import (
    MESSAGES_FIELD,
    AnyChange,
    InboundMessage,
    PlatformErrors,
    Sender,
    StatusKind,
    StatusUpdate,
    UnknownChange,
)
from services.cloud_webhook.lenient_json import (
    as_dict,
    as_list,
    dict_or_none,
    digest,
    identifier,
    moment,
    platform_errors,
    short_text,
    text,
)
from services.links import decode_tracking

KNOWN_STATUSES = {kind.value: kind for kind in StatusKind if kind is not StatusKind.UNKNOWN}

KINDS_ABOUT_ANOTHER = {"reaction": "message_id", "edit": "original_message_id", "revoke": "original_message_id"}
"""Kinds that speak of an earlier message, and the key of its id."""

CHANGES_OF_ADDRESS = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
"""System messages that tell where a customer is from now on. Source: Meta, "messages webhook, system" (2026-09-11)."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a `value` came from: the parts that each of its messages and statuses shares."""

    waba_id: str | None
    phone_number_id: str | None
    display_phone_number: str | None
    contacts: list[dict[str, Any]]


def message_changes(waba_id: str | None, value: dict[str, Any]) -> Iterator[AnyChange]:
    """Messages first, then statuses, then errors; what else stands in the value is one unknown change."""
    metadata = as_dict(value.get("metadata"))
    origin = _Origin(
        waba_id=waba_id,
        phone_number_id=identifier(metadata.get("phone_number_id")),
        display_phone_number=identifier(metadata.get("display_phone_number")),
        contacts=[contact for contact in as_list(value.get("contacts")) if isinstance(contact, dict)],
    )
    count = 0
    for entry in as_list(value.get("messages")):
        count += 1
        yield _inbound(entry, origin) if isinstance(entry, dict) else _unknown(entry, origin)
    for entry in as_list(value.get("statuses")):
        count += 1
        yield _status(entry, origin) if isinstance(entry, dict) else _unknown(entry, origin)
    errors = platform_errors(value.get("errors"))
    if errors:
        key = f"er:{digest(waba_id, origin.phone_number_id, value['errors'])}"
        yield PlatformErrors(key, MESSAGES_FIELD, waba_id, origin.phone_number_id, origin.display_phone_number, errors)
    elif not count:
        yield replace(_unknown(value, origin), is_value=True)


def _inbound(entry: dict[str, Any], origin: _Origin) -> InboundMessage:
    wamid = identifier(entry.get("id"))
    kind = identifier(entry.get("type")) or "unknown"
    from_wa_id, from_user_id = identifier(entry.get("from")), identifier(entry.get("from_user_id"))
    contact = _contact_of(from_wa_id, from_user_id, origin.contacts)
    profile = as_dict(contact.get("profile"))
    context = dict_or_none(entry.get("context"))
    about = KINDS_ABOUT_ANOTHER.get(kind)
    return InboundMessage(
        content_key=_inbound_key(wamid, kind, entry, origin),
        field=MESSAGES_FIELD,
        waba_id=origin.waba_id,
        phone_number_id=origin.phone_number_id,
        display_phone_number=origin.display_phone_number,
        wamid=wamid,
        from_wa_id=from_wa_id or identifier(contact.get("wa_id")),
        from_user_id=from_user_id or identifier(contact.get("user_id")),
        from_parent_user_id=identifier(entry.get("from_parent_user_id")) or identifier(contact.get("parent_user_id")),
        profile_name=short_text(profile.get("name")),
        username=short_text(profile.get("username")),
        at=moment(entry.get("timestamp")),
        kind=kind,
        content=entry,
        context_wamid=identifier(context.get("id")) if context else None,
        context=context,
        target_wamid=identifier(as_dict(entry.get(kind)).get(about)) if about else None,
        group_id=identifier(entry.get("group_id")),
        referral=dict_or_none(entry.get("referral")),
        errors=platform_errors(entry.get("errors")),
        moved_to=_moved_to(as_dict(entry.get("system"))) if kind == "system" else None,
    )


def _moved_to(system: dict[str, Any]) -> Sender | None:
    """The new addresses of a customer. `new_wa_id` and `customer_changed_number` are older words for the same."""
    if text(system.get("type")) not in CHANGES_OF_ADDRESS:
        return None
    moved = Sender(
        identifier(system.get("wa_id")) or identifier(system.get("new_wa_id")), identifier(system.get("user_id"))
    )
    return moved if moved.wa_id or moved.user_id else None


def _inbound_key(wamid: str | None, kind: str, entry: dict[str, Any], origin: _Origin) -> str:
    """A wamid names one inbound message, but an edit or a deletion may come under the id of the original."""
    if wamid is None:
        return f"in:{digest(origin.waba_id, origin.phone_number_id, entry)}"
    return f"in:{wamid}:{kind}:{digest(entry)}" if kind in ("edit", "revoke") else f"in:{wamid}"


def _status(entry: dict[str, Any], origin: _Origin) -> StatusUpdate:
    wamid = identifier(entry.get("id"))
    raw_status = identifier(entry.get("status")) or ""
    recipient_id, user_id = identifier(entry.get("recipient_id")), identifier(entry.get("recipient_user_id"))
    participant_id = identifier(entry.get("recipient_participant_id"))
    contact = _contact_of(recipient_id, user_id, origin.contacts)
    callback = entry.get("biz_opaque_callback_data")
    tracking = decode_tracking(callback if isinstance(callback, str) else None)
    key = f"st:{wamid}:{raw_status}" if wamid and raw_status else f"st:{digest(origin.phone_number_id, entry)}"
    return StatusUpdate(
        content_key=f"{key}:{participant_id}" if participant_id else key,
        field=MESSAGES_FIELD,
        waba_id=origin.waba_id,
        phone_number_id=origin.phone_number_id,
        display_phone_number=origin.display_phone_number,
        wamid=wamid,
        status=KNOWN_STATUSES.get(raw_status, StatusKind.UNKNOWN),
        raw_status=raw_status,
        at=moment(entry.get("timestamp")),
        recipient_id=recipient_id,
        recipient_user_id=user_id or identifier(contact.get("user_id")),
        recipient_type=text(entry.get("recipient_type")),
        recipient_participant_id=participant_id,
        message_id=tracking.message_id,
        caller_data=tracking.caller_data,
        pricing=dict_or_none(entry.get("pricing")),
        conversation=dict_or_none(entry.get("conversation")),
        errors=platform_errors(entry.get("errors")),
        raw=entry,
    )


def _contact_of(wa_id: str | None, user_id: str | None, contacts: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of `contacts` that speaks of this person: the same id or, without an id to compare, the only one."""
    for contact in contacts:
        if (user_id and identifier(contact.get("user_id")) == user_id) or (
            wa_id and identifier(contact.get("wa_id")) == wa_id
        ):
            return contact
    nobody_named = not wa_id and not user_id
    return contacts[0] if len(contacts) == 1 and (nobody_named or _adds_an_id(contacts[0], wa_id, user_id)) else {}


def _adds_an_id(contact: dict[str, Any], wa_id: str | None, user_id: str | None) -> bool:
    """A lone contact that has no id in common with the message, and contradicts none either."""
    return not (wa_id and contact.get("wa_id")) and not (user_id and contact.get("user_id"))


def _unknown(value: object, origin: _Origin) -> UnknownChange:
    key = f"uk:{digest(origin.waba_id, MESSAGES_FIELD, value)}"
    return UnknownChange(key, MESSAGES_FIELD, origin.waba_id, value)
