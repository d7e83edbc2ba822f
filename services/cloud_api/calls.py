"""A call to hand on is made plain first, then judged, and then sent exactly as it was judged.

Process: worker.

Path: segments are decoded once and must be plain words. Parameters: from the query and from the body, which Graph
reads as one; what would make another call of it (``method``, ``ids``, ``batch`` …) is refused. Body: written anew from
what was read, so that Graph cannot read it differently.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

import aiohttp
import orjson

from config.errors import RequestRefused
from services.media import FilePart, read_form

_PLAIN_SEGMENT: Final = re.compile(r"[A-Za-z0-9_~.:=+@,-]{1,2048}")
_DOTS: Final = re.compile(r"[.]+")
OVERRIDES: Final = frozenset({"method", "_method", "http_method", "_http_method", "x_http_method_override"})
BATCHES: Final = frozenset({"ids", "batch", "relative_url", "attached_files"})
CREDENTIALS: Final = frozenset({"access_token", "appsecret_proof", "appsecret_time"})
"""The caller's own: they stay here. Ours go along instead."""
OVERRIDE_HEADERS: Final = ("x-http-method-override", "x-http-method", "x-method-override", "x-method")
KEPT_HEADERS: Final = ("content-type", "file_offset", "content-length")
_FORM: Final = "application/x-www-form-urlencoded"
_OCTETS: Final = "application/octet-stream"


class PathRefused(RequestRefused):
    """The path is not one that can be judged as it stands."""

    code = "path_refused"
    default_text = (
        "The path must be plain: ids and edges between single slashes, without dot segments, encoded separators, "
        "backslashes or control characters."
    )


class OverrideRefused(RequestRefused):
    """The call says one thing and asks Graph to do another."""

    code = "override_refused"


@dataclass(frozen=True, slots=True)
class ProxiedCall:
    """A call to hand on. ``path`` has no version; ``body`` is bytes, or a stream of them. ``parameters``: what query
    and body say, once the call is plain."""

    method: str
    path: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] | None
    parameters: tuple[tuple[str, Any], ...] = ()


def plain_path(segments: Iterable[str]) -> tuple[str, ...]:
    """The segments, decoded once. Raises ``PathRefused`` for one that could mean another object than it says."""
    try:
        plain = tuple(unquote(segment, errors="strict") for segment in segments)
    except UnicodeDecodeError as error:
        raise PathRefused() from error
    for segment in plain:
        if _PLAIN_SEGMENT.fullmatch(segment) is None or _DOTS.fullmatch(segment) is not None:
            raise PathRefused()
    return plain


def parameter_name(name: str) -> str:
    """A parameter's name as Graph may read it: ``fields[0]`` and `` Fields`` are ``fields``."""
    bare = name.strip().lower().partition("[")[0].strip()
    return re.sub(r"[\s.-]", "_", bare)


def is_credential(name: str) -> bool:
    """Does a parameter with this name say who calls?"""
    return parameter_name(name) in CREDENTIALS


def require_no_override(names: Iterable[str], headers: Mapping[str, str]) -> None:
    """Raise ``OverrideRefused`` when a parameter or a header would make another call of this one."""
    for header in OVERRIDE_HEADERS:
        if header in headers:
            raise OverrideRefused(f"The header {header} is not taken: call with the HTTP method that you mean.")
    for name in names:
        bare = parameter_name(name)
        if bare in OVERRIDES:
            raise OverrideRefused(f"The parameter {bare} is not taken: call with the HTTP method that you mean.")
        if bare in BATCHES:
            raise OverrideRefused(f"The parameter {bare} is not taken: call each object at its own path.")


async def plain_call(call: ProxiedCall) -> ProxiedCall:
    """The call as it is judged and sent. Raises ``PathRefused``, ``OverrideRefused``, ``RequestRefused``."""
    headers = {name: call.headers[name] for name in KEPT_HEADERS if name in call.headers}
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise RequestRefused("A header has characters that it must not have.")
    query = tuple(pair for pair in call.query if not is_credential(pair[0]))
    if isinstance(call.body, AsyncIterable):
        body: bytes | AsyncIterable[bytes] | None = call.body
        headers["content-type"] = _stream_type(headers.get("content-type", ""))
        fields: list[tuple[str, Any]] = []
    else:
        headers.pop("content-length", None)
        kind, body, fields = await _plain_body(headers.pop("content-type", ""), call.body or b"")
        if kind:
            headers["content-type"] = kind
    parameters = (*query, *fields)
    require_no_override((name for name, _ in parameters), call.headers)
    return replace(call, path=plain_path(call.path), query=query, headers=headers, body=body, parameters=parameters)


async def _plain_body(content_type: str, body: bytes) -> tuple[str, bytes | None, list[tuple[str, Any]]]:
    """Content type and bytes of the body that is sent, and the parameters in it."""
    if not body.strip():
        return "", None, []
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _plain_multipart(content_type, body)
    # curl -d calls JSON a form: what begins with a brace is JSON.
    if kind == _FORM and body.lstrip()[:1] != b"{":
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True)
        except ValueError as error:
            raise RequestRefused("The form is not valid UTF-8.") from error
        kept = [pair for pair in pairs if not is_credential(pair[0])]
        return _FORM, urlencode(kept).encode(), [*kept]
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"The body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise RequestRefused("The body must be a JSON object.")
    value = {name: item for name, item in value.items() if not is_credential(name)}
    try:
        return "application/json", orjson.dumps(value), list(value.items())
    except TypeError as error:
        raise RequestRefused("The body is nested too deep.") from error


async def _plain_multipart(content_type: str, body: bytes) -> tuple[str, bytes, list[tuple[str, Any]]]:
    async def pieces() -> AsyncIterator[bytes]:
        yield body

    async def kept(_: FilePart, data: AsyncIterator[bytes]) -> bytes:
        return b"".join([piece async for piece in data])

    form = await read_form(pieces(), content_type, store=kept)
    fields = {name: text for name, text in form.fields.items() if not is_credential(name)}
    written = aiohttp.FormData(default_to_multipart=True)
    for name, text in fields.items():
        written.add_field(name, text)
    names: list[tuple[str, Any]] = [*fields.items()]
    try:
        if form.part is not None and form.stored is not None:
            part = form.part
            kind = part.content_type or "application/octet-stream"
            written.add_field(part.name, form.stored, filename=part.filename or "file", content_type=kind)
            names.append((part.name, ""))
        payload = written()
        buffer = _Buffer()
        await payload.write(buffer)  # type: ignore[arg-type]  # what a multipart body needs of a writer
    except (ValueError, TypeError, AssertionError) as error:
        raise RequestRefused("The form has a name or a type that cannot be written.") from error
    return payload.headers["Content-Type"], bytes(buffer.data), names


class _Buffer:
    """Where a form writes itself to."""

    def __init__(self) -> None:
        self.data = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.data += chunk


def _stream_type(content_type: str) -> str:
    """The type of a body that goes by unread. Graph must not look for parameters in it; curl calls anything a form."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise RequestRefused("Send the bytes themselves, not a form: the body of an upload is the file.")
    return content_type if kind.startswith(("image/", "video/", "audio/", "application/pdf")) else _OCTETS
