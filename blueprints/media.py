"""``/v1/media``: upload, look at, read, delete files.

Process: worker.
"""

from typing import Any

import orjson
from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response
from blueprints.request_reading import caller_of, needs, own_number, services_of, word
from blueprints.streaming import body_of, drained, send_file, small_body
from config.errors import Fault, RequestRefused
from services.keys import Scope
from services.media import Media, NoSuchMedia

bp = Blueprint("media", url_prefix="/media")


@bp.post("/", stream=True)
@needs(Scope.MEDIA)
async def upload_media(request: Request) -> HTTPResponse:
    """Store the file of a multipart form (part ``file``; optionally ``type`` and ``ttl_minutes``), or the one behind
    the ``link`` of a JSON body: 201."""
    services = services_of(request)
    number = await own_number(request, word(request, "phone_number_id"))
    uploads, content_type = services.media_uploads, request.headers.get("content-type", "")
    async with drained(request):
        if content_type.startswith("application/json"):
            link = link_in(await small_body(request))
            media = await uploads.store_link(link, phone_number_id=number.phone_number_id)
        else:
            media = await uploads.store_form(body_of(request), content_type, phone_number_id=number.phone_number_id)
    return json_response(media_json(media), status=201, headers={"location": f"/v1/media/{media.id}"})


@bp.get("/<media_id:str>")
@needs(Scope.MEDIA)
async def get_media(request: Request, media_id: str) -> HTTPResponse:
    """What is known of a file."""
    return json_response(media_json(await _own(request, media_id)))


@bp.get("/<media_id:str>/content")
@needs(Scope.MEDIA)
async def get_content(request: Request, media_id: str) -> None:
    """The bytes; a customer's file is fetched from WhatsApp first. One range of it, where one is asked for."""
    await send_file(request, await services_of(request).media.open(await _own(request, media_id)))


@bp.delete("/<media_id:str>")
@needs(Scope.MEDIA)
async def delete_media(request: Request, media_id: str) -> HTTPResponse:
    """Remove a file, here and at WhatsApp."""
    media = await _own(request, media_id)
    result = await services_of(request).commands.submit(
        "media.delete", {"media_id": media.id}, by=caller_of(request).key_id, runs_concurrently=True
    )
    return json_response(result)


async def _own(request: Request, media_id: str) -> Media:
    media = await services_of(request).media.get(media_id)
    if not caller_of(request).may_use(media.phone_number_id):
        raise NoSuchMedia()
    return media


def link_in(body: bytes) -> str:
    """The ``link`` of a JSON body. Raises ``RequestRefused``."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestRefused("The body is not valid JSON.", code="invalid_json") from error
    link = raw.get("link") if isinstance(raw, dict) else None
    if not isinstance(link, str) or not link:
        raise RequestRefused("There is no link to fetch.", faults=[Fault("link", "must be an address")])
    return link


def media_json(media: Media) -> dict[str, Any]:
    """A file as the API shows it. ``size_bytes`` and ``sha256`` are null where nobody has told."""
    return {
        "id": media.id,
        "phone_number_id": media.phone_number_id,
        "origin": media.origin.value,
        "kind": media.kind,
        "mime_type": media.mime_type,
        "size_bytes": media.size_bytes,
        "sha256": media.sha256,
        "filename": media.filename,
        "message_id": media.message_id,
        "content_url": f"/v1/media/{media.id}/content",
        "created_at": media.created_at,
        "expires_at": media.expires_at,
    }
