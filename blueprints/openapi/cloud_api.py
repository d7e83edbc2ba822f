"""The drop-in for Meta's Cloud API in the API reference.

Process: worker.
"""

from typing import Any, Final

from blueprints.openapi import examples
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, ref
from blueprints.openapi.schemas import object_of
from services.keys import Scope

TAG: Final = "Cloud API"

GRAPH_ERROR: Final = object_of(
    {
        "error": object_of(
            {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "integer", "description": "See [WhatsApp's codes](/docs/errors#whatsapp)."},
                "error_subcode": {"type": "integer"},
                "error_data": {"type": "object", "additionalProperties": True},
                "is_transient": {"type": "boolean", "description": "The same call may work later."},
                "fbtrace_id": {"type": "string", "description": "Ours: the log knows the call by it."},
            },
            optional=("error_subcode", "error_data", "is_transient"),
        )
    },
    description="An error as Meta tells it: Meta's codes, Meta's HTTP statuses.",
)

SENT: Final = object_of(
    {
        "messaging_product": {"const": "whatsapp"},
        "contacts": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "description": "Ours, in the shape of a wamid; statuses carry the same."}
                },
                "additionalProperties": True,
            },
        },
    }
)

CLOUD_API_SCHEMAS: Final[dict[str, dict[str, Any]]] = {"GraphError": GRAPH_ERROR, "CloudApiSent": SENT}

_VERSION: Final = Parameter(
    "version",
    "path",
    "Any version of the Graph API, `v23.0` for example. It may also be left out, with its slash.",
    {"type": "string", "pattern": "^v[0-9]+([.][0-9]+)?$"},
    example="v23.0",
)
_NUMBER: Final = Parameter(
    "phone_number_id", "path", "The number that sends.", {"type": "string"}, example=examples.NUMBER
)
_READ_MARK: Final = {
    "messaging_product": "whatsapp",
    "status": "read",
    "message_id": examples.INBOUND_WAMID,
    "typing_indicator": {"type": "text"},
}
_ANSWER: Final = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": examples.PHONE, "wa_id": examples.PHONE}],
    "messages": [{"id": "wamid.bXNnXzAxTTg2NTdIWk41WktRVEREOVc1V04yVjY5"}],
}

_FILE_ID: Final = "1882721507865684072"
_ID_ALONE: Final = object_of({"id": {"type": "string"}})
_OBJECT: Final = Parameter(
    "id",
    "path",
    "Of a number, an account, a template, a file: WhatsApp's or ours.",
    {"type": "string"},
    example=_FILE_ID,
)
_FILE: Final = {
    "messaging_product": "whatsapp",
    "url": f"https://your.host/whatsapp_business/attachments?mid={_FILE_ID}&ext=1795416749&hash=…",
    "mime_type": "image/png",
    "sha256": "ebf4f635a17d10d6eb46ba680b70142419aa3220f228001a036d311a22ee9d2a",
    "file_size": 68,
    "id": _FILE_ID,
}

_CALLBACKS: Final = Scope.WEBHOOK_ENDPOINTS
_CALLBACK: Final = "A callback is a webhook endpoint of the format `meta`: it gets Meta's own notifications."
_PASSED: Final = (
    "Profiles, templates, block lists, QR codes and whatever else Meta has: passed on with the number's own token, and "
    "answered with Meta's answer. What is known needs the scope of its kind (`numbers`, `templates`, `contacts`), "
    "everything else `admin`."
)
_EDGE: Final = Parameter("edge", "path", "Meta's word, and what may follow it.", {"type": "string"})


def _call(method: Any, edge: str, id_: str, summary: str, description: str, scope: Scope) -> Operation:
    """One of Meta's calls whose body and answer are Meta's to document."""
    free = {"type": "object", "additionalProperties": True}
    return Operation(
        method,
        f"/{{version}}/{{id}}{edge}",
        f"cloud_api_{id_}",
        TAG,
        summary,
        (Answer(200, "As Meta answers.", free),),
        scope=scope,
        description=description,
        parameters=(_VERSION, _OBJECT, *([_EDGE] if "{" in edge else [])),
        body=Body(free, is_required=False) if method == "POST" else None,
        form="graph",
    )


