"""What WhatsApp tells of a number or of its account, as facts. Pure.

Process: whatsapp.

Sources: Meta, "Webhooks: phone_number_quality_update", "… phone_number_name_update", "… account_update",
"… account_alerts", "… account_review_update", "… business_capability_update" (2026-09-11).
"""

from datetime import datetime
from typing import Any, Final

from services.cloud_webhook import AccountUpdate, NumberUpdate, PlatformErrors, UnknownChange, UserPreference
from services.numbers.records import Number
from services.numbers.state import NumberState
from services.store import Fact

QUALITY_WORDS: Final = {"FLAGGED": "RED"}
"""``UNFLAGGED`` may be yellow or green: the next reading of the number says which."""

_QUALITY_EVENTS: Final = frozenset({"FLAGGED", "UNFLAGGED"})
_ACCOUNT_EVENTS: Final = {
    "ACCOUNT_RESTRICTION": "account.restricted",
    "DISABLED_UPDATE": "account.restricted",
    "ACCOUNT_VIOLATION": "account.violated",
}
_ACCOUNT_FIELDS: Final = {"account_alerts": "account.alerted", "account_review_update": "account.reviewed"}
_LIMIT_KEYS: Final = ("max_daily_conversations_per_business", "max_daily_conversation_per_phone")


Notice = NumberUpdate | AccountUpdate | PlatformErrors | UserPreference | UnknownChange


def facts_of(change: Notice, state: NumberState, now: datetime) -> list[Fact] | None:
    """The facts of one change; the state knows what they say. None: it is about nothing of ours."""
    if isinstance(change, NumberUpdate):
        number = _meant(change, state)
        return None if number is None else [_of_number(change, number, state, now)]
    if isinstance(change, PlatformErrors):
        number = state.get(change.phone_number_id)
        errors = [error.raw for error in change.errors]
        data = {**_who(number), "errors": errors, "meta": _of_errors(change, errors)} if number is not None else {}
        return None if number is None else [Fact("number.error_reported", number.phone_number_id, now, data)]
    if isinstance(change, UserPreference):
        return _of_preference(change, state, now)
    if isinstance(change, UnknownChange):
        return _of_unknown(change, state, now)
    numbers = state.of_account(change.waba_id)
    return _of_account(change, numbers, state, now) if numbers else None


def _meant(change: NumberUpdate, state: NumberState) -> Number | None:
    """As a rule only the displayed number is told, with or without its plus and blanks."""
    if change.phone_number_id is not None:
        return state.get(change.phone_number_id)
    digits = _digits(change.display_phone_number)
    same = [number for number in state if digits and _digits(number.display_phone_number) == digits]
    return next((number for number in same if number.waba_id == change.waba_id), same[0] if same else None)


def _of_number(change: NumberUpdate, number: Number, state: NumberState, now: datetime) -> Fact:
    data = {**_who(number), "event": change.event, "meta": _meta(change)}
    if change.field == "phone_number_name_update":
        name, decision = change.value.get("requested_verified_name"), change.value.get("decision")
        data |= {"decision": decision, "reason": change.value.get("rejection_reason")}
        if decision == "APPROVED" and isinstance(name, str) and name:
            data |= {"verified_name": name, "previous_verified_name": number.verified_name}
            state.change(number.phone_number_id, verified_name=name)
        return Fact("number.name_changed", number.phone_number_id, now, data)
    if change.field != "phone_number_quality_update":
        return Fact("number.updated", number.phone_number_id, now, data | {"field": change.field})
    changes: dict[str, Any] = {}
    if change.current_limit:
        changes["messaging_limit"] = change.current_limit
    if change.event == "THROUGHPUT_UPGRADE":
        changes["throughput"] = "HIGH"
    if quality := QUALITY_WORDS.get(change.event or ""):
        changes["quality"] = quality
    state.change(number.phone_number_id, **changes)
    before = {f"previous_{name}": getattr(number, name) for name in changes}
    kind = "number.quality_changed" if change.event in _QUALITY_EVENTS else "number.limit_changed"
    return Fact(kind, number.phone_number_id, now, data | changes | before)


