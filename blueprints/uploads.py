"""Bodies that are read as they arrive: CSV files of any length within the limit, and JSON beside them.

Process: worker.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from sanic import Request

from blueprints.request_reading import services_of
from config.errors import Fault, RequestRefused

CSV_TYPES: Final = frozenset({"text/csv", "application/csv", "text/plain", "application/vnd.ms-excel"})


def media_type(request: Request) -> str:
    """The body's type without its parameters."""
    return str(request.headers.get("content-type", "")).partition(";")[0].strip().lower()


def is_csv(request: Request) -> bool:
    """Does the caller say that the body is CSV?"""
    return media_type(request) in CSV_TYPES


def require_csv(request: Request) -> None:
    """Refuse a body of another type, before a byte of it is read."""
    if not is_csv(request):
        raise RequestRefused(
            "The body must be CSV: send the file itself with Content-Type: text/csv.",
            code="unsupported_media_type",
            faults=[Fault("Content-Type", "must be text/csv")],
        )


async def csv_chunks(request: Request) -> AsyncIterator[bytes]:
    """The body of a streaming route, piece by piece, up to the limit for uploads."""
    async for chunk in _chunks(request, services_of(request).settings.max_media_bytes):
        yield chunk


async def receive_body(request: Request) -> None:
    """Read the body of a streaming route into ``request.body``, up to the limit for JSON bodies."""
    parts = [chunk async for chunk in _chunks(request, services_of(request).settings.max_body_bytes)]
    request.body = b"".join(parts)


async def _chunks(request: Request, most: int) -> AsyncIterator[bytes]:
    stream: Any = request.stream  # Sanic's type knows nothing of its HTTP/1 methods
    size = 0
    while chunk := await stream.read():
        size += len(chunk)
        if size > most:
            raise RequestRefused(
                f"The body is larger than {most} bytes.",
                code="body_too_large",
                faults=[Fault("", f"must be at most {most} bytes")],
            )
        yield chunk
