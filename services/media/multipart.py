"""A multipart body, read as it comes: small fields are kept, the file goes by in pieces.

Process: worker.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from config.errors import RequestRefused

T = TypeVar("T")
FIELDS_MOST: Final = 32
FIELD_MAX_BYTES: Final = 64 * 1024
HEADERS_MAX_BYTES: Final = 8 * 1024


class FormRefused(RequestRefused):
    """The body is no multipart form, or not one that this place takes."""

    code = "invalid_form"


@dataclass(frozen=True, slots=True)
class FilePart:
    """What a form says of its file. ``content_type`` is the part's own."""

    name: str
    filename: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """``stored`` is what became of the file; None when there was none."""

    fields: dict[str, str]
    part: FilePart | None
    stored: T | None


@dataclass(slots=True)
class _Events:
    """What the parser found in the last piece of the body: parts begin, bring data, end."""

    found: list[FilePart | bytes | None] = field(default_factory=list)
    _headers: dict[str, bytes] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._more(self._name, data[start:end]),
            "on_header_value": lambda data, start, end: self._more(self._value, data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": lambda: self.found.append(self._part()),
            "on_part_data": lambda data, start, end: self.found.append(bytes(data[start:end])),
            "on_part_end": lambda: self.found.append(None),
            "on_end": self._end,
        }

    def _end(self) -> None:
        self.is_whole = True

    def _more(self, buffer: bytearray, data: bytes) -> None:
        buffer += data
        if len(buffer) > HEADERS_MAX_BYTES:
            raise FormRefused("A header of the form is too long.")

    def _header_end(self) -> None:
        if any(byte < 0x20 and byte != 0x09 for byte in self._value):
            raise FormRefused("A header of the form has a control character.")
        self._headers[self._name.decode("latin-1").lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _part(self) -> FilePart:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        kind = self._headers.get("content-type")
        filename = options.get(b"filename")
        return FilePart(
            name=options.get(b"name", b"").decode("utf-8", "replace"),
            filename=None if filename is None else filename.decode("utf-8", "replace"),
            content_type=None if kind is None else kind.decode("latin-1"),
        )


async def read_form(
    body: AsyncIterable[bytes],
    content_type: str,
    *,
    store: Callable[[FilePart, AsyncIterator[bytes]], Awaitable[T]],
) -> Form[T]:
    """Read a form with at most one file, in the part named `file`; ``store`` gets its bytes as they come.

    A part with a filename or the name `file` is a file. Raises ``FormRefused`` and what ``store`` raises.
    """
    try:
        kind, options = parse_options_header(content_type)
    except (UnicodeError, ValueError) as error:
        raise FormRefused("The Content-Type cannot be read.", detail=str(error)) from error
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise FormRefused("The body must be multipart/form-data with a boundary.")
    events = _walk(body, boundary)
    fields: dict[str, str] = {}
    part: FilePart | None = None
    stored: T | None = None
    async for event in events:
        if not isinstance(event, FilePart):
            raise FormRefused("The form cannot be read.")
        if event.name == "file" or event.filename is not None:
            if part is not None:
                raise FormRefused("The form must have one file only.")
            part, stored = event, await store(event, _data(events))
            continue
        if len(fields) >= FIELDS_MOST:
            raise FormRefused(f"The form has more than {FIELDS_MOST} fields.")
        fields[event.name] = await _text(events)
    return Form(fields, part, stored)


async def _walk(body: AsyncIterable[bytes], boundary: bytes) -> AsyncIterator[FilePart | bytes | None]:
    events = _Events()
    try:
        parser = MultipartParser(boundary, events.callbacks())  # type: ignore[arg-type]  # its callbacks are a TypedDict
        async for piece in body:
            parser.write(piece)
            for event in events.found:
                yield event
            events.found.clear()
    except FormParserError as error:
        raise FormRefused("The form cannot be read.", detail=str(error)) from error
    if not events.is_whole:
        raise FormRefused("The form ends before its last boundary.")


async def _data(events: AsyncIterator[FilePart | bytes | None]) -> AsyncIterator[bytes]:
    """The pieces of the part that has just begun."""
    async for event in events:
        if event is None:
            return
        if isinstance(event, bytes):
            yield event
    raise FormRefused("The form ends in the middle of a part.")


async def _text(events: AsyncIterator[FilePart | bytes | None]) -> str:
    value = bytearray()
    async for piece in _data(events):
        value += piece
        if len(value) > FIELD_MAX_BYTES:
            raise FormRefused("A field of the form is too long.")
    return value.decode("utf-8", "replace")