CLOUD_API: Final = (
    Operation(
        "POST",
        "/{version}/{phone_number_id}/messages",
        "cloud_api_messages",
        TAG,
        "Send a message, or mark one as read",
        (
            Answer(
                200,
                "It is stored, as with `POST /v1/messages`; or the read mark will be passed on.",
                {"anyOf": [ref("CloudApiSent"), object_of({"success": {"const": True}})]},
                (
                    Example("sent", "A message", _ANSWER),
                    Example("marked", "A read mark", {"success": True}),
                ),
            ),
        ),
        scope=Scope.MESSAGES_SEND,
        description="Meta's own call, for programs that were written for Meta's Cloud API: change their base URL to "
        "`https://your.host/v23.0`, and their token to an API key. Bodies, answers and errors are Meta's.",
        parameters=(_VERSION, _NUMBER),
        body=Body(
            {"type": "object", "additionalProperties": True},
            (
                Example("text", "Text", {"messaging_product": "whatsapp", **examples.TEXT_ORDER}),
                Example("read", "Mark as read, and show that somebody writes", _READ_MARK),
            ),
        ),
        form="graph",
    ),
    Operation(
        "POST",
        "/{version}/{phone_number_id}/media",
        "cloud_api_upload",
        TAG,
        "Upload a file",
        (
            Answer(
                200,
                "It is stored.",
                object_of({"id": {"type": "string"}}),
                (Example("id", "Its id", {"id": _FILE_ID}),),
            ),
        ),
        scope=Scope.MEDIA,
        parameters=(_VERSION, _NUMBER),
        body=Body(
            {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "messaging_product": {"const": "whatsapp"},
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "type": {"type": "string"},
                },
            },
            media_type="multipart/form-data",
        ),
        form="graph",
    ),
    Operation(
        "GET",
        "/{version}/{id}",
        "cloud_api_media",
        TAG,
        "Read an object",
        (
            Answer(
                200,
                "A file: where its bytes are, for five minutes. Anything else: Meta's own answer.",
                {"type": "object"},
                (Example("media", "A file", _FILE),),
            ),
        ),
        scope=Scope.MEDIA,
        parameters=(_VERSION, _OBJECT),
        form="graph",
    ),
    Operation(
        "DELETE",
        "/{version}/{id}",
        "cloud_api_delete_media",
        TAG,
        "Remove an object",
        (
            Answer(
                200, "It is gone; a file both here and at WhatsApp.", {"type": "object", "additionalProperties": True}
            ),
        ),
        scope=Scope.MEDIA,
        parameters=(_VERSION, _OBJECT),
        form="graph",
    ),
    Operation(
        "GET",
        "/whatsapp_business/attachments",
        "cloud_api_attachment",
        TAG,
        "Read a file",
        (Answer(200, "Its bytes.", {"type": "string"}, media_type="application/octet-stream"),),
        description="The `url` of a file leads here. Its proof stands in the query: no key is needed.",
        parameters=tuple(
            Parameter(name, "query", "As in the `url`.", {"type": "string"}, is_required=True)
            for name in ("mid", "ext", "hash")
        ),
        form="graph",
    ),
    _call("POST", "", "change", "Change an object", "Meta's own call, passed on.", Scope.NUMBERS),
    _call(
        "POST", "/marketing_messages", "marketing", "Send a marketing template", "As `/messages`.", Scope.MESSAGES_SEND
    ),
    _call("GET", "/subscribed_apps", "account_apps", "Read an account's callback", _CALLBACK, _CALLBACKS),
    _call("POST", "/subscribed_apps", "subscribe_account", "Set an account's callback", _CALLBACK, _CALLBACKS),
    _call("DELETE", "/subscribed_apps", "unsubscribe_account", "Drop an account's callback", _CALLBACK, _CALLBACKS),
    _call("GET", "/subscriptions", "app_callback", "Read the app's callback", _CALLBACK, _CALLBACKS),
    _call("POST", "/subscriptions", "subscribe_app", "Set the app's callback", _CALLBACK, _CALLBACKS),
    _call("DELETE", "/subscriptions", "unsubscribe_app", "Drop the app's callback", _CALLBACK, _CALLBACKS),
    _call(
        "POST", "/uploads", "open_upload", "Open an upload session", "At Meta, for templates and profiles.", Scope.MEDIA
    ),
    *(
        _call(method, "/{edge}", f"pass_{method.lower()}", f"Any other call ({method})", _PASSED, Scope.ADMIN)
        for method in ("GET", "POST", "DELETE")
    ),
)
