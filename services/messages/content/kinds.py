"""Text, media, location, contacts and reaction: the parts of a Cloud API message object, with Meta's limits.

Unknown keys are kept and sent on: Meta adds fields faster than anybody releases. What is null is dropped.

Process: worker.
"""

from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from config import limits
from services.messages.content.faults import INVALID_PARAMETER, MISSING_PARAMETER, custom

SCRIPT_SCHEMES = ("javascript:", "vbscript:")


class Part(BaseModel):
    """A piece of a message object. No text under a key that is not known here may be the address of a script."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True, hide_input_in_errors=True)

    @model_validator(mode="after")
    def _unknown_is_no_script(self) -> Self:
        for name, value in (self.model_extra or {}).items():
            if _has_script(value):
                raise custom(f"must not be the address of a script ({name[:40]})")
        return self


def _has_script(value: Any) -> bool:
    if isinstance(value, str):
        # Browsers skip blanks and control characters before and inside of a scheme.
        start = "".join(letter for letter in value[:64] if letter.isprintable() and not letter.isspace()).lower()
        return start.startswith(SCRIPT_SCHEMES)
    if isinstance(value, dict):
        return any(_has_script(item) for item in value.values())
    return isinstance(value, list) and any(_has_script(item) for item in value)


def lower_case(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def empty_to_none(value: Any) -> Any:
    return None if value == "" else value


def web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise custom("must be an http or https address")
    return value


def _text_body(value: str) -> str:
    if not value:
        raise custom("must not be empty", code=INVALID_PARAMETER)
    if len(value) > limits.TEXT_MAX_CHARS:
        raise custom(f"must be at most {limits.TEXT_MAX_CHARS} characters long", code=INVALID_PARAMETER)
    return value


Word = Annotated[str, BeforeValidator(lower_case)]
"""A constant of Meta's; clients write it in either case."""
NonEmpty = Annotated[str, StringConstraints(min_length=1)]
WebAddress = Annotated[str, AfterValidator(web_address)]
Caption = Annotated[str, StringConstraints(max_length=limits.CAPTION_MAX_CHARS)]


class Text(Part):
    body: Annotated[str, AfterValidator(_text_body)]
    preview_url: bool | None = None


class Media(Part):
    """`id` of an upload or `link` to fetch: exactly one. Files become links in the console: other keys are dropped."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str | None, BeforeValidator(empty_to_none)] = None
    link: Annotated[WebAddress | None, BeforeValidator(empty_to_none)] = None
    provider: str | dict[str, Any] | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> "Media":
        if self.id is None and self.link is None:
            raise custom("needs `id` or `link`", code=MISSING_PARAMETER)
        if self.id is not None and self.link is not None:
            raise custom("takes either `id` or `link`, not both")
        return self


class CaptionedMedia(Media):
    caption: Annotated[Caption | None, BeforeValidator(empty_to_none)] = None


class Document(CaptionedMedia):
    filename: str | None = None


class Audio(Media):
    voice: bool | None = None


class Location(Part):
    """Degrees, as numbers or as text; they leave as numbers."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    name: str | None = None
    address: str | None = None


class Reaction(Part):
    """An empty or missing `emoji` takes the reaction back."""

    message_id: NonEmpty
    emoji: str = ""

    @model_validator(mode="before")
    @classmethod
    def _null_removes(cls, value: Any) -> Any:
        return {**value, "emoji": ""} if isinstance(value, dict) and value.get("emoji") is None else value


class ContactName(Part):
    formatted_name: NonEmpty
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None


class ContactPhone(Part):
    phone: str | None = None
    type: str | None = None
    wa_id: str | None = None


class ContactEmail(Part):
    email: str | None = None
    type: str | None = None


class ContactUrl(Part):
    url: str | None = None
    type: str | None = None


class ContactAddress(Part):
    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    country_code: str | None = None
    type: str | None = None


class ContactOrganisation(Part):
    company: str | None = None
    department: str | None = None
    title: str | None = None


class Contact(Part):
    name: ContactName
    birthday: str | None = None
    phones: list[ContactPhone] | None = None
    emails: list[ContactEmail] | None = None
    urls: list[ContactUrl] | None = None
    addresses: list[ContactAddress] | None = None
    org: ContactOrganisation | None = None


class ContactCards(Part):
    """Not on the wire: it carries the array, so that it validates like every other kind."""

    contacts: Annotated[list[Contact], Field(min_length=1, max_length=limits.CONTACTS_MAX_COUNT)]
