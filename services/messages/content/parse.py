"""A Cloud API message object as a client sends it → what to send, normalised, or every reason why not.

Plain text is by far the most common message and takes a fast path: one look at each key, no model.

Process: worker.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import orjson
from pydantic import ValidationError

from config import limits
from services.links import CALLER_DATA_LIMIT, PRODUCT_POLICY, RecipientKind
from services.messages.content.faults import (
    INVALID_PARAMETER,
    INVALID_VALUE,
    MISSING_PARAMETER,
    UNSUPPORTED_KIND,
    ContentFault,
    ContentRefused,
    faults_of,
    unstorable,
    unstorable_text,
)
from services.messages.content.interactive import BY_TYPE
from services.messages.content.kinds import (
    Audio,
    CaptionedMedia,
    ContactCards,
    Document,
    Location,
    Media,
    Part,
    Reaction,
    Text,
)
from services.messages.content.template import Template

MODELS: Mapping[str, type[Part]] = MappingProxyType(
    {
        "text": Text,
        "image": CaptionedMedia,
        "video": CaptionedMedia,
        "audio": Audio,
        "document": Document,
        "sticker": Media,
        "location": Location,
        "contacts": ContactCards,
        "reaction": Reaction,
        "template": Template,
    }
)
KINDS = (*MODELS, "interactive")

TO_NOISE = str.maketrans("", "", "+ -()\u00a0")
USER_ID = re.compile(rf"[A-Z]{{2}}\.(?:ENT\.)?[0-9A-Za-z]{{1,{limits.USER_ID_MAX_CHARS}}}")
"""A business-scoped user id: a country, letters and digits. Source: Meta, "Business-scoped user IDs" (2026-06-29)."""
GROUP_ID_MAX_CHARS = 256
ACTIVITY_SHARING = "message_activity_sharing"
DEFAULT_PRODUCT_POLICY = "CLOUD_API_FALLBACK"
PRODUCT_POLICIES = (DEFAULT_PRODUCT_POLICY, "STRICT")
FAST_TEXT_KEYS = frozenset({"body", "preview_url"})


@dataclass(frozen=True, slots=True)
class Content:
    """`payload` holds the Graph fields of the kind, without recipient, context and callback data.

    `to` is bare digits (wa_id), a business-scoped user id or a group id, as `recipient_kind` says.
    """

    kind: str
    payload: dict[str, Any]
    to: str
    recipient_kind: RecipientKind
    context_wamid: str | None
    callback_data: str | None


def parse_content(raw: dict[str, Any]) -> Content:
    """The message in `raw`, which may hold more keys (of our own API): they are not looked at.

    ContentRefused (a RequestRefused) names every faulty path and carries Meta's code for the first.
    """
    return _plain_text(raw) or _any_kind(raw)


def as_marketing_message(content: Content, raw: Mapping[str, Any]) -> Content:
    """The same template as a message of the Marketing Messages API, with the two fields that only it has.

    The policy is always there, Meta's default when the sender named none: by it the link knows the way to go.
    ContentRefused for values that Meta does not know. Source: Meta, "Marketing Messages API" (2025-12).
    """
    faults: list[ContentFault] = []
    policy = raw.get(PRODUCT_POLICY)
    policy = DEFAULT_PRODUCT_POLICY if policy is None else policy
    if policy not in PRODUCT_POLICIES:
        reason = f"must be one of {', '.join(PRODUCT_POLICIES)}"
        faults.append(ContentFault(PRODUCT_POLICY, reason, INVALID_PARAMETER))
    sharing = raw.get(ACTIVITY_SHARING)
    if sharing is not None and not isinstance(sharing, bool):
        faults.append(ContentFault(ACTIVITY_SHARING, "must be true or false", INVALID_PARAMETER))
    if faults:
        raise ContentRefused(faults)
    own = {PRODUCT_POLICY: policy} | ({} if sharing is None else {ACTIVITY_SHARING: sharing})
    return replace(content, payload={**content.payload, **own})


def _plain_text(raw: Any) -> Content | None:
    """The fast path: bare text to a number, nothing unusual anywhere. None: take Sanic's path, which also explains."""
    if type(raw) is not dict:
        return None
    get = raw.get
    text, to, callback = get("text"), get("to"), get("biz_opaque_callback_data")
    if (
        get("type", "text") != "text"
        or type(text) is not dict
        or type(to) is not str
        or get("recipient") is not None
        or get("context") is not None
        or get("recipient_type", "individual") != "individual"
        or get("messaging_product", "whatsapp") != "whatsapp"
        or get("recipient_identity_key_hash") is not None
        or not FAST_TEXT_KEYS.issuperset(text)
    ):
        return None
    body = text.get("body")
    if type(body) is not str or not 0 < len(body) <= limits.TEXT_MAX_CHARS or "\x00" in body:
        return None
    if type(text.get("preview_url", False)) is not bool or not (body.isascii() or unstorable_text(body) is None):
        return None
    digits = to[1:] if to[:1] == "+" else to
    if not limits.PHONE_MIN_DIGITS <= len(digits) <= limits.PHONE_MAX_DIGITS or not digits.isascii():
        return None
    if not digits.isdigit():
        return None
    if callback is not None and (
        type(callback) is not str or len(callback) > CALLER_DATA_LIMIT or unstorable_text(callback) is not None
    ):
        return None
    return Content("text", {"type": "text", "text": dict(text)}, digits, "wa_id", None, callback)


