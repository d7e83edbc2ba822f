"""``/console``: one page and its files, with a strict Content-Security-Policy and no build step.

Process: worker.

The files' address carries a digest of all of them, so browsers keep them for ever, and an update is seen at once.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from sanic import Blueprint, HTTPResponse, Request

from blueprints.request_reading import services_of
from config.errors import RequestRefused

bp = Blueprint("console_pages", url_prefix="/console")

FOLDER: Final = Path(__file__).parent
TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
PACKED: Final = frozenset({".woff2"})
"""Packed as they are: gzip makes nothing of them."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
FOREVER: Final = "public, max-age=31536000, immutable"
ASK_FIRST: Final = "no-cache"
GZIP_FROM_BYTES: Final = 1_024


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, plain and compressed."""

    body: bytes
    packed: bytes
    content_type: str


@bp.get("/assets/<version:str>/<path:path>")
async def get_asset(request: Request, version: str, path: str) -> HTTPResponse:
    """A script, a style, a table of words or a picture."""
    file = files().get(path)
    if file is None:
        raise RequestRefused("There is no such file.", code="not_found")
    asset = _asset(file, file.stat().st_mtime_ns)
    headers = {**HEADERS, "cache-control": FOREVER if version == digest() else ASK_FIRST, "vary": "accept-encoding"}
    body = asset.body
    if asset.packed is not asset.body and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = asset.packed, "gzip"
    return HTTPResponse(body, headers=headers, content_type=asset.content_type)


async def show_console(request: Request, path: str = "") -> HTTPResponse:
    """The page; which part of it is seen is the script's business."""
    del path
    html = (FOLDER / "console.html").read_text(encoding="utf-8")
    html = html.replace("__VERSION__", digest()).replace("__LOCALE__", escape(services_of(request).settings.locale))
    return HTTPResponse(html, headers={**HEADERS, "cache-control": ASK_FIRST}, content_type="text/html; charset=utf-8")


bp.add_route(show_console, "/", methods=["GET"], name="console")
bp.add_route(show_console, "/<path:path>", methods=["GET"], name="console_part")


def files() -> dict[str, Path]:
    """Every file that may be served, by its path below the console's folder."""
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): path for path in found}


def digest() -> str:
    """Changes when any file does."""
    stats = [(name, path.stat()) for name, path in files().items()]
    return _digest(tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


@lru_cache(maxsize=4)
def _digest(stamps: tuple[tuple[str, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for name, _, _ in stamps:
        whole.update(name.encode() + b"\0" + (FOLDER / name).read_bytes())
    return whole.hexdigest()[:12]


@lru_cache(maxsize=256)
def _asset(path: Path, changed_ns: int) -> Asset:
    del changed_ns  # it is there for the cache: another time is another file
    body = path.read_bytes()
    packed = gzip.compress(body, 6, mtime=0) if len(body) >= GZIP_FROM_BYTES and path.suffix not in PACKED else body
    return Asset(body, packed, TYPES[path.suffix])
