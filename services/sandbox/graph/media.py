"""`POST /{phone}/media`, `GET` and `DELETE /{media}`, and the bytes behind a media url.

Process: sandbox.

Source: Meta, "Media" (2025-12). More lenient than Meta where a real client needs it: chunked uploads, parameters in
the query.
"""

import asyncio
import hashlib
from pathlib import Path

from aiohttp import BodyPartReader, web

from config.digits import whole_number_in
from services.sandbox.graph.call import SUCCESS, Answer, Call
from services.sandbox.graph.context import GraphContext
from services.sandbox.wire.faults import GraphFault, unknown_object
from services.sandbox.wire.shapes import Json
from services.sandbox.world.mediastore import AUDIO, IMAGE, LIMITS_BYTES, STICKER, VIDEO, MediaUrl, kind_of_mime
from services.sandbox.world.world import World

TAKEN = ", ".join((*AUDIO, *IMAGE, *STICKER, *VIDEO, "text/plain, application/pdf and other documents"))
CHUNK_BYTES = 256 * 1024


async def post_media(context: GraphContext, call: Call) -> Answer:
    """Upload: multipart with `file`, `type`, `messaging_product` in any order. The answer is the id."""
    if context.world.numbers.get(call.node) is None:
        raise call.no_such_object()
    if not call.request.content_type.startswith("multipart/"):
        raise GraphFault(100, message="(#100) The parameter file is required")
    store = context.media
    fields = dict(call.query)
    upload: _Upload | None = None
    try:
        reader = await call.request.multipart()
        async for part in reader:
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "file":
                upload = await _receive(part, store.path_of(f"upload-{context.world.new_trace_id()}"))
            elif part.name:
                fields[part.name] = (await part.read(decode=True)).decode("utf-8", "replace")
    except ValueError as error:
        raise GraphFault(100, f"The multipart body cannot be read: {error}.") from error
    if upload is None:
        raise GraphFault(100, message="(#100) The parameter file is required")
    try:
        _check_upload(upload, fields)
    except GraphFault:
        upload.path.unlink(missing_ok=True)
        raise
    media = store.add(
        upload.path,
        mime_type=fields.get("type") or upload.mime_type,
        phone_number_id=call.node,
        sha256=upload.sha256,
        filename=upload.filename,
    )
    return Answer({"id": media["id"]})


async def get_media(context: GraphContext, call: Call) -> Answer:
    """Where the bytes are, for five minutes."""
    media = _media_of(context, call)
    await _dawdle(context.world)
    base_url = f"{call.request.scheme}://{call.request.host}"
    return Answer(
        {
            "messaging_product": "whatsapp",
            "url": context.media.url_of(media, base_url),
            "mime_type": media["mime_type"],
            "sha256": media["sha256"],
            "file_size": media["file_size"],
            "id": media["id"],
        }
    )


async def delete_media(context: GraphContext, call: Call) -> Answer:
    media = _media_of(context, call)
    context.media.drop(media["id"])
    return Answer(SUCCESS)


async def get_bytes(context: GraphContext, request: web.Request) -> web.StreamResponse:
    """The bytes behind a media url; 404 without a page of text where it is wrong or too old. Ranges work."""
    query = request.query
    ends_at_s = whole_number_in(query.get("ext", "")) or 0
    url = MediaUrl(query.get("mid", ""), ends_at_s, query.get("hash", ""))
    media = context.media.get(url.media_id)
    if media is None or not context.media.opens(url):
        return web.Response(status=404)
    await _dawdle(context.world)
    return web.FileResponse(context.media.path_of(media["id"]), headers={"Content-Type": media["mime_type"]})


def require_media(context: GraphContext, media_id: object, kind: str, phone_number_id: str) -> None:
    """GraphFault when a message names a media id that its number does not have, or of another kind."""
    media = context.media.get(str(media_id))
    if media is None or media["phone_number_id"] != phone_number_id:
        text = f"Param {kind}['id'] is not a valid whatsapp business account media attachment ID"
        raise GraphFault(100, text, message=f"(#100) {text}")


class _Upload:
    """A received file and what was counted while it came."""

    def __init__(self, path: Path, mime_type: str, filename: str | None) -> None:
        self.path = path
        self.mime_type = mime_type
        self.filename = filename
        self.size_bytes = 0
        self.sha256 = ""


async def _receive(part: BodyPartReader, path: Path) -> _Upload:
    """Stream one part into a file; never more than a chunk in memory, nor more than the largest limit on disk."""
    mime_type = part.headers.get("Content-Type", "")
    # One real client sends an absolute path as the filename.
    filename = (part.filename or "").replace("\\", "/").rpartition("/")[2] or None
    upload = _Upload(path, mime_type, filename)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while chunk := await part.read_chunk(CHUNK_BYTES):
            upload.size_bytes += len(chunk)
            if upload.size_bytes > LIMITS_BYTES["document"]:
                break
            digest.update(chunk)
            file.write(chunk)
    upload.sha256 = digest.hexdigest()
    return upload


def _check_upload(upload: _Upload, fields: dict[str, str]) -> None:
    product = fields.get("messaging_product")
    if product != "whatsapp":
        raise GraphFault(100, message="(#100) The parameter messaging_product is required.")
    mime_type = fields.get("type") or upload.mime_type
    kind = kind_of_mime(mime_type)
    if kind is None:
        raise GraphFault(
            100,
            message=f"(#100) Param file must be a file with one of the following types: {TAKEN}. "
            f"Received file of type '{mime_type}'.",
        )
    most = LIMITS_BYTES[kind]
    if not 0 < upload.size_bytes <= most:
        size = upload.size_bytes
        text = f"{kind.capitalize()} file has size {size} bytes but must be atmost {most} bytes and non-empty"
        raise GraphFault(100, text)


def _media_of(context: GraphContext, call: Call) -> Json:
    media = context.media.get(call.node)
    wanted = call.query.get("phone_number_id")
    if media is None or (wanted is not None and wanted != media["phone_number_id"]):
        raise unknown_object(call.node, call.method)
    return media


async def _dawdle(world: World) -> None:
    if world.settings.now.media_delay_ms:
        await asyncio.sleep(world.settings.now.media_delay_ms / 1000)
