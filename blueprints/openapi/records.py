"""The rows of the API reference: an operation, its parameters, its body and its answers.

Process: worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.keys import Scope

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """A value as it really goes over the wire, with its name."""

    name: str
    summary: str
    value: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something in the path, the query or a header."""

    name: str
    where: Literal["path", "query", "header"]
    description: str
    schema: Schema
    is_required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """What the caller sends. ``schema`` None: bytes of this media type, without a shape of ours."""

    schema: Schema | None
    examples: tuple[Example, ...] = ()
    media_type: str = "application/json"
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A success. ``headers`` by name, with their meaning."""

    status: int
    description: str
    schema: Schema | None = None
    examples: tuple[Example, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One call.

    ``errors`` are the codes of the error catalogue that are special to this call; those that every call of its kind
    may give (no key, no scope, a body that is not JSON, no database …) are added by ``document.py``.
    ``scope`` None: the call needs no API key. ``form`` says how errors are told: our problems, or as Meta does.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    id: str
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    scope: Scope | None = None
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    errors: tuple[str, ...] = ()
    needs_database: bool = True
    form: Literal["problem", "graph"] = "problem"


def ref(name: str) -> dict[str, str]:
    """A reference to a schema of ``schemas.py``."""
    return {"$ref": f"#/components/schemas/{name}"}


def page_of(name: str) -> dict[str, Any]:
    """The schema of a list: its items, and where the next page begins."""
    return {
        "type": "object",
        "required": ["data", "next_cursor"],
        "properties": {
            "data": {"type": "array", "items": ref(name)},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Send it as `cursor` to get the next page; null: this was the last one.",
            },
        },
    }


LIMIT = Parameter(
    "limit",
    "query",
    "How many items at most.",
    {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
)
CURSOR = Parameter("cursor", "query", "The `next_cursor` of the page before.", {"type": "string"})
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    "header",
    "A name of your own for this request. The same key with the same body gets the first answer again and sends "
    "nothing twice; with another body it is refused (`idempotency_conflict`).",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
