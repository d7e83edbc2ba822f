"""What callers may say about a contact: read from JSON once, with the path and reason of every fault.

Process: worker.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from config.request_models import Moment, RequestModel, Says, fault, holds, parse_request
from services.contacts.records import ConsentCategory, ConsentSource

MAX_NAME_CHARS: Final = 200
MAX_LABELS: Final = 50
MAX_LABEL_CHARS: Final = 64
MAX_ATTRIBUTES: Final = 50
MAX_ATTRIBUTE_BYTES: Final = 4096
MAX_PROOF_BYTES: Final = 2048
MAX_SOURCE_CHARS: Final = 64
ATTRIBUTE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def _is_plain(text: str) -> bool:
    """Not blank, and readable for people: no control characters, no half of a surrogate pair."""
    return bool(text.strip()) and text.isprintable()


def _is_attribute_name(name: str) -> bool:
    return ATTRIBUTE_NAME.fullmatch(name) is not None


def _is_simple(value: Any) -> bool:
    """Can the database hold it as one value?"""
    if isinstance(value, bool | float):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, str) and "\0" not in value and _is_encodable(value)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_flat_proof(proof: dict[str, Any]) -> bool:
    is_flat = all(_is_attribute_name(name) and _is_simple(item) for name, item in proof.items())
    return is_flat and len(orjson.dumps(proof)) <= MAX_PROOF_BYTES


def _proof(value: Any) -> Any:
    """A sentence is a proof, too; null is none."""
    return {"text": value} if isinstance(value, str) else {} if value is None else value


def _without_doubles(labels: list[str]) -> list[str]:
    return list(dict.fromkeys(label.strip() for label in labels))


def _within_bytes(attributes: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(attributes)) > MAX_ATTRIBUTE_BYTES:
        raise fault(f"must be at most {MAX_ATTRIBUTE_BYTES} bytes of JSON")
    return attributes


def _not_in_the_future(value: datetime, info: ValidationInfo) -> datetime:
    if value > (info.context or {})["now"]:
        raise fault("must not lie in the future")
    return value


Name = Annotated[
    str,
    Field(max_length=MAX_NAME_CHARS),
    holds(_is_plain),
    AfterValidator(str.strip),
    Says(f"must be a text of 1 to {MAX_NAME_CHARS} characters, or null"),
]
Label = Annotated[
    str,
    Field(max_length=MAX_LABEL_CHARS),
    holds(_is_plain),
    Says(f"must be a text of 1 to {MAX_LABEL_CHARS} characters"),
]
Labels = Annotated[
    list[Label],
    Field(max_length=MAX_LABELS),
    AfterValidator(_without_doubles),
    Says(f"must be a list of at most {MAX_LABELS} labels"),
]
AttributeName = Annotated[
    str,
    holds(_is_attribute_name),
    Says("is no attribute name: a letter, then letters, digits, _ or -, 64 at most"),
]
AttributeValue = Annotated[
    Any,
    holds(lambda value: value is None or _is_simple(value)),
    Says("must be a text, a number of at most 64 bits, true, false or null"),
]
Attributes = Annotated[
    dict[AttributeName, AttributeValue],
    Field(max_length=MAX_ATTRIBUTES),
    Says(f"must be an object with at most {MAX_ATTRIBUTES} members"),
    AfterValidator(_within_bytes),
]
Source = Annotated[
    str,
    Field(max_length=MAX_SOURCE_CHARS),
    holds(_is_plain),
    Says(f"must be a text of 1 to {MAX_SOURCE_CHARS} characters"),
]
Proof = Annotated[
    dict[str, Any],
    holds(_is_flat_proof),
    BeforeValidator(_proof),
    Says(f"must be a text or a flat object of texts and numbers, at most {MAX_PROOF_BYTES} bytes", covers_items=True),
]


class _OfContact(RequestModel):
    """``to`` and ``from`` say whose contact it is; they are read by those who know identities and numbers."""

    to: Any = None
    sender: Any = Field(default=None, alias="from")


class ContactRequest(_OfContact):
    """Fields of a profile that shall change. ``given`` has those that the caller wrote.

    ``name`` None takes the name away, an attribute that is None takes the attribute away.
    """

    refusal: ClassVar[str] = "The contact is not valid."
    unknown_field: ClassVar[str] = "cannot be changed"

    name: Name | None = None
    labels: Labels = Field(default_factory=list)
    add_labels: Labels = Field(default_factory=list)
    remove_labels: Labels = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)


class ConsentRequest(_OfContact):
    """An opt-out or opt-in. ``at`` None: now."""

    refusal: ClassVar[str] = "The consent is not valid."

    category: Annotated[ConsentCategory, Field(strict=False), Says("must be marketing or all")] = ConsentCategory.ALL
    source: Source = ConsentSource.API.value
    proof: Proof = Field(default_factory=dict)
    at: Annotated[Moment, AfterValidator(_not_in_the_future)] | None = None


def parse_patch(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A profile change as the data of a command. Raises ``RequestRefused`` with every fault."""
    given = parse_request(ContactRequest, raw).given()
    return {name: value for name, value in given.items() if name not in _OfContact.model_fields}


def parse_decision(raw: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """An opt-out or opt-in as the data of a command. Raises ``RequestRefused`` with every fault."""
    found = parse_request(ConsentRequest, raw, context={"now": now})
    return {
        "category": found.category.value,
        "source": found.source,
        "proof": found.proof,
        "at": found.at or now,
    }


def all_of(values: Sequence[str] | None) -> list[str]:
    """A list that may be missing."""
    return list(values or ())
