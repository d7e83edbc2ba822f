"""What an agent changes of a conversation or writes into it, with the path and reason of every fault.

Process: worker.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from config.request_models import RequestModel, Says, fault, parse_request

MAX_LABELS: Final = 20
MAX_LABEL: Final = 40
MAX_ASSIGNEE: Final = 80
MAX_NOTE: Final = 4_000


def _without_doubles(labels: list[str]) -> list[str]:
    return list(dict.fromkeys(labels))


Assignee = Annotated[
    str, Field(min_length=1, max_length=MAX_ASSIGNEE), Says(f"must be null, or have 1 to {MAX_ASSIGNEE} characters")
]
Labels = Annotated[
    list[Annotated[str, AfterValidator(str.strip), Field(min_length=1, max_length=MAX_LABEL)]],
    Field(max_length=MAX_LABELS),
    AfterValidator(_without_doubles),
    Says(f"must be up to {MAX_LABELS} words of up to {MAX_LABEL} characters", covers_items=True),
]


class ConversationChange(RequestModel):
    """Fields that shall change. ``given`` has those that the caller wrote; ``assignee`` None: nobody."""

    refusal: ClassVar[str] = "The change is not valid."
    unknown_field: ClassVar[str] = "cannot be changed"

    assignee: Assignee | None = None
    labels: Labels = Field(default_factory=list)
    status: Annotated[Literal["open", "closed"], Says("must be open or closed")] = "open"

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise fault("changes nothing")
        return self


class NoteRequest(RequestModel):
    """A note for colleagues."""

    model_config = ConfigDict(extra="ignore")
    refusal: ClassVar[str] = "The note is not valid."

    text: Annotated[
        str,
        AfterValidator(str.strip),
        Field(min_length=1, max_length=MAX_NOTE),
        Says(f"must have 1 to {MAX_NOTE} characters"),
    ]


def parse_conversation_change(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that change, as data of the command. Raises ``RequestRefused`` with every fault."""
    return parse_request(ConversationChange, raw).given()


def parse_note(raw: Mapping[str, Any]) -> NoteRequest:
    """A note without blanks around it. Raises ``RequestRefused``."""
    return parse_request(NoteRequest, raw)
