"""The drop-in's media: `POST /{phone}/media`, `GET` and `DELETE /{media}`, and the bytes behind the url it gives.

Process: worker.
"""

from sanic import HTTPResponse, Request

from blueprints.cloud_api.requests import base_url_of, graph_caller, number_of
from blueprints.rendering import json_response
from blueprints.request_reading import services_of
from blueprints.streaming import body_of, drained, send_file
from services.cloud_api import GraphFault, unknown_object
from services.keys import Caller, Scope
from services.media import FormRefused, Media, NoSuchMedia


async def post_media(request: Request, node: str) -> HTTPResponse:
    """Upload. The answer is the id; Meta's own order and completeness of fields are not asked for."""
    async with drained(request):
        caller = await graph_caller(request, Scope.MEDIA)
        number = await number_of(request, node, caller)
        try:
            media = await services_of(request).media_uploads.store_form(
                body_of(request), request.headers.get("content-type", ""), phone_number_id=number.phone_number_id
            )
        except FormRefused as refusal:
            raise GraphFault(100, message="(#100) The parameter file is required", details=refusal.text) from refusal
    return json_response({"id": media.id})


async def get_media(request: Request, media: Media, caller: Caller) -> HTTPResponse:
    """Where the bytes are, for five minutes.

    Source: Meta, "Media" (2025-12); ``sha256`` in hexadecimal and ``file_size`` as a number, as in its examples.
    """
    services = services_of(request)
    size_bytes = media.size_bytes
    if size_bytes is None:
        size_bytes = (await services.media.open(media)).size_bytes
    url = services.media_urls.url_of(media.id, services.clock.now(), base_url=base_url_of(request, ""))
    return json_response(
        {
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": media.mime_type,
            "sha256": media.sha256,
            "file_size": size_bytes,
            "id": media.id,
        }
    )


async def delete_media(request: Request, media: Media, caller: Caller) -> HTTPResponse:
    """Remove it, here and at WhatsApp."""
    await services_of(request).commands.submit(
        "media.delete", {"media_id": media.id}, by=caller.key_id, runs_concurrently=True
    )
    return json_response({"success": True})


async def media_of(request: Request, media_id: str, caller: Caller) -> Media | None:
    """The file with this id, if there is one for this caller and for the number that the query may name."""
    try:
        media = await services_of(request).media.get(media_id)
    except NoSuchMedia:
        return None
    wanted = request.args.get("phone_number_id")
    if not caller.may_use(media.phone_number_id) or (wanted and wanted != media.phone_number_id):
        return None
    return media


async def read_attachment(request: Request) -> None:
    """The bytes behind a url that `get_media` gave. Its proof is enough: some clients send no token along."""
    services = services_of(request)
    query = {name: request.args.get(name) or "" for name in ("mid", "ext", "hash")}
    media_id = services.media_urls.media_id_in(query, services.clock.now())
    if media_id is None:
        raise unknown_object(query["mid"], request.method)
    await send_file(request, await services.media.open(await services.media.get(media_id)))
