"""What a caller wants of a number: read from JSON once, with the path and reason of every fault.

Process: worker.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from config.limits import THROUGHPUT_HIGH_PER_S
from config.request_models import RequestModel, Says, fault, parse_request

MOST_RECIPIENTS: Final = 1_000_000
MAX_QUIET_CHARS: Final = 80


def _quiet_hours(value: str, info: ValidationInfo) -> str:
    if not value:
        return value  # none for this number, whatever the installation has
    try:
        (info.context or {})["parse_quiet_hours"](value)
    except (ValueError, LookupError, OSError):
        raise fault("means no hours") from None
    return value


Rate = Annotated[
    Annotated[int, Field(gt=0, le=THROUGHPUT_HIGH_PER_S)] | Annotated[float, Field(gt=0, le=THROUGHPUT_HIGH_PER_S)],
    Says(f"must be messages a second, above 0 and up to {THROUGHPUT_HIGH_PER_S}", covers_items=True),
]
RecipientCount = Annotated[
    int,
    Field(ge=0, le=MOST_RECIPIENTS),
    Says(f"must be a whole number from 0 (no limit of ours) to {MOST_RECIPIENTS}"),
]
QuietHoursText = Annotated[
    str,
    Field(max_length=MAX_QUIET_CHARS),
    AfterValidator(_quiet_hours),
    Says("must look like 21:00-08:00 America/Mexico_City, or be empty"),
]


class NumberSettingsRequest(RequestModel):
    """Settings that shall change. None gives back what the installation has."""

    refusal: ClassVar[str] = "The settings of the number are not valid."
    unknown_field: ClassVar[str] = "is not a setting of a number"

    rate_per_s: Rate | None = None
    daily_recipients: RecipientCount | None = None
    quiet_hours: QuietHoursText | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise fault(f"must have at least one of {', '.join(type(self).model_fields)}")
        return self


def parse_settings(raw: Mapping[str, Any], *, parse_quiet_hours: Callable[[str], object]) -> dict[str, Any]:
    """The settings of one number that shall change; null gives back what the installation has.

    Raises ``RequestRefused`` with every fault. ``parse_quiet_hours`` raises for a text that means no hours.
    """
    return parse_request(NumberSettingsRequest, raw, context={"parse_quiet_hours": parse_quiet_hours}).given()
