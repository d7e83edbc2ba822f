"""All fields but `messages`: templates, numbers, the account, and what customers prefer.

Process: worker, whatsapp.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from services.cloud_webhook.changes import (
    AccountUpdate,
    AnyChange,
    NumberUpdate,
    TemplateUpdate,
    UnknownChange,
    UserPreference,
)
from services.cloud_webhook.lenient_json import as_dict, as_list, digest, identifier, moment, short_text, text

TEMPLATE_FIELDS = frozenset(
    {
        "message_template_status_update",
        "message_template_quality_update",
        "message_template_components_update",
        "template_category_update",
        "template_correct_category_detection",
    }
)
NUMBER_FIELDS = frozenset(
    {"phone_number_quality_update", "phone_number_name_update", "security", "business_username_updates"}
)
ACCOUNT_FIELDS = frozenset(
    {
        "account_update",
        "account_alerts",
        "account_review_update",
        "account_settings_update",
        "business_capability_update",
        "business_status_update",
        "payment_configuration_update",
        "partner_solutions",
    }
)

EVENT_KEYS = ("event", "new_quality_score", "new_category", "decision", "alert_type")
"""Where the fields put the word that says what happened; the first that is there counts."""


def field_changes(
    field: str, waba_id: str | None, value: dict[str, Any], *, entry_at: datetime | None
) -> Iterator[AnyChange]:
    """One record for the value (user preferences: one for each). `entry_at` is the time that Meta put on the entry."""
    if field == "user_preferences" and as_list(value.get("user_preferences")):
        yield from _preferences(field, waba_id, value)
        return
    # The entry's time is part of the fact: the same template may be paused twice, in the same words.
    key = f"ac:{field}:{digest(waba_id, entry_at, value)}"
    event = next((word for name in EVENT_KEYS if (word := text(value.get(name)))), None)
    at = entry_at or moment(value.get("timestamp")) or moment(value.get("event_time"))
    if field in TEMPLATE_FIELDS:
        yield TemplateUpdate(
            key,
            field,
            waba_id,
            template_id=text(value.get("message_template_id")),
            name=text(value.get("message_template_name")),
            language=text(value.get("message_template_language")),
            event=event,
            category=text(value.get("message_template_category")) or text(value.get("new_category")),
            reason=_reason(value),
            at=at,
            value=value,
        )
    elif field in NUMBER_FIELDS:
        yield NumberUpdate(
            key,
            field,
            waba_id,
            phone_number_id=text(as_dict(value.get("metadata")).get("phone_number_id"))
            or text(value.get("phone_number_id")),
            display_phone_number=text(value.get("display_phone_number")),
            event=event,
            current_limit=text(value.get("current_limit")),
            at=at,
            value=value,
        )
    elif field in ACCOUNT_FIELDS:
        yield AccountUpdate(key, field, waba_id, event=event, at=at, value=value)
    else:
        yield UnknownChange(
            f"uk:{digest(waba_id, field, entry_at, value)}", field, waba_id, value, is_value=bool(field)
        )


def _reason(value: dict[str, Any]) -> str | None:
    """Why, in words: Meta sends `NONE` when there is no reason."""
    reason = text(value.get("reason"))
    detail = text(as_dict(value.get("rejection_info")).get("reason")) or text(
        as_dict(value.get("other_info")).get("description")
    )
    return detail or (reason if reason != "NONE" else None)


def _preferences(field: str, waba_id: str | None, value: dict[str, Any]) -> Iterator[AnyChange]:
    metadata = as_dict(value.get("metadata"))
    phone_number_id = identifier(metadata.get("phone_number_id"))
    contacts = [contact for contact in as_list(value.get("contacts")) if isinstance(contact, dict)]
    for entry in as_list(value["user_preferences"]):
        key = f"up:{digest(waba_id, phone_number_id, entry)}"
        if not isinstance(entry, dict):
            yield UnknownChange(key, field, waba_id, entry)
            continue
        wa_id, user_id = identifier(entry.get("wa_id")), identifier(entry.get("user_id"))
        if user_id is None:
            same = [contact for contact in contacts if wa_id and identifier(contact.get("wa_id")) == wa_id]
            user_id = identifier(same[0].get("user_id")) if same else None
        yield UserPreference(
            key,
            field,
            waba_id,
            phone_number_id=phone_number_id,
            display_phone_number=text(metadata.get("display_phone_number")),
            wa_id=wa_id,
            user_id=user_id,
            category=short_text(entry.get("category")),
            choice=short_text(entry.get("value")),
            detail=short_text(entry.get("detail")),
            at=moment(entry.get("timestamp")),
            value={**value, "user_preferences": [entry]},
        )
