"""``/openapi.json``, ``/docs`` and ``/docs/errors``: the API reference, with no asset from another host.

Process: worker. Everything is built once, at the first request for it, on a thread: it takes as long as a hundred
requests. It stays in memory.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.error_page import error_page
from blueprints.openapi import document_bytes
from config.errors import RequestRefused

FOLDER: Final = Path(__file__).parent / "reference"
RAPIDOC: Final = "rapidoc-9.3.8.min.js"

ASSETS: Final = MappingProxyType(
    {
        RAPIDOC: "text/javascript; charset=utf-8",
        "reference.js": "text/javascript; charset=utf-8",
        "reference.css": "text/css; charset=utf-8",
        "errors.css": "text/css; charset=utf-8",
        "panal.svg": "image/svg+xml",
    }
)

_CLOSED: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; img-src 'self' data:"
REFERENCE_POLICY: Final = (
    # RapiDoc writes style attributes into its shadow root; scripts are ours alone.
    f"{_CLOSED}; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'"
)
ERRORS_POLICY: Final = f"{_CLOSED}; style-src 'self'"

REVALIDATE: Final = "no-cache"  # kept, but asked about: an update must show at once
FOREVER: Final = "public, max-age=31536000, immutable"  # its name has its version
GZIP_FROM_BYTES: Final = 1_024


bp = Blueprint("docs")


@dataclass(frozen=True, slots=True)
class Page:
    """Bytes that do not change while the process lives, plain and compressed."""

    body: bytes
    packed: bytes
    etag: str
    content_type: str


@bp.get("/openapi.json")
async def get_openapi(request: Request) -> HTTPResponse:
    """The OpenAPI document."""
    return _serve(request, await asyncio.to_thread(_document))


@bp.get("/docs")
async def show_reference(request: Request) -> HTTPResponse:
    """The API reference for people."""
    return _serve(request, await asyncio.to_thread(_reference), policy=REFERENCE_POLICY)


@bp.get("/docs/errors")
async def show_errors(request: Request) -> HTTPResponse:
    """Every error code, its meaning, and what to do."""
    return _serve(request, await asyncio.to_thread(_errors), policy=ERRORS_POLICY)


@bp.get("/docs/assets/<name:str>")
async def get_asset(request: Request, name: str) -> HTTPResponse:
    """A script, a style or a picture of these pages."""
    if name not in ASSETS:
        raise RequestRefused("There is no such file.", code="not_found")
    page = await asyncio.to_thread(_asset, name)
    return _serve(request, page, cache_control=FOREVER if name == RAPIDOC else REVALIDATE)


@cache
def _document() -> Page:
    return _page(document_bytes(), "application/json")


@cache
def _reference() -> Page:
    html = (FOLDER / "reference.html").read_text(encoding="utf-8").replace("__RAPIDOC__", RAPIDOC)
    return _page(html.encode(), "text/html; charset=utf-8")


@cache
def _errors() -> Page:
    return _page(error_page().encode(), "text/html; charset=utf-8")


@cache
def _asset(name: str) -> Page:
    return _page((FOLDER / name).read_bytes(), ASSETS[name])


def _page(body: bytes, content_type: str) -> Page:
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= GZIP_FROM_BYTES else body
    return Page(body, packed, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"', content_type)


def _serve(request: Request, page: Page, *, policy: str = _CLOSED, cache_control: str = REVALIDATE) -> HTTPResponse:
    headers = {
        "etag": page.etag,
        "cache-control": cache_control,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "vary": "accept-encoding",
    }
    if _has_it(request.headers, page):
        return HTTPResponse(b"", status=304, headers=headers)
    body = page.body
    if page.packed is not page.body and "gzip" in request.headers.get("accept-encoding", ""):
        body = page.packed
        headers["content-encoding"] = "gzip"
    return HTTPResponse(body, headers=headers, content_type=page.content_type)


def _has_it(headers: Mapping[str, str], page: Page) -> bool:
    """Does the caller's copy have this tag? It is a weak one: the compressed bytes are others."""
    tags = headers.get("if-none-match", "").split(",")
    return any(tag.strip().removeprefix("W/") == page.etag.removeprefix("W/") for tag in tags)
