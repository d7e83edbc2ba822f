"""What a caller may ask of an endpoint, checked to the last field; every fault is named.

Process: worker.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from config.errors import Fault, RequestRefused
from config.request_models import Moment, RequestModel, Says, fault, holds, parse_request, several
from services.events import EVENT_FAMILIES, EVENT_TYPES
from services.webhook_endpoints.filters import EVERYTHING
from services.webhook_endpoints.records import WebhookFormat
from services.webhook_endpoints.signing import secret_fault

MOST_HEADERS: Final = 20
HEADER_BYTES: Final = 4096
LONGEST_DESCRIPTION: Final = 500
MOST_EVENTS: Final = 200
MOST_NUMBERS: Final = 500
MOST_EVENT_IDS: Final = 1000
MOST_SEQ: Final = 2**53
DEFAULT_OVERLAP_S: Final = 86_400

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]{0,2048}")
_FORBIDDEN_HEADERS: Final = frozenset(
    # Hop by hop, or written by the HTTP client itself.
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "host", "content-length", "expect", "content-encoding", "accept-encoding"}
    # Ours.
    | {"content-type", "user-agent", "x-hub-signature", "x-hub-signature-256"}
)
_FORBIDDEN_PREFIXES: Final = ("webhook-", "x-forwarded-", "forwarded")


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A checked body. None: the caller did not say (allowed in an update only, but for ``secret``)."""

    url: str | None
    events: tuple[str, ...] | None
    numbers: tuple[str, ...] | None
    format: WebhookFormat
    headers: Mapping[str, str] | None
    description: str | None
    secret: str | None


def _required(value: Any) -> Any:
    if value is None:
        raise fault("is required")
    return value


def _known_events(words: list[str]) -> list[str]:
    if unknown := [position for position, word in enumerate(words) if not _is_known_event(word)]:
        reason = "is neither a type nor a family of events; see docs/events.md"
        raise several([Fault(f"[{position}]", reason) for position in unknown])
    return words


def _is_known_event(word: str) -> bool:
    return word == EVERYTHING or word in EVENT_TYPES or (word.endswith(".*") and word[:-2] in EVENT_FAMILIES)


def _sendable_headers(value: dict[str, Any]) -> dict[str, str]:
    faults: list[Fault] = []
    headers: dict[str, str] = {}
    for name, text in value.items():
        path, lower = f".{name}"[:93], name.lower()  # a path is not as long as a caller may write a name
        if not _HEADER_NAME.fullmatch(name):
            faults.append(Fault(path, "is not a name of a header"))
        elif lower in _FORBIDDEN_HEADERS or lower.startswith(_FORBIDDEN_PREFIXES):
            faults.append(Fault(path, "cannot be set"))
        elif lower in headers:
            faults.append(Fault(path, "is there twice"))
        elif not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            faults.append(Fault(path, "must be a text of at most 2048 printable characters"))
        else:
            headers[lower] = text
    if sum(len(name) + len(text) for name, text in headers.items()) > HEADER_BYTES:
        faults.append(Fault("", f"must not have more than {HEADER_BYTES} bytes together"))
    if faults:
        raise several(faults)
    return headers


def _fitting_secret(value: str, info: ValidationInfo) -> str:
    if info.data.get("format", WebhookFormat.PANAL) is WebhookFormat.PANAL:
        reason = secret_fault(value)
    else:
        is_fit = 16 <= len(value) <= 256 and value.isascii() and value.isprintable()
        reason = None if is_fit else "must have 16 to 256 printable ASCII characters"
    if reason:
        raise fault(reason)
    return value


NonEmpty = Annotated[str, Field(min_length=1)]
Url = Annotated[str, Says("must be a text")]
"""Its own rules are those of ``services.egress``."""
Events = Annotated[
    list[NonEmpty],
    Field(min_length=1, max_length=MOST_EVENTS),
    Says("must be a list of event types, families (message.*) or *", covers_items=True),
    AfterValidator(_known_events),
]
Numbers = Annotated[
    list[NonEmpty],
    Field(max_length=MOST_NUMBERS),
    Says("must be a list of phone_number_id; empty for all", covers_items=True),
]
Headers = Annotated[
    dict[str, Any],
    Field(max_length=MOST_HEADERS),
    Says(f"must be an object of at most {MOST_HEADERS} names and texts"),
    AfterValidator(_sendable_headers),
]
Description = Annotated[
    str, Field(max_length=LONGEST_DESCRIPTION), Says(f"must be a text of at most {LONGEST_DESCRIPTION} characters")
]
EventIds = Annotated[
    list[NonEmpty],
    Field(min_length=1, max_length=MOST_EVENT_IDS),
    Says(f"must be ids of events, at most {MOST_EVENT_IDS}", covers_items=True),
]
Seq = Annotated[int, Field(ge=1, le=MOST_SEQ), Says("must be a whole number from 1 on")]