def _any_kind(raw: Any) -> Content:
    if not isinstance(raw, dict):
        raise ContentRefused([ContentFault("", "must be a message object", INVALID_PARAMETER)])
    faults: list[ContentFault] = []
    if raw.get("messaging_product", "whatsapp") != "whatsapp":
        faults.append(ContentFault("messaging_product", "must be whatsapp", INVALID_PARAMETER))
    to, recipient_kind = _recipient(raw, faults)
    kind, payload = _payload(raw, faults)
    context_wamid = _context(raw, kind, faults)
    callback_data = _optional_text(raw, "biz_opaque_callback_data", faults)
    if callback_data is not None and len(callback_data) > CALLER_DATA_LIMIT:
        reason = f"must have at most {CALLER_DATA_LIMIT} characters (WhatsApp takes 512, the rest is ours)"
        faults.append(ContentFault("biz_opaque_callback_data", reason))
    identity = _optional_text(raw, "recipient_identity_key_hash", faults)
    if faults:
        raise ContentRefused(faults)
    if identity is not None:
        payload["recipient_identity_key_hash"] = identity
    return Content(kind, payload, to, recipient_kind, context_wamid, callback_data)


def _recipient(raw: dict[str, Any], faults: list[ContentFault]) -> tuple[str, RecipientKind]:
    """`to` wins over `recipient`; both are read, so that a fault in either is told."""
    kind = _optional_text(raw, "recipient_type", faults) or "individual"
    if kind.lower() not in ("individual", "group"):
        faults.append(ContentFault("recipient_type", "must be individual or group", INVALID_PARAMETER))
    to, user_id = _optional_text(raw, "to", faults), _optional_text(raw, "recipient", faults)
    if not to and not user_id:
        if not any(fault.path in ("to", "recipient") for fault in faults):
            faults.append(ContentFault("to", "is required", MISSING_PARAMETER))
        return "", "wa_id"
    if kind.lower() == "group":
        if not to or len(to) > GROUP_ID_MAX_CHARS or any(letter.isspace() for letter in to):
            faults.append(ContentFault("to", "must be a group id"))
        return to or "", "group"
    if not to or USER_ID.fullmatch(to):
        user_id = to or user_id or ""
        if not USER_ID.fullmatch(user_id):
            faults.append(ContentFault("recipient", "must be a business-scoped user id (US.13491208655302741918)"))
        return user_id, "user_id"
    digits = to.translate(TO_NOISE)
    is_number = digits.isascii() and digits.isdigit()
    if not is_number or not limits.PHONE_MIN_DIGITS <= len(digits) <= limits.PHONE_MAX_DIGITS:
        lengths = f"{limits.PHONE_MIN_DIGITS} to {limits.PHONE_MAX_DIGITS}"
        faults.append(ContentFault("to", f"must be a phone number with its country code, {lengths} digits"))
    return digits, "wa_id"


def _payload(raw: dict[str, Any], faults: list[ContentFault]) -> tuple[str, dict[str, Any]]:
    kind = (_optional_text(raw, "type", faults) or "text").lower()
    if kind not in KINDS:
        faults.append(ContentFault("type", f"must be one of {', '.join(KINDS)}", UNSUPPORTED_KIND))
        return kind, {}
    part = raw.get(kind)
    if part is None:
        faults.append(ContentFault(kind, f"is required for type {kind}", MISSING_PARAMETER))
        return kind, {}
    part = _unpacked(part)
    found = list(unstorable(part, kind))
    if found:
        faults.extend(found)
        return kind, {}
    model, value, prefix = MODELS.get(kind), part, kind
    if kind == "contacts":
        value, prefix = {"contacts": part}, ""
    elif kind == "interactive":
        model = _interactive_model(part, faults)
    if model is None:
        return kind, {}
    try:
        clean = model.model_validate(value).model_dump(exclude_none=True)
    except ValidationError as error:
        faults.extend(faults_of(error, prefix))
        return kind, {}
    return kind, {"type": kind, kind: clean["contacts"] if kind == "contacts" else clean}


def _interactive_model(part: Any, faults: list[ContentFault]) -> type[Part] | None:
    if not isinstance(part, dict):
        faults.append(ContentFault("interactive", "must be an object", INVALID_PARAMETER))
        return None
    name = part.get("type")
    if name is None:
        faults.append(ContentFault("interactive.type", "is required", MISSING_PARAMETER))
        return None
    model = BY_TYPE.get(name.lower()) if isinstance(name, str) else None
    if model is None:
        faults.append(ContentFault("interactive.type", f"must be one of {', '.join(BY_TYPE)}"))
    return model


def _unpacked(part: Any) -> Any:
    """Some clients send an object or array as a JSON text (whatsapp-api-js does so for contacts)."""
    if isinstance(part, str) and part[:1] in ("{", "["):
        try:
            return orjson.loads(part)
        except orjson.JSONDecodeError:
            return part
    return part


def _context(raw: dict[str, Any], kind: str, faults: list[ContentFault]) -> str | None:
    context = raw.get("context")
    if context is None:
        return None
    if not isinstance(context, dict):
        faults.append(ContentFault("context", "must be an object", INVALID_PARAMETER))
        return None
    wamid = _optional_text(context, "message_id", faults, prefix="context.")
    if not wamid:
        if "message_id" in context and context["message_id"] is not None and wamid is None:
            return None
        faults.append(ContentFault("context.message_id", "is required", MISSING_PARAMETER))
    elif kind == "reaction":
        faults.append(ContentFault("context", "is not allowed with a reaction", INVALID_VALUE))
    return wamid


def _optional_text(raw: dict[str, Any], key: str, faults: list[ContentFault], *, prefix: str = "") -> str | None:
    """Text, or a whole number as text (`to` is often one); None when it is missing or, with a fault, anything else."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        faults.append(ContentFault(prefix + key, "must be a string", INVALID_PARAMETER))
        return None
    if (reason := unstorable_text(value)) is not None:
        faults.append(ContentFault(prefix + key, reason, INVALID_PARAMETER))
        return None
    return value
