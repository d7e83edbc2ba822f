"""What a caller wants of a new API key, with the path and reason of every fault.

Process: worker.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo

from config.digits import whole_number_in
from config.request_models import Moment, RequestModel, Says, fault, holds, parse_request
from services.keys.records import Scope
from services.keys.service import MAX_NAME

MOST_NUMBERS: Final = 500
MAX_NUMBER_DIGITS: Final = 19


def _is_number(value: str) -> bool:
    return len(value) <= MAX_NUMBER_DIGITS and whole_number_in(value) is not None


def _in_the_future(value: datetime, info: ValidationInfo) -> datetime:
    if value <= (info.context or {})["now"]:
        raise fault("is over")
    return value


Name = Annotated[
    str,
    AfterValidator(str.strip),
    Field(min_length=1, max_length=MAX_NAME),
    Says(f"must have 1 to {MAX_NAME} characters"),
]
Scopes = Annotated[
    list[Annotated[Scope, Field(strict=False), Says("is not a scope")]],
    Field(min_length=1),
    Says(f"must be a list of: {', '.join(sorted(scope.value for scope in Scope))}"),
]
Numbers = Annotated[
    list[Annotated[str, holds(_is_number)]],
    Field(max_length=MOST_NUMBERS),
    Says(f"must be up to {MOST_NUMBERS} phone_number_ids; empty means every number", covers_items=True),
]
End = Annotated[Moment, AfterValidator(_in_the_future), Says("must be an RFC 3339 time with a zone, in the future")]


class KeyRequest(RequestModel):
    """A key that shall be made. No ``numbers``: every number; no ``expires_at``: it never ends."""

    model_config = ConfigDict(extra="ignore")
    refusal: ClassVar[str] = "The key is not valid."

    name: Name
    scopes: Scopes
    numbers: Numbers = Field(default_factory=list)
    expires_at: End | None = None


def parse_key(raw: Mapping[str, Any], *, now: datetime) -> KeyRequest:
    """A new key. Raises ``RequestRefused`` with every fault."""
    return parse_request(KeyRequest, raw, context={"now": now})
