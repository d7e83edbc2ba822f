"""What an agent says of a quick reply, with the path and reason of every fault.

Process: worker.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator

from config.request_models import RequestModel, Says, fault, holds, parse_request
from services.console.quick_replies import MAX_SHORTCUT, MAX_TEXT

SHORTCUT: Final = re.compile(rf"[\w-]{{1,{MAX_SHORTCUT}}}")

Text = Annotated[
    str,
    AfterValidator(str.strip),
    Field(min_length=1, max_length=MAX_TEXT),
    Says(f"must have 1 to {MAX_TEXT} characters"),
]
Shortcut = Annotated[
    str,
    holds(lambda value: SHORTCUT.fullmatch(value) is not None),
    Says(f"must be null, or 1 to {MAX_SHORTCUT} letters, digits, _ and -"),
]
NumberId = Annotated[str, Says("must be null, or the id of a number")]


class QuickReplyChange(RequestModel):
    """Fields that shall change. ``given`` has those that the caller wrote."""

    refusal: ClassVar[str] = "The quick reply is not valid."
    unknown_field: ClassVar[str] = "is not a field of a quick reply"

    text: Text = Field(default="", validate_default=False)
    shortcut: Shortcut | None = None
    phone_number_id: NumberId | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise fault("changes nothing")
        return self


class QuickReplyRequest(QuickReplyChange):
    """A new quick reply. ``phone_number_id`` None: for every number."""

    text: Text


def parse_quick_reply(raw: Mapping[str, Any]) -> QuickReplyRequest:
    """A new quick reply. Raises ``RequestRefused`` with every fault."""
    return parse_request(QuickReplyRequest, raw)


def parse_quick_reply_change(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that change. Raises ``RequestRefused`` with every fault."""
    return parse_request(QuickReplyChange, raw).given()
