"""The OpenAPI 3.1 document, made of the tables of operations, the schemas and the error catalogue.

Process: worker; built once, at the first request for it.
"""

import tomllib
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import orjson

from blueprints.error_catalogue import CATALOGUE, ErrorEntry
from blueprints.errors import _TITLES as TITLES
from blueprints.errors import CONTENT_TYPE
from blueprints.openapi.campaigns import CAMPAIGN_SCHEMAS, CAMPAIGNS
from blueprints.openapi.cloud_api import CLOUD_API, CLOUD_API_SCHEMAS
from blueprints.openapi.cluster import CLUSTER, CLUSTER_CALLS, PROCESS, READINESS, plan_schema
from blueprints.openapi.contacts import CONTACT_SCHEMAS, CONTACTS
from blueprints.openapi.conversations import CONVERSATIONS
from blueprints.openapi.events import EVENTS
from blueprints.openapi.keys import KEY_SCHEMAS, KEYS
from blueprints.openapi.media import MEDIA, MEDIA_SCHEMAS
from blueprints.openapi.messages import MESSAGES
from blueprints.openapi.operating import OPERATING, OPERATING_SCHEMAS
from blueprints.openapi.quick_replies import QUICK_REPLIES, QUICK_REPLY_SCHEMAS
from blueprints.openapi.records import Answer, Body, Example, Operation, Parameter, ref
from blueprints.openapi.schemas import SCHEMAS
from blueprints.openapi.send_request import send_request_schemas
from blueprints.openapi.templates import TEMPLATE_SCHEMAS, TEMPLATES
from blueprints.openapi.webhook_endpoints import ENDPOINT_SCHEMAS, WEBHOOK_ENDPOINTS
from services.keys import Scope

OPERATIONS: Final[tuple[Operation, ...]] = (
    *MESSAGES,
    *CONVERSATIONS,
    *QUICK_REPLIES,
    *CONTACTS,
    *TEMPLATES,
    *MEDIA,
    *CAMPAIGNS,
    *EVENTS,
    *WEBHOOK_ENDPOINTS,
    *OPERATING,
    *KEYS,
    *CLUSTER_CALLS,
    *CLOUD_API,
)

SECURITY: Final = "apiKey"
ROOT: Final = Path(__file__).parents[2]

TAGS: Final = {
    "Messages": "Send, read, cancel, send again.",
    "Conversations": "One number of ours and one contact: what was said, what is unread.",
    "Contacts": "People, what is known of them, and what they agreed to.",
    "Templates": "Those of the WhatsApp Business Account.",
    "Media": "Files: upload, look at, read, remove.",
    "Campaigns": "One template to many people.",
    "Events": "The numbered log of everything that happens.",
    "Webhook endpoints": "URLs of yours that are told of events.",
    "Numbers": "The phone numbers that we operate.",
    "Keys": "Who may call, and what each may do.",
    "Operating": "Health, processes, capacity, and this document.",
    "Cloud API": "Meta's own calls, for programs that were written for Meta.",
    "Cloud webhook": "Where Meta posts to us.",
}

DESCRIPTION: Final = """\
Panal accepts WhatsApp messages on every core and sends them from exactly one process.

* **202 means stored.** What was accepted is not lost, is sent once, and leaves in order for each recipient.
* **Words are Meta's**: `phone_number_id`, `wa_id`, `wamid`, `template`. The body of a message is the Cloud API's.
* **Errors** are `application/problem+json` (RFC 9457) with a `code` that never changes its meaning:
  [all of them](/docs/errors).
* **Lists** answer `data` and `next_cursor`; **times** are RFC 3339, in UTC, with milliseconds.
* **Keys**: `Authorization: Bearer <key>`. Each call names the scope that its key needs.
"""