class _EndpointChange(RequestModel):
    refusal: ClassVar[str] = "The endpoint is not valid."
    unknown_field: ClassVar[str] = "is not a field of an endpoint"

    url: Url | None = None
    events: Events | None = None
    numbers: Numbers | None = None
    headers: Headers | None = None
    description: Description | None = None


class _NewEndpoint(_EndpointChange):
    url: Annotated[Url, BeforeValidator(_required)] = Field(default=None, validate_default=True)
    events: Events | None = Field(default_factory=lambda: [EVERYTHING])
    numbers: Numbers | None = Field(default_factory=list)
    headers: Headers | None = Field(default_factory=dict)
    description: Description | None = ""
    format: Annotated[WebhookFormat, Field(strict=False), Says("must be panal or meta")] = WebhookFormat.PANAL
    secret: Annotated[str, Says("must be a text"), AfterValidator(_fitting_secret)] | None = None


def parse_endpoint(body: Mapping[str, Any], *, is_new: bool) -> EndpointRequest:
    """Raises ``RequestRefused`` with every fault. The URL's own rules are ``services.egress``'s."""
    found = parse_request(_NewEndpoint if is_new else _EndpointChange, body)
    return EndpointRequest(
        url=found.url,
        events=_once(found.events),
        numbers=_once(found.numbers),
        format=found.format if isinstance(found, _NewEndpoint) else WebhookFormat.PANAL,
        headers=found.headers,
        description=found.description,
        secret=found.secret if isinstance(found, _NewEndpoint) else None,
    )


class _Redelivery(RequestModel):
    """One way to say what to deliver again. Fields of the other ways are not looked at."""

    model_config = ConfigDict(extra="ignore")


class _OneEvent(_Redelivery):
    event_id: Annotated[str, Field(min_length=1), Says(f"must be ids of events, at most {MOST_EVENT_IDS}")]


class _Events(_Redelivery):
    event_ids: EventIds


class _Range(_Redelivery):
    from_seq: Seq
    to_seq: Seq = MOST_SEQ
    phone_number_id: Annotated[str, Says("is required with from_seq")]

    @model_validator(mode="after")
    def _does_not_end_before_it_begins(self) -> Self:
        if self.to_seq < self.from_seq:
            raise several([Fault(".to_seq", "must not be smaller than from_seq")])
        return self


class _Since(_Redelivery):
    since: Annotated[Moment, Says("must be an RFC 3339 moment with a time zone")]


class _DeadLetters(_Redelivery):
    dead_letters: Annotated[bool, holds(bool), Says("must be true")]


_WAYS: Final[Mapping[str, type[_Redelivery]]] = {
    "event_id": _OneEvent,
    "event_ids": _Events,
    "from_seq": _Range,
    "since": _Since,
    "dead_letters": _DeadLetters,
}


def parse_redelivery(body: Mapping[str, Any]) -> dict[str, Any]:
    """What to deliver again, in one of five ways, as data of the command. Raises ``RequestRefused``."""
    ways = [name for name in _WAYS if name in body]
    if len(ways) != 1:
        reason = "say exactly one of event_id, event_ids, from_seq (with to_seq), since, dead_letters"
        raise RequestRefused("It is not clear what to deliver again.", faults=[Fault("", reason)])
    found = parse_request(_WAYS[ways[0]], body)
    return {"event_ids": [found.event_id]} if isinstance(found, _OneEvent) else found.model_dump()


def _once(values: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


class RotationRequest(RequestModel):
    """A new signing secret. ``overlap_s``: how many seconds the old one signs as well."""

    model_config = ConfigDict(extra="ignore")

    overlap_s: Annotated[int | float, Says("must be a number of seconds", covers_items=True)] = DEFAULT_OVERLAP_S


def parse_rotation(body: Mapping[str, Any]) -> RotationRequest:
    """Raises ``RequestRefused``. The bounds of ``overlap_s`` are the service's."""
    return parse_request(RotationRequest, body)
