"""``/webhooks/whatsapp``: Meta's handshake and notifications.

Process: worker.
"""

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import text

from blueprints.reading import services_of

bp = Blueprint("cloud_webhook", url_prefix="/webhooks/whatsapp")


@bp.get("/")
async def shake_hands(request: Request) -> HTTPResponse:
    """Meta asks whether this URL is ours."""
    return text(
        services_of(request).webhook.challenge(
            request.args.get("hub.mode"), request.args.get("hub.verify_token"), request.args.get("hub.challenge")
        )
    )


@bp.post("/")
async def receive_notification(request: Request) -> HTTPResponse:
    """Store the raw notification, then answer 200: anything else makes Meta send it again."""
    await services_of(request).webhook.receive(request.body, request.headers.get("x-hub-signature-256"))
    return HTTPResponse(b'{"success":true}', status=200, content_type="application/json")
