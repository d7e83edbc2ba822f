"""The schema of a message to send: the Cloud API's object from the very models that validate it, plus our own fields.

Process: worker.
"""

from copy import deepcopy
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from blueprints.openapi.records import ref
from config import limits
from services.links import CALLER_DATA_LIMIT
from services.messages import BY_TYPE, KINDS, MODELS, Contact, ContactCards, OnUncertain, OnWindowClosed

SUFFIX: Final = "Object"
"""Meta calls them objects: "text object", "media object". It also keeps them apart from our own records."""

_MEANINGS: Final = {
    "text": "A text message.",
    "image": "A picture: `id` of an upload, or `link`.",
    "video": "A film: `id` of an upload, or `link`.",
    "audio": "A sound, or a voice note: `id` of an upload, or `link`.",
    "document": "A file: `id` of an upload, or `link`.",
    "sticker": "A sticker (webp): `id` of an upload, or `link`.",
    "location": "A place.",
    "contacts": "Contact cards.",
    "reaction": "An emoji under a message; an empty one takes it back.",
    "template": "A template that WhatsApp approved: the only kind outside the customer service window.",
    "interactive": "Buttons, lists, links, flows, products.",
}


def send_request_schemas() -> dict[str, dict[str, Any]]:
    """``SendRequest`` and everything that it refers to, by name."""
    models: list[type[BaseModel]] = [model for model in MODELS.values() if model is not ContactCards]
    models += [Contact, *BY_TYPE.values()]
    _, generated = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)],
        ref_template="#/components/schemas/{model}" + SUFFIX,
    )
    schemas: dict[str, dict[str, Any]] = {
        f"{name}{SUFFIX}": _tidy(schema) for name, schema in generated["$defs"].items()
    }
    # What a validator function checks is not in the generated schema.
    schemas[f"Text{SUFFIX}"]["properties"]["body"].update(minLength=1, maxLength=limits.TEXT_MAX_CHARS)
    schemas["InteractiveContent"] = {
        "anyOf": [ref(_name(model)) for model in dict.fromkeys(BY_TYPE.values())],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind: ref(_name(model))["$ref"] for kind, model in BY_TYPE.items()},
        },
    }
    schemas["SendRequest"] = {
        "type": "object",
        "description": "A Cloud API message object, as Meta documents it, and our own fields beside it. The content "
        "stands under the property that is named by `type`. `to` (or `recipient`) is required.",
        "properties": {**_meta_fields(), **_own_fields()},
    }
    return schemas


def _meta_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {
        "messaging_product": {"type": "string", "const": "whatsapp", "description": "May be left out."},
        "to": {
            "type": "string",
            "description": "A phone number with its country code, 7 to 15 digits; `+`, spaces, hyphens and brackets "
            "are dropped. A business-scoped user id (`US.…`) is taken, too.",
            "examples": ["16505551234"],
        },
        "recipient": {"type": "string", "description": "A business-scoped user id, where `to` is left out."},
        "recipient_type": {"type": "string", "enum": ["individual", "group"], "default": "individual"},
        "type": {"type": "string", "enum": list(KINDS), "default": "text"},
    }
    for kind in KINDS:
        fields[kind] = {**_content(kind), "description": _MEANINGS[kind]}
    fields["context"] = {
        "type": "object",
        "required": ["message_id"],
        "properties": {"message_id": {"type": "string"}},
        "description": "The wamid of the message that this one answers.",
    }
    fields["biz_opaque_callback_data"] = {
        "type": "string",
        "maxLength": CALLER_DATA_LIMIT,
        "description": "Yours; it goes to WhatsApp with the message.",
    }
    fields["recipient_identity_key_hash"] = {
        "type": "string",
        "description": "Meta's identity check: WhatsApp refuses the message when the recipient's key has changed.",
    }
    return fields


def _content(kind: str) -> dict[str, Any]:
    if kind == "interactive":
        return dict(ref("InteractiveContent"))
    if kind == "contacts":
        many = {"minItems": 1, "maxItems": limits.CONTACTS_MAX_COUNT}
        return {"type": "array", "items": ref(_name(Contact)), **many}
    return dict(ref(_name(MODELS[kind])))


def _own_fields() -> dict[str, Any]:
    return {
        "from": {
            "type": "string",
            "maxLength": 20,
            "description": "The phone_number_id that it leaves from; left out: the default number.",
        },
        "send_at": {
            "type": "string",
            "format": "date-time",
            "description": "Not before this moment, at most a year ahead; with a time zone.",
        },
        "expires_at": {
            "type": "string",
            "format": "date-time",
            "description": "It is not sent after this moment; then it is `expired`.",
        },
        "on_window_closed": {
            "type": "string",
            "enum": [policy.value for policy in OnWindowClosed],
            "default": OnWindowClosed.REJECT.value,
            "description": "What to do when the customer service window is closed and this is not a template.",
        },
        "fallback_template": {
            "type": "object",
            "additionalProperties": True,
            "description": "The template to send then; required for `on_window_closed: template`.",
        },
        "on_uncertain": {
            "type": "string",
            "enum": [policy.value for policy in OnUncertain],
            "description": "What to do when nobody can tell whether it left, and no status came that proves it: "
            "`hold` leaves it `uncertain`, `resend` sends it again. Left out: the installation's setting.",
        },
        "priority": {
            "type": "string",
            "enum": ["transactional", "bulk"],
            "default": "transactional",
            "description": "`transactional` goes before `bulk`; the order to one recipient holds inside a priority.",
        },
        "metadata": {
            "type": "object",
            "additionalProperties": True,
            "description": "Yours: it comes back in the message and in each of its events. At most 4096 bytes.",
        },
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__ + SUFFIX


def _tidy(schema: Any) -> Any:
    """Without the titles and empty defaults that pydantic adds: they say nothing that the names do not say."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return deepcopy(schema)
    tidy: dict[str, Any] = {
        key: {name: _tidy(value) for name, value in item.items()} if key == "properties" else _tidy(item)
        for key, item in schema.items()
        if not (key == "title" and isinstance(item, str)) and not (key == "default" and item is None)
    }
    description = tidy.get("description")
    if isinstance(description, str):
        tidy["description"] = " ".join(description.split())
    return tidy
