"""Template messages as they are sent: name, language, and the parameters of each component.

What the approved template demands (how many parameters, of which kind) is not known here: the catalogue checks it.

Process: worker.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from config import limits
from services.messages.content.faults import MISSING_PARAMETER, NO_SUCH_TEMPLATE, custom
from services.messages.content.kinds import Document, Location, Media, NonEmpty, Part, Word

TEMPLATE_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def _template_name(value: str) -> str:
    if not value:
        raise custom("must not be empty", code=MISSING_PARAMETER)
    if len(value) > limits.TEMPLATE_NAME_MAX_CHARS or not TEMPLATE_NAME_CHARACTERS.issuperset(value):
        raise custom(
            f"is no template name: at most {limits.TEMPLATE_NAME_MAX_CHARS} of a-z, 0-9 and _", code=NO_SUCH_TEMPLATE
        )
    return value


class Currency(Part):
    fallback_value: str
    code: NonEmpty
    amount_1000: int


class DateTime(Part):
    fallback_value: str


class LimitedTimeOffer(Part):
    expiration_time_ms: int


class TemplateProduct(Part):
    product_retailer_id: NonEmpty
    catalog_id: str | None = None


class Parameter(Part):
    """The value stands under the name of its type. A type that we do not know is sent as it is."""

    type: Word
    parameter_name: str | None = None
    text: str | None = None
    payload: str | None = None
    coupon_code: Annotated[str | None, Field(max_length=limits.TEMPLATE_COPY_CODE_MAX_CHARS)] = None
    currency: Currency | None = None
    date_time: DateTime | None = None
    image: Media | None = None
    video: Media | None = None
    document: Document | None = None
    location: Location | None = None
    limited_time_offer: LimitedTimeOffer | None = None
    product: TemplateProduct | None = None
    action: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_what_it_names(self) -> "Parameter":
        if self.type in VALUE_KEYS and getattr(self, self.type) is None:
            raise custom(f"`{self.type}` is required", code=MISSING_PARAMETER)
        return self


VALUE_KEYS = frozenset(Parameter.model_fields) - {"type", "parameter_name", "action"}
"""A flow button's `action` may be left out: Meta then opens the flow's first screen."""


class CardComponents(Part):
    card_index: int
    components: list["Component"]


class Component(Part):
    """`index` of a button leaves as text, as Meta's examples have it, whatever it came as."""

    type: Word
    sub_type: Word | None = None
    index: str | None = None
    parameters: list[Parameter] | None = None
    cards: Annotated[list[CardComponents] | None, Field(max_length=limits.CAROUSEL_CARDS_MAX_COUNT)] = None

    @model_validator(mode="after")
    def _button_is_complete(self) -> "Component":
        if self.type == "button":
            if self.sub_type is None:
                raise custom("`sub_type` is required for a button", code=MISSING_PARAMETER)
            if self.index is None:
                raise custom("`index` is required for a button", code=MISSING_PARAMETER)
        if self.type == "carousel" and not self.cards:
            raise custom("`cards` is required for a carousel", code=MISSING_PARAMETER)
        return self


class Language(Part):
    code: Annotated[str, StringConstraints(min_length=2, max_length=16)]
    policy: str | None = None


class Template(Part):
    name: Annotated[str, AfterValidator(_template_name)]
    language: Language
    components: list[Component] | None = None
