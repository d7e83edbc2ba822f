"""``/v1/webhook-endpoints``: who is told, in which form, and what became of it.

Process: worker.
"""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from blueprints.rendering import json_response, page_response
from blueprints.request_reading import (
    caller_of,
    cursor_of,
    json_object,
    limit_of,
    needs,
    optional_json_object,
    services_of,
)
from services.keys import Scope
from services.webhook_endpoints import (
    Attempt,
    DeadLetter,
    EndpointView,
    WebhookEndpointService,
    parse_endpoint,
    parse_redelivery,
    parse_rotation,
)

bp = Blueprint("webhook_endpoints", url_prefix="/webhook-endpoints")


@bp.post("/")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def create_endpoint(request: Request) -> HTTPResponse:
    """Make an endpoint. The answer holds its signing secret, once."""
    order = parse_endpoint(json_object(request), is_new=True)
    view, secret = await _endpoints(request).create(order, caller_of(request))
    location = {"location": f"/v1/webhook-endpoints/{view.endpoint.id}"}
    return json_response(endpoint_json(view) | {"secret": secret}, status=201, headers=location)


@bp.get("/")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def list_endpoints(request: Request) -> HTTPResponse:
    """Every endpoint; there are few."""
    views = await _endpoints(request).all(caller_of(request))
    return json_response({"data": [endpoint_json(view) for view in views], "next_cursor": None})


@bp.get("/<endpoint_id:str>")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def get_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """One endpoint, and how far its deliveries have come."""
    return json_response(endpoint_json(await _endpoints(request).get(endpoint_id, caller_of(request))))


@bp.patch("/<endpoint_id:str>")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def update_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """Change URL, headers, events, numbers or description; what is left out stays."""
    order = parse_endpoint(json_object(request), is_new=False)
    return json_response(endpoint_json(await _endpoints(request).update(endpoint_id, order, caller_of(request))))


@bp.delete("/<endpoint_id:str>")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def delete_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """Remove an endpoint with its dead letters."""
    await _endpoints(request).delete(endpoint_id, caller_of(request))
    return HTTPResponse(status=204)


@bp.post("/<endpoint_id:str>/pause")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def pause_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """Send nothing for now; events wait."""
    return json_response(endpoint_json(await _endpoints(request).pause(endpoint_id, caller_of(request))))


@bp.post("/<endpoint_id:str>/resume")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def resume_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """Deliver again from the cursor, after a pause or after it was disabled."""
    return json_response(endpoint_json(await _endpoints(request).resume(endpoint_id, caller_of(request))))


@bp.post("/<endpoint_id:str>/rotate-secret")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def rotate_secret(request: Request, endpoint_id: str) -> HTTPResponse:
    """A new secret, shown once; the old one signs as well for ``overlap_s`` seconds."""
    wanted = parse_rotation(optional_json_object(request))
    view, secret = await _endpoints(request).rotate(endpoint_id, overlap_s=wanted.overlap_s, caller=caller_of(request))
    return json_response(endpoint_json(view) | {"secret": secret})


@bp.post("/<endpoint_id:str>/test")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def test_endpoint(request: Request, endpoint_id: str) -> HTTPResponse:
    """Send one test event now and tell what came back."""
    return json_response(attempt_json(await _endpoints(request).test(endpoint_id, caller_of(request))))


@bp.get("/<endpoint_id:str>/attempts")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def list_attempts(request: Request, endpoint_id: str) -> HTTPResponse:
    """Every try, the newest first."""
    limit = limit_of(request)
    found = await _endpoints(request).attempts(
        endpoint_id, before=cursor_of(request), limit=limit, caller=caller_of(request)
    )
    items = [attempt_json(attempt) for attempt in found]
    return page_response(items, limit=limit, last=found[-1].order if found else None)


@bp.get("/<endpoint_id:str>/dead-letters")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def list_dead_letters(request: Request, endpoint_id: str) -> HTTPResponse:
    """Events that the endpoint did not take, the newest first."""
    limit = limit_of(request)
    found = await _endpoints(request).letters(
        endpoint_id, before=cursor_of(request), limit=limit, caller=caller_of(request)
    )
    items = [letter_json(letter) for letter in found]
    return page_response(items, limit=limit, last=found[-1].order if found else None)


@bp.post("/<endpoint_id:str>/redeliver")
@needs(Scope.WEBHOOK_ENDPOINTS)
async def redeliver(request: Request, endpoint_id: str) -> HTTPResponse:
    """Deliver again: one event, a range, all since a time, or all dead letters."""
    what = parse_redelivery(json_object(request))
    begun = await _endpoints(request).redeliver(endpoint_id, what, caller_of(request))
    return json_response({"redeliveries": begun}, status=202)


def endpoint_json(view: EndpointView) -> dict[str, Any]:
    """An endpoint without its secrets: they were shown when they were made."""
    endpoint = view.endpoint
    return {
        "id": endpoint.id,
        "url": view.url,
        "format": endpoint.format.value,
        "events": endpoint.events,
        "numbers": endpoint.numbers,
        "header_names": endpoint.header_names,
        "description": endpoint.description,
        "status": endpoint.status.value,
        "reason": view.reason,
        "failing_since": endpoint.failing_since,
        "secrets": [{"id": secret.ref, "expires_at": secret.expires_at} for secret in endpoint.secrets],
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "created_by": endpoint.created_by,
        "streams": [
            {
                "id": stream.id,
                "kind": stream.kind.value,
                "phone_number_id": stream.number,
                "cursor": stream.cursor,
                "until": stream.until or None,
            }
            for stream in view.streams
        ],
    }


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """One try."""
    return {
        "id": attempt.id,
        "event_id": attempt.event_id,
        "event_type": attempt.event_type,
        "phone_number_id": attempt.number,
        "seq": attempt.seq,
        "attempt": attempt.attempt,
        "at": attempt.at,
        "duration_ms": attempt.duration_ms,
        "outcome": attempt.outcome.value,
        "status": attempt.status,
        "error": attempt.error,
        "response_body": attempt.answer,
        "next_at": attempt.next_at,
        "stream": attempt.stream,
    }


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """One event that was given up."""
    return {
        "event_id": letter.event_id,
        "event_type": letter.event_type,
        "phone_number_id": letter.number,
        "seq": letter.seq,
        "at": letter.at,
        "reason": letter.reason,
        "attempts": letter.attempt_count,
        "last_status": letter.last_status,
    }


def _endpoints(request: Request) -> WebhookEndpointService:
    return services_of(request).webhook_endpoints
