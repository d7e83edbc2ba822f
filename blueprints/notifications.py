"""``/v1/notifications``: what Meta posted, as it came; for the operator who wants to look, or have it read again.

Process: worker.
"""

from enum import StrEnum
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response, page_response
from blueprints.request_reading import choice, cursor_of, limit_of, needs, services_of
from services.cloud_webhook import StoredNotification
from services.keys import Scope

bp = Blueprint("notifications", url_prefix="/notifications")


class NotificationState(StrEnum):
    """``failed``: it is not JSON, so nothing could be made of it."""

    NEW = "new"
    DONE = "done"
    FAILED = "failed"


@bp.get("/")
@needs(Scope.ADMIN)
async def list_notifications(request: Request) -> HTTPResponse:
    """Notifications in one state (default ``failed``), the newest first, without their bodies."""
    limit = limit_of(request)
    state = choice(request, "state", NotificationState) or NotificationState.FAILED
    found = await services_of(request).webhook.page(state.value, before=cursor_of(request), limit=limit)
    items = [notification_json(notification) for notification in found]
    return page_response(items, limit=limit, last=found[-1].order if found else None)


@bp.get("/<notification_id:str>")
@needs(Scope.ADMIN)
async def get_notification(request: Request, notification_id: str) -> HTTPResponse:
    """One notification with its body as text."""
    found = await services_of(request).webhook.find(notification_id)
    return json_response(notification_json(found) | {"body": found.body.decode("utf-8", "replace")})


@bp.post("/<notification_id:str>/replay")
@needs(Scope.ADMIN)
async def replay_notification(request: Request, notification_id: str) -> HTTPResponse:
    """Take it in once more. What was understood the first time is recognised and changes nothing."""
    copy_id = await services_of(request).webhook.replay(notification_id)
    return json_response({"id": copy_id, "replay_of": notification_id}, status=202)


def notification_json(notification: StoredNotification) -> dict[str, Any]:
    """A notification without its body."""
    return {
        "id": notification.id,
        "state": notification.state,
        "received_at": notification.received_at,
        "size_bytes": len(notification.body),
        "replay_of": notification.replay_of,
    }
