"""Interactive messages: buttons, lists, links, flows, products, carousels and the small requests.

Process: worker.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from config import limits
from services.messages.content.faults import MISSING_PARAMETER, custom
from services.messages.content.kinds import Media, NonEmpty, Part, WebAddress, Word, empty_to_none

ShortTitle = Annotated[str, StringConstraints(max_length=limits.LIST_SECTION_TITLE_MAX_CHARS)]
SectionTitle = Annotated[ShortTitle | None, BeforeValidator(empty_to_none)]
RowDescription = Annotated[str, StringConstraints(max_length=limits.LIST_ROW_DESCRIPTION_MAX_CHARS)]
DisplayText = Annotated[str, StringConstraints(min_length=1, max_length=limits.CTA_TEXT_MAX_CHARS)]


def _refuse_repeats(values: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise custom(f"{what} must be unique; {value[:40]!r} appears twice")
        seen.add(value)


# --- what most of them share


class Header(Part):
    """Text, or a picture, film or document: the key has the name of the type."""

    type: Word
    text: Annotated[str | None, Field(max_length=limits.HEADER_TEXT_MAX_CHARS)] = None
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None

    @model_validator(mode="after")
    def _has_what_it_names(self) -> "Header":
        if self.type not in ("text", "image", "video", "document"):
            raise custom("`type` must be text, image, video or document")
        if not getattr(self, self.type):
            raise custom(f"`{self.type}` is required", code=MISSING_PARAMETER)
        return self


class Body(Part):
    text: Annotated[str, StringConstraints(min_length=1, max_length=limits.INTERACTIVE_BODY_MAX_CHARS)]


class ListBody(Part):
    text: Annotated[str, StringConstraints(min_length=1, max_length=limits.LIST_BODY_MAX_CHARS)]


class CardBody(Part):
    text: Annotated[str, StringConstraints(min_length=1, max_length=limits.CAROUSEL_CARD_BODY_MAX_CHARS)]

    @model_validator(mode="after")
    def _has_few_lines(self) -> "CardBody":
        if self.text.count("\n") > limits.CAROUSEL_CARD_MAX_LINE_BREAKS:
            raise custom(f"must have at most {limits.CAROUSEL_CARD_MAX_LINE_BREAKS} line breaks")
        return self


class Footer(Part):
    text: Annotated[str, StringConstraints(max_length=limits.FOOTER_MAX_CHARS)]


class Interactive(Part):
    type: Word
    header: Header | None = None
    body: Body
    footer: Footer | None = None


# --- reply buttons


class Reply(Part):
    id: Annotated[str, StringConstraints(min_length=1, max_length=limits.BUTTON_ID_MAX_CHARS)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=limits.BUTTON_TITLE_MAX_CHARS)]

    @model_validator(mode="after")
    def _has_no_outer_space(self) -> "Reply":
        if self.id != self.id.strip():
            raise custom("`id` must not begin or end with a space")
        return self


class Button(Part):
    type: Word = "reply"
    reply: Reply


class ButtonsAction(Part):
    buttons: Annotated[list[Button], Field(min_length=1, max_length=limits.BUTTONS_MAX_COUNT)]

    @model_validator(mode="after")
    def _are_distinct(self) -> "ButtonsAction":
        _refuse_repeats((button.reply.id for button in self.buttons), "button ids")
        _refuse_repeats((button.reply.title for button in self.buttons), "button titles")
        return self


class Buttons(Interactive):
    action: ButtonsAction


# --- list


class Row(Part):
    id: Annotated[str, StringConstraints(min_length=1, max_length=limits.LIST_ROW_ID_MAX_CHARS)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=limits.LIST_ROW_TITLE_MAX_CHARS)]
    description: Annotated[RowDescription | None, BeforeValidator(empty_to_none)] = None


class Section(Part):
    title: SectionTitle = None
    rows: Annotated[list[Row], Field(min_length=1)]


class ListAction(Part):
    button: Annotated[str, StringConstraints(min_length=1, max_length=limits.LIST_BUTTON_MAX_CHARS)]
    sections: Annotated[list[Section], Field(min_length=1, max_length=limits.LIST_SECTIONS_MAX_COUNT)]

    @model_validator(mode="after")
    def _fits(self) -> "ListAction":
        count = sum(len(section.rows) for section in self.sections)
        if count > limits.LIST_ROWS_MAX_COUNT:
            raise custom(f"must have at most {limits.LIST_ROWS_MAX_COUNT} rows over all sections, not {count}")
        _refuse_repeats((row.id for section in self.sections for row in section.rows), "row ids")
        _require_titles(self.sections)
        return self


class ListMessage(Interactive):
    body: ListBody  # type: ignore[assignment]  # the same part with a longer limit
    action: ListAction

    @model_validator(mode="after")
    def _has_a_text_header(self) -> "ListMessage":
        if self.header is not None and self.header.type != "text":
            raise custom("`header` of a list must be text")
        return self


# --- link, flow


class LinkParameters(Part):
    display_text: DisplayText
    url: WebAddress


class LinkAction(Part):
    name: str = "cta_url"
    parameters: LinkParameters


class CtaUrl(Interactive):
    action: LinkAction


class FlowParameters(Part):
    flow_message_version: str = "3"
    flow_id: str | None = None
    flow_name: str | None = None
    flow_cta: Annotated[str, StringConstraints(min_length=1, max_length=limits.FLOW_CTA_MAX_CHARS)]

    @model_validator(mode="after")
    def _names_one_flow(self) -> "FlowParameters":
        if not self.flow_id and not self.flow_name:
            raise custom("needs `flow_id` or `flow_name`", code=MISSING_PARAMETER)
        if self.flow_id and self.flow_name:
            raise custom("takes either `flow_id` or `flow_name`, not both")
        return self


class FlowAction(Part):
    name: str = "flow"
    parameters: FlowParameters


class Flow(Interactive):
    action: FlowAction


# --- products


class ProductAction(Part):
    catalog_id: NonEmpty
    product_retailer_id: NonEmpty


class Product(Interactive):
    body: Body | None = None  # type: ignore[assignment]  # optional here alone
    action: ProductAction

    @model_validator(mode="after")
    def _has_no_header(self) -> "Product":
        if self.header is not None:
            raise custom("`header` is not allowed in a product message")
        return self


class ProductItem(Part):
    product_retailer_id: NonEmpty


class ProductSection(Part):
    title: SectionTitle = None
    product_items: Annotated[list[ProductItem], Field(min_length=1)]


class ProductListAction(Part):
    catalog_id: NonEmpty
    sections: Annotated[list[ProductSection], Field(min_length=1, max_length=limits.PRODUCT_SECTIONS_MAX_COUNT)]

    @model_validator(mode="after")
    def _fits(self) -> "ProductListAction":
        count = sum(len(section.product_items) for section in self.sections)
        if count > limits.PRODUCTS_MAX_COUNT:
            raise custom(f"must have at most {limits.PRODUCTS_MAX_COUNT} products over all sections, not {count}")
        _require_titles(self.sections)
        return self


class ProductList(Interactive):
    action: ProductListAction

    @model_validator(mode="after")
    def _has_a_text_header(self) -> "ProductList":
        if self.header is None:
            raise custom("`header` is required in a product list", code=MISSING_PARAMETER)
        if self.header.type != "text":
            raise custom("`header` of a product list must be text")
        return self


def _require_titles(sections: list[Section] | list[ProductSection]) -> None:
    if len(sections) > 1 and not all(section.title for section in sections):
        raise custom("each section needs a `title` when there is more than one", code=MISSING_PARAMETER)


# --- carousel


class Card(Part):
    card_index: int | None = None
    type: Word | None = None
    header: Header | None = None
    body: CardBody | None = None
    action: dict[str, Any]


class CarouselAction(Part):
    cards: Annotated[
        list[Card], Field(min_length=limits.CAROUSEL_CARDS_MIN_COUNT, max_length=limits.CAROUSEL_CARDS_MAX_COUNT)
    ]

    @model_validator(mode="after")
    def _are_alike(self) -> "CarouselAction":
        if len({card.header.type if card.header else None for card in self.cards}) > 1:
            raise custom("all cards must have the same kind of header")
        return self


class Carousel(Interactive):
    action: CarouselAction

    @model_validator(mode="after")
    def _is_bare(self) -> "Carousel":
        if self.header is not None or self.footer is not None:
            raise custom("a carousel has no header and no footer")
        return self


# --- a body and a named action


class NamedAction(Part):
    name: str | None = None
    parameters: dict[str, Any] | None = None


class Request(Interactive):
    """`action.name` equals the type, except for the location request; it is filled in when it is missing."""

    action: NamedAction = Field(default_factory=NamedAction)

    @model_validator(mode="after")
    def _names_its_action(self) -> "Request":
        self.action.name = self.action.name or ("send_location" if self.type == LOCATION_REQUEST else self.type)
        return self


LOCATION_REQUEST = "location_request_message"

BY_TYPE: Mapping[str, type[Part]] = MappingProxyType(
    {
        "button": Buttons,
        "list": ListMessage,
        "cta_url": CtaUrl,
        "flow": Flow,
        "product": Product,
        "product_list": ProductList,
        "carousel": Carousel,
        LOCATION_REQUEST: Request,
        "catalog_message": Request,
        "address_message": Request,
        "request_contact_info": Request,
        "voice_call": Request,
        "call_permission_request": Request,
    }
)
