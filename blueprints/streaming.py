"""Bodies that are larger than memory should hold: read as they come, sent as they are read.

Process: worker.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import quote

from sanic import HTTPResponse, Request
from sanic.http import Http

from blueprints.request_reading import services_of
from config.digits import whole_number_in
from config.errors import RequestRefused
from services.media import OpenMedia

SMALL_BODY_BYTES: Final = 1_048_576
_RANGE: Final = re.compile(r"bytes=([0-9]{0,4000})-([0-9]{0,4000})")
_SHOWN: Final = ("image/", "audio/", "video/", "application/pdf", "text/plain")
"""What a browser may show by itself; anything else is a download."""


class RangeRefused(RequestRefused):
    """The file does not reach so far."""

    code = "range_not_satisfiable"
    default_text = "The file is shorter than the range that was asked for."


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The body of a streaming handler, piece by piece."""
    stream = cast(Http | None, request.stream)
    while stream is not None and (piece := await stream.read()) is not None:
        yield piece


@asynccontextmanager
async def drained(request: Request) -> AsyncIterator[None]:
    """Read what is left of a refused body: a client that still sends would see a reset, and never the reason."""
    try:
        yield
    except RequestRefused:
        left = services_of(request).settings.max_media_bytes
        async for piece in body_of(request):
            left -= len(piece)
            if left < 0:
                break
        raise


async def small_body(request: Request) -> bytes:
    """The whole body of a streaming handler where it turns out to be a small one. Raises ``RequestRefused``."""
    data = bytearray()
    async for piece in body_of(request):
        data += piece
        if len(data) > SMALL_BODY_BYTES:
            raise RequestRefused(f"The body is larger than {SMALL_BODY_BYTES} bytes.", code="body_too_large")
    return bytes(data)


async def send_file(request: Request, opened: OpenMedia) -> None:
    """Answer with a file, or the one range of it that was asked for. Headers leave when the first piece is here.

    A browser that opens it must not run it: the origin is that of the console.
    """
    media, size = opened.media, opened.size_bytes
    span = _span(request.headers.get("range"), size)
    start, length = span or (0, size)
    is_shown = media.mime_type.startswith(_SHOWN)
    name = quote(media.filename or f"{media.kind}-{media.id}", safe="")
    headers = {
        "content-length": str(length),
        "accept-ranges": "bytes",
        "content-disposition": f"{'inline' if is_shown else 'attachment'}; filename*=UTF-8''{name}",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, max-age=300",
    }
    if span is not None:
        headers["content-range"] = f"bytes {start}-{start + length - 1}/{size}"
    response = await request.respond(
        HTTPResponse(status=206 if span else 200, headers=headers, content_type=media.mime_type)
    )
    if response is None:
        return
    async for piece in opened.chunks(start=start, length=length):
        await response.send(piece)
    await response.eof()


def _span(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and length of the one range asked for; None for the whole file (also for what we cannot read).

    Source: RFC 9110, 14.1.2. Raises ``RangeRefused``.
    """
    found = _RANGE.fullmatch((header or "").strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = _up_to(last, size)
        start = size - length
    else:
        start = _up_to(first, size)
        length = (_up_to(last, size - 1) if last else size - 1) - start + 1
    if length <= 0 or start >= size:
        raise RangeRefused()
    return start, length


def _up_to(digits: str, most: int) -> int:
    """The number, or ``most`` where it is larger: a position may have any number of digits."""
    found = whole_number_in(digits, most=max(most, 0))
    return most if found is None else found
