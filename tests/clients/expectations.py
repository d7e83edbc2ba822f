"""What a phone must show of each kind that a client sent, and what a client must see of each that came."""

from collections.abc import Callable
from typing import Any

Shown = Callable[[dict[str, Any]], object]


def _interactive(kind: str) -> Shown:
    return lambda message: message["type"] == "interactive" and message["interactive"]["type"] == kind


def _media(kind: str, **facts: object) -> Shown:
    def is_there(message: dict[str, Any]) -> bool:
        part = message.get(kind, {})
        same = all(part.get(name) == value for name, value in facts.items())
        return message["type"] == kind and bool(part.get("link") or part.get("id")) and same

    return is_there


SENT: dict[str, Shown] = {
    "text": lambda message: message["text"]["body"].startswith("Hello from"),
    "reply": lambda message: message["text"]["body"] == "An answer" and message["context"]["message_id"],
    "reaction": lambda message: message["reaction"]["emoji"] == "👍" and message["reaction"]["message_id"],
    "reaction_removed": lambda message: message["type"] == "reaction" and not message["reaction"].get("emoji"),
    "image": _media("image", caption="A picture"),
    "video": _media("video", caption="A film"),
    "audio": _media("audio"),
    "voice": _media("audio", voice=True),
    "document": _media("document", caption="A paper"),
    "sticker": _media("sticker"),
    "image_by_id": _media("image", caption="By id"),
    "location": lambda message: abs(float(message["location"]["latitude"]) - 37.4421) < 1e-6,
    "contacts": lambda message: message["contacts"][0]["name"]["formatted_name"] == "Barbara J",
    "buttons": _interactive("button"),
    "list": _interactive("list"),
    "cta_url": _interactive("cta_url"),
    "flow": _interactive("flow"),
    "catalog": _interactive("catalog_message"),
    "product": _interactive("product"),
    "product_list": _interactive("product_list"),
    "location_request": _interactive("location_request_message"),
    "carousel": _interactive("carousel"),
    "address": _interactive("address_message"),
    "contact_request": _interactive("request_contact_info"),
    "voice_call": _interactive("voice_call"),
    "call_permission": _interactive("call_permission_request"),
    "template": lambda message: message["template"]["name"] == "hello_world",
    "template_parameters": lambda message: len(message["template"]["components"]) == 4,
    "text_to_user_id": lambda message: message["text"]["body"] == "By user id",
    "raw": lambda message: message["text"]["body"] == "Raw",
}
"""Kinds that arrive on a phone."""

CALLS = (
    "mark_read", "typing", "media_upload", "media_url", "media_download", "media_delete", "template_list",
    "template_create", "template_get", "template_edit", "template_delete", "number", "numbers", "profile",
    "profile_update", "profile_picture", "block", "blocked", "unblock", "qr_code",
)  # fmt: skip
"""Calls that only have an answer."""

KINDS_OF_CLIENT = {
    "pywa": {*SENT, *CALLS} - {"address", "raw"},
    "heyoo": {
        "text", "reply", "reaction", "image", "video", "audio", "document", "sticker", "location", "contacts",
        "buttons", "list", "template", "template_parameters", "raw", "mark_read", "media_upload", "image_by_id",
        "media_url", "media_download", "media_delete",
    },
    "whatsapp-api-js": {*SENT} - {"carousel", "address", "voice_call", "text_to_user_id", "raw"}
    | {"mark_read", "typing", "media_upload", "media_url", "media_download", "media_delete"}
    | {"block", "unblock", "qr_code"},
    "kapso": {*SENT} - {"contact_request", "voice_call", "text_to_user_id"}
    | {"mark_read", "typing", "media_upload", "media_url", "media_download", "media_delete"}
    | {"template_list", "template_create", "template_get", "template_delete", "profile", "profile_update"},
    "great-detail": {
        "text", "reply", "reaction", "reaction_removed", "image", "video", "audio", "document", "sticker",
        "location", "contacts", "buttons", "list", "cta_url", "template", "template_parameters", "image_by_id",
        "mark_read", "typing", "media_upload", "media_url", "media_download", "media_delete", "template_list",
        "template_create", "template_get", "template_edit", "template_delete", "number", "numbers", "profile",
        "profile_update",
    },
    "whatsapp-business": {
        "text", "reply", "reaction", "reaction_removed", "image", "video", "audio", "document", "sticker",
        "location", "contacts", "buttons", "list", "catalog", "product", "product_list", "template",
        "template_parameters", "image_by_id", "mark_read", "media_upload", "media_url", "media_download",
        "media_delete", "number", "numbers", "profile", "profile_update",
    },
}  # fmt: skip
"""Every kind that each client has a method or a type for: a runner that leaves one out is caught."""

RECEIVED = (
    "text", "reply", "image", "video", "audio", "document", "sticker", "location", "contacts", "reaction",
    "button_reply", "list_reply", "nfm_reply", "button", "order", "referral", "unsupported", "edit", "revoke",
    "user_changed_number", "user_changed_user_id", "unknown_kind",
    "status_sent", "status_delivered", "status_read", "status_played", "status_failed", "errors",
    "message_template_status_update", "message_template_quality_update", "template_category_update",
    "message_template_components_update", "phone_number_quality_update", "account_update", "account_alerts",
    "user_preferences", "field_of_tomorrow",
)  # fmt: skip
"""What a customer can do, what becomes of messages, and what Meta tells of templates, numbers and the account."""

OTHER_FIELDS = RECEIVED[RECEIVED.index("message_template_status_update") :]
"""Notifications that are not about messages."""

_NO_CONTACTS = "Meta's own system message has no contacts, and this client reads contacts[0]; Panal adds them"

_NO_READER = "this client has no reader for it, and passes over it"
_NONE = dict.fromkeys((*OTHER_FIELDS, "errors"), _NO_READER)
_MOVES = dict.fromkeys(("user_changed_number", "user_changed_user_id"), _NO_CONTACTS)

UNREAD: dict[tuple[str, str], dict[str, str]] = {
    ("pywa", "sandbox"): {"errors": _NO_READER},
    ("pywa", "panal"): {"errors": _NO_READER},
    ("heyoo", "sandbox"): _NONE | _MOVES,
    ("heyoo", "panal"): _NONE,
    ("whatsapp-business", "sandbox"): _NONE | _MOVES,
    ("whatsapp-business", "panal"): _NONE,
    ("whatsapp-api-js", "sandbox"): _NONE,
    ("whatsapp-api-js", "panal"): _NONE,
}
"""What a client's own code cannot read of what Meta itself would send, by client and path, with the reason."""
