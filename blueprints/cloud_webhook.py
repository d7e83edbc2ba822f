"""``/webhooks/whatsapp``: Meta's handshake and notifications.

Process: worker.
"""

from typing import Any, cast

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import text

from blueprints.request_reading import services_of
from blueprints.streaming import body_of
from config import limits
from config.errors import RequestRefused

bp = Blueprint("cloud_webhook", url_prefix="/webhooks/whatsapp")

MOST_BYTES = limits.NOTIFICATION_MAX_BYTES


@bp.get("/")
async def shake_hands(request: Request) -> HTTPResponse:
    """Meta asks whether this URL is ours."""
    return text(
        services_of(request).webhook.challenge(
            request.args.get("hub.mode"), request.args.get("hub.verify_token"), request.args.get("hub.challenge")
        )
    )


@bp.post("/", stream=True)
async def receive_notification(request: Request) -> HTTPResponse:
    """Store the raw notification, then answer 200: anything else makes Meta send it again.

    Meta's notifications may be larger than any other JSON body here, so this path has a limit of its own.
    """
    body = await _notification(request)
    await services_of(request).webhook.receive(body, request.headers.get("x-hub-signature-256"))
    return HTTPResponse(b'{"success":true}', status=200, content_type="application/json")


async def _notification(request: Request) -> bytes:
    cast(Any, request.stream).request_max_size = MOST_BYTES
    parts, size = [], 0
    async for part in body_of(request):
        size += len(part)
        if size > MOST_BYTES:
            raise RequestRefused("A notification has at most 3 MB.", code="body_too_large")
        parts.append(part)
    return b"".join(parts)