def build_document() -> dict[str, Any]:
    """The whole document, as JSON-able data."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Panal",
            "version": _version(),
            "summary": "Self-hosted WhatsApp backend.",
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/", "description": "This installation"}],
        "tags": [{"name": name, "description": meaning} for name, meaning in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key. The first one is printed at the first start and kept in "
                    "`bootstrap.key` in the data folder. Scopes: " + ", ".join(f"`{scope.value}`" for scope in Scope),
                }
            },
        },
    }


@cache
def document_bytes() -> bytes:
    """The document as it is served."""
    return orjson.dumps(build_document())


def codes_of(operation: Operation) -> list[ErrorEntry]:
    """Every error that this call may answer with, the most frequent kind first."""
    codes = list(operation.errors)
    if operation.scope is not None:
        codes += ["not_authenticated", "not_permitted"]
    if operation.body is not None:
        codes.append("body_too_large")
        if operation.scope is not None and operation.body.media_type == "application/json":
            codes += ["invalid_json", "invalid_request"]
    if operation.scope is not None and any(parameter.where != "path" for parameter in operation.parameters):
        codes.append("invalid_request")
    if operation.needs_database:
        codes += ["database_unavailable", "database_busy"]
        if operation.method != "GET":
            codes.append("storage_full")
    codes += ["http_400", "internal"]  # of bytes that are no HTTP request, and of our own faults
    return sorted((CATALOGUE[code] for code in dict.fromkeys(codes)), key=lambda entry: entry.status)


def _operation(operation: Operation) -> dict[str, Any]:
    responses = {str(answer.status): _answer(answer) for answer in operation.answers}
    refusals = _graph_errors() if operation.form == "graph" else _problems(operation)
    for status, refusal in refusals.items():
        answer = responses.setdefault(status, {"description": refusal["description"]})
        answer["content"] = {**answer.get("content", {}), **refusal["content"]}
        answer.update({name: value for name, value in refusal.items() if name not in answer})
    document: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": _description(operation),
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": responses,
    }
    if operation.body is not None:
        document["requestBody"] = _body(operation.body)
    if operation.scope is not None:
        document["security"] = [{SECURITY: []}]
        document["x-required-scope"] = operation.scope.value
    return document


def _description(operation: Operation) -> str:
    scope = "" if operation.scope is None else f"Scope: `{operation.scope.value}`"
    return "\n\n".join(part for part in (operation.description, scope) if part)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.is_required or parameter.where == "path",
        "schema": dict(parameter.schema),
    }
    if parameter.example is not None:
        document["example"] = parameter.example
    return document


def _body(body: Body) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": dict(body.schema)} if body.schema is not None else {}
    if body.examples:
        media["examples"] = _examples(body.examples)
    return {"required": body.is_required, "content": {body.media_type: media}}


def _answer(answer: Answer) -> dict[str, Any]:
    document: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        document["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in answer.headers
        }
    if answer.schema is not None:
        media: dict[str, Any] = {"schema": dict(answer.schema)}
        if answer.examples:
            media["examples"] = _examples(answer.examples)
        document["content"] = {answer.media_type: media}
    return document


def _examples(examples: tuple[Example, ...]) -> dict[str, Any]:
    return {example.name: {"summary": example.summary, "value": example.value} for example in examples}


def _graph_errors() -> dict[str, Any]:
    content = {"application/json": {"schema": ref("GraphError")}}
    return {
        "4XX": {"description": "Refused: Meta's code says why.", "content": content},
        "5XX": {"description": "Not now: `is_transient` says whether to try again.", "content": content},
    }


def _problems(operation: Operation) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    for status, group in groupby(codes_of(operation), key=lambda entry: entry.status):
        entries = list(group)
        problems[str(status)] = {
            "description": f"{TITLES[status]}: " + ", ".join(f"`{entry.code}`" for entry in entries),
            "content": {
                CONTENT_TYPE: {
                    "schema": ref("Problem"),
                    "examples": {entry.code: {"summary": entry.meaning, "value": _problem(entry)} for entry in entries},
                }
            },
        }
        if status in (429, 503, 507):
            problems[str(status)]["headers"] = {
                "Retry-After": {"description": "When to try again, in seconds.", "schema": {"type": "string"}}
            }
    return problems


def _problem(entry: ErrorEntry) -> dict[str, Any]:
    return {
        "type": f"/docs/errors#{entry.code}",
        "title": TITLES[entry.status],
        "status": entry.status,
        "detail": entry.meaning,
        "code": entry.code,
        "errors": [{"path": "text.body", "reason": "must not be empty"}] if entry.code == "invalid_request" else [],
        "request_id": "5f0c1d52-6d2b-4c2c-9d6e-6d0f6a1f3b7e",
        "may_retry": entry.may_retry,
    }


def _schemas() -> dict[str, Any]:
    cluster = {"Cluster": CLUSTER, "Process": PROCESS, "Plan": plan_schema(), "Readiness": READINESS}
    return {
        **SCHEMAS,
        **CONTACT_SCHEMAS,
        **TEMPLATE_SCHEMAS,
        **MEDIA_SCHEMAS,
        **CAMPAIGN_SCHEMAS,
        **ENDPOINT_SCHEMAS,
        **KEY_SCHEMAS,
        **QUICK_REPLY_SCHEMAS,
        **OPERATING_SCHEMAS,
        **cluster,
        **CLOUD_API_SCHEMAS,
        **send_request_schemas(),
    }


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