def _of_account(change: AccountUpdate, numbers: list[Number], state: NumberState, now: datetime) -> list[Fact]:
    """An account's events stand in the log of each of its numbers: who follows one misses nothing of it."""
    kind = _ACCOUNT_FIELDS.get(change.field, "account.updated")
    data: dict[str, Any] = {"waba_id": change.waba_id, "field": change.field, "event": change.event}
    if change.field == "account_update":
        kind = _ACCOUNT_EVENTS.get(change.event or "", kind)
        ban = change.value.get("ban_info")
        if kind == "account.restricted":
            data["restrictions"] = [one for one in _list(change.value.get("restriction_info")) if isinstance(one, dict)]
            data["ban"] = ban if isinstance(ban, dict) else None
    ids = [number.phone_number_id for number in numbers]
    data |= {"meta": _meta(change), "phone_number_ids": ids}
    facts = [Fact(kind, phone_number_id, now, dict(data)) for phone_number_id in ids]
    limit = next((word for key in _LIMIT_KEYS if (word := _limit(change.value.get(key)))), None)
    if change.field == "business_capability_update" and limit is not None:
        for number in numbers:
            if number.messaging_limit != limit:
                state.change(number.phone_number_id, messaging_limit=limit)
                told = {**_who(number), "messaging_limit": limit, "previous_messaging_limit": number.messaging_limit}
                facts.append(Fact("number.limit_changed", number.phone_number_id, now, told))
    return facts


def _of_preference(change: UserPreference, state: NumberState, now: datetime) -> list[Fact] | None:
    """As it was told, whatever it means for the contact: that is an event of its own."""
    number = state.get(change.phone_number_id) if change.phone_number_id is not None else next(iter(state), None)
    if number is None:
        return None
    words = ("wa_id", "user_id", "category", "choice", "detail")
    data = {**{word: getattr(change, word) for word in words}, "meta": _meta(change)}
    return [Fact("notification.preference", number.phone_number_id, now, data)]


def _of_unknown(change: UnknownChange, state: NumberState, now: datetime) -> list[Fact] | None:
    """In the log of the number that it names, else of each number of its account, else of the default number."""
    data: dict[str, Any] = {"waba_id": change.waba_id, "field": change.field or None}
    data |= {"meta": _meta(change)} if change.is_value else {"value": change.value}
    named = _named(change.value)
    if named is not None:
        number = state.get(named)
        return None if number is None else [Fact("notification.unknown", named, now, data)]
    numbers = list(state)[:1] if change.waba_id is None else state.of_account(change.waba_id)
    ids = [number.phone_number_id for number in numbers]
    data["phone_number_ids"] = ids
    return [Fact("notification.unknown", one, now, dict(data)) for one in ids] or None


def _named(value: object) -> str | None:
    """The number that Meta's `metadata` names."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    named = metadata.get("phone_number_id") if isinstance(metadata, dict) else None
    return named if isinstance(named, str) and named else None


def _who(number: Number) -> dict[str, Any]:
    return {"display_phone_number": number.display_phone_number, "waba_id": number.waba_id}


def _meta(change: NumberUpdate | AccountUpdate | UserPreference | UnknownChange) -> dict[str, Any]:
    return {"field": change.field, "value": change.value}


def _of_errors(change: PlatformErrors, errors: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {"display_phone_number": change.display_phone_number, "phone_number_id": change.phone_number_id}
    return {"field": change.field, "value": {"messaging_product": "whatsapp", "metadata": metadata, "errors": errors}}


def _limit(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return "TIER_UNLIMITED" if value < 0 else str(value)
    return value if isinstance(value, str) and value else None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _digits(text: str | None) -> str:
    return "".join(letter for letter in text or "" if letter.isdigit())
