"""``/v1/media`` in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, ref
from blueprints.openapi.schemas import ID, MAYBE_MOMENT, MAYBE_TEXT, MOMENT, object_of
from services.keys import Scope

MEDIA_FILE: Final = object_of(
    {
        "id": ID,
        "phone_number_id": {"type": "string"},
        "origin": {
            "type": "string",
            "enum": ["upload", "customer"],
            "description": "`upload`: you brought it; `customer`: it came with a customer's message.",
        },
        "kind": {**MAYBE_TEXT, "description": "`image`, `video`, `audio`, `document`, `sticker`."},
        "mime_type": MAYBE_TEXT,
        "size_bytes": {"type": ["integer", "null"]},
        "sha256": {**MAYBE_TEXT, "description": "Of its bytes, in hexadecimal."},
        "filename": MAYBE_TEXT,
        "message_id": MAYBE_TEXT,
        "content_url": {"type": "string"},
        "created_at": MOMENT,
        "expires_at": MAYBE_MOMENT,
    },
    description="A file: `id` is what messages refer to.",
)

MEDIA_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"Media": MEDIA_FILE}

_FILE: Final = {
    "id": "1882721507865684072",
    "phone_number_id": examples.NUMBER,
    "origin": "upload",
    "kind": "image",
    "mime_type": "image/png",
    "size_bytes": 68,
    "sha256": "ebf4f635a17d10d6eb46ba680b70142419aa3220f228001a036d311a22ee9d2a",
    "filename": "receipt.png",
    "message_id": None,
    "content_url": "/v1/media/1882721507865684072/content",
    "created_at": "2026-11-24T06:52:27.010Z",
    "expires_at": "2026-12-24T06:52:27.010Z",
}
_SHOWN: Final = (Example("upload", "An upload", _FILE),)
_ID: Final = Parameter("media_id", "path", "The id of the file.", {"type": "string"}, example=_FILE["id"])

_BYTES: Final = "application/octet-stream"
_FORM: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": _BYTES},
        "type": {"type": "string", "description": "Its media type; left out: what the part itself says."},
        "ttl_minutes": {"type": "integer", "description": "How long to keep it."},
    },
}

MEDIA: Final = (
    Operation(
        "POST",
        "/v1/media",
        "upload_media",
        "Media",
        "Upload a file",
        (
            Answer(
                201,
                "It is stored: messages may refer to its `id`.",
                ref("Media"),
                _SHOWN,
                (("Location", "Where it can be looked at."),),
            ),
        ),
        scope=Scope.MEDIA,
        description="A multipart form with the part `file`; or, with `Content-Type: application/json`, an object with "
        "a `link`: then the file behind this address is fetched. Type and size must be what WhatsApp takes.",
        parameters=(
            Parameter("phone_number_id", "query", "The number; left out: the default number.", {"type": "string"}),
        ),
        body=Body(_FORM, media_type="multipart/form-data"),
        errors=(
            "invalid_form",
            "invalid_json",
            "media_refused",
            "link_failed",
            "url_refused",
            "unknown_number",
            "no_number",
        ),
    ),
    Operation(
        "GET",
        "/v1/media/{media_id}",
        "get_media",
        "Media",
        "Look at a file",
        (Answer(200, "What is known of it.", ref("Media"), _SHOWN),),
        scope=Scope.MEDIA,
        parameters=(_ID,),
        errors=("not_found",),
    ),
    Operation(
        "GET",
        "/v1/media/{media_id}/content",
        "get_content",
        "Media",
        "Read a file",
        (
            Answer(200, "Its bytes.", {"type": "string"}, media_type="application/octet-stream"),
            Answer(
                206, "The range of it that was asked for.", {"type": "string"}, media_type="application/octet-stream"
            ),
        ),
        scope=Scope.MEDIA,
        description="A customer's file is fetched from WhatsApp first. The answer has the file's own media type.",
        parameters=(_ID, Parameter("Range", "header", "One range of bytes.", {"type": "string"})),
        errors=("not_found", "range_not_satisfiable", "media_damaged", "platform_refused", "whatsapp_unreachable"),
    ),
    Operation(
        "DELETE",
        "/v1/media/{media_id}",
        "delete_media",
        "Media",
        "Remove a file",
        (Answer(200, "It is gone, here and at WhatsApp.", {"type": "object", "additionalProperties": True}),),
        scope=Scope.MEDIA,
        parameters=(_ID,),
        errors=("not_found", "command_pending", "intake_full"),
    ),
)
